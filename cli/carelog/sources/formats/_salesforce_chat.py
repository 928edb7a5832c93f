"""A chat of Salesforce (a row of LiveChatTranscript) as a record.

Its body is HTML: lines in the middle of the page (`Chat Started: …`, `Agent Bo`), then `( 1m 13s ) Bo: Hello`, with
the time since the beginning. Sources: the vendor's object reference, and transcripts in its own public tests.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from carelog.sources.formats._chat_log import is_bot, is_visitor
from carelog.sources.formats._html_text import html_to_text
from carelog.sources.formats._leftovers import without_absent
from carelog.sources.formats._mapping import Rule
from carelog.sources.formats._mapping_values import UnclearError, to_time
from carelog.sources.formats._table_rows import to_name, to_seconds

_MARK = "\ue000"
_CENTRED = re.compile(r"<p[^>]{0,40}\balign=.?center[^>]{0,40}>([^<]{0,500})</p>", re.IGNORECASE)
_LINE = re.compile(
    r"\(\s*(?:(\d{1,4})d\s+)?(?:(\d{1,4})h\s+)?(?:(\d{1,4})m\s+)?(\d{1,9})s\s*\)\s*(?:([^:\n]{1,100}):)?\s*(.*)"
)
_STARTED = re.compile(r"Chat Started: (?:\w+day, )?(.+?) \(([+-]\d{4})\)")
_AGENT = re.compile(r"Agent (.+)|Chat Transferred From .+ To (.+)", re.IGNORECASE)
_STATUS = {
    "completed": "closed", "dropped": "closed", "blocked": "closed", "inprogress": "open", "in progress": "open",
    "waiting": "open", "missed": "missed", "abandoned": "abandoned",
}  # fmt: skip
_AT = Rule("at", "time")


def to_chat(cells: dict[str, str]) -> dict[str, Any]:
    """The record of a row, whose columns have their names in small letters."""
    left = dict(cells)
    number = next((cells[name] for name in ("id", "chatkey", "name") if name in cells), None)
    body = left.pop("body", "")
    messages, told = read_body(body)
    start = _take_time(left, "starttime") or told or _take_time(left, "requesttime")
    value = {
        "interaction_id": number,
        "channel": "chat",
        "started_at": start or _take_time(left, "createddate"),
        "ended_at": _take_time(left, "endtime"),
        "direction": "inbound",
        "initiative": "reactive",
        "status": _status(cells, messages),
        "customer_id": _first(left, "contactid", "leadid", "accountid", "livechatvisitorid"),
        "agent_id": _first(left, "ownerid", "owner name"),
        "queue": _first(left, "skillid", "livechatbuttonid"),
        "wait_seconds": to_seconds(left.pop("waittime", None)),
        "messages": messages,
    }
    return without_absent({**value, "extra": left})


def _first(cells: dict[str, str], *names: str) -> str | None:
    found = next((name for name in names if to_name(cells.get(name)) is not None), None)
    return None if found is None else to_name(cells.pop(found))


def _take_time(cells: dict[str, str], name: str) -> str | None:
    try:
        found = to_time(cells[name], _AT)[0] if name in cells else None
    except UnclearError:
        return None
    if found is not None:
        del cells[name]
    return found


def _status(cells: dict[str, str], messages: list[dict[str, Any]]) -> str | None:
    status = _STATUS.get(cells.get("status", "").lower())
    waited = to_seconds(cells.get("abandoned"))
    if waited and not any(message["speaker"] == "agent" for message in messages):
        return "abandoned"
    return status


def read_body(html: str) -> tuple[list[dict[str, Any]], str | None]:
    """The messages of a transcript, and when it says that it began."""
    marked = _CENTRED.sub(rf"<br>{_MARK}\1<br>", html)
    lines: list[tuple[str | None, str | None, list[str]]] = []
    start: datetime | None = None
    elapsed = 0
    clocks: list[int] = []
    agents: set[str] = set()
    for line in html_to_text(marked).split("\n"):
        text = line.strip()
        if text.startswith(_MARK):
            said = text.removeprefix(_MARK).strip()
            start = start or _start_of(said)
            agents |= {name.strip() for found in _AGENT.finditer(said) for name in found.groups() if name}
            lines.append((None, "system", [said]))
        elif (found := _LINE.match(text)) is not None:
            days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[:4])
            elapsed = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
            lines.append((found[5] and found[5].strip(), None, [found[6]]))
        elif text and lines:
            lines[-1][2].append(text)
            continue
        else:
            continue
        clocks.append(elapsed)
    sides = _sides([name for name, _, _ in lines if name], agents)
    messages = []
    for clock, (name, speaker, words) in zip(clocks, lines, strict=True):
        text = "\n".join(words).strip()
        if text:
            message = {"speaker": speaker or sides.get(name or "", "system"), "text": text}
            messages.append({**message, **({"at": _at(start, clock)} if start is not None else {})})
    return messages, None if start is None else _at(start, 0)


def _start_of(text: str) -> datetime | None:
    found = _STARTED.match(text)
    if found is None:
        return None
    try:
        known, _ = to_time(f"{found[1]} {found[2]}", _AT)
    except UnclearError:
        return None
    return None if known is None else datetime.fromisoformat(known)


def _at(start: datetime, seconds: int) -> str:
    try:
        return (start + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return start.isoformat().replace("+00:00", "Z")


def _sides(names: list[str], agents: set[str]) -> dict[str, str]:
    """Who is who: whoever is called an agent is one; else it is who speaks first, and visitors are not."""
    known = {name for name in names if name in agents}
    if not known:
        people = [name for name in names if not is_visitor(name) and not is_bot(name)]
        known = set(people) if any(map(is_visitor, names)) else set(people[:1])
    return {
        name: "agent" if name in known else "bot" if is_bot(name) else "customer"
        for name in dict.fromkeys(names)
    }
