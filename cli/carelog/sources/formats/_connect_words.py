"""The words of Amazon Connect: transcripts of Contact Lens (of calls and chats, whole or segment by segment) and
of chats, and of Transcribe's call analytics, which are of the same shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from carelog.sources.formats._leftovers import Native, Path
from carelog.sources.formats._table_rows import to_seconds
from carelog.sources.formats._times import to_text

_SPEAKERS = {
    "CUSTOMER": "customer", "AGENT": "agent", "SUPERVISOR": "agent", "SYSTEM": "system", "CUSTOM_BOT": "bot",
}  # fmt: skip
_NOBODY = frozenset({"customer", "agent", "system", "bot", "guest"})


def is_transcript(value: dict[str, Any]) -> bool:
    """Whether a document holds words, not the data of a contact."""
    has_words = isinstance(value.get("Transcript"), list) or isinstance(value.get("Segments"), list)
    return has_words or "ConversationCharacteristics" in value


def joined_segments(documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The transcript to read of a contact, the last; of one that came in segments or pages, all of these."""
    last = documents[-1]
    if isinstance(last.get("Segments"), list):
        return {**last, "Segments": _once_each(documents, "Segments")}
    if any("NextToken" in document for document in documents):
        return {**last, "Transcript": _once_each(documents, "Transcript")}
    return last


def _once_each(documents: Sequence[dict[str, Any]], key: str) -> list[Any]:
    """What stands in the lists of all documents; of what has the same id the last."""
    found: dict[bytes, Any] = {}
    for document in documents:
        items = document.get(key)
        for item in items if isinstance(items, list) else ():
            said = item.get("Transcript", item) if isinstance(item, dict) else None
            number = said.get("Id") if isinstance(said, dict) else None
            found[orjson.dumps(number if number is not None else item)] = item
    return list(found.values())


def items_of(words: Native) -> Iterator[Path]:
    """The paths of what was said, in order."""
    yield from words.each("Transcript")
    for path in words.each("Segments"):
        for kind in ("Transcript", "Attachment", "Event"):
            if isinstance(words.look(*path, kind), dict):
                yield (*path, kind)


def has_times_of_day(words: Native) -> bool:
    """Whether it is a chat's: these say when each message was written."""
    is_chat = words.look("Channel") == "CHAT" or words.look("ChatTranscriptVersion") is not None
    return is_chat or any(_absolute(words, path) is not None for path in items_of(words))


def first_time(words: Native) -> str | None:
    """The earliest time of day in a transcript, as it stands."""
    times = [words.look(*at) for path in items_of(words) if (at := _absolute(words, path)) is not None]
    return min((str(t) for t in times if t), default=None)


def _absolute(words: Native, path: Path) -> Path | None:
    for at in ((*path, "AbsoluteTime"), (*path, "Time", "AbsoluteTime")):
        if words.look(*at) is not None:
            return at
    return None


def read_messages(words: Native, began: str | None) -> Iterator[dict[str, Any]]:
    """The messages; `began` is when the recording did, where that is known (RFC 3339)."""
    people = [words.look(*path) for path in words.each("Participants")]
    roles = {p["ParticipantId"]: p.get("ParticipantRole") for p in people
             if isinstance(p.get("ParticipantId"), str)}  # fmt: skip
    for path in items_of(words):
        text = _text_of(words, path)
        if text is None:
            continue
        content = str(words.look(*path, "ContentType") or "")
        person = str(words.look(*path, "ParticipantId"))
        # Some transcripts name the role where others name the person.
        role = words.look(*path, "ParticipantRole") or roles.get(person) or person
        is_event = words.look(*path, "Type") == "EVENT" or "connect.event" in content
        message = {"speaker": "system" if is_event else _SPEAKERS.get(str(role), "system"), "text": text}
        at = _time_of(words, path, began)
        if at is not None:
            message["at"] = at
        number = words.name(*path, "Id")
        if number is not None:
            message["message_id"] = number
        yield message


def _time_of(words: Native, path: Path, began: str | None) -> str | None:
    absolute = _absolute(words, path)
    at = words.time(*absolute) if absolute is not None else None
    begin = to_seconds(words.look(*path, "BeginOffsetMillis"), 1000)
    return later(began, begin) if at is None and began is not None and begin is not None else at


def _text_of(words: Native, path: Path) -> str | None:
    """What was said; of a message with buttons its words, of an attachment its name."""
    if "message.interactive" in str(words.look(*path, "ContentType")):
        shown = "\n".join(_titles(words.look(*path, "Content")))
        if shown:
            return shown
    text = words.text(*path, "Content")
    if text is not None:
        return text
    names = [words.look(*a, "AttachmentName") for a in words.each(*path, "Attachments")]
    found = "\n".join(name for name in names if isinstance(name, str))
    is_attachment = words.look(*path, "Type") == "ATTACHMENT" or path[-1] == "Attachment"
    return found if found or is_attachment else None


def _titles(content: Any) -> list[str]:
    """The texts that an interactive message (JSON in a text) shows, in order."""
    try:
        stack = [orjson.loads(content)["data"]["content"]]
    except (TypeError, ValueError, KeyError):
        return []
    found: list[str] = []
    while stack and len(found) < 100:
        item = stack.pop()
        if isinstance(item, list):
            stack += reversed(item[:100])
        elif isinstance(item, dict):
            found += [
                item[key] for key in ("title", "subtitle", "description") if isinstance(item.get(key), str)
            ]
            stack += [item[key] for key in ("replyMessage", "elements") if key in item]
    return [text for text in found if text.strip()]


def name_of(words: Native, role: str) -> str | None:
    """The name under which somebody of that role took part; none that stands for anybody."""
    for path in (*words.each("Participants"), *items_of(words)):
        if words.look(*path, "ParticipantRole") == role:
            found = words.look(*path, "DisplayName")
            if isinstance(found, str) and found.strip() and found.strip().casefold() not in _NOBODY:
                return words.name(*path, "DisplayName")
    return None


def language_of(words: Native) -> str | None:
    """The language that the transcript names (BCP 47)."""
    found = words.look("LanguageCode")
    if isinstance(found, str) and re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", found):
        return str(words.take("LanguageCode"))
    return None


def later(start: str, seconds: float | None) -> str | None:
    """A time so many seconds after an RFC 3339 one; None where that cannot be."""
    try:
        return to_text(datetime.fromisoformat(start) + timedelta(seconds=seconds or 0))
    except (ValueError, OverflowError):
        return None
