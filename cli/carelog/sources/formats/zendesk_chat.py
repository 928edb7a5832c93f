"""Zendesk Chat: chats and offline messages as its interface gives them (JSON, one a line, an array or pages).

Each object is one interaction. Times are ISO 8601 in UTC. In `history`, whose `nick` begins with `agent:` is
an agent, `agent:trigger` an automatic message, and `visitor` the customer; events that are no words stay
under `extra`. An offline message has no history: its text is `message`. Source: the interface's documentation
and the schemas of the Singer tap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from carelog.columns import parse_time
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats._documents import (
    Mapped,
    Piece,
    find_keys,
    is_canonical,
    parse_records,
    read_documents,
)
from carelog.sources.formats._leftovers import Native, Path, without_absent
from carelog.sources.streams import Opened

NAME = "zendesk_chat"
LISTS = ("chats", "docs")
_SIDES = {
    "visitor": ("inbound", "reactive"),
    "agent": ("outbound", "proactive"),
    "trigger": ("outbound", "proactive"),
}
_RATINGS = {"good": 1, "bad": 0}
_OF_PAGE = frozenset(("next_page", "next_url", "count", "end_time"))


def detect_zendesk_chat(head: bytes, name: str) -> str | None:
    """Whether the first object is a chat or an offline message, or a page of them."""
    keys = find_keys(head)
    if is_canonical(keys):
        return None
    for path, found in keys.items():
        if path not in ("", *LISTS) and path.rpartition(".")[0] not in LISTS:
            continue
        if {"visitor", "timestamp"} <= found and found & {"webpath", "history", "missed", "session"}:
            return "its first object is a chat of Zendesk (visitor, timestamp, session)"
    if "chats" in keys[""] and "chats" not in keys and keys[""] & _OF_PAGE:
        return "it is a page of Zendesk chats, with none in it"
    return None


def read_zendesk_chat(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The chats of an input, in chunks."""
    return read_documents(opened, options, NAME, LISTS, ("visitor", "history"))


def parse_zendesk_chat(chunk: Chunk) -> Block:
    """A chunk of chats, or of pages of them, as records."""
    return parse_records(chunk, to_chats, LISTS)


def to_chats(piece: Piece, options: ReadOptions) -> Iterator[Mapped | Fault]:
    """The chat that an object is."""
    yield _to_chat(piece.value, options)


def _to_chat(item: dict[str, Any], options: ReadOptions) -> Mapped | Fault:
    if "id" not in item:
        return Fault("not_a_chat", "the object is no chat of Zendesk: it has no id")
    native = Native(item, options.zone)
    record_id = native.name("id")
    is_offline = native.take("type") == "offline_msg"
    messages = _read_messages(native)
    started_at = native.time("timestamp") or next((m["at"] for m in messages if "at" in m), None)
    if is_offline or not messages:
        text = native.text("message")
        if text is not None:
            messages.append(
                {"speaker": "customer", "text": text, **({"at": started_at} if started_at else {})}
            )
    direction, initiative = _sides(native, is_offline)
    value = {
        "interaction_id": f"{NAME}-{record_id}" if record_id else None,
        "channel": "chat",
        "started_at": started_at,
        "ended_at": _end(native, started_at),
        "direction": direction,
        "initiative": initiative,
        "status": "missed" if native.take("missed") is True else None,
        "customer_id": native.name("visitor", "id"),
        "agent_id": native.name("agent_ids", 0) or native.name("agent_names", 0),
        "team": native.name("department_name") or native.name("department_id"),
        "tags": _tags(native),
        "messages": messages,
        "first_response_seconds": native.number("response_time", "first"),
        "satisfaction": _satisfaction(native),
        "source": {"system": "zendesk", **({"record_id": record_id} if record_id else {})},
    }
    extra = native.rest()
    if is_offline:
        extra["type"] = "offline_msg"
    return Mapped(without_absent({**value, "extra": extra}), native.faults)


def _read_messages(native: Native) -> list[dict[str, Any]]:
    messages = []
    for path in native.each("history"):
        kind = native.look(*path, "type")
        text = native.text(*path, "msg") if kind in ("chat.msg", "chat.triggered", None) else None
        if kind == "chat.file":
            text = native.text(*path, "attachment", "name") or native.text(*path, "attachment", "url")
        if text is None:
            continue
        native.take(*path, "type")
        message = {
            "speaker": _speaker(native, path),
            "text": text,
            "at": native.time(*path, "timestamp"),
            "message_id": native.name(*path, "msg_id"),
        }
        messages.append({name: inner for name, inner in message.items() if inner is not None})
    return messages


def _speaker(native: Native, path: Path) -> str:
    nick = str(native.look(*path, "nick") or native.look(*path, "sender_type") or "").lower()
    if nick.startswith("agent:trigger") or nick == "trigger":
        return "bot"
    if nick.startswith(("agent:system", "system")):
        return "system"
    if nick.startswith("agent"):
        return "agent"
    return "customer"


def _sides(native: Native, is_offline: bool) -> tuple[str | None, str | None]:
    if is_offline:
        return "inbound", "reactive"
    started_by = str(native.look("started_by")).lower()
    if started_by in _SIDES:
        native.take("started_by")
    return _SIDES.get(started_by, (None, None))


def _end(native: Native, started_at: str | None) -> str | None:
    ended = native.look("end_timestamp")
    text = native.time("end_timestamp") if ended else None
    try:
        if text is None or started_at is None or parse_time(text) >= parse_time(started_at):
            return text
    except ValueError:
        return text
    native.faults.append(
        Fault("end_left_out", "the chat ends before it begins; its end was left out", "/ended_at")
    )
    return None


def _tags(native: Native) -> list[str]:
    found = native.look("tags")
    tags = [tag for tag in found if isinstance(tag, str) and tag] if isinstance(found, list) else []
    if isinstance(found, list) and len(tags) == len(found):
        native.take("tags")
    return list(dict.fromkeys(tags))


def _satisfaction(native: Native) -> dict[str, Any] | None:
    score = _RATINGS.get(str(native.look("rating")).lower())
    if score is None:
        return None
    native.take("rating")
    return {"scale": "thumbs", "score": score}
