"""What columns are called in other systems, and what these call channels, directions and states."""

from __future__ import annotations

PATTERNS: tuple[tuple[str, str], ...] = (
    ("interaction_id",
     r"(ticket|case|call|chat|conversation|interaction|contact|record|visit|receipt|session|"
     r"reference|unique) ?(id|no|nr|num|number|key|uuid)|id|uuid|number|no"),
    ("started_at",
     r"(start|started|created|creation|open|opened|begin|begun|received|call|chat|"
     r"visit)( ?(date|time|at|on|timestamp|datetime))*|(date|time|timestamp|"
     r"datetime)( ?(created|opened|started|time))?|created|when|sent( at)?|at"),
    ("ended_at",
     r"(end|ended|closed|close|finish|finished|completed|hangup|solved)( ?(date|time|at|on|"
     r"timestamp|ms))*"),
    ("first_response_seconds", r"first (response|reply)( time)?.*|frt"),
    ("wait_seconds",
     r"(avg |average )?(wait|waiting|queue|ring|ringing|hold before answer|speed of answer)( ?(time|"
     r"duration|in|seconds|secs|sec|s))*"),
    ("hold_seconds", r"(on )?hold( ?(time|duration|seconds|secs|s))*"),
    ("wrap_up_seconds", r"(wrap|wrapup|wrap up|after call work|acw)( ?(time|duration|seconds|secs|s))*"),
    ("handle_seconds",
     r"(handle|handling|aht|time (spent|tracked|worked)|worked)( ?(time|duration|seconds|"
     r"secs|s))*"),
    ("talk_seconds",
     r"(avg |average |total )?(talk|talking|call|billable|bill|conversation)? ?(time|duration|length|seconds|"
     r"sec|secs|billsec)( ?(in|seconds|secs|sec|s|min|minutes|ms))*"),
    ("resolution_seconds", r"(full )?resolution( time)?.*|time to (resolution|resolve|close)"),
    ("channel", r"(ticket |case |contact )?channel|via|medium|source|origin|contact (type|channel|method)"),
    ("direction", r"(call )?direction|in ?out|(is )?inbound|call type"),
    ("status", r"(ticket|case|call|chat)? ?(status|state|disposition|result|outcome)"),
    ("customer_id",
     r"(customer|client|caller|requester|contact|user|visitor|buyer|account)( ?(id|no|"
     r"number|email|e mail|mail|phone|name))?|caller ?id|from( number)?|e ?mail( address)?|"
     r"phone( number)?|src"),
    ("agent_id",
     r"(agent|assignee|owner|responder|operator|representative|rep|employee|staff|cashier|handled by|"
     r"assigned to|advisor|clerk)( ?(id|no|name|email))?|dst|to( number)?|destination"),
    ("team", r"(team|group|department|dept|agent group)( ?(id|name))?"),
    ("queue", r"(queue|skill|inbox|mailbox|pipeline)( ?(id|name))?"),
    ("store_id", r"(store|shop|branch|location|outlet|site)( ?(id|no|name|number|code))?"),
    ("campaign", r"campaign( ?(id|name))?"),
    ("language", r"(language|locale|lang)( ?code)?"),
    ("subject", r"((ticket|case|issue) )?(subject|title|topic|summary)|ticket name"),
    ("category", r"((ticket|case|issue|call|contact) )?(category|type|reason|issue)( ?(name|code))?"),
    ("notes", r"(notes?|comments?|remarks?|wrap up note|agent notes?|call notes?|resolution notes?)"),
    ("tags", r"tags?|labels?"),
    ("satisfaction.score",
     r"(customer )?(csat|nps|ces|satisfaction|rating|score|feedback|survey)( ?(score|rating|result|"
     r"results))?"),
    ("order.order_id", r"(order|receipt|invoice|transaction) ?(id|no|number)"),
    ("order.amount", r"(order|grand|net|gross)? ?(total|amount|price|value|revenue)( ?(collected|paid))?"),
    ("order.currency", r"currency( ?code)?"),
    ("text", r"((ticket|case|issue|chat|call|email|customer) )?(message|text|body|content|description|transcript|question|comment body|plain text|html)"),
)  # fmt: skip
"""For each field the names (in words, without capitals) of columns that hold it, the surest first."""

KNOWN_WORDS: dict[str, dict[str, str]] = {
    "channel": {
        "phone": "phone", "call": "phone", "voice": "phone", "telephone": "phone", "email": "email",
        "mail": "email",
        "e-mail": "email", "web": "email", "portal": "email", "web form": "email", "form": "email",
        "chat": "chat",
        "live chat": "chat", "webchat": "chat", "whatsapp": "chat", "line": "chat", "messenger": "chat",
        "facebook": "chat",
        "sms": "chat", "telegram": "chat", "social media": "chat", "twitter": "chat", "instagram": "chat", "store": "in_store", "in-store": "in_store",
        "in store": "in_store",
        "walk-in": "in_store", "pos": "in_store", "counter": "in_store",
    },
    "direction": {
        "inbound": "inbound", "in": "inbound", "incoming": "inbound", "i": "inbound",
        "outbound": "outbound",
        "out": "outbound", "outgoing": "outbound", "o": "outbound", "internal": "internal",
        "true": "inbound", "false": "outbound",
    },
    "status": {
        "completed": "completed", "answered": "completed", "connected": "completed", "success": "completed",
        "missed": "missed", "no answer": "missed", "unanswered": "missed", "abandoned": "abandoned",
        "voicemail": "voicemail", "failed": "failed", "busy": "failed", "open": "open", "new": "open",
        "pending": "open", "pending customer response": "open", "waiting on customer": "open",
        "on hold": "open", "in progress": "open", "waiting": "open", "closed": "closed", "solved": "closed",
        "resolved": "closed", "done": "closed",
    },
}  # fmt: skip
"""What the words of other systems mean in ours."""

SCORE_WORDS: dict[str, dict[str, int]] = {
    "thumbs": {
        "good": 1, "bad": 0, "yes": 1, "no": 0, "up": 1, "down": 0, "thumbs up": 1, "thumbs down": 0,
        "positive": 1, "negative": 0, "good with comment": 1, "bad with comment": 0, "like": 1, "dislike": 0,
    },
    "csat_5": {
        "very satisfied": 5, "extremely satisfied": 5, "excellent": 5, "very happy": 5, "very good": 5, "amazing": 5,
        "satisfied": 4, "happy": 4, "good": 4, "great": 4,
        "neutral": 3, "ok": 3, "okay": 3, "average": 3, "fair": 3, "neither satisfied nor dissatisfied": 3,
        "dissatisfied": 2, "unsatisfied": 2, "unhappy": 2, "bad": 2, "poor": 2,
        "very dissatisfied": 1, "extremely dissatisfied": 1, "terrible": 1, "very unhappy": 1, "very bad": 1,
        "very poor": 1,
    },
}  # fmt: skip
"""Scores that are words, by scale."""

NO_ANSWERS = frozenset(
    ("offered", "not offered", "unoffered", "not rated", "unrated", "no rating", "no response")
)
