"""Tables written piece by piece: record batches to JSON Lines, CSV or Parquet, rejects to JSON Lines.

The format follows the name; `.gz` and `.zst` after it compress the text formats. The same rows give the
same bytes, however they were cut into batches. How CSV cells are kept from running as formulas is told in
`carelog.sources.cells`.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Protocol

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from carelog import columns
from carelog.errors import UsageProblem
from carelog.findings import Reject
from carelog.sources.cells import to_cell, to_json_cell
from carelog.sources.structure import COMPRESSION, plain_suffix

TABLE_SUFFIXES = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
ROWS_PER_GROUP = 16384
_JSON = orjson.OPT_APPEND_NEWLINE


class Write(Protocol):
    """Writes one batch."""

    def __call__(self, batch: pa.RecordBatch, /) -> None: ...


def check_table_name(name: str, suffixes: Iterable[str] = TABLE_SUFFIXES) -> None:
    """Raise UsageProblem if no format follows from a name (`-` is JSON Lines)."""
    allowed = tuple(suffixes)
    if name != "-" and plain_suffix(name) not in allowed:
        endings = ", ".join(allowed)
        raise UsageProblem(f"{name}: no table format has this name", f"end it in one of {endings}")
    if plain_suffix(name) == ".parquet" and COMPRESSION.search(name):
        raise UsageProblem(f"{name}: Parquet is compressed inside", "leave out the .gz or .zst")


@contextmanager
def write_table(file: BinaryIO, name: str, schema: pa.Schema) -> Iterator[Write]:
    """A function that appends batches of `schema` to a file, in the format that `name` says.

    UsageProblem if the name says none. The file is complete when the block ends; it is not closed.
    """
    check_table_name(name)
    suffix = plain_suffix(name)
    if suffix == ".parquet":
        with _write_parquet(file, schema) as write:
            yield write
        return
    with compressed(file, name) as plain:
        if suffix in (".csv", ".tsv"):
            yield _csv_writer(plain, schema, "\t" if suffix == ".tsv" else ",")
        else:
            yield _jsonl_writer(plain)


@contextmanager
def compressed(file: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """A file to write to whose bytes arrive in `file` compressed as `name` says; always the same bytes."""
    found = COMPRESSION.search(name)
    if found is None:
        yield file
    elif found[1].lower() in ("gz", "gzip"):
        # Neither name nor time in the header: they would make equal outputs differ.
        with gzip.GzipFile("", "wb", 6, file, mtime=0) as zipped:
            yield zipped  # type: ignore[misc]
    else:
        with zstandard.ZstdCompressor(write_checksum=True).stream_writer(file, closefd=False) as zipped:
            yield zipped


def _jsonl_writer(file: BinaryIO) -> Write:
    def write(batch: pa.RecordBatch) -> None:
        file.write(b"".join(orjson.dumps(value, option=_JSON) for value in columns.to_values(batch)))

    return write


def _csv_writer(file: BinaryIO, schema: pa.Schema, delimiter: str) -> Write:
    names = [name for name in schema.names if not name.endswith(columns.OFFSET_SUFFIX)]
    _write_rows(file, [names], delimiter)

    def write(batch: pa.RecordBatch) -> None:
        rows = ([_cell(value[n]) for n in names] for value in columns.to_values(batch, keep_nulls=True))
        _write_rows(file, rows, delimiter)

    return write


def _write_rows(file: BinaryIO, rows: Iterable[list[str]], delimiter: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    file.write(text.getvalue().encode())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return to_cell(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return to_json_cell(orjson.dumps(value))


@contextmanager
def _write_parquet(file: BinaryIO, schema: pa.Schema) -> Iterator[Write]:
    """Row groups of a fixed size, so that the bytes do not depend on how the rows came."""
    held: list[pa.RecordBatch] = []

    def flush(writer: pq.ParquetWriter, rows_left: int) -> None:
        table = pa.Table.from_batches(held, schema)
        held.clear()
        while table.num_rows > rows_left:
            writer.write_table(table.slice(0, ROWS_PER_GROUP), row_group_size=ROWS_PER_GROUP)
            table = table.slice(ROWS_PER_GROUP)
        held.extend(table.combine_chunks().to_batches())

    with pq.ParquetWriter(file, schema, compression="zstd") as writer:

        def write(batch: pa.RecordBatch) -> None:
            held.append(batch)
            if sum(b.num_rows for b in held) >= ROWS_PER_GROUP:
                flush(writer, ROWS_PER_GROUP - 1)

        yield write
        flush(writer, 0)


def check_rejects_name(name: str) -> None:
    """Raise UsageProblem if rejects cannot be written under a name: they are JSON Lines."""
    check_table_name(name, (".jsonl", ".ndjson"))


@contextmanager
def write_rejects(file: BinaryIO, name: str) -> Iterator[Callable[[Iterable[Reject]], None]]:
    """A function that appends rejects to a file, in the contract's shape, one JSON object a line."""
    check_rejects_name(name)
    with compressed(file, name) as plain:

        def write(rejects: Iterable[Reject]) -> None:
            plain.write(b"".join(orjson.dumps(to_reject_value(r), option=_JSON) for r in rejects))

        yield write


def to_reject_value(reject: Reject) -> dict[str, Any]:
    """A reject as the JSON object of the contract."""
    return {
        "file": reject.file,
        "line": reject.line,
        "byte_offset": reject.byte_offset,
        "interaction_id": reject.interaction_id,
        "errors": [
            {"pointer": f.pointer, "keyword": f.keyword, "message": f.message} for f in reject.findings
        ],
        "raw": reject.raw,
    }
