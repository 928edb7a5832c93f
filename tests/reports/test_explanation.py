"""Explanations as text, from plain values."""

from __future__ import annotations

from typing import Any

from carelog.classification.evidence import MODEL_RULE
from carelog.reports.explanation import to_explanation_text

BARE: dict[str, Any] = {
    "interaction_id": "chat-1",
    "channel": "chat",
    "started_at": "2026-03-10T09:15:00Z",
    "rulebook": {"name": "ours", "hash": "0123456789abcdef"},
    "labels": {"language": "en", "stage_score": None},
    "texts": [],
}


def entry(rule: str, message: int | None, start: int | None = None, end: int | None = None) -> dict[str, Any]:
    field = "category" if message is None else "messages"
    return {"rule": rule, "field": field, "message": message, "start": start, "end": end}


def lines_of(name: str, one: dict[str, Any], **more: Any) -> list[str]:
    value = {**BARE, **more, "explained": {name: {"given": True, "evidence": [], **one}}}
    return to_explanation_text(value).splitlines()


def test_only_evidence_without_a_message_is_said_to_be_of_a_field() -> None:
    reasons = [
        entry("structure.mapped_value", None),
        entry("en.complaint.x", 1),
        {**entry(MODEL_RULE, None), "field": "record"},
    ]
    lines = lines_of("activity.complaint", {"evidence": reasons, "score": 1, "margin": 1, "rival": None})
    assert "  category  the field decides  [structure.mapped_value]" in lines
    assert "  message 2:  the message as a whole  [en.complaint.x]" in lines
    assert f"  record  many words together  [{MODEL_RULE}]" in lines


def test_an_activity_below_its_threshold_says_why_it_is_given() -> None:
    below = {"score": 0.91, "margin": -0.19, "rival": None}
    head = "activity.complaint: given, +0.91, below its threshold by 0.19: "
    why = "given as the strongest activity of care, which the orientation asks for"
    assert head + why in lines_of("activity.complaint", below)
    service = lines_of("activity.order", below)
    assert any(line.endswith(why.replace("care,", "service,")) for line in service)
    assert "strongest" not in "\n".join(lines_of("activity.complaint", {**below, "margin": 0.1}))
