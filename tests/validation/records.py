"""Records and blocks for the tests of validation."""

from __future__ import annotations

import json
from typing import Any

from carelog.sources.blocks import Block

START = "2026-03-10T09:15:00+05:30"


def record(channel: str | None = "phone", **fields: Any) -> dict[str, Any]:
    """A sound record of that channel; a field given as None is left out."""
    least: dict[str, dict[str, Any]] = {
        "phone": {"status": "completed"},
        "email": {"subject": "Invoice for February"},
        "chat": {"messages": [{"speaker": "customer", "text": "Is it back in stock?"}]},
        "in_store": {"store_id": "BLR-02", "notes": "Bought two lamps."},
    }
    value = {
        "interaction_id": "I-1",
        "channel": channel,
        "started_at": START,
        **least.get(channel or "", {}),
        **fields,
    }
    return {name: inner for name, inner in value.items() if inner is not None}


def full_record(channel: str = "phone") -> dict[str, Any]:
    """A sound record with every field."""
    return {
        **record(channel),
        "ended_at": "2026-03-10T09:21:40+05:30",
        "direction": "inbound",
        "initiative": "reactive",
        "status": "completed",
        "customer_id": "C-1",
        "customer_kind": "external",
        "agent_id": "A-1",
        "team": "north",
        "queue": "hindi",
        "store_id": "BLR-02",
        "campaign": "spring",
        "language": "hi-IN",
        "subject": "Invoice",
        "category": "Billing",
        "notes": "Sent a copy.",
        "tags": ["vip"],
        "messages": [
            {"speaker": "customer", "text": "नमस्ते", "at": "2026-03-10T09:15:05+05:30", "message_id": "m-1"},
            {"speaker": "agent", "text": "", "at": "2026-03-10T09:15:30.5+05:30"},
        ],
        "wait_seconds": 0,
        "talk_seconds": 12.5,
        "satisfaction": {"scale": "nps_10", "score": 9},
        "order": {"order_id": "SO-1", "kind": "sale", "amount": "1499.00", "currency": "INR"},
        "source": {"system": "x", "format": "jsonl", "file": "a.jsonl", "line": 3, "record_id": "9"},
        "extra": {"anything": [1, {"a": None}]},
    }


def block_of(*values: Any, file: str = "a.jsonl", first_line: int = 1) -> Block:
    """A block as reading makes it of JSON Lines."""
    raws: list[bytes | str] = [json.dumps(v, ensure_ascii=False).encode() for v in values]
    lines = list(range(first_line, first_line + len(values)))
    return Block(file, "jsonl", list(values), lines, [100 * n for n in lines], raws)
