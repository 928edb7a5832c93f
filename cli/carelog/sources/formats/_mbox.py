"""Cutting an mbox file into its mails while it streams by.

A mail begins at a line `From ADDRESS DATE` that stands at the beginning of the file or after an empty line,
and that a header follows; without the empty line it must be a header that mails begin with. So neither
`From now on we ship daily.` nor a date in a sentence cuts a mail in two, whichever dialect of mbox wrote the
file. Takeout writes the zone before the year; RFC 4155 has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

BLOCK_BYTES = 1024 * 1024
_LINE = re.compile(rb"From ([^\r\n]{1,400})\r?\n(?=[!-9;-~]{1,100}:|>From )")
_BARE = re.compile(rb"From[ \t]+(?:-[ \t]*)?\r?\n")
_FIRST_HEADER = re.compile(
    rb"(?:Return-Path|Received|X-[\w-]{1,60}|Date|Message-ID|Delivered-To|MIME-Version|Status|Envelope-To|"
    rb"DKIM-Signature"
    rb"|ARC-[\w-]{1,60}|Authentication-Results|Content-Type|From):",
    re.IGNORECASE,
)
_DAYS = frozenset((b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"))
_CLOCK = re.compile(rb"\d{1,2}:\d{2}(?::\d{2})?")
_ISO = re.compile(rb"\d{4}-\d\d-\d\d(?:T\d\d:\d\d\S*)?")
# The longest separator and the beginning of the header after it: so much must be at hand to judge it.
_LOOK_AHEAD = 700


@dataclass(frozen=True, slots=True)
class Piece:
    """A mail as it stood, without the separator before it.

    `line` and `offset` are where it (or the separator) begins, `length` what it measures in bytes; `is_cut`
    says that this is more than the limit and `raw` only its beginning. `from_line` is the separator, `skip`
    how many bytes stand before `raw`.
    """

    raw: bytes
    line: int
    offset: int
    length: int
    from_line: bytes = b""
    skip: int = 0
    is_cut: bool = False
    is_last: bool = False


@dataclass(slots=True)
class _Place:
    """What is held of the input: `data`, of the open mail, whose first byte is byte `offset` in line `line`;
    `dropped` bytes and `dropped_lines` of it were let go; up to `scanned` no separator begins.
    """

    offset: int
    line: int = 1
    data: bytes = b""
    dropped: int = 0
    dropped_lines: int = 0
    scanned: int = 0


def looks_like_mbox(head: bytes) -> bool:
    """Whether a file that begins so is an mbox."""
    start = head.lstrip(b"\r\n")
    return _match_from_line(start, 0) is not None


def _match_from_line(data: bytes, at: int) -> re.Match[bytes] | None:
    """The separator that begins at `at`: a sender, then a date as mbox writes it, then a header."""
    bare = _BARE.match(data, at)
    if bare is not None:
        # Thunderbird leaves sender and date out of some; then it must be a header that mails begin with.
        return bare if _FIRST_HEADER.match(data, bare.end()) else None
    found = _LINE.match(data, at)
    if found is None:
        return None
    words = found[1].split()
    day = next((n for n, word in enumerate(words) if word.rstrip(b",") in _DAYS), None)
    if day is None:
        return found if any(_ISO.fullmatch(word) for word in words[1:3]) else None
    clock = next((n for n, word in enumerate(words) if n > day and _CLOCK.fullmatch(word)), None)
    has_year = any(len(word) == 4 and word.isdigit() for word in words[day + 1 :])
    return found if clock is not None and has_year else None


def split_mbox(stream: BinaryIO, offset: int, limit: int, block_bytes: int = BLOCK_BYTES) -> Iterator[Piece]:
    """The mails of an mbox; `offset` is where the stream begins in the input."""
    place = _Place(offset)
    while block := stream.read(block_bytes):
        place.data += block
        yield from _cut(place, limit, is_end=False)
        _let_go(place, limit)
    yield from _cut(place, limit, is_end=True)
    if place.data.strip():
        yield _to_piece(place, 0, len(place.data), limit, is_last=True)


def read_single(stream: BinaryIO, offset: int, limit: int) -> Iterator[Piece]:
    """The one mail of a file, however its body looks."""
    raw = stream.read(limit)
    length = len(raw)
    while more := stream.read(BLOCK_BYTES):
        length += len(more)
    if not raw.strip():
        return
    place = _Place(offset, data=raw)
    piece = _to_piece(place, 0, len(raw), limit, is_last=True)
    yield replace(piece, length=length, is_cut=length > limit)


def _cut(place: _Place, limit: int, is_end: bool) -> Iterator[Piece]:
    begin = 0
    while (start := _find_separator(place, is_end)) is not None:
        if not place.dropped and not place.data[begin:start].strip():
            # Nothing but empty lines before the first mail: they are its own.
            place.scanned = start
            continue
        yield _to_piece(place, begin, start, limit)
        place.line += place.data.count(b"\n", begin, start) + place.dropped_lines
        place.offset += start - begin + place.dropped
        place.dropped = place.dropped_lines = 0
        place.scanned = begin = start
    # Cut off once for all mails of a block: for each, it would cost the square of their number.
    place.data = place.data[begin:]
    place.scanned -= begin


def _find_separator(place: _Place, is_end: bool) -> int | None:
    """Where the next mail begins in the data; None if that is not at hand."""
    data = place.data
    ready = len(data) if is_end else len(data) - _LOOK_AHEAD
    at = data.find(b"\nFrom ", place.scanned)
    while 0 <= at < ready:
        found = _match_from_line(data, at + 1)
        if found is not None:
            before = data[max(0, at - 2) : at]
            is_apart = before.endswith((b"\n", b"\n\r"))
            # Some mailers leave the empty line out after a mail that does not end with a line end.
            if is_apart or (found.re is _LINE and _FIRST_HEADER.match(data, found.end())):
                return at + 1
        at = data.find(b"\nFrom ", at + 1)
    place.scanned = max(place.scanned, ready)
    return None


def _let_go(place: _Place, limit: int) -> None:
    """Drop the middle of a mail that is longer than the limit; its beginning and the last bytes stay."""
    if len(place.data) <= limit + 2 * _LOOK_AHEAD:
        return
    end = len(place.data) - 2 * _LOOK_AHEAD
    place.dropped += end - limit
    place.dropped_lines += place.data.count(b"\n", limit, end)
    place.data = place.data[:limit] + place.data[end:]
    place.scanned = max(limit, place.scanned - (end - limit))


def _to_piece(place: _Place, begin: int, end: int, limit: int, is_last: bool = False) -> Piece:
    length = end - begin + place.dropped
    raw = place.data[begin : min(end, begin + limit)]
    bare = raw.lstrip(b"\r\n")
    found = _match_from_line(bare, 0)
    from_line = found[0].rstrip(b"\r\n") if found else b""
    mail = bare[found.end() :] if found else bare
    skip = len(raw) - len(mail)
    return Piece(mail, place.line, place.offset, length, from_line, skip, length > limit, is_last)


def undo_quoting(mail: bytes) -> bytes:
    """The body lines that the mbox dialects mboxo and mboxrd have quoted, as they were."""
    return re.sub(rb"(?m)^>(>*From )", rb"\1", mail)
