"""Parquet in the names of the canonical record: nested fields as structs and lists or as JSON text.

Read row group by row group, in batches, so that memory holds one batch; a broken row group costs only
itself. What cannot be read twice (standard input, a compressed file) is written to a temporary file first,
since a Parquet file is read from its end.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from carelog import columns
from carelog.sources.blocks import Block, Chunk, Fault, ReadOptions
from carelog.sources.formats.delimited import NESTED
from carelog.sources.lines import file_finding, to_reject
from carelog.sources.pieces import parse_json
from carelog.sources.streams import Opened

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
        for value in _to_values(part, chunk.options.zone):
            _add(block, value, line, chunk.options.max_line_bytes)
            line += 1
    return block


def _to_values(batch: pa.RecordBatch, zone: str | None) -> list[dict[str, Any]]:
    if batch.schema.equals(columns.RECORD):
        return columns.to_values(batch)
    place = ZoneInfo(zone) if zone else None
    values = []
    for row in batch.to_pylist():
        offsets = {name: row.pop(name + columns.OFFSET_SUFFIX, None) for name in columns.TIMES}
        kept = {name: _plain(value, place) for name, value in row.items() if value is not None}
        for name, offset in offsets.items():
            if isinstance(row.get(name), datetime) and isinstance(offset, int):
                kept[name] = columns.format_time(row[name], offset)
        values.append(kept)
    return values


def _plain(value: Any, place: ZoneInfo | None) -> Any:
    """A value of Arrow as a value of JSON: times as RFC 3339, decimals as text, absent members left out."""
    if isinstance(value, datetime):
        text = (value.replace(tzinfo=place) if value.tzinfo is None and place else value).isoformat()
        return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
    if isinstance(value, dict):
        return {k: _plain(v, place) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_plain(v, place) for v in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value if isinstance(value, str | int | float | bool) else _unusual(value)


def _unusual(value: Any) -> str | None:
    return None if value is None else value.isoformat() if isinstance(value, date) else str(value)


def _add(block: Block, value: dict[str, Any], line: int, limit: int) -> None:
    fault = None
    for name in NESTED.intersection(value):
        if isinstance(value[name], str):
            parsed, wrong = parse_json(value[name].encode(), limit)
            if wrong is None:
                value[name] = parsed
            else:
                fault = Fault(wrong.keyword, f"the cell `{name}`: {wrong.message}", f"/{name}")
    raw = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    if fault is None and b"null" in raw and _holds_no_number(value):
        fault = Fault("nan", "the record holds NaN or infinity; leave unknown numbers out")
    if fault is not None:
        found = value.get("interaction_id")
        interaction_id = found if isinstance(found, str) else None
        block.rejects.append(to_reject(block.file, line, None, raw.decode(), fault, interaction_id))
        return
    if value.get("source") is None:
        value["source"] = {"format": block.format, "file": block.file, "line": line}
    block.values.append(value)
    block.lines.append(line)
    block.offsets.append(None)
    block.raws.append(raw)


def _holds_no_number(value: Any) -> bool:
    """Whether there is a NaN or an infinity anywhere."""
    if isinstance(value, dict):
        return any(map(_holds_no_number, value.values()))
    if isinstance(value, list):
        return any(map(_holds_no_number, value))
    return isinstance(value, float) and (value != value or value in (float("inf"), float("-inf")))
