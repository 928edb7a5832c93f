"""JSON as systems and their interfaces really deliver it: one object, one a line, objects one after another
with nothing between (Firehose), an array, or a page that wraps the array (`{"calls": […], "page": 0}`).

Of a page only the records are read; what the page says of itself (its number, links to other pages)
belongs to no interaction. Comments and brackets too many, as documentation and hand-made files have them,
cost nothing but a remark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from carelog.findings import Finding
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import put_aside
from carelog.sources.formats.json_array import read_json
from carelog.sources.pieces import parse_json
from carelog.sources.streams import Opened

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}:]', re.DOTALL)
_COMMENT = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+")|,(?=\s*[}\]])', re.DOTALL)
_OF_PAGE = re.compile(rb'"|[}\]]+$')
_STRAY = re.compile(rb"[\]}\s]+")


class Piece(NamedTuple):
    """One object and where it stood."""

    line: int
    offset: int
    raw: bytes
    value: dict[str, Any]


def first_keys(head: bytes, wrappers: Sequence[str]) -> tuple[set[str], str | None]:
    """The keys of the first record of an input, as far as it is seen; and the key that wraps the records."""
    start, wrapper = _find_wrapped(head, wrappers)
    depth, keys, last = 0, set(), b""
    for found in _TOKEN.finditer(head, start):
        token = found[0]
        if token == b":" and depth == 1:
            keys.add(last.decode("utf-8", "replace").strip('"'))
        elif token == b"{":
            depth += 1
        elif token == b"[":
            depth += depth > 0
        elif token in (b"}", b"]"):
            depth -= 1
            if depth <= 0:
                break
        last = token
    return keys, wrapper


def _find_wrapped(head: bytes, wrappers: Sequence[str]) -> tuple[int, str | None]:
    """Where the array of records begins in a page, and its key; 0 and None where no page wraps them."""
    depth, last = 0, b""
    for found in _TOKEN.finditer(head):
        token = found[0]
        if token in (b"{", b"["):
            depth += 1
            if depth == 2 and token == b"[" and last.strip(b'"').decode("utf-8", "replace") in wrappers:
                return found.start(), last.strip(b'"').decode("utf-8", "replace")
        elif token in (b"}", b"]"):
            depth -= 1
            if depth <= 0:
                break
        elif token != b":":
            last = token
    return 0, None


def read_records(
    opened: Opened, options: ReadOptions, name: str, wrappers: Sequence[str] = (), identity: str = ""
) -> Iterator[Block | Chunk]:
    """Chunks of objects of format `name`, each a record or a page; `line` is the position from 1.

    Behind the records of a page, an object counts as one only if it has the key `identity` or is a page.
    """
    stream, offset = opened.utf8()
    skipped, wrapper = _find_wrapped(opened.head, wrappers)
    stream.read(skipped)
    opened.stream, opened.encoding, opened.head_has_mark = stream, "utf-8", False
    is_page, after = wrapper is not None, False
    for part in read_json(opened, options):
        if isinstance(part, Block):
            part.format = name
            part.rejects = [r for r in part.rejects if not (is_page and after)]
            yield part
            continue
        faults = dict(part.faults)
        for index, (start, end) in enumerate(part.spans or []):
            piece = part.data[start:end]
            after = after or (is_page and _OF_PAGE.match(piece) is not None)
            if after and not any(b'"%b"' % key.encode() in piece for key in (*wrappers, identity)):
                faults[index] = _PAGE
        yield replace(part, format=name, first_offset=part.first_offset + offset + skipped, faults=faults)


_PAGE = Fault("page", "")


def read_pieces(chunk: Chunk, block: Block, wrappers: Sequence[str]) -> Iterator[Piece]:
    """The objects of a chunk, those of pages by themselves; what is no object goes to `block` as rejected."""
    for index, (start, end) in enumerate(chunk.spans or []):
        fault = chunk.faults.get(index)
        if fault is _PAGE or (fault is not None and fault.keyword == "page"):
            continue
        raw, line, offset = chunk.data[start:end], chunk.first_line + index, chunk.first_offset + start
        if _STRAY.fullmatch(raw):
            _remark(
                block,
                line,
                offset,
                Fault("stray_bracket", "a closing bracket stands there that closes nothing"),
            )
            continue
        value, fault, remark = parse_piece(raw, chunk.options.max_line_bytes, fault)
        if remark is not None:
            _remark(block, line, offset, remark)
        if not isinstance(value, dict) or fault is not None:
            wrong = fault or Fault("not_object", "the record is not a JSON object")
            put_aside(block, line, offset, raw, wrong, value)
            continue
        wrapped = next((value[w] for w in wrappers if isinstance(value.get(w), list)), None)
        if wrapped is None:
            yield Piece(line, offset, raw, value)
            continue
        for inner in wrapped:
            if isinstance(inner, dict):
                yield Piece(line, offset, orjson.dumps(inner), inner)
            else:
                wrong = Fault("not_object", "the record is not a JSON object")
                put_aside(block, line, offset, orjson.dumps(inner), wrong)


def parse_piece(raw: bytes, limit: int, known: Fault | None) -> tuple[Any, Fault | None, Fault | None]:
    """The value, or why there is none; and a remark where something was mended."""
    value, fault = parse_json(raw, limit)
    if fault is None or fault.keyword == "duplicate_key":
        # A vendor that writes a key twice has said it; the last one holds, as in every parser.
        remark = None if fault is None else fault
        return value, None, remark
    if fault.keyword == "not_json" and known is None:
        bare = _TRAILING_COMMA.sub(rb"\1", _COMMENT.sub(rb"\1", raw))
        mended, still = parse_json(bare, limit)
        if still is None and bare != raw:
            return (
                mended,
                None,
                Fault("json_mended", "comments or commas that JSON does not know were left out"),
            )
    return value, known or fault, None


def _remark(block: Block, line: int, offset: int, fault: Fault) -> None:
    block.findings.append(
        Finding(block.file, line, fault.pointer, fault.keyword, fault.message, "warning", offset)
    )
