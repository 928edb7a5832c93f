"""One piece of JSON text to one value, quickly when it is sound, and with the exact reason when it is not."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from carelog.sources.blocks import Block, Chunk, Fault
from carelog.sources.filling import add_record, put_aside
from carelog.sources.lines import too_long

MAX_DEPTH = 64
"""How deep a record may nest. A canonical record needs 4; a wall of brackets is an attack or an accident."""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NOT_A_BRACKET = bytes(b for b in range(256) if b not in b"[]{}")


class _NotANumberError(ValueError):
    """NaN or Infinity stands where a number should."""


def parse_chunk_of_json(chunk: Chunk) -> Block:
    """The pieces of a chunk as a block; each broken piece costs only itself."""
    block = Block(chunk.file, chunk.format)
    if chunk.spans is None:
        pieces = chunk.data.split(b"\n")
        if not pieces[-1]:
            pieces.pop()
        spans = None
    else:
        pieces = [chunk.data[start:end] for start, end in chunk.spans]
        spans = chunk.spans
    offset = chunk.first_offset
    for index, raw in enumerate(pieces):
        place = offset if spans is None else chunk.first_offset + spans[index][0]
        offset += len(raw) + 1
        if not raw or raw.isspace():
            block.blank_lines += 1
            continue
        _add_piece(block, chunk, index, place, raw)
    return block


def _add_piece(block: Block, chunk: Chunk, index: int, offset: int, raw: bytes) -> None:
    line = chunk.first_line + index
    value, fault = parse_json(raw, chunk.options.max_line_bytes)
    if fault is None and type(value) is not dict:
        fault = Fault("not_object", f"the record is {_kind(value)}, not a JSON object")
    if fault is None:
        add_record(block, value, line, offset, raw, chunk.options.zone)
    else:
        # What reading saw of a piece that was cut off says more than what is wrong with the rest of it.
        put_aside(block, line, offset, raw, chunk.faults.get(index, fault), value)


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def parse_json(raw: bytes, limit: int) -> tuple[Any, Fault | None]:
    """The value of a JSON text of at most `limit` bytes.

    Or why it cannot be taken; then the value is what is known of it.
    """
    if len(raw) > limit:
        return None, too_long(len(raw), limit)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None, explain_json(raw)
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _is_too_deep(raw):
        return value, _too_deep()
    # Writing the value again loses the colons of a key that stood twice, and nothing else: cheaper than
    # watching each key.
    if raw.count(b":") != orjson.dumps(value).count(b":") or _hides_colons(raw):
        twice = _key_that_stands_twice(raw)
        if twice is not None:
            return value, Fault("duplicate_key", f"the key {shown_key(twice)} stands twice in one object")
    return value, None


def _hides_colons(raw: bytes) -> bool:
    return b"\\u003" in raw and (b"\\u003a" in raw or b"\\u003A" in raw)


def shown_key(key: str) -> str:
    """A key for a message: cut to 40 characters, control characters escaped."""
    return json.dumps(key[:40], ensure_ascii=not key.isprintable())


def _too_deep() -> Fault:
    return Fault("too_deep", f"the record nests deeper than {MAX_DEPTH} levels")


def _is_too_deep(raw: bytes) -> bool:
    depth = 0
    for bracket in _STRING.sub(b"", raw).translate(None, _NOT_A_BRACKET):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _key_that_stands_twice(raw: bytes) -> str | None:
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                found.append(key)
            seen.add(key)

    json.loads(raw, object_pairs_hook=look)
    return found[0] if found else None


def explain_json(raw: bytes) -> Fault:
    """Why orjson refuses a piece; never quotes the piece, which may hold a customer's words."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return Fault("invalid_utf8", f"byte {error.start + 1} of the record is not UTF-8")
    if _is_too_deep(raw):
        return _too_deep()
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_int=_short_int)
    except _NotANumberError as error:
        return Fault("nan", f"the record holds {error}, which JSON does not know; leave unknown numbers out")
    except json.JSONDecodeError as error:
        # Only the first words of the parser's message: after a colon it may quote the text.
        reason = error.msg.split(":")[0].removesuffix(" starting at").removesuffix(" at").lower()
        return Fault("not_json", f"this is not JSON: {reason} at character {error.pos + 1}")
    except ValueError:
        return Fault("not_json", "this is not JSON")
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return Fault(
            "lone_surrogate", "a text of the record holds half a character (a lone surrogate such as \\ud800)"
        )
    return Fault("nan", "the record holds a number that is too large")


def _refuse_constant(name: str) -> None:
    raise _NotANumberError(name)


def _short_int(digits: str) -> float | int:
    # Python refuses integers of thousands of digits; what matters here is only that it is a number.
    return int(digits) if len(digits) < 1000 else float(digits)
