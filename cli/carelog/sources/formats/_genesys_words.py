"""The words of Genesys Cloud: transcripts of its speech and text analytics, one for each communication of a
conversation (`transcripts[].phrases[]`). Fields: the developer center's page on the transcript URL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from carelog.sources.formats._leftovers import Native, Path
from carelog.sources.formats._starts import after
from carelog.sources.formats._times import from_epoch

_SPEAKERS = {
    "external": "customer", "customer": "customer", "internal": "agent", "agent": "agent", "user": "agent",
    "ivr": "bot", "bot": "bot", "botflow": "bot", "workflow": "bot", "acd": "system", "voicemail": "system",
}  # fmt: skip
_ABSOLUTE = 10**11
"""Of milliseconds: smaller numbers count from the beginning of the conversation."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")


def is_transcript(value: dict[str, Any]) -> bool:
    """Whether a document holds words, not the details of a conversation."""
    return isinstance(value.get("transcripts"), list)


def began(words: Native) -> str | None:
    """When the conversation began, by its transcript (RFC 3339)."""
    for key in ("conversationStartTime", "sessionStartTimeMs", "startTime", "transcriptionStartTimeMs"):
        found = words.look(key)
        text = from_epoch(found) if isinstance(found, int) and found >= _ABSOLUTE else None
        if text is not None:
            return text
    times = [words.look(*path, "startTimeMs") for path in phrases_of(words)]
    known = [time for time in times if isinstance(time, int) and time >= _ABSOLUTE]
    return from_epoch(min(known)) if known else None


def phrases_of(words: Native) -> Iterator[Path]:
    """The paths of what was said."""
    for transcript in words.each("transcripts"):
        yield from words.each(*transcript, "phrases")


def read_phrases(words: Native, start: str | None) -> Iterator[dict[str, Any]]:
    """The messages; the form with capitals and stops where there is one."""
    for path in phrases_of(words):
        text = words.text(*path, "decoratedText") or words.text(*path, "text")
        if text is None:
            continue
        purpose = str(words.look(*path, "participantPurpose") or "").lower()
        message = {"speaker": _SPEAKERS.get(purpose, "system"), "text": text}
        at = _time(words.look(*path, "startTimeMs"), start)
        if at is not None:
            message["at"] = at
        yield message


def _time(value: Any, start: str | None) -> str | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
        return None
    if value >= _ABSOLUTE:
        return from_epoch(value)
    return after(start, value / 1000).replace("+00:00", "Z") or None


def language_of(words: Native) -> str | None:
    """The language of the first transcript that names one (BCP 47)."""
    for transcript in words.each("transcripts"):
        found = words.look(*transcript, "language")
        if isinstance(found, str) and _LANGUAGE.fullmatch(found):
            return found.replace("_", "-")
    return None


def person_of(words: Native, side: str, key: str) -> str | None:
    """The id or the number of the first participant on that side."""
    for path in words.each("participants"):
        if _SPEAKERS.get(str(words.look(*path, "participantPurpose")).lower()) == side:
            found = words.name(*path, key)
            if found is not None:
                return found.removeprefix("tel:")
    return None
