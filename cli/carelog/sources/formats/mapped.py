"""Tables and JSON of any system, read as a mapping file says; and the presets, which are mappings that ship.

A column that has no field stays under `extra` by its name, a place in JSON at its place. A value that was
replaced (a state, a length of time in other units) stays there too, as it was written.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from carelog.errors import UsageProblem
from carelog.findings import Finding
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.cells import from_cell
from carelog.sources.filling import add_record, put_aside
from carelog.sources.formats._charsets import decode_text
from carelog.sources.formats._documents import read_documents, read_pieces
from carelog.sources.formats._mapping import Mapping, load_preset
from carelog.sources.formats._mapping_records import key_of, look_up, map_record
from carelog.sources.formats.delimited import parse_cells, read_table
from carelog.sources.streams import BlockStream, Opened
from carelog.sources.structure import DELIMITERS, detect_structure

NAME = "mapping"
_LINES_BEFORE_HEADER = 30


def detect_never(head: bytes, name: str) -> str | None:
    """A mapping is chosen by the user, never by content."""
    return None


def detect_preset(preset: str, head: bytes, name: str) -> str | None:
    """Whether a table has the columns by which a preset knows its files."""
    if head[:1] in (b"{", b"[", b"<", b"\0"):
        return None
    for names in _names_of_rows(head):
        for needed in load_preset(preset).needs:
            if names.issuperset(key_of(column) for column in needed):
                return f"its header names {', '.join(needed)}"
    return None


@lru_cache(maxsize=2)
def _names_of_rows(head: bytes) -> list[set[str]]:
    """The cells of the first rows, as names. Every preset asks for those of the same file."""
    return [{key_of(cell) for cell in cells} for _, cells in _first_rows(head) if len(cells) > 1]


def _first_rows(head: bytes) -> Iterator[tuple[int, list[str]]]:
    for number, raw in enumerate(re.split(rb"\r\n|\n|\r", head[:32768])[:_LINES_BEFORE_HEADER]):
        line = raw.decode("utf-8", "replace")
        if line.strip():
            try:
                yield number, next(csv.reader([line], delimiter=_delimiter(line)), [])
            except csv.Error:
                continue


def _delimiter(line: str) -> str:
    outside = re.sub(r'"[^"]*"', "", line)
    return max("".join(DELIMITERS.values()), key=outside.count)


def mapping_of(format_name: str, options: ReadOptions) -> Mapping:
    """The mapping in use: the preset of that name, else the user's; UsageProblem if there is none."""
    if format_name != NAME:
        return load_preset(format_name)
    if options.mapping is None:
        raise UsageProblem("--from mapping needs a mapping file", "name it with --mapping F")
    return options.mapping


def read_mapped(format_name: str, opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """Chunks of an input, in the structure that its beginning shows, to be mapped by `parse_mapped`."""
    mapping = mapping_of(format_name, options)
    layout = mapping.layout
    _recode(opened, layout.encoding)
    structure = (detect_structure(opened.head, opened.name) or ("csv", ""))[0]
    if structure == "parquet":
        raise UsageProblem(f"{opened.name}: mappings are for CSV and JSON", "rename Parquet columns instead")
    if structure in ("jsonl", "json") and not layout.columns:
        parts = read_documents(opened, options, NAME, (layout.records,) if layout.records else ())
    else:
        delimiter = layout.delimiter
        if not layout.columns:
            delimiter = _skip_to_header(opened, mapping) or delimiter
        elif not delimiter:
            delimiter = _delimiter(opened.head.split(b"\n", 1)[0].decode("utf-8", "replace"))
        parts = read_table(opened, options, "csv", delimiter=delimiter or None, given=layout.columns)
    for part in parts:
        if isinstance(part, Chunk):
            yield replace(part, format=format_name)
        else:
            part.format = format_name
            # Two columns of one name are not the fault of a record: both are kept.
            part.findings = [
                replace(f, severity="warning") if f.keyword == "duplicate_column" else f
                for f in part.findings
            ]
            yield part


def _recode(opened: Opened, encoding: str) -> None:
    """Bring a text of another encoding to UTF-8, where its byte order mark does not say better."""
    if not encoding or codecs.lookup(encoding).name == "utf-8":
        return
    if opened.encoding != "utf-8" or opened.head_has_mark:
        return
    source, decoder = opened.stream, codecs.getincrementaldecoder(encoding)("replace")
    opened.head = codecs.decode(opened.head, encoding, "replace").encode()

    def blocks() -> Iterator[bytes]:
        while block := source.read(256 * 1024):
            yield decoder.decode(block).encode() or b""
        yield decoder.decode(b"", final=True).encode()

    opened.stream = io.BufferedReader(BlockStream(filter(None, blocks())))


def _skip_to_header(opened: Opened, mapping: Mapping) -> str:
    """Blank the lines before the header (so that lines and offsets stay what they are); its delimiter."""
    wanted = (
        {key_of(mapping.layout.header)} if mapping.layout.header else {key_of(s) for s in mapping.sources()}
    )
    best, at, delimiter = 0, 0, ""
    for number, cells in _first_rows(opened.head):
        hits = len(wanted.intersection(key_of(cell) for cell in cells))
        if hits > best:
            line = opened.head.splitlines()[number].decode("utf-8", "replace")
            best, at, delimiter = hits, number, mapping.layout.delimiter or _delimiter(line)
    if at:
        stream, offset = opened.utf8()
        skipped = b"".join(re.sub(rb"[^\r\n]", b" ", stream.readline(1 << 20)) for _ in range(at))
        mark = b" " * offset
        opened.head = skipped + b"\n".join(opened.head.split(b"\n")[at:])
        opened.head_has_mark, opened.encoding = False, "utf-8"
        opened.stream = io.BufferedReader(BlockStream(_joined(mark + skipped, stream)))
    return delimiter


def _joined(first: bytes, rest: Any) -> Iterator[bytes]:
    if first:
        yield first
    while block := rest.read(256 * 1024):
        yield block


def parse_mapped(chunk: Chunk) -> Block:
    """The records of a chunk, mapped; each broken one costs only itself."""
    block = Block(chunk.file, chunk.format)
    mapping = mapping_of(chunk.format, chunk.options).with_order(chunk.options.date_order)
    rows = rows_of(chunk, block, mapping) if chunk.columns else _objects_of(chunk, block, mapping)
    for row in rows:
        _add(block, chunk, mapping, row)
    return block


class Row(NamedTuple):
    """A row of a table: its cells by column, without those that are empty; or an object of JSON."""

    line: int
    offset: int
    raw: bytes
    cells: dict[str, Any]


def rows_of(chunk: Chunk, block: Block, mapping: Mapping) -> Iterator[Row]:
    """The rows of a table's chunk; what is none goes to `block`."""
    footer = re.compile(mapping.layout.footer.encode()) if mapping.layout.footer else None
    for index, offset, raw in _pieces(chunk):
        if not raw or raw.isspace() or (footer is not None and footer.search(raw[:1000])):
            block.blank_lines += 1
        elif (row := _to_row(block, chunk, mapping, index, offset, raw)) is not None:
            yield row


def _pieces(chunk: Chunk) -> Iterator[tuple[int, int, bytes]]:
    """Index, byte offset and bytes of each record."""
    if chunk.spans is not None:
        for index, (start, end) in enumerate(chunk.spans):
            yield index, chunk.first_offset + start, chunk.data[start:end].rstrip(b"\r\n")
        return
    offset = chunk.first_offset
    for index, raw in enumerate(chunk.data.removesuffix(b"\n").split(b"\n")):
        yield index, offset, raw
        offset += len(raw) + 1


def _to_row(block: Block, chunk: Chunk, mapping: Mapping, index: int, offset: int, raw: bytes) -> Row | None:
    line = chunk.first_line + index
    if not raw.isascii():
        raw = _readable(block, line, offset, raw)
    cells, fault = parse_cells(raw, chunk, chunk.faults.get(index))
    if fault is not None and mapping.layout.footer and chunk.delimiter.encode() not in raw:
        message = "a line of text between or under the rows is no record; it is left out"
        block.findings.append(Finding(block.file, line, "", "not_a_row", message, "warning", offset))
        block.blank_lines += 1
        return None
    if fault is not None:
        put_aside(block, line, offset, raw, fault)
        return None
    if not cells or tuple(cells) == chunk.columns:
        block.blank_lines += 1  # files that were put together repeat their header
        return None
    row = {name: from_cell(cell) for name, cell in zip(chunk.columns, cells, strict=True) if cell != ""}
    return Row(line, offset, raw, row)


def _readable(block: Block, line: int, offset: int, raw: bytes) -> bytes:
    """A row as UTF-8: exports of many hands have rows in other encodings."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        text, remark = decode_text(raw, None)
        if remark is not None:
            block.findings.append(
                Finding(block.file, line, "", remark.keyword, remark.message, "warning", offset)
            )
        return text.encode("utf-8", "replace")
    return raw


def _objects_of(chunk: Chunk, block: Block, mapping: Mapping) -> Iterator[Row]:
    """The records of a chunk of JSON, each by itself where a list wraps them."""
    path = mapping.layout.records
    for piece in read_pieces(chunk, block, (path,) if path else ()):
        inner = look_up(piece.value, path)[1] if path and not piece.page else None
        record = inner if isinstance(inner, dict) else piece.value
        yield Row(piece.line, piece.offset, piece.raw, record)


def _add(block: Block, chunk: Chunk, mapping: Mapping, row: Row) -> None:
    faults: list[Fault] = []
    value = map_record(row.cells, mapping, faults)
    if "interaction_id" not in value and not _has_ids(mapping, chunk):
        value["interaction_id"] = f"{mapping.name}-{hashlib.sha256(row.raw).hexdigest()[:20]}"
    add_mapped(block, chunk, mapping, value, faults, row)


def add_mapped(
    block: Block, chunk: Chunk, mapping: Mapping, value: dict[str, Any], faults: list[Fault], row: Row
) -> None:
    """Add what a mapping made of a row, with its source and the remarks on it."""
    line, offset, raw, _ = row
    order = value.get("order")
    if isinstance(order, dict) and "amount" in order and chunk.options.currency:
        order.setdefault("currency", chunk.options.currency)
    source = {"system": mapping.name, "format": chunk.format, "file": block.file, "line": line}
    if isinstance(value.get("interaction_id"), str):
        source["record_id"] = value["interaction_id"]
    value["source"] = source
    block.findings += [
        Finding(
            block.file, line, fault.pointer, fault.keyword, fault.message, "warning", offset,
            value.get("interaction_id"),
        )
        for fault in faults
    ]  # fmt: skip
    add_record(block, value, line, offset, raw, chunk.options.zone)


def _has_ids(mapping: Mapping, chunk: Chunk) -> bool:
    """Whether the mapping says where records have their number, and the table has that column."""
    names = {
        key_of(name) for rule in mapping.rules if rule.field == "interaction_id" for name in rule.sources
    }
    return bool(names) and (not chunk.columns or not names.isdisjoint(map(key_of, chunk.columns)))
