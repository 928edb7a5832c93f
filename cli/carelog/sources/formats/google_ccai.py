"""Transcripts of Google's contact-centre products as JSON: the conversation format that Insights takes in
(`entries`), conversations as its interface gives them (`transcript.transcriptSegments`), and results of
Speech-to-Text.

`start_timestamp_usec` is in microseconds since 1970; smaller values count from the beginning of the call, as
in Google's own example: then `--start` or the file's name says when that was. Speech-to-Text knows channels,
not people: who is the agent is said by `--agents channel-2`, else guessed and said.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import orjson

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats._documents import (
    Mapped,
    find_keys,
    is_canonical,
    parse_documents,
    read_documents,
)
from carelog.sources.formats._leftovers import Native, Path
from carelog.sources.formats._sessions import Chat, Said, find_sides, to_interaction
from carelog.sources.formats._starts import NO_START, after, find_start
from carelog.sources.formats._times import from_epoch
from carelog.sources.streams import Opened

NAME = "google_ccai"
LISTS = frozenset({"conversations"})
_ROLES = {
    "AGENT": "agent", "HUMAN_AGENT": "agent", "AUTOMATED_AGENT": "bot", "CUSTOMER": "customer",
    "END_USER": "customer",
}  # fmt: skip
_ABSOLUTE = 10**12
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")


def detect_google_ccai(head: bytes, name: str) -> str | None:
    """Whether the first object has entries with roles and texts, transcript segments, or recognised
    speech.
    """
    keys = find_keys(head)
    if is_canonical(keys):
        return None
    entry = keys.get("entries", set())
    if "text" in entry and entry & {"role", "start_timestamp_usec", "user_id"}:
        return "it has entries with role and text, as Google's conversation format does"
    for path in ("", *LISTS):
        inner = f"{path}.transcript".strip(".")
        if "transcriptSegments" in keys.get(inner, set()):
            return "it has transcript segments, as conversations of Google's Insights do"
    if "transcript" in keys.get("results.alternatives", set()):
        return "it has results with alternatives, as Google's Speech-to-Text writes them"
    return None


def read_google_ccai(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The conversations of an input, in chunks."""
    return read_documents(opened, options, NAME, LISTS)


def parse_google_ccai(chunk: Chunk) -> Block:
    """A chunk of conversations as records."""
    return parse_documents(chunk, partial(to_conversations, chunk.file))


def to_conversations(file: str, document: dict[str, Any], options: ReadOptions) -> Iterator[Mapped | Fault]:
    """The conversations of a document: itself, or those of a page."""
    wrapped = document.get("conversations")
    for item in wrapped if isinstance(wrapped, list) else [document]:
        if not isinstance(item, dict):
            yield Fault("not_a_conversation", "the item of the page is no object")
            continue
        native = Native(item, options.zone)
        start = native.time("startTime") or find_start(file, options)
        said = list(_read_entries(native, start))
        if not said:
            yield Fault("no_messages", "the conversation has no entry with a text", "/messages")
            continue
        yield _to_mapped(file, native, said, start, options)


def _to_mapped(
    file: str, native: Native, said: list[Said], start: str | None, options: ReadOptions
) -> Mapped | Fault:
    name = native.text("name") or native.text("conversation_info", "conversation_id")
    own = hashlib.sha256(orjson.dumps([s.text for s in said[:20]])).hexdigest()[:12]
    stem = re.sub(r"\.(json|jsonl|ndjson)(\.gz|\.zst)?$", "", file.replace("\\", "/").rpartition("/")[2])
    record_id = name or f"{stem.strip('-') or 'call'}-{own}"
    chat = Chat(NAME, file, record_id, "google", record_id, untimed=NO_START, is_whole=True)
    medium = str(native.look("medium") or native.look("conversation_info", "medium"))
    chat.channel = "chat" if medium.upper() in ("CHAT", "2") else "phone"
    unknown = [s.sender for s in said if s.speaker is None]
    chat.sides, guesses = find_sides(unknown, options, is_call=chat.channel == "phone")
    tags = _categories(native)
    chat.fields = {
        "tags": tags,
        "agent_id": native.name("agentId") or native.name("callMetadata", "agentId"),
        "language": native.name("languageCode"),
        "direction": None,
        "initiative": None,
    }
    if chat.channel == "phone":
        chat.fields["first_response_seconds"] = None
    chat.fields = {k: v for k, v in chat.fields.items() if v or k in ("direction", "initiative")}
    first = native.look("entries", 0, "start_timestamp_usec")
    is_absolute = (
        isinstance(first, (int, str)) and str(first).isdecimal() and int(str(first)[:20]) >= _ABSOLUTE
    )
    chat.begins = "" if is_absolute else start or ""
    chat.extra = native.rest()
    value, faults = to_interaction(chat, said, options.zone)
    if isinstance(value, Fault):
        return value
    del value["source"]["line"]
    return Mapped(value, [*guesses, *native.faults, *(fault for _, fault in faults)])


def _categories(native: Native) -> list[str]:
    tags = []
    for path in native.each("conversation_info", "categories"):
        tag = native.name(*path, "display_name")
        if tag is not None:
            tags.append(tag)
    return tags


def _read_entries(native: Native, start: str | None) -> Iterator[Said]:
    for path in native.each("entries"):
        yield from _to_said(
            native, path, "text", native.look(*path, "role"), _entry_time(native, path, start)
        )
    for path in native.each("transcript", "transcriptSegments"):
        role = native.look(*path, "segmentParticipant", "role")
        native.take(*path, "segmentParticipant", "role")
        at = native.time(*path, "messageTime") or ""
        yield from _to_said(native, path, "text", role, at)
    end = 0.0
    for path in native.each("results"):
        begin = _seconds(native, (*path, "alternatives", 0, "words", 0, "startTime"))
        at = after(start, end if begin is None else begin)
        end = (
            _seconds(native, (*path, "resultEndTime")) or _seconds(native, (*path, "resultEndOffset")) or end
        )
        yield from _to_said(native, (*path, "alternatives", 0), "transcript", None, at, (*path, "channelTag"))


def _entry_time(native: Native, path: Path, start: str | None) -> str:
    number = native.number(*path, "start_timestamp_usec")
    if number is None:
        value = native.look(*path, "start_timestamp_usec")
        is_large = isinstance(value, int) and not isinstance(value, bool) and value >= _ABSOLUTE
        number = value if is_large or (isinstance(value, str) and value.isdecimal()) else None
        if number is None:
            return ""
        native.take(*path, "start_timestamp_usec")
    number = int(number)
    # Below 12 days since 1970 it is the time since the call began.
    return from_epoch(number) or "" if number >= _ABSOLUTE else after(start, number / 1e6)


def _seconds(native: Native, path: Path) -> float | None:
    value = native.look(*path)
    found = _SECONDS.fullmatch(value) if isinstance(value, str) else None
    return float(found[1]) if found else None


def _to_said(
    native: Native, path: Path, key: str, role: Any, at: str, channel: Path | None = None
) -> Iterator[Said]:
    text = native.text(*path, key)
    if text is None:
        return
    speaker = _ROLES.get(str(role).upper())
    if speaker is not None and native.look(*path, "role") is not None:
        native.take(*path, "role")
    person = native.look(*path, "user_id")
    sender = f"{speaker}-{person}" if speaker and person is not None else ""
    tag = native.look(*channel) if channel is not None else native.look(*path, "channelTag")
    if speaker is None and tag is not None:
        sender = f"channel-{tag}"
    yield Said(sender, text.strip(), at, 0, speaker=speaker)
