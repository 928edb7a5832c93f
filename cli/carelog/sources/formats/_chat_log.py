"""Transcripts of chats that a help desk keeps as one text: `(02:16:47 PM) Ana: Hello`, a line each, perhaps
under a line `Chat started: 2026-09-14 02:16 PM UTC`. Without that line the clock's zone is not known, so the
times are then left out; the lines keep them in their order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

_LINE = re.compile(r"\((\d{1,2}):(\d{2}):(\d{2})(?:\s*([AaPp])\.?[Mm]\.?)?\)\s?(.*)")
_EVENT = re.compile(r"\*+\s*(.*?)\s*(?:\*+)?")
_JOINED = re.compile(r"\*+\s*(.+?) (?:has )?joined (?:the )?chat", re.IGNORECASE)
_SAID = re.compile(r"([^:\n]{1,100}):(?:\s|$)(.*)", re.DOTALL)
_STARTED = re.compile(
    r"Chat started:? (?:on )?(\d{4}-\d{2}-\d{2}) (\d{1,2}):(\d{2}) ([AP])M UTC", re.IGNORECASE
)
_VISITOR = re.compile(r"(?:web user|visitor|guest|customer|end.?user)\b", re.IGNORECASE)
_BOT = re.compile(r"\b(?:bot|chatbot|assistant|automated)\b|bot$", re.IGNORECASE)
_LEAST_LINES = 2


def is_visitor(name: str) -> bool:
    """Whether a name is what systems call a customer whose name they do not know."""
    return _VISITOR.match(name) is not None


def is_bot(name: str) -> bool:
    """Whether a name is that of a machine."""
    return _BOT.search(name) is not None


def split_chat(text: str, customers: Collection[str], agents: Collection[str]) -> list[dict[str, Any]]:
    """The messages of a transcript (speaker, text, perhaps `at`); none where the text is no transcript.

    `customers` and `agents` are names that are known. Of the others, whoever joined is an agent; then the one
    who said most is the customer.
    """
    before, lines = _cut(text)
    if len(lines) < _LEAST_LINES or not any(_SAID.match(said) for _, said in lines):
        return []
    speakers = _find_speakers([said for _, said in lines], customers, agents)
    messages: list[dict[str, Any]] = [{"speaker": "system", "text": before}] if before else []
    day, last = _day_of(before), -1
    for clock, said in lines:
        if day is not None and clock < last:
            day += timedelta(days=1)
        last = clock
        message = _to_message(said, speakers)
        if day is not None:
            message["at"] = (day + timedelta(seconds=clock)).isoformat().replace("+00:00", "Z")
        messages.append(message)
    if day is not None and before:
        messages[0]["at"] = messages[1]["at"]
    return messages


def _cut(text: str) -> tuple[str, list[tuple[int, str]]]:
    """What stands before the first line, and the second of the day and the words of each."""
    before: list[str] = []
    lines: list[tuple[int, list[str]]] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        found = _LINE.match(line.strip())
        if found is not None:
            lines.append((_second_of(found), [found[5]]))
        else:
            (lines[-1][1] if lines else before).append(line)
    return "\n".join(before).strip(), [(clock, "\n".join(said).strip()) for clock, said in lines]


def _second_of(found: re.Match[str]) -> int:
    hour = int(found[1])
    if found[4]:
        hour = hour % 12 + (12 if found[4] in "Pp" else 0)
    return hour * 3600 + int(found[2]) * 60 + int(found[3])


def _day_of(before: str) -> datetime | None:
    found = _STARTED.search(before)
    if found is None:
        return None
    try:
        return datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    except ValueError:
        return None


def _find_speakers(lines: list[str], customers: Collection[str], agents: Collection[str]) -> dict[str, str]:
    joined = {found[1].strip() for line in lines if (found := _JOINED.match(line))}
    said = Counter(found[1].strip() for line in lines if (found := _name_in(line)))
    known = {**dict.fromkeys(joined, "agent"), **dict.fromkeys(agents, "agent")}
    known.update(dict.fromkeys(customers, "customer"))
    speakers: dict[str, str] = {}
    for name in said:
        visitor = "customer" if is_visitor(name) else None
        speakers[name] = known.get(name) or visitor or ("bot" if is_bot(name) else "")
    unknown = [name for name, _ in said.most_common() if not speakers[name]]
    if unknown and "customer" not in speakers.values():
        speakers[unknown.pop(0)] = "customer"
    return {**speakers, **dict.fromkeys(unknown, "agent")}


def _name_in(line: str) -> re.Match[str] | None:
    return None if line.startswith("*") else _SAID.match(line)


def _to_message(said: str, speakers: dict[str, str]) -> dict[str, Any]:
    found = _name_in(said)
    if found is not None:
        return {"speaker": speakers[found[1].strip()], "text": found[2].strip()}
    event = _EVENT.fullmatch(said)
    return {"speaker": "system", "text": event[1] if event else said}
