"""Transcripts of calls as subtitles: WebVTT (Teams, Zoom, Webex, Meet) and SRT. One file is one call.

Who speaks is told in many ways (`_cue_voices`); where it is told only at a change of speaker, cues without a name
go on with the voice before them. Cues of one speaker that follow each other are one message, and lines that rolling
captions show again count once. A part without a time (no cue, a note in the wrong place) is kept as a message without
one; comments stay with the cue that they precede. There is no absolute time in such a file, save in what Teams'
interface writes into its cues: `--start` says it, or the file's name. Who is the agent is said by `--agents`, else
guessed and said.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats._cue_voices import CHANGE, Spoken, believe, plain, split_voices
from carelog.sources.formats._sessions import Chat, MessageStore, Said, find_sides, to_blocks
from carelog.sources.formats._starts import NO_START, after, find_start
from carelog.sources.formats._text_lines import Remarks, TextLine, head_lines, read_text_lines
from carelog.sources.formats._times import read_time
from carelog.sources.streams import Opened

WEBVTT, SRT = "webvtt", "srt"
_ONE = "one"
_CLOCK = r"(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9}))?"
_TIMING = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}\s*(.*)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_STEM = re.compile(r"(\.transcript|\.cc)?\.(vtt|srt|txt)(\.gz|\.zst)?$", re.IGNORECASE)
_PAUSE = 1.0
_FLASH = 0.1
_LONGEST_MESSAGE = 2000
_MOST_LINES = 1000
_MOST_KEPT = 4 * 1024 * 1024
_ASIDE = re.compile(r"(NOTE|STYLE|REGION)(\s|$)")
_NOTED_LANGUAGE = re.compile(r"NOTE\s+language:\s*([A-Za-z-]{2,20})", re.IGNORECASE)
_TURNS = ("voice 1", "voice 2")
"""The voices of a transcript that marks only where somebody else begins to speak."""


@dataclass(slots=True)
class _Cue:
    """A cue, or a block without a time; times in seconds from the beginning."""

    lines: list[str]
    line: int
    offset: int
    raw: str
    start: float | None = None
    end: float | None = None
    note: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Track:
    """What is known of a file as a whole."""

    format: str
    headers: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    remarks: Remarks = field(default_factory=dict)
    voices: dict[str, None] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    inner_labels: dict[str, int] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    changes: int = 0
    takes_turns: bool = False
    began: str | None = None
    language: str = ""
    cues: int = 0
    last_end: float = 0.0
    talk: float = 0.0
    kept: int = 0
    digest: str = ""


def detect_webvtt(head: bytes, name: str) -> str | None:
    """Whether the file begins with the word that every WebVTT file begins with."""
    return "it begins with WEBVTT" if re.match(rb"\s*WEBVTT(?:[ \t\r\n]|$)", head) else None


def detect_srt(head: bytes, name: str) -> str | None:
    """Whether the file begins with a number and the two times of a first subtitle."""
    lines = head_lines(head, 2)
    is_numbered = len(lines) == 2 and lines[0].strip().isdecimal()
    if lines and _TIMING.fullmatch(lines[1] if is_numbered else lines[0]):
        return "it begins with the times of a subtitle (-->)"
    return None


def read_webvtt(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The call of one WebVTT file."""
    return _read(opened, options, _Track(WEBVTT))


def read_srt(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """The call of one SRT file."""
    return _read(opened, options, _Track(SRT))


def _read(opened: Opened, options: ReadOptions, track: _Track) -> Iterator[Block | Chunk]:
    with MessageStore() as store:
        blocks = _close_gaps(_read_blocks(read_text_lines(opened, options, track.remarks)))
        for said in _to_pieces(_without_echoes(_to_cues(blocks, track), track), track):
            store.add(_ONE, said)
        sides = _find_names(track, options)
        start = track.began or find_start(opened.name, options)
        chat = _to_chat(opened.name, track, start, sides)
        messages = _joined(_with_names(store.messages(_ONE), track), start)
        yield from to_blocks(chat, messages, options)


def _read_blocks(lines: Iterable[TextLine]) -> Iterator[list[TextLine]]:
    """Lines that stand together; an endless stretch of them is cut."""
    held: list[TextLine] = []
    for line in _bare_lines(lines):
        if not line.text.strip() or len(held) >= _MOST_LINES:
            if held:
                yield held
            held = []
        if line.text.strip():
            held.append(line)
    if held:
        yield held


def _bare_lines(lines: Iterable[TextLine]) -> Iterator[TextLine]:
    """The lines, also of files that end them with carriage returns alone, or with two of them."""
    for line in lines:
        if "\r" not in line.text:
            yield line
            continue
        for part in line.text.rstrip("\r").split("\r"):
            yield line._replace(text=part)


def _close_gaps(blocks: Iterable[list[TextLine]]) -> Iterator[list[TextLine]]:
    """The blocks, mended where empty lines stand between a cue's number, its times and its words."""
    held: list[TextLine] = []
    for block in blocks:
        first = block[0].text
        is_timed = _TIMING.match(first) is not None
        if held:
            wants_time = _is_number(held[-1].text)
            if is_timed if wants_time else not (is_timed or _is_number(first) or _ASIDE.match(first)):
                block = held + block
            else:
                yield held
            held = []
        is_bare = len(block) <= 2 and (
            _TIMING.match(block[-1].text) or (len(block) == 1 and _is_number(first))
        )
        if is_bare:
            held = block
        else:
            yield block
    if held:
        yield held


def _to_cues(blocks: Iterable[list[TextLine]], track: _Track) -> Iterator[_Cue]:
    pending: list[str] = []
    has_cues = False
    for number, block in enumerate(blocks):
        first = block[0].text.strip("\ufeff \t")
        if number == 0 and track.format == WEBVTT and first.startswith("WEBVTT"):
            _note_headers(first, block[1:], track)
            timed = next((n for n, line in enumerate(block) if _TIMING.match(line.text)), None)
            if timed is None:
                continue
            block = block[timed:]
        elif track.format == WEBVTT and _ASIDE.match(first):
            (pending if has_cues else track.notes).extend(_note_aside(block, track))
            continue
        for cue in _cut_cues(block, track):
            has_cues = True
            if pending:
                cue.note["notes"], pending = pending, []
            yield cue
    track.notes += pending


def _note_aside(block: list[TextLine], track: _Track) -> Iterator[str]:
    """What stands between the cues: comments, styles, regions; one may name the language (Stream)."""
    text = "\n".join(line.text for line in block)
    language = _NOTED_LANGUAGE.match(text)
    if language is not None:
        track.language = track.language or language[1]
    track.kept += len(text)
    if track.kept <= _MOST_KEPT:
        yield text
    else:
        message = "the file has more headers and notes than are kept; the last of them were left out"
        track.remarks.setdefault("notes_cut", Fault("notes_cut", message))


def _note_headers(first: str, lines: list[TextLine], track: _Track) -> None:
    if first != "WEBVTT":
        track.headers["WEBVTT"] = first.removeprefix("WEBVTT").strip(" -")
    for line in lines:
        if _TIMING.match(line.text):
            return
        name, _, value = line.text.partition(":")
        key = name.strip() if name.strip() not in track.headers else line.text
        track.headers[key] = value.strip() or line.text


def _cut_cues(block: list[TextLine], track: _Track) -> Iterator[_Cue]:
    """The cues of a block: one, or several where the empty line between them is missing."""
    places = [n for n, line in enumerate(block) if _TIMING.match(line.text)]
    if not places:
        yield _untimed(block, track)
        return
    starts = [n - 1 if n and _is_number(block[n - 1].text) else n for n in places]
    if places[0] > 1 or (places[0] == 1 and starts[0] == 1):
        starts[0] = 0
    for index, start in enumerate(starts):
        stop = starts[index + 1] if index + 1 < len(starts) else len(block)
        yield _to_cue(block[start:stop], places[index] - start)


def _is_number(text: str) -> bool:
    return text.strip().isdecimal()


def _untimed(block: list[TextLine], track: _Track) -> _Cue:
    message = "a text stands without a time; it is kept as a message without one"
    track.remarks.setdefault("no_timing", Fault("no_timing", message))
    texts = [line.text for line in block]
    return _Cue(texts, block[0].number, block[0].offset, "\n".join(texts))


def _to_cue(block: list[TextLine], timing: int) -> _Cue:
    found = _TIMING.match(block[timing].text)
    assert found is not None
    numbers = found.groups()
    cue = _Cue(
        [line.text for line in block[timing + 1 :]],
        block[0].number,
        block[0].offset,
        "\n".join(line.text for line in block),
        _seconds(numbers[:4]),
        _seconds(numbers[4:8]),
        {"timing": block[timing].text.strip()},
    )
    if timing:
        cue.note["cue"] = "\n".join(line.text for line in block[:timing])
    return cue


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")


def _without_echoes(cues: Iterable[_Cue], track: _Track) -> Iterator[_Cue]:
    """The cues without lines that rolling captions show again."""
    last, last_end = "", 0.0
    for cue in cues:
        lines = [line for line in cue.lines if line.strip()]
        shown = [plain(line) for line in lines]
        is_next = cue.start is not None and cue.start - last_end < _FLASH
        is_flash = cue.start is not None and (cue.end or 0) - cue.start <= _FLASH
        if is_next and shown and shown[0] == last and (len(shown) > 1 or is_flash):
            lines = lines[1:]
        last = shown[-1] if shown else ""
        if not any(shown):
            _note_silence(cue, track)
        elif cue.start is not None and cue.end is not None and cue.end >= cue.start:
            track.talk += max(0.0, cue.end - max(cue.start, track.last_end))
            track.last_end = max(track.last_end, cue.end)
            last_end = cue.end
        if lines:
            yield replace(cue, lines=lines)


def _note_silence(cue: _Cue, track: _Track) -> None:
    """A cue without words is no talk; that it stood there is kept, and the call lasted as long."""
    track.last_end = max(track.last_end, cue.end or 0.0)
    track.kept += len(cue.raw)
    if track.kept <= _MOST_KEPT:
        track.notes.append(cue.raw)


def _to_pieces(cues: Iterable[_Cue], track: _Track) -> Iterator[Said]:
    """What is said in the cues. `at` is the number of seconds; the sender may still be no name."""
    for number, cue in enumerate(cues):
        track.cues += 1
        for spoken in split_voices("\n".join(cue.lines), cue.note.get("cue", "")):
            yield _to_said(cue, number, spoken, track)


def _to_said(cue: _Cue, number: int, spoken: Spoken, track: _Track) -> Said:
    if track.cues <= 20:
        told = f"{track.digest}\0{cue.start}\0{spoken.voice}\0{spoken.prefix}{spoken.text}"
        track.digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
    if spoken.voice:
        track.voices[spoken.voice] = None
    elif spoken.label == CHANGE:
        track.changes += 1
    elif spoken.label:
        counts = track.labels if spoken.is_first else track.inner_labels
        counts[spoken.label] = counts.get(spoken.label, 0) + 1
    note = dict(cue.note)
    if spoken.fields is not None:
        _note_fields(cue, spoken.fields, track)
        note["fields"] = spoken.fields
    sender = f"{spoken.label}\0{spoken.prefix}" if spoken.prefix else spoken.voice
    at = "" if cue.start is None else repr(cue.start)
    rest = {"cues": [note], "end": cue.end, "number": number}
    return Said(sender, spoken.text, at, cue.line, cue.offset, cue.raw, None, None, rest)


def _note_fields(cue: _Cue, fields: dict[str, Any], track: _Track) -> None:
    """What the JSON in a cue says of the whole: when it began, and in which language."""
    began = read_time(fields.get("startDateTime"), None)[0]
    if track.began is None and began is not None and cue.start is not None:
        track.began = after(began, -cue.start).replace("+00:00", "Z") or None
    language = fields.get("spokenLanguage")
    if isinstance(language, str):
        track.language = track.language or language


def _find_names(track: _Track, options: ReadOptions) -> dict[str, str]:
    """Who is who; what stands before colons are names only where enough cues have them."""
    if not track.voices:
        track.names = dict.fromkeys(believe(track.labels, track.inner_labels, track.cues))
    names = [*track.voices, *track.names]
    if not names and track.changes > 1:
        names = list(_TURNS)
        track.takes_turns = True
    sides, guesses = find_sides(names, options, is_call=True)
    track.remarks.update({fault.keyword: fault for fault in guesses})
    if not track.cues:
        track.remarks["empty"] = Fault("empty", "the transcript holds no words")
    elif not names:
        message = "the transcript does not say who speaks; all words were taken for the customer's"
        track.remarks["no_speakers"] = Fault("no_speakers", message)
    return sides


def _with_names(pieces: Iterable[Said], track: _Track) -> Iterator[Said]:
    """The pieces with the names of their speakers; without one, the speaker of the piece before goes on."""
    last, turn = "", 0
    for said in pieces:
        label, is_labelled, prefix = said.sender.partition("\0")
        if not is_labelled:
            is_next = said.at and (track.voices or track.names or track.takes_turns)
            said.sender = said.sender or (last if is_next else "")
        elif track.takes_turns and label == CHANGE:
            said.sender, turn = _TURNS[turn], 1 - turn
        elif label in track.names:
            said.sender = label
        else:
            said.sender, said.text = last, prefix + said.text
        last = said.sender
        if said.text.strip():
            yield said


def _joined(pieces: Iterable[Said], start: str | None) -> Iterator[Said]:
    """Pieces of one voice that follow each other as one message, at its time."""
    held: Said | None = None
    held_end, held_number = 0.0, -1
    for said in pieces:
        end, number = said.rest.pop("end"), said.rest.pop("number")
        is_same_cue = number == held_number
        is_near = is_same_cue or (bool(said.at) and float(said.at) - held_end <= _PAUSE)
        is_same = held is not None and said.sender == held.sender and bool(said.sender or is_same_cue)
        if held is not None and is_same and is_near and len(held.text) < _LONGEST_MESSAGE:
            held.text += ("\n" if is_same_cue else " ") + said.text
            if not is_same_cue:
                held.raw += "\n\n" + said.raw
                held.rest["cues"] += said.rest["cues"]
        else:
            if held is not None:
                yield _placed(held, start)
            held = said
        held_end, held_number = end if end is not None else held_end, number
    if held is not None:
        yield _placed(held, start)


def _placed(said: Said, start: str | None) -> Said:
    said.at = after(start, float(said.at)) if said.at else ""
    return said


def _to_chat(file: str, track: _Track, start: str | None, sides: dict[str, str]) -> Chat:
    stem = _STEM.sub("", file.replace("\\", "/").rpartition("/")[2])
    name = f"{stem}-{track.digest[:12]}" if stem not in ("", "-") else track.digest[:20]
    chat = Chat(track.format, file, name, track.format, name, "phone", sides, untimed=NO_START, is_whole=True)
    language = track.headers.get("Language", "") or track.language
    chat.fields = {
        "initiative": None,
        "direction": None,
        "first_response_seconds": None,
        "talk_seconds": round(track.talk, 3) if track.talk else None,
        "language": language if _LANGUAGE.fullmatch(language) else None,
    }
    chat.begins = start or ""
    if start is not None and track.last_end:
        chat.ends = after(start, track.last_end)
    chat.extra = {"headers": track.headers, "notes": track.notes}
    chat.extra = {name: value for name, value in chat.extra.items() if value}
    chat.findings = list(track.remarks.values())
    return chat
