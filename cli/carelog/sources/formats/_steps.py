"""What happened in a contact without words, as messages of the system.

The records of a contact centre tell of a chat or a mail who joined and left and when, but not what was
written. Such a contact took place and counts; its steps, in the vendor's own terms, stand for its words.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from carelog.sources.blocks import Fault

NO_WORDS = Fault(
    "no_words", "the export holds none of the words; the steps of the contact were kept as system messages"
)


def to_steps(steps: Iterable[tuple[str | None, str]]) -> list[dict[str, Any]]:
    """Messages of the steps that have a time (RFC 3339 in UTC), in the order of these."""
    timed = [(at, text) for at, text in steps if at]
    timed.sort(key=lambda step: _moment(step[0]))
    return [{"speaker": "system", "text": text, "at": at} for at, text in timed]


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
