"""A lamp shop's chats, as records and as labels by its people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FAULT = ["agent: Hello, how can I help?", "customer: This is the third time the lamp broke!", "agent: I see."]
REFUND = ["customer: I want a refund for the lamp", "agent: It is on its way", "customer: Perfect"]
GUARDED = ["customer: It is not the third time, but it broke"]
SILENT = ["customer: ok"]
SWAPPED = ["agent: You say it is the third time?", "customer: yes"]


def chat(identity: str, talk: Sequence[str], **fields: Any) -> dict[str, Any]:
    """A chat record of lines `speaker: text`."""
    pairs = [line.split(": ", 1) for line in talk]
    messages = [{"speaker": speaker, "text": text} for speaker, text in pairs]
    start = "2026-03-10T09:15:00+05:30"
    return {
        "interaction_id": identity, "channel": "chat", "started_at": start, "messages": messages, **fields
    }  # fmt: skip


def write_lines(path: Path, values: Sequence[dict[str, Any]]) -> Path:
    """JSON Lines in a file."""
    path.write_text("".join(json.dumps(v, ensure_ascii=False) + "\n" for v in values), "utf-8")
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The values of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def shop_log(path: Path) -> Path:
    """Five chats: a fault, a refund, a guarded phrase, one of no label, words of the wrong speaker."""
    talks = {"fault": FAULT, "refund": REFUND, "guarded": GUARDED, "silent": SILENT, "swapped": SWAPPED}
    return write_lines(path, [chat(name, talk) for name, talk in talks.items()])
