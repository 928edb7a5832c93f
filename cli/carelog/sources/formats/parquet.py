"""Parquet in the names of the canonical record: nested fields as structs and lists or as JSON text.

Read row group by row group, in batches, so that memory holds one batch; a broken row group costs only
itself. What cannot be read twice (standard input, a compressed file) is written to a temporary file first,
since a Parquet file is read from its end.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from carelog import columns
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.filling import add_record, put_aside
from carelog.sources.formats.delimited import NESTED
from carelog.sources.lines import file_finding
from carelog.sources.pieces import parse_json
from carelog.sources.streams import Opened

Reading = Callable[[pa.RecordBatch], list[dict[str, Any]]]
NAME = "parquet"
BATCH_ROWS = 2048


def read_parquet(opened: Opened, options: ReadOptions) -> Iterator[Block | Chunk]:
    """Chunks that hold one Arrow batch each (as an IPC stream); damaged row groups as findings."""
    with _seekable(opened) as file:
        try:
            table = pq.ParquetFile(file, memory_map=False, pre_buffer=False)
        except (pa.ArrowException, OSError):
            fault = Fault("not_parquet", "the Parquet file cannot be read: its end is missing or damaged")
            yield Block(opened.name, NAME, findings=[file_finding(opened.name, fault)])
            return
        row = 1
        for group in range(table.num_row_groups):
            yield from _read_group(table, group, row, opened.name, options)
            row += table.metadata.row_group(group).num_rows


@contextmanager
def _seekable(opened: Opened) -> Iterator[BinaryIO]:
    if opened.input.path is not None and opened.compression is None and not opened.input.is_stream:
        with opened.input.path.open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as spool:
        shutil.copyfileobj(opened.stream, spool, 1024 * 1024)
        spool.seek(0)
        yield spool


def _read_group(
    table: pq.ParquetFile, group: int, row: int, name: str, options: ReadOptions
) -> Iterator[Block | Chunk]:
    try:
        for batch in table.iter_batches(BATCH_ROWS, row_groups=[group], use_threads=False):
            yield Chunk(name, NAME, _to_ipc(batch), row, 0, options)
            row += batch.num_rows
    except (pa.ArrowException, OSError):
        fault = Fault("corrupt", f"row group {group + 1} is damaged; its rows from row {row} on are not read")
        yield Block(name, NAME, findings=[file_finding(name, fault)])


def _to_ipc(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def parse_batch(chunk: Chunk) -> Block:
    """The rows of a chunk as a block."""
    block = Block(chunk.file, chunk.format)
    with pa.ipc.open_stream(chunk.data) as reader:
        batch = pa.Table.from_batches(reader, reader.schema).combine_chunks().to_batches()
    line = chunk.first_line
    for part in batch:
        for value in _to_values(part):
            if value is None:
                put_aside(block, line, None, b"", Fault("unreadable", "the row holds what cannot be read"))
            else:
                _add(block, value, line, chunk.options)
            line += 1
    return block


def _to_values(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | None]:
    """The rows as plain values; None for one that cannot be read, as where its text is not UTF-8."""
    read: Reading = columns.to_values
    if not batch.schema.equals(columns.RECORD):
        read, batch = _read_rows, _in_microseconds(batch)
    try:
        yield from read(batch)
    except (ValueError, OverflowError, pa.ArrowException):
        for row in range(batch.num_rows):
            yield _read_alone(read, batch.slice(row, 1))


def _read_alone(read: Reading, row: pa.RecordBatch) -> dict[str, Any] | None:
    try:
        return read(row)[0]
    except (ValueError, OverflowError, pa.ArrowException):
        return None


def _in_microseconds(batch: pa.RecordBatch) -> pa.RecordBatch:
    # Python's times have no nanoseconds.
    fields = [
        field.with_type(pa.timestamp("us", field.type.tz)) if pa.types.is_timestamp(field.type) else field
        for field in batch.schema
    ]
    arrays = [
        column.cast(field.type, safe=False) if column.type != field.type else column
        for column, field in zip(batch.columns, fields, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _read_rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    values = []
    for row in batch.to_pylist():
        offsets = {name: row.pop(name + columns.OFFSET_SUFFIX, None) for name in columns.TIMES}
        kept = {name: _plain(value) for name, value in row.items() if value is not None}
        for name, offset in offsets.items():
            if isinstance(row.get(name), datetime) and isinstance(offset, int):
                kept[name] = columns.format_time(row[name], offset)
        values.append(kept)
    return values


def _plain(value: Any) -> Any:
    """A value of Arrow as a value of JSON: times as RFC 3339, decimals as text, absent members left out."""
    if isinstance(value, datetime):
        text = value.isoformat()
        return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value if isinstance(value, str | int | float | bool) else _unusual(value)


def _unusual(value: Any) -> str | None:
    return None if value is None else value.isoformat() if isinstance(value, date) else str(value)


def _add(block: Block, value: dict[str, Any], line: int, options: ReadOptions) -> None:
    fault = None
    for name in NESTED.intersection(value):
        if isinstance(value[name], str):
            parsed, wrong = parse_json(value[name].encode(), options.max_line_bytes)
            if wrong is None:
                value[name] = parsed
            else:
                fault = Fault(wrong.keyword, f"the cell `{name}`: {wrong.message}", f"/{name}")
    raw = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    if fault is None and b"null" in raw and _holds_no_number(value):
        fault = Fault("nan", "the record holds NaN or infinity; leave unknown numbers out")
    if fault is None:
        add_record(block, value, line, None, raw, options.zone)
    else:
        put_aside(block, line, None, raw, fault, value)


def _holds_no_number(value: Any) -> bool:
    """Whether there is a NaN or an infinity anywhere."""
    if isinstance(value, dict):
        return any(map(_holds_no_number, value.values()))
    if isinstance(value, list):
        return any(map(_holds_no_number, value))
    return isinstance(value, float) and (value != value or value in (float("inf"), float("-inf")))
