"""What was said, out of the four shapes in which Google's products write a conversation: entries, transcript
segments, sentences (the BigQuery export), and results of Speech-to-Text, these also in snake case and with
voices told apart word by word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from carelog.sources.formats._leftovers import Native, Path
from carelog.sources.formats._sessions import Said
from carelog.sources.formats._starts import after
from carelog.sources.formats._times import from_epoch

_ROLES = {
    "AGENT": "agent", "HUMAN_AGENT": "agent", "AUTOMATED_AGENT": "bot", "VIRTUAL_AGENT": "bot", "BOT": "bot",
    "ANY_AGENT": "agent", "CUSTOMER": "customer", "END_USER": "customer", "1": "agent", "2": "bot",
    "3": "customer",
}  # fmt: skip
ABSOLUTE = 10**12
"""Of microseconds: below 12 days since 1970 they count from when the call began."""
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")


def read_entries(native: Native, start: str | None, sides: dict[str, str]) -> Iterator[Said]:
    """What was said, in order. `start` is when it began (ISO 8601), `sides` the speaker on each channel."""
    for path in native.each("entries"):
        at = _entry_time(native, path, start)
        role = (*path, "role") if native.look(*path, "role") is not None else (*path, "speakerId")
        yield from _to_said(native, (*path, "text"), role, (*path, "user_id"), at, sides)
    for path in native.each("transcript", "transcriptSegments"):
        role = (*path, "segmentParticipant", "role")
        person = (*path, "segmentParticipant", "userId")
        at = native.time(*path, "messageTime") or _word_time(native, path, start)
        yield from _to_said(native, (*path, "text"), role, person, at, sides)
    for path in native.each("sentences"):
        begin = read_seconds(native, (*path, "startOffsetNanos"), 10**9)
        at = after(start, begin) if begin is not None else ""
        role, person = (*path, "participantRole"), (*path, "participantId")
        yield from _to_said(native, (*path, "sentence"), role, person, at, sides)
    yield from _recognised(native, start, sides)


def results_of(native: Native) -> list[Path]:
    """The paths of the results of recognised speech, also inside the answers of operations and batches."""
    found = [path for above in ((), ("response",)) for path in native.each(*above, "results")]
    for path in list(found):
        found += [
            *native.each(*path, "inlineResult", "results"),
            *native.each(*path, "transcript", "results"),
        ]
    for above in (("results",), ("response", "results")):
        files = native.look(*above)
        # The answer for a batch has the results of each file under its name.
        for name in files if isinstance(files, dict) else ():
            for inner in (("transcript",), ("inlineResult", "transcript")):
                found += native.each(*above, name, *inner, "results")
    return [path for path in found if isinstance(native.look(*path, "alternatives"), list)]


def _recognised(native: Native, start: str | None, sides: dict[str, str]) -> Iterator[Said]:
    results = results_of(native)
    told_apart = next((path for path in reversed(results) if _tag_of(native, _words(path, 0))), None)
    if told_apart is not None and not any(_channel_of(native, path) for path in results):
        # With voices told apart the last result repeats all words.
        yield from _turns(native, told_apart, start)
        return
    end = 0.0
    for path in results:
        begin = _word_time(native, (*path, "alternatives", 0), start)
        at = begin or after(start, end)
        ends = ("resultEndTime", "resultEndOffset", "result_end_time", "result_end_offset")
        end = next((s for key in ends if (s := read_seconds(native, (*path, key))) is not None), end)
        yield from _to_said(native, (*path, "alternatives", 0, "transcript"), None, path, at, sides)


def _words(path: Path, number: int) -> Path:
    return (*path, "alternatives", 0, "words", number)


def _tag_of(native: Native, word: Path) -> str:
    for key in ("speakerTag", "speakerLabel", "speaker_tag", "speaker_label"):
        found = native.look(*word, key)
        if found not in (None, 0, "", "0"):
            return str(found)
    return ""


def _turns(native: Native, path: Path, start: str | None) -> Iterator[Said]:
    """The words of one voice that follow each other, as one."""
    held: Said | None = None
    for word in native.each(*path, "alternatives", 0, "words"):
        text, tag = native.text(*word, "word"), _tag_of(native, word)
        if text is None:
            continue
        if held is None or held.sender != f"speaker-{tag}":
            if held is not None:
                yield held
            begin = _first_seconds(native, word)
            held = Said(f"speaker-{tag}", text, after(start, begin) if begin is not None else "", 0)
        else:
            held.text += f" {text}"
    if held is not None:
        yield held


def _first_seconds(native: Native, word: Path) -> float | None:
    keys = ("startTime", "startOffset", "start_time", "start_offset")
    return next((s for key in keys if (s := read_seconds(native, (*word, key))) is not None), None)


def _word_time(native: Native, path: Path, start: str | None) -> str:
    begin = _first_seconds(native, (*path, "words", 0))
    return after(start, begin) if begin is not None else ""


def _channel_of(native: Native, path: Path) -> str:
    found = native.look(*path, "channelTag")
    found = native.look(*path, "channel_tag") if found is None else found
    return "" if found in (None, 0, "") else str(found)


def _entry_time(native: Native, path: Path, start: str | None) -> str:
    for key in ("start_timestamp", "timestamp"):
        found = native.time(*path, key)
        if found is not None:
            return found
    value = native.look(*path, "start_timestamp_usec")
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,18}(\.0+)?", str(value)):
        return ""
    native.take(*path, "start_timestamp_usec")
    number = int(float(value)) if isinstance(value, float) else int(str(value).partition(".")[0])
    return from_epoch(number) or "" if number >= ABSOLUTE else after(start, number / 1e6)


def read_seconds(native: Native, path: Path, per_second: int = 1) -> float | None:
    """A length of time in seconds: `"1.400s"`, `{"seconds": "1", "nanos": 400000000}`, or a number."""
    value = native.look(*path)
    if isinstance(value, dict):
        parts = [str(value.get(key) or 0) for key in ("seconds", "nanos")]
        is_known = all(re.fullmatch(r"\d{1,12}", part) for part in parts) and value
        return int(parts[0]) + int(parts[1]) / 1e9 if is_known else None
    found = _SECONDS.fullmatch(value) if isinstance(value, str) and per_second == 1 else None
    if found is not None:
        return float(found[1])
    is_number = not isinstance(value, bool) and re.fullmatch(r"\d{1,18}(\.\d{1,9})?", str(value))
    return float(value) / per_second if is_number else None


def _to_said(
    native: Native, text: Path, role: Path | None, person: Path, at: str, sides: dict[str, str]
) -> Iterator[Said]:
    said = native.text(*text)
    if said is None:
        return
    above = text[:-1] if role is not None else person
    told = str(native.look(*role)).upper() if role is not None else ""
    speaker = _ROLES.get(told.removeprefix("ROLE_"))
    if speaker is not None and role is not None:
        native.take(*role)
    tag = _channel_of(native, above)
    speaker = speaker or sides.get(tag)
    known = native.look(*person) if role is not None else None
    # In Google's own examples people are 1 and 2: these numbers are nobody's.
    is_own = isinstance(known, str | int) and re.fullmatch(r"\d{0,3}", str(known)) is None
    sender = str(known) if is_own else f"{speaker}-{known}" if speaker and known is not None else ""
    if speaker is None:
        sender = f"channel-{tag}" if tag else str(known or "")
    yield Said(sender, said.strip(), at, 0, speaker=speaker)


def channel_sides(native: Native) -> dict[str, str]:
    """The speaker on each channel, where the conversation says it."""
    found = {}
    for key, side in (("customerChannel", "customer"), ("agentChannel", "agent")):
        tag: Any = native.look("callMetadata", key)
        if isinstance(tag, (int, str)) and not isinstance(tag, bool):
            found[str(tag)] = side
    return found
