"""Twilio's messages (SMS, WhatsApp and the like): those between a customer and one of our numbers are a chat,
cut where nobody wrote for long. Fields: Twilio's OpenAPI description of the resource Messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from carelog.sources.blocks import Block, ReadOptions
from carelog.sources.formats._leftovers import Native
from carelog.sources.formats._sessions import Chat, MessageStore, Said, drop_copies, to_blocks

_LONGEST_NUMBER = 200


def is_message(fields: dict[str, Any]) -> bool:
    """Whether a record under the interface's names is a message: calls have no body, nor such a number."""
    has_text = "body" in fields or str(fields.get("sid")).startswith(("SM", "MM"))
    return has_text and {"from", "to"} <= set(fields)


def to_said(message: Native, at: str | None, file: str, line: int) -> tuple[str, Said]:
    """A message, and the name of its chat: the customer's number and ours. `at` is ISO 8601."""
    ends = [
        str(message.look(end) or "").removeprefix("whatsapp:")[:_LONGEST_NUMBER] for end in ("from", "to")
    ]
    customer, ours = ends if _came_in(message) else reversed(ends)
    text = message.text("body") or _media(message)
    sid = message.name("sid")
    said = Said(ends[0], text, at or "", line, message_id=sid, rest=message.rest(), file=file)
    return f"{customer}\0{ours}", said


def _came_in(message: Native) -> bool:
    told = str(message.look("direction") or message.look("status") or "").lower()
    return told.startswith(("inbound", "incoming", "receiv"))


def _media(message: Native) -> str:
    count = message.number("num_media")
    return f"[media: {int(count)}]" if count else ""


def place_of(at: str | None) -> int:
    """Where a message stands in its chat: its time, local ones as if their zone were UTC."""
    if not at:
        return 0
    moment = datetime.fromisoformat(at)
    return int((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp())


def to_chats(store: MessageStore, name: str, options: ReadOptions) -> Iterator[Block]:
    """The interactions of all chats in the store, as records of the format `name`."""
    for key in list(store.chats()):
        customer, _, ours = key.partition("\0")
        messages = drop_copies(store.messages(key))
        first = next(messages)
        chat = Chat(name, first.file, key, name, sides={customer: "customer", ours: "agent"})
        # What answers is a number, which is nobody's id.
        chat.fields = {"agent_id": None}
        yield from to_blocks(chat, _chained(first, messages), options)


def _chained(first: Said, others: Iterator[Said]) -> Iterator[Said]:
    yield first
    yield from others
