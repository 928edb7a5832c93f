"""The rows of a vendor's table as texts by column: cells cut as spreadsheets cut them, guards of spreadsheets
taken off, bytes of an older charset decoded with a remark.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from carelog.findings import Finding
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import put_aside
from carelog.sources.formats._charsets import decode_text
from carelog.sources.formats.delimited import NOT_CSV, read_table
from carelog.sources.streams import Opened
from carelog.sources.structure import header_of

LONGEST_NAME = 1000
SENTINELS = frozenset({"", "-", "n/a", "null", "none", "unknown", "<unknown>", "undefined"})
"""What systems write where they know nothing (compared in lower case)."""
_GUARDED = re.compile(r'="([^"]*)"')
_NO_LETTERS = re.compile(r"[\W_]+", re.ASCII)
_CARRIAGE = re.compile(r"_x000D_", re.IGNORECASE)


class Row(NamedTuple):
    """A row and where it stood; `cells` by the names of the columns, empty ones left out."""

    line: int
    offset: int
    raw: bytes
    cells: dict[str, str]


def columns_of(head: bytes) -> list[str]:
    """The names in the first row of a table, whatever stands between them."""
    return header_of(head, _structure_of(head))


def _structure_of(head: bytes) -> str:
    line = head.lstrip(b"\r\n").split(b"\n", 1)[0]
    return "tsv" if line.count(b"\t") > max(line.count(b","), line.count(b";")) else "csv"


def folded_columns(head: bytes) -> set[str]:
    """The names in the first row, in lower case and without blanks and underscores: for comparing."""
    return {fold_name(name) for name in columns_of(head)}


@lru_cache(maxsize=4096)
def fold_name(name: str) -> str:
    """A column's name for comparing: products change case and spelling between versions."""
    return _NO_LETTERS.sub("", name).lower()


def read_rows(opened: Opened, options: ReadOptions, name: str) -> Iterator[Row | Block]:
    """The rows of a table with a header; what is no row comes as blocks of format `name`."""
    for part in read_table(opened, options, _structure_of(opened.head)):
        if isinstance(part, Block):
            part.format = name
            yield part
        else:
            yield from _rows_of(replace(part, format=name))


def _rows_of(chunk: Chunk) -> Iterator[Row | Block]:
    for index, (start, end) in enumerate(chunk.spans or []):
        raw = chunk.data[start:end].rstrip(b"\r\n")
        line, offset = chunk.first_line + index, chunk.first_offset + start
        block = Block(chunk.file, chunk.format)
        cells, fault = chunk_cells(block, line, offset, raw, chunk)
        if fault is not None:
            put_aside(block, line, offset, raw, fault)
        if block.rejects or block.findings:
            yield block
        if fault is None and any(cells):
            named = {c: v for c, v in zip(chunk.columns, cells, strict=False) if v}
            # Exports that were joined to one file repeat their header.
            if not all(c == v for c, v in named.items()):
                yield Row(line, offset, raw, named)


def chunk_cells(
    block: Block, line: int, offset: int, raw: bytes, chunk: Chunk
) -> tuple[list[str], Fault | None]:
    """The cells of one row, or why there are none."""
    known = chunk.faults.get(line - chunk.first_line)
    if known is not None:
        return [], known
    cells = split_row(block, line, offset, raw, chunk.delimiter)
    if cells is None:
        return [], NOT_CSV
    width = len(chunk.columns)
    if len(cells) > width and not any(cells[width:]):
        cells = cells[:width]
    if any(cells) and len(cells) != width:
        keyword = "too_many_cells" if len(cells) > width else "too_few_cells"
        return [], Fault(keyword, f"the row has {len(cells)} cells, the header {width}")
    return cells, None


def split_row(block: Block, line: int, offset: int, raw: bytes, delimiter: str) -> list[str] | None:
    """The cells of one row, None if it is none; what was guessed of its charset is remarked in `block`."""
    text, remark = decode_text(raw, "utf-8")
    try:
        cells = next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=False), [])
    except csv.Error:
        return None
    if remark is not None:
        block.findings.append(
            Finding(block.file, line, "", remark.keyword, remark.message, "warning", offset)
        )
    return [clean_cell(cell) for cell in cells]


def clean_cell(cell: str) -> str:
    """A cell without what spreadsheets put around it: `="001"`, an apostrophe before a number, `_x000D_`."""
    if cell[:1] not in ("=", "'") and "_x" not in cell:
        return cell.strip()
    guarded = _GUARDED.fullmatch(cell)
    if guarded is not None:
        return guarded[1]
    if cell[:1] == "'" and re.match(r"'[-+=@\d]", cell):
        cell = cell[1:]
    return _CARRIAGE.sub("", cell).strip() if "_x" in cell else cell.strip()


def to_name(value: Any) -> str | None:
    """An identifier or a name as the record wants it; None for sentinels and for what is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value).strip()
    if text.lower() in SENTINELS or len(text) > LONGEST_NAME or not any(c > " " for c in text):
        return None
    return text


def to_seconds(value: Any, per_second: int = 1) -> int | float | None:
    """A number (or a text of one) of 1/`per_second` seconds, as seconds; None if it is none, or negative."""
    if isinstance(value, str):
        try:
            value = float(value) if re.fullmatch(r"\s*\d{1,12}(\.\d{1,9})?\s*", value) else None
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e10:
        return None
    seconds = value / per_second
    return int(seconds) if math.isfinite(seconds) and seconds == int(seconds) else round(seconds, 6)
