"""JSON that is not one record a line: an array of records, or records one after another, printed in any way.

The text is cut into records by its brackets as it streams by; the records are parsed elsewhere. A record
whose brackets or quotes do not close would swallow all that follows, so a cut is made where the next record
begins: at an object that begins with the same key as the first record and that does not stand where a
nested value would (after `[` or `:`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats.jsonlines import cut_off
from carelog.sources.lines import CHUNK_BYTES, KEPT_OF_LONG, file_finding, raw_text, to_reject, too_long
from carelog.sources.streams import Opened

NAME = "json"

_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_OUTSIDE = re.compile(_TEXT + rb'|["\[\]{}]', re.DOTALL)


def _balanced(depth: int) -> bytes:
    """A pattern of anything in which all texts, and brackets nested up to `depth` deep, are closed."""
    parts = [rb'[^"\[\]{}]++', _TEXT]
    if depth:
        inner = _balanced(depth - 1)
        parts += [rb"\{" + inner + rb"\}", rb"\[" + inner + rb"\]"]
    return rb"(?:" + b"|".join(parts) + rb")*+"


# Canonical records nest three deep: one match skips what a loop over brackets would take 50 steps for.
# Deeper inside, where that did not work, only what is nearly flat is skipped, so that nothing is looked at
# many times.
_RECORD_INSIDE = re.compile(_balanced(3), re.DOTALL)
_DEEPER_INSIDE = re.compile(_balanced(1), re.DOTALL)
_FIRST_KEY = re.compile(rb"\s*\{\s*(" + _TEXT + rb")\s*:", re.DOTALL)
_BETWEEN = b" \t\r\n,"
# How far a record may go on after what looks like the beginning of the next: bounds the work that a broken
# record costs, and is counted in bytes of the text, so that the result does not depend on how it arrives in
# blocks.
_LOOK_AHEAD = 1024
_WINDOW = 4 * 1024
_LONGEST_KEY = 200
_SPACES = 64


@dataclass(slots=True)
class _Cutter:
    """The place in the text: `data` is what is held of it, beginning at byte `base` of the input.

    `at` is how far it is cut, `start` where the open record begins (None between records), `depth` how deep
    the text is inside that record, `in_array` whether an array around the records is open. `count` records
    came before those in `spans`. The first `clear` bytes of the open record hold no beginning of another
    (-1: it holds one that belongs to it). Of an open record that is too long, `dropped` bytes are no longer
    held; when it ends, `long_record` is its length.
    """

    base: int
    data: bytes = b""
    at: int = 0
    start: int | None = None
    depth: int = 0
    in_array: bool = False
    count: int = 0
    clear: int = 0
    is_end: bool = False
    dropped: int = 0
    long_record: int | None = None
    next_record: re.Pattern[bytes] | None = None
    spans: list[tuple[int, int]] = field(default_factory=list)
    faults: dict[int, Fault] = field(default_factory=dict)


def read_json(
    opened: Opened, options: ReadOptions, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[Block | Chunk]:
    """Chunks of whole records, `line` being the position of the record from 1."""
    stream, offset = opened.utf8()
    cutter = _Cutter(offset)
    while not cutter.is_end:
        block = stream.read(chunk_bytes)
        cutter.data += block
        cutter.is_end = not block
        is_cut = False
        while not is_cut:
            is_cut = _cut(cutter)
            yield from _emit(cutter, opened, options)
        _drop_long(cutter, options.max_line_bytes)
    _finish(cutter, opened.trouble)
    yield from _emit(cutter, opened, options)
    if cutter.in_array and opened.trouble is None:
        fault = Fault("truncated", "the JSON array is not closed: the file may be incomplete")
        yield Block(opened.name, NAME, findings=[file_finding(opened.name, fault)])


def _cut(cutter: _Cutter) -> bool:
    """Cut what is held into records; False if it stopped early, at the end of one that is too long."""
    while cutter.long_record is None:
        if cutter.start is not None:
            _skip_inside(cutter, cutter.start)
            if cutter.start is None:
                continue
        found = _OUTSIDE.search(cutter.data, cutter.at)
        if found is not None and found[0] != b'"':
            _step(cutter, found)
        elif not _leave_broken_record(cutter):
            _wait(cutter, len(cutter.data) if found is None else found.start())
            return True
    return False


def _skip_inside(cutter: _Cutter, start: int) -> None:
    """Go over what is balanced in the open record; now and then, see whether it is still the same one."""
    pattern = _RECORD_INSIDE if cutter.depth == 1 else _DEEPER_INSIDE
    inside = pattern.match(cutter.data, cutter.at, cutter.at + _WINDOW)
    if inside is not None:
        cutter.at = inside.end()
    if cutter.clear >= 0 and cutter.at - start - cutter.clear > 2 * _LOOK_AHEAD:
        follower = _find_next_record(cutter, cutter.at)
        if follower is not None and cutter.at - follower > _LOOK_AHEAD:
            _cut_before(cutter, follower)


def _step(cutter: _Cutter, found: re.Match[bytes]) -> None:
    if cutter.start is None:
        _step_between(cutter, found)
    else:
        _step_inside(cutter, found)


def _wait(cutter: _Cutter, place: int) -> None:
    """Nothing more can be cut before the next block: remember how far the text is understood."""
    if cutter.start is not None:
        cutter.at = place
    else:
        # A word at the end may go on in the next block.
        last = max(cutter.data.rfind(end, cutter.at, place) for end in (b",", b"\n"))
        _cut_words(cutter, last + 1)


def _cut_words(cutter: _Cutter, end: int) -> None:
    """What stands between records and is no bracket (a number, rubbish), cut at commas and line ends."""
    for word in re.finditer(rb"[^,\n]+", cutter.data[cutter.at : end]):
        bare = word[0].strip(_BETWEEN)
        if bare:
            begin = cutter.at + word.start() + word[0].index(bare)
            cutter.spans.append((begin, begin + len(bare)))
    cutter.at = max(cutter.at, end)


def _step_between(cutter: _Cutter, found: re.Match[bytes]) -> None:
    _cut_words(cutter, found.start())
    token = found[0]
    cutter.at = found.end()
    if token == b"[" and not cutter.in_array:
        cutter.in_array = True
    elif token in (b"{", b"["):
        cutter.start, cutter.depth, cutter.clear = found.start(), 1, 0
    elif token == b"]" and cutter.in_array:
        cutter.in_array = False
    else:
        cutter.spans.append(found.span())


def _step_inside(cutter: _Cutter, found: re.Match[bytes]) -> None:
    cutter.at = found.end()
    if found[0] in (b"{", b"["):
        cutter.depth += 1
    elif found[0] in (b"}", b"]"):
        cutter.depth -= 1
        if cutter.depth == 0:
            _close_record(cutter, found.end())


def _close_record(cutter: _Cutter, end: int) -> None:
    assert cutter.start is not None
    follower = _find_next_record(cutter, end)
    if follower is not None and (
        end - follower > _LOOK_AHEAD or not _is_json(cutter.data[cutter.start : end])
    ):
        _cut_before(cutter, follower)
    else:
        _end_record(cutter, end)


def _is_json(piece: bytes) -> bool:
    try:
        orjson.loads(piece)
    except orjson.JSONDecodeError:
        return False
    return True


def _find_next_record(cutter: _Cutter, end: int) -> int | None:
    """Where, inside the open record, the next one seems to begin."""
    assert cutter.start is not None
    if cutter.next_record is None:
        cutter.next_record = _learn_beginning(cutter.data, cutter.start)
    if cutter.next_record is None or cutter.clear < 0:
        return None
    found = cutter.next_record.search(cutter.data, cutter.start + max(1, cutter.clear), end)
    if found is None:
        # What straddles the end is found the next time.
        cutter.clear = max(cutter.clear, end - cutter.start - _LONGEST_KEY - 3 * _SPACES)
        return None
    before = cutter.data[max(cutter.start, found.start() - _SPACES) : found.start()].rstrip()[-1:]
    if before in (b"[", b":", b""):
        cutter.clear = -1
        return None
    return found.start()


def _learn_beginning(data: bytes, start: int) -> re.Pattern[bytes] | None:
    """A pattern of how records begin, learnt from the one at `start`; None if that has no first key."""
    first = _FIRST_KEY.match(data, start)
    if first is None or len(first[1]) > _LONGEST_KEY:
        return None
    spaces = rb"\s{0,%d}" % _SPACES
    return re.compile(rb"\{" + spaces + re.escape(first[1]) + spaces + rb":")


def _leave_broken_record(cutter: _Cutter) -> bool:
    """If the open record does not end soon but holds the beginning of the next one, cut there."""
    follower = None if cutter.start is None else _find_next_record(cutter, len(cutter.data))
    if follower is None or not (cutter.is_end or len(cutter.data) - follower > _LOOK_AHEAD):
        return False
    _cut_before(cutter, follower)
    return True


def _cut_before(cutter: _Cutter, follower: int) -> None:
    assert cutter.start is not None
    _end_record(cutter, cutter.start + len(cutter.data[cutter.start : follower].rstrip(_BETWEEN)))
    cutter.at = follower


def _end_record(cutter: _Cutter, end: int) -> None:
    assert cutter.start is not None
    if cutter.dropped:
        cutter.long_record = end - cutter.start + cutter.dropped
    else:
        cutter.spans.append((cutter.start, end))
    cutter.start = None


def _emit(cutter: _Cutter, opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """Hand on the records that are cut, and let go of their bytes."""
    keep = cutter.at if cutter.start is None else cutter.start
    if cutter.spans:
        data, line = cutter.data[:keep], cutter.count + 1
        yield Chunk(opened.name, NAME, data, line, cutter.base, options, cutter.spans, cutter.faults)
        cutter.count += len(cutter.spans)
        cutter.spans, cutter.faults = [], {}
    if cutter.long_record is not None:
        raw = raw_text(cutter.data[:KEPT_OF_LONG], cutter.long_record)
        fault = too_long(cutter.long_record, options.max_line_bytes)
        cutter.count += 1
        reject = to_reject(opened.name, cutter.count, cutter.base, raw, fault)
        yield Block(opened.name, NAME, rejects=[reject])
        keep_base = cutter.dropped
        cutter.long_record, cutter.dropped = None, 0
    else:
        keep_base = 0
    cutter.data = cutter.data[keep:]
    cutter.base += keep + keep_base
    cutter.at -= keep
    if cutter.start is not None:
        cutter.start -= keep


def _drop_long(cutter: _Cutter, limit: int) -> None:
    """Let go of all but the beginning of a record, or of rubbish, that is longer than the limit."""
    if len(cutter.data) <= limit:
        return
    rest = cutter.data[cutter.at :] if cutter.start is not None else b""
    if rest:
        # Inside a text: its opening quote stands for it, and a backslash if the next byte is an escaped one.
        odd = (len(rest) - len(rest.rstrip(b"\\"))) % 2
        rest = b'"' + b"\\" * odd
    head = cutter.data[:KEPT_OF_LONG] if cutter.at > KEPT_OF_LONG or not rest else cutter.data[: cutter.at]
    cutter.dropped += len(cutter.data) - len(head) - len(rest)
    cutter.data = head + rest
    cutter.at = len(head)
    cutter.clear = min(cutter.clear, 0)
    if cutter.start is None:
        # Rubbish that is no record at all still counts as one when it ends.
        cutter.start, cutter.depth = 0, 1


def _finish(cutter: _Cutter, trouble: Fault | None) -> None:
    """The input ended: what is still open is a record that was cut off."""
    if cutter.start is None:
        _cut_words(cutter, len(cutter.data))
        return
    end = len(cutter.data)
    _end_record(cutter, end)
    cutter.at = end
    if not cutter.spans:
        return
    fault = Fault("truncated", "the record is cut off: its brackets or quotes are not closed")
    cutter.faults[len(cutter.spans) - 1] = fault if trouble is None else cut_off(trouble)
