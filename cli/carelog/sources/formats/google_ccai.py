"""Transcripts of Google's contact-centre products as JSON: the conversation format that Insights takes in
(`entries`), conversations as its interface gives them (`transcript.transcriptSegments`) and as it exports them
to BigQuery (`sentences`), and results of Speech-to-Text.

`start_timestamp_usec` is in microseconds since 1970; smaller values count from the beginning of the call, as
in Google's own example: then `--start` or the file's name says when that was, else (with a remark) the time
at which Insights took the conversation in. Speech-to-Text knows channels, not people: who is the agent is said
by `--agents channel-2`, else guessed and said. Fields: the reference of Insights' interface and the schema of
its BigQuery export.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import orjson

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats._ccai_entries import (
    ABSOLUTE,
    channel_sides,
    read_entries,
    read_seconds,
    results_of,
)
from carelog.sources.formats._documents import (
    Mapped,
    Piece,
    find_keys,
    is_canonical,
    parse_records,
    read_documents,
)
from carelog.sources.formats._leftovers import Native
from carelog.sources.formats._sessions import Chat, Said, find_sides, to_interaction
from carelog.sources.formats._starts import NO_START, after, find_start
from carelog.sources.streams import Opened

NAME = "google_ccai"
LISTS = ("conversations", "data")
_TAKEN_IN = Fault(
    "start_guessed",
    "the start is not in the file: the time at which the conversation was taken in was used; "
    "say it with --start TIME",
    "/started_at",
)


def detect_google_ccai(head: bytes, name: str) -> str | None:
    """Whether the first object has entries with roles and texts, transcript segments, sentences, or
    recognised speech.
    """
    keys = find_keys(head)
    if is_canonical(keys):
        return None
    for path in ("", *LISTS):
        inside = {key: keys.get(f"{path}.{key}".strip("."), set()) for key in _TELLING}
        entry = inside["entries"]
        if "text" in entry and entry & {"role", "start_timestamp_usec", "user_id"}:
            return "it has entries with role and text, as Google's conversation format does"
        if "transcriptSegments" in inside["transcript"]:
            return "it has transcript segments, as conversations of Google's Insights do"
        if "sentence" in inside["sentences"]:
            return "it has sentences, as the BigQuery export of Google's Insights does"
    paths = [f"{above}results.alternatives" for above in ("", "response.", "data.")]
    if any("transcript" in keys.get(path, set()) for path in paths) or _BATCH.search(head):
        return "it has results with alternatives, as Google's Speech-to-Text writes them"
    return None


_BATCH = re.compile(
    rb'"results"\s*:\s*[\[{].{0,2000}?"(?:transcript|inlineResult)"\s*:\s*\{\s*"results"\s*:\s*\[\s*\{\s*"alternatives"',
    re.DOTALL,
)
_TELLING = ("entries", "transcript", "sentences")


def read_google_ccai(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The conversations of an input, in chunks."""
    return read_documents(opened, options, NAME, LISTS)


def parse_google_ccai(chunk: Chunk) -> Block:
    """A chunk of conversations as records."""
    return parse_records(chunk, partial(_to_conversation, chunk.file), LISTS)


def _to_conversation(file: str, piece: Piece, options: ReadOptions) -> Iterator[Mapped | Fault]:
    native = Native(piece.value, options.zone)
    start, remark = _find_start(native, file, options)
    said = list(read_entries(native, start, channel_sides(native)))
    if said:
        yield _to_mapped(file, native, said, start, remark, options)
    else:
        yield Fault("no_messages", "the conversation has no entry with a text", "/messages")


def _find_start(native: Native, file: str, options: ReadOptions) -> tuple[str | None, Fault | None]:
    """When it began, as it says itself, the user, the file's name; else when it was taken in."""
    for key in ("startTime", "startTimestamp", "startTimestampUtc"):
        found = native.time(key)
        if found is not None:
            return found, None
    found = find_start(file, options)
    if found is not None or _is_absolute(native):
        return found, None
    times = [native.time(*path, "messageTime") for path in native.each("transcript", "transcriptSegments")]
    known = [time for time in times if time]
    if known:
        return min(known), None
    taken = native.time("createTime")
    return taken, _TAKEN_IN if taken else None


def _is_absolute(native: Native) -> bool:
    first = native.look("entries", 0, "start_timestamp_usec")
    has_text = native.look("entries", 0, "start_timestamp") or native.look("entries", 0, "timestamp")
    return bool(has_text) or (str(first).isdecimal() and int(str(first)[:20]) >= ABSOLUTE)


def _to_mapped(
    file: str,
    native: Native,
    said: list[Said],
    start: str | None,
    remark: Fault | None,
    options: ReadOptions,
) -> Mapped | Fault:
    record_id = _find_id(file, native, said)
    chat = Chat(NAME, file, record_id, "google", record_id, untimed=NO_START, is_whole=True)
    medium = str(native.look("medium") or native.look("conversation_info", "medium"))
    chat.channel = "chat" if medium.upper() in ("CHAT", "2") else "phone"
    unknown = [s.sender for s in said if s.speaker is None]
    chat.sides, guesses = find_sides(unknown, options, is_call=chat.channel == "phone")
    chat.fields = _fields(native, chat.channel)
    chat.begins = "" if _is_absolute(native) else start or ""
    length = read_seconds(native, ("duration",))
    length = length if length is not None else read_seconds(native, ("durationNanos",), 10**9)
    if chat.begins and length is not None:
        chat.ends = after(chat.begins, length)
    chat.extra = native.rest()
    value, faults = to_interaction(chat, said, options.zone)
    if isinstance(value, Fault):
        return value
    del value["source"]["line"]
    remarks = [remark] if remark is not None else []
    return Mapped(value, [*remarks, *guesses, *native.faults, *(fault for _, fault in faults)])


def _find_id(file: str, native: Native, said: list[Said]) -> str:
    for path in (
        ("name",),
        ("conversationName",),
        ("conversation_info", "conversation_id"),
        ("conversation_id",),
    ):
        # An operation's name is that of the work, not of the call.
        if (name := native.text(*path)) is not None and not native.look("response"):
            return name
    own = hashlib.sha256(orjson.dumps([s.text for s in said[:20]])).hexdigest()[:12]
    stem = re.sub(r"\.(json|jsonl|ndjson)(\.gz|\.zst)?$", "", file.replace("\\", "/").rpartition("/")[2])
    return f"{stem.strip('-') or 'call'}-{own}"


def _fields(native: Native, channel: str) -> dict[str, Any]:
    agent = ("qualityMetadata", "agentInfo", 0)
    own = ("conversation_info", "agent_info", 0)
    language = native.name("languageCode")
    results = results_of(native)
    for key in ("languageCode", "language_code"):
        language = language or (native.name(*results[0], key) if results else None)
    fields = {
        "tags": _categories(native),
        "agent_id": native.name("agentId")
        or native.name("callMetadata", "agentId")
        or native.name(*agent, "agentId")
        or native.name("agents", 0, "agentId")
        or native.name("conversation_info", "agent_id")
        or native.name(*own, "agent_id"),
        "team": native.name(*agent, "team") or native.name("agents", 0, "team") or native.name(*own, "team"),
        "wait_seconds": read_seconds(native, ("qualityMetadata", "waitDuration")),
        "language": language,
    }
    if channel == "phone":
        fields["first_response_seconds"] = None
    kept = {k: v for k, v in fields.items() if v not in (None, []) or k == "first_response_seconds"}
    return {**kept, "direction": None, "initiative": None}


def _categories(native: Native) -> list[str]:
    """The names of its categories; in the BigQuery export they are called issues."""
    paths = [
        *((*path, "display_name") for path in native.each("conversation_info", "categories")),
        *((*path, "name") for path in native.each("issues")),
    ]
    return [tag for path in paths if (tag := native.name(*path)) is not None]
