"""The items of one array inside a large JSON document (`{"name": …, "messages": […], "title": …}`), cut out
as the text streams by: no more than one item is held, and a broken one costs only itself.

What stands in the object around the array comes as two pieces of JSON: what is before it with the first
item, what is behind it when the object ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal, NamedTuple

from carelog.sources.blocks import Fault
from carelog.sources.lines import KEPT_OF_LONG, too_long
from carelog.sources.pieces import parse_json

_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TOKEN = re.compile(_TEXT + rb'|["{}\[\]:,]', re.DOTALL)
_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|' + _TEXT + rb')*+(["{}\[\]])', re.DOTALL)
_FIRST_KEY = re.compile(rb"\{\s*(" + _TEXT + rb")\s*:", re.DOTALL)
_SOMETHING = re.compile(rb"[^\s,]")
_WORD_END = re.compile(rb"[,\]{}\n]")
_ESCAPED = re.compile(rb"(\\\\)|\\x([0-9A-Fa-f]{2})")
_PARTNER = {b"}": b"{", b"]": b"["}
_READ = 256 * 1024
_KEPT = 1024 * 1024
"""So much of what stands around an array is kept."""


class Found(NamedTuple):
    """An `item` of the array, what stands `before` it in the object around it, or `behind` it; `around`
    counts the objects. With a fault, `raw` is what is kept of an item that was too long.
    """

    kind: Literal["before", "item", "behind"]
    around: int
    raw: bytes
    line: int
    offset: int
    fault: Fault | None = None


@dataclass(slots=True)
class _Text:
    """What is held of the text: `data` begins at byte `base` and line `line` of the input, `at` is how far
    it is understood.
    """

    stream: BinaryIO
    base: int
    line: int = 1
    data: bytes = b""
    at: int = 0
    counted: int = 0
    counted_line: int = 1

    def more(self, keep: int) -> bool:
        """Hold more of the text, and let go of what is before `keep`; False at the end."""
        self.let_go(keep)
        block = self.stream.read(_READ)
        self.data += block
        return bool(block)

    def let_go(self, keep: int) -> None:
        """Hold no longer what is before `keep`."""
        self.line = self.line_at(keep)
        self.data, self.base, self.at = self.data[keep:], self.base + keep, self.at - keep
        self.counted, self.counted_line = 0, self.line

    def line_at(self, place: int) -> int:
        """The line of a place in `data`; places come in order, so each line end is counted once."""
        if place >= self.counted:
            self.counted_line += self.data.count(b"\n", self.counted, place)
            self.counted = place
            return self.counted_line
        return self.line + self.data.count(b"\n", 0, place)


@dataclass(slots=True)
class _Around:
    """An open bracket outside of items: `start` is the byte of the input where it stands."""

    bracket: bytes
    start: int
    key: bytes = b""
    number: int = -1
    behind: int = -1


@dataclass(slots=True)
class _State:
    stack: list[_Around] = field(default_factory=list)
    last: bytes = b""
    count: int = 0
    next_item: re.Pattern[bytes] | None = None


def read_items(stream: BinaryIO, offset: int, limit: int, name: str = "messages") -> Iterator[Found]:
    """The items of every array of that name, in order, with what stands around it."""
    text, state = _Text(stream, offset), _State()
    key = f'"{name}"'.encode()
    while True:
        found = _TOKEN.search(text.data, text.at)
        is_half = found is not None and found[0] == b'"'
        if found is None or is_half:
            keep = _first_kept(state, text)
            if found is not None:
                keep, text.at = min(keep, found.start()), found.start()
            else:
                text.at = len(text.data)
            too_much = is_half and len(text.data) - keep > limit + _READ
            if too_much or not text.more(min(keep, text.at)):
                return
            continue
        text.at = found.end()
        yield from _step(found[0], found.start(), text, state)
        if found[0] == b"[" and state.stack[-1:] and _is_wanted(state, key):
            around = state.stack[-2]
            around.number, state.count = state.count, state.count + 1
            yield _before(around, text)
            yield from _cut_items(text, state, around.number, limit)
            state.stack.pop()
            around.behind = text.base + text.at


def _is_wanted(state: _State, key: bytes) -> bool:
    return len(state.stack) > 1 and state.stack[-2].bracket == b"{" and state.stack[-2].key == key


def _first_kept(state: _State, text: _Text) -> int:
    """From where on the text is needed: the outermost object that is not too long already."""
    for around in state.stack:
        start = max(around.start, around.behind)
        if around.bracket == b"{" and start >= text.base and text.base + len(text.data) - start <= _KEPT:
            return start - text.base
    return text.at


def _step(token: bytes, at: int, text: _Text, state: _State) -> Iterator[Found]:
    if token in (b"{", b"["):
        state.stack.append(_Around(token, text.base + at))
    elif token in _PARTNER:
        if state.stack and state.stack[-1].bracket == _PARTNER[token]:
            closed = state.stack.pop()
            if closed.behind >= text.base:
                raw = b"{" + text.data[closed.behind - text.base : at].lstrip(b", \r\n\t]") + b"}"
                yield Found("behind", closed.number, raw, text.line_at(at), text.base + at)
    elif token == b":" and state.stack:
        state.stack[-1].key = state.last
    elif token != b",":
        state.last = token


def _before(around: _Around, text: _Text) -> Found:
    start = around.start - text.base
    raw = text.data[start : text.at] + b"]}" if start >= 0 else b"{}"
    return Found("before", around.number, raw, text.line_at(max(start, 0)), around.start)


def _cut_items(text: _Text, state: _State, number: int, limit: int) -> Iterator[Found]:
    """The items up to the bracket that closes the array; afterwards the text is understood up to there."""
    while True:
        place = _SOMETHING.search(text.data, text.at)
        if place is None:
            text.at = len(text.data)
            if not text.more(text.at):
                return
            continue
        text.at = place.start()
        if place[0] in (b"]", b"}"):
            text.at += place[0] == b"]"
            return
        end, fault = _find_end(text, state, limit)
        raw = text.data[text.at : end]
        line, offset = text.line_at(text.at), text.base + text.at
        if fault is not None:
            yield Found("item", number, raw[:KEPT_OF_LONG], line, offset, fault)
        elif raw.strip(b", \r\n\t"):
            yield Found("item", number, raw, line, offset)
        text.at = end


def _find_end(text: _Text, state: _State, limit: int) -> tuple[int, Fault | None]:
    """Where the item at the place ends; a broken one ends where the next seems to begin."""
    if state.next_item is None:
        state.next_item = _learn(text)
    if text.data[text.at : text.at + 1] not in (b"{", b"["):
        return _end_of_word(text), None
    depth: list[bytes] = []
    place = text.at
    while True:
        found = _BRACKET.match(text.data, place)
        if found is None or found[1] == b'"':
            if len(text.data) - text.at <= limit and text.more(text.at):
                place, depth = text.at, []
                continue
            return _next_beginning(text, state, limit)
        bracket, place = found[1], found.end()
        if bracket in _PARTNER:
            if not depth or depth.pop() != _PARTNER[bracket]:
                return _next_beginning(text, state, limit)
            if not depth:
                return place, None
        else:
            depth.append(bracket)


def _learn(text: _Text) -> re.Pattern[bytes] | None:
    first = _FIRST_KEY.match(text.data, text.at)
    if first is None or len(first[1]) > 200:
        return None
    return re.compile(rb"\{\s{0,64}" + re.escape(first[1]) + rb"\s{0,64}:")


def _end_of_word(text: _Text) -> int:
    found = _WORD_END.search(text.data, text.at + 1)
    return len(text.data) if found is None else found.start()


def _next_beginning(text: _Text, state: _State, limit: int) -> tuple[int, Fault | None]:
    found = state.next_item.search(text.data, text.at + 1) if state.next_item is not None else None
    if found is not None:
        return found.start(), None
    length = len(text.data) - text.at
    if length <= limit:
        return len(text.data), None
    return _skip_long(text, state, limit)


def _skip_long(text: _Text, state: _State, limit: int) -> tuple[int, Fault]:
    """Go to the end of an item that is too long, or to where the next seems to begin, holding only its
    beginning.
    """
    kept = text.data[text.at : text.at + KEPT_OF_LONG]
    text.let_go(text.at)
    length, depth = 0, 0
    while True:
        place, depth, is_over = _follow_brackets(text.data, depth)
        found = None if is_over or state.next_item is None else state.next_item.search(text.data, 1)
        if found is not None:
            place, is_over = found.start(), True
        length += place
        rest = text.data[place:]
        if not is_over and rest[:1] == b'"':
            # Inside a text: its opening quote stands for it, and a backslash if the next byte is an escaped
            # one.
            odd = (len(rest) - len(rest.rstrip(b"\\"))) % 2
            length += len(rest)
            text.let_go(len(text.data) - 1 - odd)
            text.data = b'"' + text.data[1:] if not odd else b'"\\'
            length -= len(text.data)
        else:
            text.let_go(place)
        if is_over or not text.more(0):
            break
    text.data = kept + text.data
    text.base -= len(kept)
    text.at, text.counted, text.counted_line = 0, 0, text.line
    return len(kept), too_long(max(length, limit + 1), limit)


def _follow_brackets(data: bytes, depth: int) -> tuple[int, int, bool]:
    """How far whole texts and brackets go, how deep it is there, and whether the item ended."""
    place = 0
    while (found := _BRACKET.match(data, place)) is not None and found[1] != b'"':
        place = found.end()
        depth += 1 if found[1] in (b"{", b"[") else -1
        if depth <= 0:
            return place, depth, True
    unclosed = data.find(b'"', place) if found is not None else -1
    return (found.end() - 1 if found is not None else place if unclosed < 0 else unclosed), depth, False


def parse_item(raw: bytes, limit: int) -> tuple[Any, Fault | None]:
    """The value of an item, also where control characters are written as \\x0B, which is no JSON."""
    value, fault = parse_json(raw, limit)
    if fault is not None and fault.keyword == "duplicate_key":
        return value, None
    if fault is not None and b"\\x" in raw:
        mended = _ESCAPED.sub(lambda m: m[1] or b"\\u00" + m[2], raw)
        value, still = parse_json(mended, limit)
        return value, still and fault
    return value, fault
