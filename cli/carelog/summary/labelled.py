"""Reading labelled interactions: Parquet, JSON Lines, CSV or TSV, as one relation of the query engine.

JSON Lines and CSV are first turned into Parquet in a private folder, so that a damaged line is found and
counted and costs only itself. Nothing is dropped without a count.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from carelog.columns import DURATIONS, TIMES, labelled_schema, parse_time
from carelog.errors import MissingInput, UnusableInput
from carelog.labels import CHANNELS
from carelog.sources.blocks import MAX_LINE_BYTES
from carelog.sources.cells import from_cell
from carelog.sources.lines import read_lines
from carelog.sources.paths import Input, find_inputs
from carelog.sources.streams import Opened, open_input
from carelog.sources.structure import delimiter_of
from carelog.summary.figures import SourceFile

LAYOUT = labelled_schema(with_text=True)
UNREAD = frozenset({"ended_at", "ended_at_offset", "subject", "notes", "tags", "extra"})
"""Columns that no metric needs; they are never read."""
REQUIRED = ("interaction_id", "channel", "started_at", "orientation", "activities", "assessable")
ENDINGS = tuple(
    f".{kind}{packed}" for kind in ("jsonl", "ndjson", "csv", "tsv") for packed in ("", ".gz", ".zst")
)
BATCH_ROWS = 20_000
MOST_LINE_BYTES = 4 * MAX_LINE_BYTES
"""A longer line is damaged. Labels, evidence and escapes make a line longer than the record that it is of."""
_KINDS = {None: "jsonl", "\t": "tsv"}
NESTED = {f.name for f in LAYOUT if pa.types.is_nested(f.type)}


@dataclass(frozen=True, slots=True)
class Labelled:
    """What was read: `relation` is SQL that yields the columns of LAYOUT (without UNREAD), `files` says how
    it went.
    """

    relation: str
    files: list[SourceFile]
    has_messages: bool


def find_files(paths: Sequence[str]) -> list[Input]:
    """The inputs behind paths, folders (searched for .parquet, .jsonl, .csv, .tsv) and globs, sorted, each once.
    MissingInput.
    """
    return [i for i in find_inputs(paths) if not i.walked or _is_labelled_name(Path(i.name))]


def _is_labelled_name(path: Path) -> bool:
    # Names that begin with an underscore are how stores mark what is no data of theirs.
    return not path.name.startswith("_") and path.name.lower().endswith((*ENDINGS, ".parquet"))


def read_labelled(paths: Sequence[str], scratch: Path) -> Labelled:
    """Read every input behind `paths`; drafts go to the folder `scratch`. MissingInput, or UnusableInput if
    nothing is labelled.
    """
    layouts: dict[str, tuple[pa.Schema, list[Path]]] = {}
    files: list[SourceFile] = []
    for number, found in enumerate(find_files(paths)):
        parquet, file = _read_file(found, scratch / f"input-{number:05}")
        files.append(file)
        if parquet is not None:
            schema = pq.read_schema(parquet)
            layouts.setdefault(str(schema.remove_metadata()), (schema, []))[1].append(parquet)
    if not layouts:
        first = next(
            (f"{f.name} {f.reason}" for f in files if f.reason),
            "the folders hold no .parquet, .jsonl, .csv or .tsv",
        )
        raise UnusableInput(
            f"nothing labelled was read: {first}", "make labelled interactions with `carelog classify`"
        )
    parts = [_select(schema, parquets) for schema, parquets in layouts.values()]
    has_messages = any("messages" in schema.names for schema, _ in layouts.values())
    return Labelled("\nUNION ALL\n".join(parts), files, has_messages)


def _read_file(found: Input, draft: Path) -> tuple[Path | None, SourceFile]:
    try:
        path = found.path
        if path is None or found.is_stream:
            # Parquet is read from its end, which a stream does not have yet.
            path = _spool(found, draft.with_suffix(".input"))
        with path.open("rb") as stream:
            head = stream.read(4)
        if head == b"PAR1":
            return _check_parquet(path, found.name)
        return _convert_text(path, found.name, draft.with_suffix(".parquet"))
    except OSError as error:
        raise MissingInput(f"{found.name} cannot be opened: {error.strerror or 'damaged'}") from error


def _spool(found: Input, target: Path) -> Path:
    stream = sys.stdin.buffer if found.path is None else found.path.open("rb")
    with target.open("wb") as out:
        while piece := stream.read(1 << 20):
            out.write(piece)
    return target


def _check_parquet(path: Path, name: str) -> tuple[Path | None, SourceFile]:
    try:
        found = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError):
        return None, SourceFile(name, "parquet", 0, 1, "is damaged Parquet")
    wrong = _layout_problem(found.schema_arrow)
    if wrong:
        return None, SourceFile(name, "parquet", 0, 0, wrong)
    return path, SourceFile(name, "parquet", found.metadata.num_rows)


def _layout_problem(schema: pa.Schema) -> str | None:
    missing = [c for c in REQUIRED if c not in schema.names]
    if missing:
        return f"holds no labelled interactions (it lacks {', '.join(missing)})"
    for field in LAYOUT:
        if field.name in schema.names and field.name not in UNREAD:
            kind = schema.field(field.name).type
            if pa.types.is_nested(field.type) != pa.types.is_nested(kind) and not pa.types.is_dictionary(
                kind
            ):
                return f"holds `{field.name}` in another form than labelled interactions"
    return None


def _select(schema: pa.Schema, parquets: list[Path]) -> str:
    names = ", ".join(quote(_without_glob(str(p.resolve()))) for p in parquets)
    wanted = [f for f in LAYOUT if f.name not in UNREAD]
    columns = ", ".join(_column(f, schema) for f in wanted)
    return f"SELECT {columns} FROM read_parquet([{names}], hive_partitioning = false)"


def _column(field: pa.Field, schema: pa.Schema) -> str:
    if field.name not in schema.names:
        return f'NULL::{sql_type(field.type)} AS "{field.name}"'
    if pa.types.is_nested(field.type):
        return f'"{field.name}"'
    return f'TRY_CAST("{field.name}" AS {sql_type(field.type)}) AS "{field.name}"'


def sql_type(kind: pa.DataType) -> str:
    """The query engine's name of an Arrow type of LAYOUT."""
    if pa.types.is_struct(kind):
        inner = ", ".join(f'"{f.name}" {sql_type(f.type)}' for f in kind)
        return f"STRUCT({inner})"
    if pa.types.is_list(kind):
        return sql_type(kind.value_type) + "[]"
    plain = {
        "string": "VARCHAR",
        "double": "DOUBLE",
        "bool": "BOOLEAN",
        "int64": "BIGINT",
        "int32": "INTEGER",
    }
    plain |= {"int16": "SMALLINT", "int8": "TINYINT"}
    return plain.get(str(kind), "TIMESTAMPTZ")


def quote(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _without_glob(path: str) -> str:
    # The engine expands these even in quotes; a class of one character is that character.
    return "".join(f"[{c}]" if c in "*?[" else c for c in path)


def _convert_text(path: Path, name: str, draft: Path) -> tuple[Path | None, SourceFile]:
    wanted = pa.schema([f for f in LAYOUT if f.name not in UNREAD])
    rows = damaged = 0
    with open_input(Input(name, path)) as opened:
        delimiter = _delimiter_of(opened.head)
        kind = _KINDS.get(delimiter, "csv")
        values = _json_values(opened) if delimiter is None else _csv_rows(opened, delimiter)
        with pq.ParquetWriter(draft, wanted, compression="zstd") as writer:
            for chunk in _in_batches(values):
                good = [r for r in (_to_row(v) for v in chunk) if r is not None]
                table, bad = _to_table(good, wanted)
                damaged += len(chunk) - len(good) + bad
                rows += table.num_rows
                writer.write_table(table)
    if rows == 0:
        return None, SourceFile(name, kind, 0, damaged, "holds no labelled interactions")
    return draft, SourceFile(name, kind, rows, damaged)


def _delimiter_of(head: bytes) -> str | None:
    """What stands between the cells of the table that begins so; None if these are lines of JSON."""
    first = head.lstrip()
    if first[:1] in (b"{", b"[", b""):
        return None
    line = first.split(b"\n", 1)[0].decode("utf-8", "replace")
    return max((delimiter_of(line, "csv"), delimiter_of(line, "tsv")), key=line.count)


def read_whole_lines(opened: Opened) -> Iterator[bytes | None]:
    """The lines of a text in UTF-8, with their ends; None for one that is too long, and at the end for what is
    missing there.
    """
    stream, offset = opened.utf8()
    for lines in read_lines(stream, offset, MOST_LINE_BYTES):
        if lines.length is not None:
            yield None
            continue
        yield from io.BytesIO(lines.data)
    if opened.trouble is not None:
        yield None


def _json_values(opened: Opened) -> Iterator[dict[str, Any] | None]:
    for line in read_whole_lines(opened):
        if line is not None and not line.strip():
            continue
        try:
            value = orjson.loads(line) if line is not None else None
        except orjson.JSONDecodeError:
            value = None
        yield value if isinstance(value, dict) else None


def _csv_rows(opened: Opened, delimiter: str) -> Iterator[dict[str, Any] | None]:
    csv.field_size_limit(MOST_LINE_BYTES)
    # A line that is not whole is a row of too few cells, and counted as that.
    lines = (b"damaged\n" if line is None else line for line in read_whole_lines(opened))
    text = (line.decode("utf-8", "replace") for line in lines)
    yield from _parse_rows(csv.DictReader(text, strict=True, delimiter=delimiter))


def _parse_rows(reader: csv.DictReader[str]) -> Iterator[dict[str, Any] | None]:
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield None
            continue
        yield None if None in row or None in row.values() else _parse_cells(row)


def _parse_cells(row: dict[str, str]) -> dict[str, Any] | None:
    value: dict[str, Any] = {}
    for name, cell in row.items():
        if cell == "" or name in UNREAD or name not in LAYOUT.names:
            continue
        try:
            value[name] = _parse_cell(LAYOUT.field(name).type, name, cell)
        except (ValueError, KeyError):
            return None
    return value


def _parse_cell(kind: pa.DataType, name: str, cell: str) -> Any:
    if name in NESTED:
        return orjson.loads(cell)
    if pa.types.is_boolean(kind):
        return {"true": True, "false": False}[cell.lower()]
    if pa.types.is_integer(kind):
        return int(cell)
    if pa.types.is_floating(kind):
        return float(cell)
    return from_cell(cell)


def _in_batches(values: Iterator[dict[str, Any] | None]) -> Iterator[list[dict[str, Any] | None]]:
    chunk: list[dict[str, Any] | None] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == BATCH_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _to_row(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """A labelled record as a row of LAYOUT; None if it is not one."""
    if value is None or value.get("channel") not in CHANNELS or "orientation" not in value:
        return None
    if not isinstance(value.get("interaction_id"), str) or not isinstance(value.get("activities"), list):
        return None
    row = dict(value)
    for name in TIMES[:1]:
        try:
            moment = parse_time(value[name])
        except (KeyError, TypeError, ValueError, AttributeError):
            return None
        offset = moment.utcoffset()
        row[name] = moment
        row[name + "_offset"] = int(offset.total_seconds() // 60) if offset is not None else 0
    for name in DURATIONS:
        if isinstance(row.get(name), int):
            row[name] = float(row[name])
    return row


def _to_table(rows: list[dict[str, Any]], schema: pa.Schema) -> tuple[pa.Table, int]:
    """Rows as a table, and how many had a value of another type than its column and were left out."""
    try:
        return pa.Table.from_arrays([_array(rows, f) for f in schema], schema=schema), 0
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, OverflowError):
        if len(rows) == 1:
            return pa.Table.from_arrays([_array([], f) for f in schema], schema=schema), 1
    half = len(rows) // 2
    first, bad_1 = _to_table(rows[:half], schema)
    second, bad_2 = _to_table(rows[half:], schema)
    return pa.concat_tables([first, second]), bad_1 + bad_2


def _array(rows: list[dict[str, Any]], field: pa.Field) -> pa.Array:
    return pa.array([r.get(field.name) for r in rows], field.type)
