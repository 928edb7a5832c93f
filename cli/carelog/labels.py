"""The values of every label, as the codebook (schemas/labelled.schema.json) defines them."""

from __future__ import annotations

CARE_ACTIVITIES = (
    "inform", "complaint", "listen", "opportunity", "follow_up", "onboard", "retain", "goodwill", "appreciate",
)  # fmt: skip
SERVICE_ACTIVITIES = (
    "question", "sale", "order", "return", "billing", "account", "technical", "appointment", "cancel",
)  # fmt: skip
ACTIVITIES = CARE_ACTIVITIES + SERVICE_ACTIVITIES
ORIENTATIONS = ("care", "service", "mixed", "none")
INITIATIVES = ("proactive", "reactive")
STAGES = ("greeting", "rapport", "needs", "solution", "gratitude")
SATISFACTIONS = ("satisfied", "neutral", "dissatisfied", "unknown")
SATISFACTION_SOURCES = ("stated", "inferred", "none")
OUTCOMES = ("resolved", "unresolved", "escalated", "promised", "unknown")
ASPECTS = ("quality", "price", "range", "attitude", "knowledge", "service_quality", "technical_support")
POLARITIES = ("positive", "negative", "neutral")
TOUCHPOINTS = ("awareness", "search", "visit", "order", "delivery", "use", "support", "renewal", "exit")
CUSTOMER_KINDS = ("external", "internal")
CHANNELS = ("phone", "email", "chat", "in_store")
SPEAKERS = ("customer", "agent", "bot", "system")
LANGUAGES = ("en", "hi", "gu", "th", "tl")
