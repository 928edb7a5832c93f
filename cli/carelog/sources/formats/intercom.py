"""Intercom conversations as JSON: one by one or in pages (`{"conversations": […]}`) from the API, or a line
each from its data export.

All times are seconds since 1970. The first message lies in `source`, the others in `conversation_parts`; of
these, notes are internal and go to `notes`, and those without words (assignments) stay under `extra`.
`source.delivered_as` tells who began: `customer_initiated` is reactive, everything else proactive. A list
holds at most 500 parts: where more are counted, that is a warning. Before version 2 of the API `source` was
called `conversation_message`, and people stood in `user`, `customers` and `assignee`.
Source: the vendor's OpenAPI description 2.14; examples of its older versions in public documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats._documents import (
    Mapped,
    Piece,
    find_keys,
    is_canonical,
    parse_records,
    read_documents,
)
from carelog.sources.formats._html_text import html_to_text, loses_something
from carelog.sources.formats._leftovers import Native, Path, without_absent
from carelog.sources.streams import Opened

NAME = "intercom"
LISTS = ("conversations", "data")
_INSIDE = ("data.item", "conversation", "item")
"""Where a webhook's delivery, or a script, holds one conversation."""
_MARKS = frozenset(
    ("source", "conversation_message", "contacts", "waiting_since", "statistics", "snoozed_until")
)
_CHANNELS = {"email": "email", "phone_call": "phone", "phone_switch": "phone"}
_SPEAKERS = {
    "user": "customer", "lead": "customer", "contact": "customer", "admin": "agent", "team": "agent",
    "teammate": "agent", "bot": "bot", "fin": "bot",
}  # fmt: skip
_STATUS = {"open": "open", "snoozed": "open", "closed": "closed"}
_SOURCES = ("source", "conversation_message")
_TAG = re.compile(
    r"</?(?:p|br|div|span|a|b|i|u|s|em|strong|ul|ol|li|img|h[1-6]|pre|code|table|tr|td|blockquote|html)\b[^<>]{0,2000}>",
    re.IGNORECASE,
)


def detect_intercom(head: bytes, name: str) -> str | None:
    """Whether its first object is a conversation, or a page of conversations."""
    keys = find_keys(head)
    if is_canonical(keys):
        return None
    for path in ("", *LISTS, *_INSIDE):
        found = keys.get(path, set())
        if "conversation_parts" in found and found & _MARKS:
            return "its first object is an Intercom conversation (it has conversation_parts)"
        if any("delivered_as" in keys.get(f"{path}.{name}".strip("."), set()) for name in _SOURCES):
            return "its first object is an Intercom conversation (its source has delivered_as)"
    if "conversations" in keys[""] and "conversations" not in keys and "pages" in keys[""]:
        return "it is a page of Intercom conversations, with none in it"
    return None


def read_intercom(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The conversations of an input, in chunks."""
    return read_documents(opened, options, NAME, LISTS, ("conversation_parts", *_SOURCES))


def parse_intercom(chunk: Chunk) -> Block:
    """A chunk of conversations, or of pages of them, as records."""
    return parse_records(chunk, to_conversations, LISTS)


def to_conversations(piece: Piece, options: ReadOptions) -> Iterator[Mapped | Fault]:
    """The conversation that an object is."""
    conversation = _unwrap(piece.value)
    if "id" in conversation and "created_at" in conversation:
        yield _to_record(conversation, options)
    else:
        yield Fault(
            "not_a_conversation", "the object is no Intercom conversation: it has no id or created_at"
        )


def _unwrap(document: dict[str, Any]) -> dict[str, Any]:
    """The conversation in a webhook's delivery; what stands around it is kept beside its fields."""
    for path in _INSIDE:
        outer, _, last = path.rpartition(".")
        holder = document.get(outer) if outer else document
        inner = holder.get(last) if isinstance(holder, dict) else None
        if isinstance(inner, dict) and "conversation_parts" not in document:
            around = {
                key: value for key, value in document.items() if value is not holder and value is not inner
            }
            return {**inner, **({"delivery": around} if around else {})}
    return document


def _to_record(conversation: dict[str, Any], options: ReadOptions) -> Mapped:
    native = Native(conversation, options.zone)
    number = native.name("id")
    started_at = native.time("created_at")
    source = next((name for name in _SOURCES if isinstance(native.look(name), dict)), _SOURCES[0])
    messages, notes = _read_messages(native, source, started_at)
    _check_parts(native)
    stated = native.number("conversation_rating", "rating") or native.number("conversation_rating")
    value = {
        "interaction_id": f"intercom-{number}" if number else None,
        "channel": _CHANNELS.get(str(native.look(source, "type")), "chat"),
        "started_at": started_at,
        "ended_at": _closed_at(native),
        **_sides(native, source, messages),
        "status": _STATUS.get(str(native.look("state"))),
        "customer_id": _customer(native, source),
        "agent_id": _agent(native, source),
        "team": native.name("team_assignee_id"),
        "subject": _subject(native, source),
        "notes": "\n\n".join(notes),
        "tags": [name for path in native.each("tags", "tags") if (name := native.text(*path, "name"))],
        "messages": messages,
        "handle_seconds": native.number("statistics", "handling_time"),
        "first_response_seconds": native.number("statistics", "time_to_admin_reply"),
        "resolution_seconds": _resolution(native),
        "satisfaction": {"scale": "csat_5", "score": stated} if stated in (1, 2, 3, 4, 5) else None,
        "source": {"system": "intercom", **({"record_id": number} if number else {})},
    }
    return Mapped(without_absent({**value, "extra": native.rest()}), native.faults)


def _sides(native: Native, source: str, messages: list[dict[str, Any]]) -> dict[str, str]:
    how = native.look(source, "delivered_as")
    if how == "customer_initiated":
        return {"direction": "inbound", "initiative": "reactive"}
    if how in ("admin_initiated", "campaigns_initiated", "operator_initiated", "automated"):
        return {"direction": "outbound", "initiative": "proactive"}
    author = _SPEAKERS.get(str(native.look(source, "author", "type")))
    first = author or next((m["speaker"] for m in messages if m["speaker"] != "system"), None)
    if first == "customer":
        return {"direction": "inbound", "initiative": "reactive"}
    return {"direction": "outbound" if first == "agent" else "unknown"}


def _parts_of(native: Native) -> list[Path]:
    """The paths of the parts: the API wraps their list in an object, scripts do not always."""
    name = "conversation_parts"
    return [*native.each(name, name), *native.each(name)]


def _read_messages(
    native: Native, source: str, started_at: str | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """The messages in order of time, and the internal notes."""
    messages: list[dict[str, Any]] = []
    notes: list[str] = []
    if isinstance(native.look(source), dict):
        first = _to_message(native, (source,))
        if native.look(source, "author") is None:
            # Without an author, only a delivery by somebody of the company's is not the customer's.
            how = native.look(source, "delivered_as")
            first["speaker"] = "customer" if how in (None, "customer_initiated") else "agent"
        if first["text"] or native.look(source, "attachments"):
            messages.append({**first, "at": started_at} if started_at else first)
    for path in _parts_of(native):
        kind = str(native.look(*path, "part_type") or native.look(*path, "type"))
        body = native.look(*path, "body")
        has_words = (isinstance(body, str) and body.strip()) or native.look(*path, "attachments")
        if "note" in kind:
            notes.append(_words(native, path))
        elif has_words:
            message = _to_message(native, path)
            at = native.time(*path, "created_at")
            messages.append({**message, "at": at} if at else message)
    if all("at" in message for message in messages):
        messages.sort(key=lambda message: message["at"])
    return messages, [note for note in notes if note]


def _to_message(native: Native, path: Path) -> dict[str, Any]:
    kind = str(native.look(*path, "author", "type"))
    speaker = _SPEAKERS.get(kind, "system")
    if native.look(*path, "author", "from_ai_agent") is True:
        speaker = "bot"
    if native.look(*path, "redacted") is True:
        # What stands there are the system's words about a message that is gone.
        speaker = "system"
    message = {"speaker": speaker, "text": _words(native, path), "message_id": native.name(*path, "id")}
    return {name: item for name, item in message.items() if item is not None}


def _words(native: Native, path: Path) -> str:
    """The body as plain text; the HTML is kept where it says more (links, pictures)."""
    body = native.look(*path, "body")
    if not isinstance(body, str):
        return ""
    if not loses_something(body):
        native.take(*path, "body")
    # Asked for as plain text, a body has line ends that HTML would not.
    return html_to_text(body) if _TAG.search(body) else unescape(body).strip()


def _check_parts(native: Native) -> None:
    total = native.look("conversation_parts", "total_count")
    held = len(_parts_of(native))
    if native.look("conversation_parts") is None:
        total = native.look("statistics", "count_conversation_parts")
    if isinstance(total, int) and total > held:
        text = f"the conversation has {total} parts, of which the export holds {held}"
        hint = "; fetch the conversations one by one" if held == 0 else ""
        native.faults.append(Fault("parts_missing", text + hint, "/messages"))


def _closed_at(native: Native) -> str | None:
    return native.time("statistics", "last_close_at") if native.look("state") == "closed" else None


def _resolution(native: Native) -> float | None:
    if native.look("state") != "closed":
        return None
    last = native.number("statistics", "time_to_last_close")
    return native.number("statistics", "time_to_first_close") if last is None else last


def _customer(native: Native, source: str) -> str | None:
    places: tuple[Path, ...] = (
        ("contacts", "contacts", 0, "id"), ("contacts", 0, "id"), ("customers", 0, "id"), ("user", "id")
    )  # fmt: skip
    found = next((name for path in places if (name := native.name(*path))), None)
    if found is None and _SPEAKERS.get(str(native.look(source, "author", "type"))) == "customer":
        found = native.name(source, "author", "id")
    return found


def _agent(native: Native, source: str) -> str | None:
    """The admin to whom it is assigned; else the first who wrote."""
    found = native.name("admin_assignee_id") or native.name("assignee", "id")
    if found is not None:
        return found
    for path in ((source,), *_parts_of(native)):
        if native.look(*path, "author", "type") == "admin":
            return native.name(*path, "author", "id")
    return None


def _subject(native: Native, source: str) -> str | None:
    html = native.look(source, "subject")
    if isinstance(html, str) and html.strip():
        native.take(source, "subject")
        return html_to_text(html)
    return native.text("title")
