"""Telegram Desktop's export as JSON (`result.json`): one chat, or all chats of an account.

`date` is local to the computer that exported, `date_unixtime` the same moment in seconds since 1970 (exports
of before 2022 have none): together they give the offset. Texts can be lists of pieces. Telegram writes
control characters as \\x0B, which is no JSON, and is read all the same. Who is the agent is said by
`--agents` (a name, or an id such as user123); else it is guessed and said. Source: the exporter's code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import put_aside
from carelog.sources.formats._json_items import Found, parse_item, read_items
from carelog.sources.formats._sessions import Chat, MessageStore, Said, find_sides, to_blocks
from carelog.sources.formats._times import from_epoch
from carelog.sources.streams import Opened

NAME = "telegram"
_ONE = "one"
_TYPE = re.compile(
    rb'"type"\s*:\s*"(saved_messages|personal_chat|bot_chat|private_group|private_supergroup|public_supergroup|'
    rb'private_channel|public_channel|replies|verification_codes)"'
)
_MESSAGES = re.compile(rb'"messages"\s*:\s*\[')
_OWNER = re.compile(rb'"personal_information"\s*:\s*\{[^{}]*?"user_id"\s*:\s*(\d{1,20})\b')
_MOST_SENDERS = 100_000


def detect_telegram(head: bytes, name: str) -> str | None:
    """Whether a document has chats of one of Telegram's types with messages."""
    if head.lstrip()[:1] != b"{" or b'"interaction_id"' in head:
        return None
    if _TYPE.search(head) and _MESSAGES.search(head):
        return "it has a chat of a type of Telegram with messages"
    if _MESSAGES.search(head) and b'"date_unixtime"' in head and b'"from"' in head:
        return "its messages have date_unixtime, as those of Telegram have"
    # In an export of the whole account much can stand before the first chat.
    if b'"personal_information"' in head and b'"about"' in head and b"Telegram" in head:
        return "it is an export of a Telegram account"
    return None


def read_telegram(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The chats of one file, each cut at its silences."""
    stream, offset = opened.utf8()
    block = Block(opened.name, NAME, system=NAME)
    owner = _OWNER.search(opened.head)
    account = f"user{owner[1].decode()}" if owner is not None else ""
    told: set[str] = set()
    reading: _Reading | None = None
    for found in read_items(stream, offset, options.max_line_bytes):
        if found.kind == "before":
            if reading is not None:
                yield from reading.finish(options, told)
            reading = _Reading(opened.name, parse_item(found.raw, len(found.raw) + 1)[0], account)
        elif found.kind == "item" and reading is not None:
            fault = reading.add(found, options)
            if fault is not None:
                put_aside(block, found.line, found.offset, found.raw, fault)
        if len(block.rejects) > 100:
            yield block
            block = Block(opened.name, NAME, system=NAME)
    if reading is not None:
        yield from reading.finish(options, told)
    yield block


class _Reading:
    """One chat while its messages stream by; `account` is the id of whose export it is, if that is known."""

    def __init__(self, file: str, head: Any, account: str = "") -> None:
        self.file = file
        self.account = account
        self.head = head if isinstance(head, dict) else {}
        self.store = MessageStore()
        self.senders: dict[str, str] = {}
        self.names: dict[str, str] = {}

    def add(self, found: Found, options: ReadOptions) -> Fault | None:
        """Take a message in; or why it cannot be."""
        if found.fault is not None:
            return found.fault
        value, fault = parse_item(found.raw, options.max_line_bytes)
        if fault is not None or not isinstance(value, dict):
            return fault or Fault("not_object", "the message is no JSON object")
        said = _to_said(value, found, self.head)
        number = str(value.get("from_id") or "")
        if not value.get("from"):
            # A deleted account has no name any more, but earlier messages may know it.
            said.sender = self.names.get(number, said.sender)
        elif number and len(self.names) < _MOST_SENDERS:
            self.names.setdefault(number, said.sender)
        if said.sender and said.speaker is None and len(self.senders) < _MOST_SENDERS:
            self.senders.setdefault(said.sender, number)
        self.store.add(_ONE, said)
        return None

    def finish(self, options: ReadOptions, told: set[str]) -> Iterator[Block]:
        """The chat's interactions; `told` are the keywords of what was remarked on the file already."""
        title = self.head.get("name")
        title = title if isinstance(title, str) else ""
        number = self.head.get("id")
        record_id = str(number) if isinstance(number, (int, str)) and number != "" else None
        sides, guesses = self._find_sides(title, options)
        chat = Chat(NAME, self.file, record_id or title, NAME, record_id, sides=sides)
        chat.extra = {"chat": {k: v for k, v in self.head.items() if k not in ("messages", "id")}}
        chat.findings = [guess for guess in guesses if guess.keyword not in told]
        told.update(guess.keyword for guess in guesses)
        with self.store:
            yield from to_blocks(chat, self.store.messages(_ONE), options)

    def _find_sides(self, title: str, options: ReadOptions) -> tuple[dict[str, str], list[Fault]]:
        kind = str(self.head.get("type"))
        if not options.agents and kind == "personal_chat" and self.account:
            # Of two, one is whose export it is.
            ours = replace(options, agents=(self.account,))
            return find_sides(self.senders, ours, "", self.senders)
        if not options.agents and kind.endswith("channel"):
            return dict.fromkeys(self.senders, "customer") | {title: "agent"}, []
        # Only a chat between two is named after the other one.
        return find_sides(self.senders, options, title if kind == "personal_chat" else "", self.senders)


def _to_said(value: dict[str, Any], found: Found, head: dict[str, Any]) -> Said:
    kind = value.get("type")
    text = _join(value.get("text"))
    is_service = kind in ("service", "unsupported")
    sender = next((str(value[k]) for k in ("from", "from_id", "actor", "actor_id") if value.get(k)), "")
    speaker = "system" if is_service else None
    if not is_service and head.get("type") == "bot_chat" and value.get("from") == head.get("name"):
        speaker = "bot"
    if not text:
        text = str(value.get("action") or kind) if is_service else _words_of(value)
    at, used = _to_time(value)
    mapped = {"id", "from" if value.get("from") else "", *used}
    if isinstance(value.get("text"), str):
        mapped.add("text")
    rest = {k: v for k, v in value.items() if k not in mapped and v not in (None, "", [], {})}
    if rest.get("type") == "message":
        del rest["type"]
    number = value.get("id")
    message_id = str(number) if isinstance(number, (int, str)) and str(number) else None
    raw = found.raw.decode("utf-8", "replace")
    return Said(sender, text, at, found.line, found.offset, raw, speaker, message_id, rest)


def _words_of(value: dict[str, Any]) -> str:
    """What a message without a text says: the picture that a sticker stands for, the question of a poll."""
    poll = value.get("poll")
    words = poll.get("question") if isinstance(poll, dict) else value.get("sticker_emoji")
    words = words or value.get("text_entities")
    return (
        words if isinstance(words, str) else _join(words) or "".join(_texts_in(value.get("rich_message"), 0))
    )


def _texts_in(value: Any, depth: int) -> Iterator[str]:
    """The texts anywhere in a message with lists and headings, which has another structure than others."""
    inner = list(value.items()) if isinstance(value, dict) else []
    inner = [("", item) for item in value] if isinstance(value, list) else inner
    for name, item in inner if depth < 20 else []:
        if isinstance(item, str) and name in ("", "text"):
            yield item
        else:
            yield from _texts_in(item, depth + 1)


def _join(text: Any) -> str:
    """A text, or the texts of its pieces."""
    if isinstance(text, str):
        return text
    if not isinstance(text, list):
        return ""
    pieces = (piece.get("text") if isinstance(piece, dict) else piece for piece in text)
    return "".join(piece for piece in pieces if isinstance(piece, str))


def _to_time(value: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """When a message was sent, and the fields that said it. With both clocks the offset is their
    difference.
    """
    utc = from_epoch(value.get("date_unixtime"))
    try:
        local = datetime.fromisoformat(str(value.get("date")))
    except ValueError:
        return utc or "", ("date_unixtime",) if utc else ()
    if utc is None or local.tzinfo is not None:
        return local.isoformat(), ("date",)
    moment = datetime.fromisoformat(utc)
    offset = local.replace(tzinfo=UTC) - moment
    if abs(offset) > timedelta(hours=14) or offset % timedelta(minutes=15):
        return utc, ("date_unixtime",)
    return moment.astimezone(timezone(offset)).isoformat(), ("date", "date_unixtime")
