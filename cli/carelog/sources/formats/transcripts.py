"""Transcripts of calls as subtitles: WebVTT (Teams, Zoom, Meet) and SRT. One file is one call.

Who speaks stands in `<v Name>`, or before a colon at the beginning of a cue (Zoom). Cues of one speaker that
follow each other are one message, and lines that rolling captions show again count once. A part without a
time (no cue, a note in the wrong place) is kept as a message without one. There is no absolute time in such
a file: `--start` says it, or the file's name. Who is the agent is said by `--agents`, else guessed and said.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats._sessions import Chat, MessageStore, Said, find_sides, to_blocks
from carelog.sources.formats._starts import NO_START, after, find_start
from carelog.sources.formats._text_lines import Remarks, TextLine, head_lines, read_text_lines
from carelog.sources.streams import Opened

WEBVTT, SRT = "webvtt", "srt"
_ONE = "one"
_CLOCK = r"(?:(\d{1,6}):)?(\d{1,2}):(\d{2})[.,](\d{1,6})"
_TIMING = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}\s*(.*)")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>\n]{1,200})>")
_TAG = re.compile(r"</?(?:[a-zA-Z][^<>\n]{0,200}|\d[\d:.]{3,20})?>|\{\\[^{}\n]{1,40}\}")
_NAMED = re.compile(r"([^\W\d_][^:<>\n]{0,60}?)\s?:\s+(?=\S)(.*)", re.DOTALL)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_STEM = re.compile(r"(\.transcript|\.cc)?\.(vtt|srt|txt)(\.gz|\.zst)?$", re.IGNORECASE)
_PAUSE = 1.0
_FLASH = 0.1
_LONGEST_MESSAGE = 2000
_MOST_LINES = 1000
_MOST_HEADERS = 100


@dataclass(slots=True)
class _Cue:
    """A cue, or a block without a time; times in seconds from the beginning."""

    lines: list[str]
    line: int
    offset: int
    raw: str
    start: float | None = None
    end: float | None = None
    note: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Track:
    """What is known of a file as a whole."""

    format: str
    headers: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    remarks: Remarks = field(default_factory=dict)
    senders: dict[str, None] = field(default_factory=dict)
    named: int = 0
    voiced: int = 0
    cues: int = 0
    last_end: float = 0.0
    talk: float = 0.0
    digest: str = ""


def detect_webvtt(head: bytes, name: str) -> str | None:
    """Whether the file begins with the word that every WebVTT file begins with."""
    return "it begins with WEBVTT" if re.match(rb"WEBVTT(?:[ \t\r\n]|$)", head) else None


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
    start = find_start(opened.name, options)
    with MessageStore() as store:
        blocks = _read_blocks(read_text_lines(opened, options, track.remarks))
        for said in _to_messages(_without_echoes(_to_cues(blocks, track), track), track):
            store.add(_ONE, said)
        sides = _find_names(track, options)
        chat = _to_chat(opened.name, track, start, sides)
        messages = (_name(said, track, start) for said in store.messages(_ONE))
        yield from to_blocks(chat, messages, options)


def _read_blocks(lines: Iterable[TextLine]) -> Iterator[list[TextLine]]:
    """Lines that stand together; an endless stretch of them is cut."""
    held: list[TextLine] = []
    for line in lines:
        if not line.text.strip() or len(held) >= _MOST_LINES:
            if held:
                yield held
            held = []
        if line.text.strip():
            held.append(line)
    if held:
        yield held


def _to_cues(blocks: Iterable[list[TextLine]], track: _Track) -> Iterator[_Cue]:
    for number, block in enumerate(blocks):
        first = block[0].text.strip("\ufeff \t")
        if number == 0 and track.format == WEBVTT and first.startswith("WEBVTT"):
            _note_headers(first, block[1:], track)
            timed = next((n for n, line in enumerate(block) if _TIMING.match(line.text)), None)
            if timed is None:
                continue
            block = block[timed:]
        elif track.format == WEBVTT and re.match(r"(NOTE|STYLE|REGION)(\s|$)", first):
            if len(track.notes) < _MOST_HEADERS:
                track.notes.append("\n".join(line.text for line in block))
            continue
        yield from _cut_cues(block, track)


def _note_headers(first: str, lines: list[TextLine], track: _Track) -> None:
    if first != "WEBVTT":
        track.headers["WEBVTT"] = first.removeprefix("WEBVTT").strip(" -")
    for line in lines[:_MOST_HEADERS]:
        if _TIMING.match(line.text):
            return
        name, _, value = line.text.partition(":")
        track.headers[name.strip()] = value.strip() or line.text


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
        shown = [_plain(line) for line in lines]
        is_next = cue.start is not None and cue.start - last_end < _FLASH
        is_flash = cue.start is not None and (cue.end or 0) - cue.start <= _FLASH
        if is_next and shown and shown[0] == last and (len(shown) > 1 or is_flash):
            lines = lines[1:]
        last = shown[-1] if shown else ""
        if cue.start is not None and cue.end is not None and cue.end >= cue.start:
            track.talk += max(0.0, cue.end - max(cue.start, track.last_end))
            track.last_end = max(track.last_end, cue.end)
            last_end = cue.end
        if lines:
            yield replace(cue, lines=lines)


def _plain(text: str) -> str:
    return html.unescape(_TAG.sub("", text)).replace("\u200b", "").strip()


def _to_messages(cues: Iterable[_Cue], track: _Track) -> Iterator[Said]:
    """Cues as messages, those of one voice that follow each other as one. `at` is the number of seconds."""
    held: Said | None = None
    held_end = 0.0
    for cue in cues:
        for voice, text in _voices("\n".join(cue.lines)):
            said = _to_said(cue, voice, text, track)
            is_near = cue.start is not None and cue.start - held_end <= _PAUSE
            if (
                held is not None
                and said.sender
                and said.sender == held.sender
                and is_near
                and _is_short(held)
            ):
                held.text = f"{held.text} {said.text}"
                held.raw += "\n\n" + said.raw
                held.rest["cues"] += said.rest["cues"]
            else:
                if held is not None:
                    yield held
                held = said
            held_end = cue.end if cue.end is not None else held_end
    if held is not None:
        yield held


def _is_short(said: Said) -> bool:
    return len(said.text) < _LONGEST_MESSAGE


def _voices(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a cue, each with the voice that stands before it."""
    parts = _VOICE.split(text)
    if _plain(parts[0]):
        yield "", _plain(parts[0])
    for voice, spoken in zip(parts[1::2], parts[2::2], strict=True):
        if _plain(spoken):
            yield html.unescape(voice).strip(), _plain(spoken)


def _to_said(cue: _Cue, voice: str, text: str, track: _Track) -> Said:
    track.cues += 1
    if track.cues <= 20:
        told = f"{track.digest}\0{cue.start}\0{voice}\0{text}"
        track.digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
    named = _NAMED.fullmatch(text)
    if voice:
        track.voiced += 1
        track.senders[voice] = None
    elif named is not None:
        track.named += 1
        voice = named[1].strip() + ":"
        text = named[2]
        track.senders[voice] = None
    at = "" if cue.start is None else repr(cue.start)
    return Said(voice, text, at, cue.line, cue.offset, cue.raw, None, None, {"cues": [cue.note]})


def _find_names(track: _Track, options: ReadOptions) -> dict[str, str]:
    """Who is who; what stands before colons are names only where enough cues have them."""
    has_names = track.named >= 2 and track.named * 3 >= track.cues and not track.voiced
    people = [name for name in track.senders if has_names or not name.endswith(":")]
    names = [name.removesuffix(":") for name in people]
    track.senders = dict.fromkeys(people)
    sides, guesses = find_sides(names, options, is_call=True)
    track.remarks.update({fault.keyword: fault for fault in guesses})
    if not names:
        message = "the transcript does not say who speaks; all words were taken for the customer's"
        track.remarks["no_speakers"] = Fault("no_speakers", message)
    return sides


def _to_chat(file: str, track: _Track, start: str | None, sides: dict[str, str]) -> Chat:
    stem = _STEM.sub("", file.replace("\\", "/").rpartition("/")[2])
    name = f"{stem}-{track.digest[:12]}" if stem not in ("", "-") else track.digest[:20]
    chat = Chat(track.format, file, name, track.format, name, "phone", sides, untimed=NO_START, is_whole=True)
    language = track.headers.get("Language", "")
    chat.fields = {
        "initiative": None,
        "direction": None,
        "first_response_seconds": None,
        "talk_seconds": round(track.talk, 3) if track.talk else None,
        "language": language if _LANGUAGE.fullmatch(language) else None,
    }
    if start is not None and track.last_end:
        chat.begins, chat.ends = start, after(start, track.last_end)
    chat.extra = {"headers": track.headers, "notes": track.notes}
    chat.extra = {name: value for name, value in chat.extra.items() if value}
    chat.findings = list(track.remarks.values())
    return chat


def _name(said: Said, track: _Track, start: str | None) -> Said:
    """The message at its time, and with its speaker's name where what stood before the colon is none."""
    said.at = after(start, float(said.at)) if said.at else ""
    if said.sender.endswith(":"):
        if said.sender not in track.senders:
            said.text, said.sender = f"{said.sender} {said.text}", ""
        said.sender = said.sender.removesuffix(":")
    return said
