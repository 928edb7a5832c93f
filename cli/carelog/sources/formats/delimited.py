"""CSV and TSV in the names of the canonical record: a header row, then one record a row, nested fields as
JSON.

The rows are found here, which needs little more than a look for quotes; their cells become values
elsewhere, in parallel. `line` is the row as a spreadsheet numbers it: the header is row 1, and a text over
several lines does not make more rows. An empty cell is an absent field, a row of empty cells a blank line.

A quotation mark that is opened and not closed would swallow the rows after it. So when a row over several
lines does not fit the header although one of its later lines by itself would, only its first line is put
aside and reading goes on with the second.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from carelog.columns import DURATIONS
from carelog.findings import Finding
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.cells import from_cell
from carelog.sources.filling import add_record, put_aside
from carelog.sources.formats.jsonlines import cut_off
from carelog.sources.lines import (
    CHUNK_BYTES,
    Lines,
    raw_text,
    read_lines,
    to_reject,
    too_long,
)
from carelog.sources.pieces import parse_json, shown_key
from carelog.sources.streams import Opened
from carelog.sources.structure import delimiter_of

NESTED = frozenset({"tags", "messages", "satisfaction", "order", "source", "extra"})
"""The columns whose cells hold JSON."""
NUMBERS = frozenset(DURATIONS)
UNCLOSED = Fault("unclosed_quote", "a quotation mark is opened in this row and not closed")
NOT_CSV = Fault("not_csv", "the row is no row of cells: it holds a line end outside quotation marks")

# The longest field that the csv module takes; rows are held to the limit of the run before it sees them.
csv.field_size_limit(2**31 - 1)


class _Line(NamedTuple):
    """A line with its end; of one that is too long only the beginning, and its `length`."""

    raw: bytes
    length: int | None = None


class _Row(NamedTuple):
    """The lines of one row as they stood, and what is known to be wrong with it."""

    raw: bytes
    fault: Fault | None = None
    length: int | None = None


@dataclass(slots=True)
class _Rows:
    """The rows of a table, drawn from its lines; `again` are lines to be read a second time."""

    lines: Iterator[_Line]
    delimiter: str
    limit: int
    width: int = 0
    again: deque[_Line] = field(default_factory=deque)

    def __iter__(self) -> Iterator[_Row]:
        while (line := self._next_line()) is not None:
            if line.length is not None:
                yield _Row(line.raw, too_long(line.length, self.limit), line.length)
            elif b'"' not in line.raw:
                yield _Row(line.raw)
            else:
                yield self._quoted_row(line)

    def _next_line(self) -> _Line | None:
        return self.again.popleft() if self.again else next(self.lines, None)

    def _quoted_row(self, first: _Line) -> _Row:
        taken, cells, fault = self._take_row(first)
        fits = cells is not None and len(cells) == self.width
        if len(taken) == 1 or fits or (fault is None and not any(map(self._fits, taken[1:]))):
            return _Row(b"".join(line.raw for line in taken), fault)
        self.again.extendleft(reversed(taken[1:]))
        return _Row(first.raw, fault or UNCLOSED)

    def _take_row(self, first: _Line) -> tuple[list[_Line], list[str] | None, Fault | None]:
        """The lines of one row, and its cells or why there are none."""
        taken = [first]
        ended = False

        def feed() -> Iterator[str]:
            nonlocal ended
            yield _text(first.raw)
            size = len(first.raw)
            while size <= self.limit and (line := self._next_line()) is not None:
                taken.append(line)
                if line.length is not None:
                    break
                size += len(line.raw)
                yield _text(line.raw)
            ended = True

        try:
            cells = next(csv.reader(feed(), delimiter=self.delimiter), [])
        except csv.Error:
            return taken, None, NOT_CSV
        return (taken, None, UNCLOSED) if ended else (taken, cells, None)

    def _fits(self, line: _Line) -> bool:
        try:
            return len(next(csv.reader([_text(line.raw)], delimiter=self.delimiter), [])) == self.width
        except csv.Error:
            return False


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def read_csv(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """A table whose cells stand between commas, semicolons or bars."""
    return read_table(opened, options, "csv")


def read_tsv(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """A table whose cells stand between tabs."""
    return read_table(opened, options, "tsv")


def read_table(
    opened: Opened,
    options: ReadOptions,
    name: str,
    chunk_bytes: int = CHUNK_BYTES,
    delimiter: str | None = None,
    given: Sequence[str] = (),
) -> Iterator[Block | Chunk]:
    """Chunks of whole rows after the header; remarks on the header, and rows that are too long, as blocks.

    `given` are the names of the columns where the table has no header; without a `delimiter` it is told by
    the header.
    """
    stream, offset = opened.utf8()
    # Spreadsheets of old Macs end lines with a carriage return alone.
    line_end = b"\r" if b"\r" in opened.head and b"\n" not in opened.head else b"\n"
    lines = _lines_of(read_lines(stream, offset, options.max_line_bytes, chunk_bytes, line_end), line_end)
    first_line = opened.head.lstrip(b"\r\n").split(line_end, 1)[0].decode("utf-8", "replace")
    rows = _Rows(lines, delimiter or delimiter_of(first_line, name), options.max_line_bytes, len(given))
    numbered = enumerate(rows, 1)
    if given:
        start = Chunk(
            opened.name, name, b"", 0, offset, options, columns=tuple(given), delimiter=rows.delimiter
        )
        yield from _to_chunks(numbered, start, 1, opened, chunk_bytes)
        return
    header = next(((n, row) for n, row in numbered if row.raw.strip()), None)
    if header is None:
        return
    offset += _skipped_before(opened, header[1].raw) + len(header[1].raw)
    columns, findings = _columns_of(opened.name, header[0], header[1], rows.delimiter)
    rows.width = len(columns)
    yield Block(opened.name, name, findings=findings)
    start = Chunk(
        opened.name, name, b"", 0, offset, options, columns=tuple(columns), delimiter=rows.delimiter
    )
    yield from _to_chunks(numbered, start, header[0] + 1, opened, chunk_bytes)


def _skipped_before(opened: Opened, header: bytes) -> int:
    return max(opened.head.find(header), 0)


def _lines_of(pieces: Iterable[Lines], line_end: bytes) -> Iterator[_Line]:
    for piece in pieces:
        if piece.length is not None:
            yield _Line(piece.data, piece.length)
            continue
        *whole, last = piece.data.split(line_end)
        for part in whole:
            yield _Line(part + line_end)
        if last:
            yield _Line(last)


def _columns_of(file: str, line: int, header: _Row, delimiter: str) -> tuple[list[str], list[Finding]]:
    """The names of the columns, each once, and what is wrong with the header."""
    text = header.raw.decode("utf-8", "backslashreplace")
    try:
        cells = next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), [])
    except csv.Error:
        cells = []
    columns: list[str] = []
    findings = [] if header.fault is None else [_header_finding(file, line, header.fault)]
    for number, cell in enumerate(cells, 1):
        name = from_cell(cell.strip()) or f"column_{number}"
        if name in columns:
            fault = Fault("duplicate_column", f"the header names the column {shown_key(name)} twice")
            findings.append(_header_finding(file, line, fault))
            name = f"{name}_{number}"
        columns.append(name)
    return columns, findings


def _header_finding(file: str, line: int, fault: Fault) -> Finding:
    return Finding(file, line, "", fault.keyword, fault.message)


def _to_chunks(
    rows: Iterable[tuple[int, _Row]], start: Chunk, first_line: int, opened: Opened, chunk_bytes: int
) -> Iterator[Block | Chunk]:
    held: list[bytes] = []
    faults: dict[int, Fault] = {}
    size, offset, limit = 0, start.first_offset, start.options.max_line_bytes
    for number, row in rows:
        if row.length is not None:
            yield _chunk(start, held, faults, number - len(held), offset)
            offset += size
            raw = raw_text(row.raw, row.length)
            reject = to_reject(start.file, number, offset, raw, too_long(row.length, limit))
            yield Block(start.file, start.format, rejects=[reject])
            held, faults, size, offset = [], {}, 0, offset + row.length + 1
            first_line = number + 1
            continue
        if row.fault is not None:
            faults[len(held)] = row.fault
        held.append(row.raw)
        size += len(row.raw)
        if size >= chunk_bytes:
            yield _chunk(start, held, faults, first_line, offset)
            held, faults, size, offset = [], {}, 0, offset + size
            first_line = number + 1
    if held and opened.trouble is not None and not held[-1].endswith((b"\n", b"\r")):
        faults[len(held) - 1] = cut_off(opened.trouble)
    yield _chunk(start, held, faults, first_line, offset)


def _chunk(start: Chunk, rows: list[bytes], faults: dict[int, Fault], line: int, offset: int) -> Chunk:
    spans, place = [], 0
    for row in rows:
        spans.append((place, place + len(row)))
        place += len(row)
    return Chunk(
        start.file, start.format, b"".join(rows), line, offset, start.options, spans, faults,
        start.columns, start.delimiter,
    )  # fmt: skip


def parse_table(chunk: Chunk) -> Block:
    """The rows of a chunk as a block; each broken row costs only itself."""
    block = Block(chunk.file, chunk.format)
    for index, (start, end) in enumerate(chunk.spans or []):
        raw = chunk.data[start:end].rstrip(b"\r\n")
        value, fault = _parse_row(raw, chunk, chunk.faults.get(index))
        line, offset = chunk.first_line + index, chunk.first_offset + start
        if fault is not None:
            put_aside(block, line, offset, raw, fault, value)
        elif value:
            add_record(block, value, line, offset, raw, chunk.options.zone)
        else:
            block.blank_lines += 1
    return block


def _parse_row(raw: bytes, chunk: Chunk, known: Fault | None) -> tuple[dict[str, Any], Fault | None]:
    """The record of a row; empty for a blank row; with a fault, what is known of it."""
    cells, fault = parse_cells(raw, chunk, known)
    if fault is not None or not cells:
        return {}, fault
    return _to_value(cells, chunk.columns, chunk.options.max_line_bytes)


def parse_cells(raw: bytes, chunk: Chunk, known: Fault | None) -> tuple[list[str], Fault | None]:
    """The cells of a row, as many as the table has columns; none for a blank row, or with a fault."""
    limit = chunk.options.max_line_bytes
    if known is not None or len(raw) > limit:
        return [], known or too_long(len(raw), limit)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return [], Fault("invalid_utf8", f"byte {error.start + 1} of the row is not UTF-8")
    try:
        cells = next(csv.reader(_physical_lines(text), delimiter=chunk.delimiter), [])
    except csv.Error:
        return [], NOT_CSV
    if not any(cells):
        return [], None
    if len(cells) != len(chunk.columns):
        keyword = "too_many_cells" if len(cells) > len(chunk.columns) else "too_few_cells"
        return [], Fault(keyword, f"the row has {len(cells)} cells, the header {len(chunk.columns)}")
    return cells, None


def _physical_lines(text: str) -> list[str]:
    """The lines of a row as the csv module wants them: each with its end, cut at line feeds only."""
    if "\n" not in text:
        return [text]
    *whole, last = text.split("\n")
    return [*(line + "\n" for line in whole), last]


def _to_value(cells: list[str], columns: tuple[str, ...], limit: int) -> tuple[dict[str, Any], Fault | None]:
    value: dict[str, Any] = {}
    fault = None
    for name, cell in zip(columns, cells, strict=True):
        if not cell:
            continue
        if name in NESTED:
            value[name], wrong = parse_json(cell.encode(), limit)
            if wrong is not None:
                message = f"the cell `{name}`: {wrong.message}"
                fault = fault or Fault(wrong.keyword, message, f"/{name}")
        elif name in NUMBERS:
            value[name] = _to_number(cell)
        else:
            value[name] = from_cell(cell)
    return value, fault


def _to_number(cell: str) -> float | int | str:
    """The number in a cell; the cell itself if it holds none, which validation will say."""
    try:
        number = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return cell
    return number if type(number) in (int, float) else cell
