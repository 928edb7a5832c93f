"""JSON as systems and their interfaces really deliver it: one object, one a line, objects one after another
with nothing between (Firehose), an array, or a page that wraps the list, beside which people and groups stand
(`{"tickets": […], "users": […]}`); in bounded memory.

A page up to the limit for one record is read as a whole, and each record of its list gets to see it. A larger
or a broken one is cut inside its list as it streams by; what stands beside the list is then not looked at.
Comments, commas and brackets too many, as documentation and hand-made files have them, cost nothing but a
remark.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

import orjson

from carelog.findings import Finding
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import put_aside
from carelog.sources.formats._json_keys import find_keys, find_list, first_keys, is_canonical
from carelog.sources.formats.json_array import read_json
from carelog.sources.formats.jsonlines import read_jsonlines
from carelog.sources.lines import file_finding
from carelog.sources.pieces import parse_json
from carelog.sources.streams import BLOCK_BYTES, BlockStream, Opened
from carelog.sources.structure import detect_structure

__all__ = ["find_keys", "first_keys", "is_canonical"]

_COMMENT = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+")|,(?=\s*[}\]])', re.DOTALL)
_OF_PAGE = re.compile(rb'"|[}\]]+$')
_STRAY = re.compile(rb"[\]}\s]+")
_GAP = re.compile(r"[\s,]*")
_PAGE_CUT = Fault(
    "page_cut",
    "the page is longer than the limit (--max-line-bytes): what stands beside its list is left out",
)
_PAGE_BROKEN = Fault(
    "page_cut", "the page as a whole is no JSON: its records are read one by one, the rest of it is left out"
)
_BESIDE = Fault("page", "")
_NOT_OBJECT = Fault("not_object", "the record is not a JSON object")


class Mapped(NamedTuple):
    """A canonical record, and what was remarkable about it."""

    value: dict[str, Any]
    faults: list[Fault]


class Piece(NamedTuple):
    """One object, where it stood, and the page whose list held it (empty if none did)."""

    line: int
    offset: int
    raw: bytes
    value: dict[str, Any]
    page: dict[str, Any]


ToRecords = Callable[[Piece, ReadOptions], Iterator["Mapped | Fault"]]
"""From an object to its records; a Fault where it is none that the format knows."""


def read_documents(
    opened: Opened, options: ReadOptions, name: str, lists: Iterable[str], identity: Iterable[str] = ()
) -> Iterator[Block | Chunk]:
    """The documents of an input as chunks of format `name`; `lists` are the paths of the lists in pages.

    An object behind the list of a page that had to be cut counts as a record only if it has one of the keys
    `identity`, or is a page itself.
    """
    structure = detect_structure(opened.head, "")
    # A lone line can hold many documents with nothing between them.
    if structure is not None and structure[0] == "jsonl" and b"\n" in opened.head.strip():
        yield from (replace(part, format=name) for part in read_jsonlines(opened, options))
        return
    stream, offset = opened.utf8()
    limit = options.max_line_bytes
    start = stream.read(limit + 1)
    is_long = len(start) > limit
    whole = _joined(start, stream) if is_long else io.BytesIO(start)
    at = find_list(opened.head, lists) if opened.head.lstrip()[:1] == b"{" else None
    if at is not None and not _begins_soundly(start, is_long):
        why = _PAGE_CUT if is_long else _PAGE_BROKEN
        yield Block(opened.name, name, findings=[file_finding(opened.name, why, "warning")])
        wanted = frozenset((*identity, *(path.rpartition(".")[2] for path in lists)))
        yield from _read_inside(opened, whole, offset, at, options, name, wanted)
        return
    for part in _read_whole(opened, whole, options):
        yield replace(part, format=name, **_moved(part, offset))


def _joined(start: bytes, stream: BinaryIO) -> BinaryIO:
    blocks = chain([start], iter(lambda: stream.read(BLOCK_BYTES), b""))
    return io.BufferedReader(BlockStream(blocks), BLOCK_BYTES)


def _begins_soundly(start: bytes, is_long: bool) -> bool:
    """Whether the first page is whole and can be read, whatever comes after it."""
    if not is_long and parse_piece(start, len(start), None)[1] is None:
        return True
    try:
        return isinstance(json.JSONDecoder().raw_decode(start.decode("utf-8", "replace").lstrip())[0], dict)
    except (ValueError, RecursionError):
        return False


def _moved(part: Block | Chunk, by: int) -> dict[str, Any]:
    return {"first_offset": part.first_offset + by} if isinstance(part, Chunk) else {}


def _read_whole(opened: Opened, plain: BinaryIO, options: ReadOptions) -> Iterator[Block | Chunk]:
    shown = replace(opened, stream=plain, encoding="utf-8", head_has_mark=False)
    for part in read_json(shown, options):
        yield part
        shown.trouble = opened.trouble


def _read_inside(
    opened: Opened,
    plain: BinaryIO,
    offset: int,
    at: int,
    options: ReadOptions,
    name: str,
    wanted: frozenset[str],
) -> Iterator[Block | Chunk]:
    """The records of a page from the bracket of its list on; the page's own fields behind it are no records."""
    plain.read(at)
    is_behind = False
    for part in _read_whole(opened, plain, options):
        if isinstance(part, Block):
            part.format = name
            part.rejects = [] if is_behind else part.rejects
            yield part
            continue
        faults = dict(part.faults)
        for index, (start, end) in enumerate(part.spans or []):
            piece = part.data[start:end]
            is_behind = is_behind or _OF_PAGE.match(piece) is not None
            if is_behind and not any(b'"%b"' % key.encode() in piece for key in wanted):
                faults[index] = _BESIDE
        yield replace(part, format=name, faults=faults, **_moved(part, offset + at))


def read_records(
    opened: Opened, options: ReadOptions, name: str, wrappers: Iterable[str] = (), identity: str = ""
) -> Iterator[Block | Chunk]:
    """As `read_documents`, with the one key that tells a record."""
    return read_documents(opened, options, name, wrappers, (identity,) if identity else ())


def take_apart(
    parts: Iterable[Block | Chunk], lists: Iterable[str] = ()
) -> Iterator[Block | tuple[Piece, Block]]:
    """What `read_documents` gives, object by object, each with the block for what is wrong with it; the block follows."""
    for part in parts:
        block = part if isinstance(part, Block) else Block(part.file, part.format)
        if isinstance(part, Chunk):
            for piece in read_pieces(part, block, lists):
                yield piece, block
        yield block


def read_pieces(chunk: Chunk, block: Block, lists: Iterable[str] = ()) -> Iterator[Piece]:
    """The objects of a chunk, those of pages by themselves; what is no object goes to `block` as rejected."""
    spans = chunk.spans if chunk.spans is not None else _line_spans(chunk.data)
    for index, (start, end) in enumerate(spans):
        raw, line, offset = chunk.data[start:end], chunk.first_line + index, chunk.first_offset + start
        known = chunk.faults.get(index)
        if not raw.strip():
            block.blank_lines += 1
            continue
        if known is not None and known.keyword == _BESIDE.keyword:
            continue
        if _STRAY.fullmatch(raw):
            fault = Fault("stray_bracket", "a closing bracket stands there that closes nothing")
            add_remark(block, line, offset, fault)
            continue
        value, wrong, remark = parse_piece(raw, chunk.options.max_line_bytes, known)
        joined = _split_joined(raw) if wrong is not None and known is None else None
        if remark is not None:
            add_remark(block, line, offset, remark)
        for one in joined if joined is not None else (value,):
            if not isinstance(one, dict) or (wrong is not None and joined is None):
                put_aside(block, line, offset, raw, wrong if joined is None and wrong else _NOT_OBJECT, one)
            else:
                shown = raw if joined is None else orjson.dumps(one)
                yield from _unwrap(Piece(line, offset, shown, one, {}), chunk, block, lists)


def _line_spans(data: bytes) -> list[tuple[int, int]]:
    spans, start = [], 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        spans.append((start, end))
        start = end + 1
    return spans


def _unwrap(document: Piece, chunk: Chunk, block: Block, lists: Iterable[str]) -> Iterator[Piece]:
    """The records of a page, by their position in its list; or the document itself."""
    found = next((inner for path in lists if (inner := _list_at(document.value, path)) is not None), None)
    if found is None:
        yield document
        return
    for number, inner in enumerate(found):
        line = document.line if chunk.spans is None else number + 1
        raw = orjson.dumps(inner)
        if isinstance(inner, dict):
            yield Piece(line, document.offset, raw, inner, document.value)
        else:
            put_aside(block, line, document.offset, raw, _NOT_OBJECT)


def _list_at(value: Any, path: str) -> list[Any] | None:
    """The list at a path; objects under their ids are one too."""
    while path:
        step, _, path = path.partition(".")
        if isinstance(value, list) and step.isdecimal():
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
        if value is None:
            return None
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or not value:
        return None
    is_by_id = all(isinstance(one, dict) and str(one.get("id")) == key for key, one in value.items())
    return list(value.values()) if is_by_id else None


def parse_piece(raw: bytes, limit: int, known: Fault | None) -> tuple[Any, Fault | None, Fault | None]:
    """The value, or why there is none; and a remark where something was mended."""
    value, fault = parse_json(raw, limit)
    if fault is None or fault.keyword == "duplicate_key":
        # A vendor that writes a key twice has said it; the last one holds, as in every parser.
        return value, None, fault
    if fault.keyword == "not_json" and known is None:
        bare = _TRAILING_COMMA.sub(rb"\1", _COMMENT.sub(rb"\1", raw))
        mended, still = parse_json(bare, limit)
        if still is None and bare != raw:
            why = "comments or commas that JSON does not know were left out"
            return mended, None, Fault("json_mended", why)
    return value, known or fault, None


def _split_joined(raw: bytes) -> list[Any] | None:
    """The objects of a line that holds several with nothing between them; None if it is no such line."""
    decoder, found, at = json.JSONDecoder(), list[Any](), 0
    try:
        text = raw.decode().strip()
        while at < len(text):
            value, at = decoder.raw_decode(text, at)
            found.append(value)
            at = _GAP.match(text, at).end()  # type: ignore[union-attr]
        orjson.dumps(found)
    except (ValueError, RecursionError, TypeError):
        return None
    return found if len(found) > 1 and all(isinstance(value, dict) for value in found) else None


def parse_records(chunk: Chunk, to_records: ToRecords, lists: Iterable[str] = ()) -> Block:
    """The records of a chunk's objects as a block; each broken one costs only itself."""
    block = Block(chunk.file, chunk.format)
    for piece in read_pieces(chunk, block, lists):
        for found in to_records(piece, chunk.options):
            if isinstance(found, Fault):
                put_aside(block, piece.line, piece.offset, piece.raw, found)
            else:
                add_found(block, found, piece)
    return block


def parse_documents(
    chunk: Chunk, to_records: Callable[[dict[str, Any], ReadOptions], Iterator[Mapped | Fault]]
) -> Block:
    """As `parse_records`, for a format that takes its documents as wholes."""
    return parse_records(chunk, lambda piece, options: to_records(piece.value, options))


def add_found(block: Block, found: Mapped, piece: Piece) -> None:
    """Add the record that was found in an object, with its place and the remarks on it."""
    value = found.value
    place = {"format": block.format, "file": block.file, "line": piece.line}
    value["source"] = {**place, **value.get("source", {})}
    block.values.append(value)
    block.lines.append(piece.line)
    block.offsets.append(piece.offset)
    block.raws.append(piece.raw)
    for fault in found.faults:
        add_remark(block, piece.line, piece.offset, fault, value.get("interaction_id"))


def add_remark(block: Block, line: int, offset: int, fault: Fault, interaction_id: str | None = None) -> None:
    """Note a warning about an object."""
    block.findings.append(
        Finding(
            block.file, line, fault.pointer, fault.keyword, fault.message, "warning", offset, interaction_id
        )
    )
