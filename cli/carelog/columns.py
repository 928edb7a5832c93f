"""The Arrow layout of records and of labelled records, and the way between it and plain values.

A point in time is two columns: the instant (`timestamp[us, UTC]`) and the offset that the source wrote (minutes), so that
`2026-03-10T07:18:00-04:00` comes out as it went in. `extra` is JSON text, since every source has other fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

INSTANT = pa.timestamp("us", tz="UTC")
MESSAGE = pa.struct(
    [("speaker", pa.string()), ("text", pa.string()), ("at", pa.string()), ("message_id", pa.string())]
)
DURATIONS = (
    "wait_seconds",
    "talk_seconds",
    "hold_seconds",
    "wrap_up_seconds",
    "handle_seconds",
    "first_response_seconds",
    "resolution_seconds",
)
TIMES = ("started_at", "ended_at")
OFFSET_SUFFIX = "_offset"

RECORD = pa.schema(
    [
        ("interaction_id", pa.string()),
        ("channel", pa.string()),
        ("started_at", INSTANT),
        ("started_at_offset", pa.int16()),
        ("ended_at", INSTANT),
        ("ended_at_offset", pa.int16()),
        ("direction", pa.string()),
        ("initiative", pa.string()),
        ("status", pa.string()),
        ("customer_id", pa.string()),
        ("customer_kind", pa.string()),
        ("agent_id", pa.string()),
        ("team", pa.string()),
        ("queue", pa.string()),
        ("store_id", pa.string()),
        ("campaign", pa.string()),
        ("language", pa.string()),
        ("subject", pa.string()),
        ("category", pa.string()),
        ("notes", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("messages", pa.list_(MESSAGE)),
        *((name, pa.float64()) for name in DURATIONS),
        ("satisfaction", pa.struct([("scale", pa.string()), ("score", pa.float64())])),
        (
            "order",
            pa.struct(
                [
                    ("order_id", pa.string()),
                    ("kind", pa.string()),
                    ("amount", pa.string()),
                    ("currency", pa.string()),
                ]
            ),
        ),
        (
            "source",
            pa.struct(
                [
                    ("system", pa.string()),
                    ("format", pa.string()),
                    ("file", pa.string()),
                    ("line", pa.int64()),
                    ("record_id", pa.string()),
                ]
            ),
        ),
        ("extra", pa.string()),
    ]
)
"""One row per interaction: the canonical record of the contract, in its order."""

RECORD_FIELDS = frozenset(name for name in RECORD.names if not name.endswith(OFFSET_SUFFIX))
"""The top-level field names of a canonical record."""

EVIDENCE = pa.struct(
    [
        ("label", pa.string()),
        ("rule", pa.string()),
        ("field", pa.string()),
        ("message", pa.int32()),
        ("start", pa.int32()),
        ("end", pa.int32()),
    ]
)

LABELS = pa.schema(
    [
        ("orientation", pa.string()),
        ("care_share", pa.float64()),
        ("activities", pa.list_(pa.string())),
        ("initiative", pa.string()),
        ("stage_greeting", pa.bool_()),
        ("stage_rapport", pa.bool_()),
        ("stage_needs", pa.bool_()),
        ("stage_solution", pa.bool_()),
        ("stage_gratitude", pa.bool_()),
        ("stage_score", pa.int8()),
        ("satisfaction_label", pa.string()),
        ("satisfaction_source", pa.string()),
        ("management_supportive", pa.int32()),
        ("management_hierarchical", pa.int32()),
        ("aspects", pa.list_(pa.struct([("aspect", pa.string()), ("polarity", pa.string())]))),
        ("touchpoint", pa.string()),
        ("outcome", pa.string()),
        ("loyalty", pa.bool_()),
        ("churn_risk", pa.bool_()),
        ("customer_kind", pa.string()),
        ("language", pa.string()),
        ("assessable", pa.bool_()),
        ("not_assessable_reason", pa.string()),
        ("evidence", pa.list_(EVIDENCE)),
        ("rulebook", pa.struct([("name", pa.string()), ("version", pa.string()), ("hash", pa.string())])),
    ]
)
"""The labels of the codebook, in the contract's order."""


def labelled_schema(with_text: bool = False) -> pa.Schema:
    """The layout of labelled interactions: the record's fields (`messages` only `with_text`), then the labels.

    `initiative`, `customer_kind` and `language` are both; they stand once, among the labels, completed by classification.
    """
    both = set(LABELS.names)
    kept = [f for f in RECORD if f.name not in both and (with_text or f.name != "messages")]
    return pa.schema([*kept, *LABELS])


def _instants(texts: Sequence[str | None]) -> tuple[pa.Array, pa.Array]:
    """RFC 3339 texts (already validated) as instants and offsets in minutes; None stays null."""
    column = pa.array(texts, pa.string())
    try:
        return column.cast(INSTANT), _offsets(column)
    except (pa.ArrowInvalid, ValueError):
        # Lower case, or digits beyond microseconds: what Arrow does not read, Python does.
        moments = [None if t is None else parse_time(t) for t in texts]
        minutes = [None if m is None else _minutes(m.utcoffset()) for m in moments]
        return pa.array(moments, INSTANT), pa.array(minutes, pa.int16())


def _offsets(column: pa.StringArray) -> pa.Array:
    # There are few different offsets in a batch: each is read once.
    tails = pc.utf8_slice_codeunits(column, -6).dictionary_encode()
    minutes = [0 if tail[-1] == "Z" else _minutes_of_tail(tail) for tail in tails.dictionary.to_pylist()]
    return pa.array(minutes, pa.int16()).take(tails.indices)


def _minutes_of_tail(tail: str) -> int:
    minutes = int(tail[1:3]) * 60 + int(tail[4:6])
    return {"+": minutes, "-": -minutes}[tail[0]] if tail[3] == ":" else int("no offset")


def _minutes(offset: timedelta | None) -> int:
    return int((offset or timedelta()).total_seconds() // 60)


def parse_time(text: str) -> datetime:
    """An RFC 3339 text as an aware datetime. Digits beyond microseconds are cut. ValueError if it is none."""
    moment = datetime.fromisoformat(text.upper() if text.endswith("z") or "t" in text else text)
    if moment.tzinfo is None:
        raise ValueError(f"no offset: {text}")
    return moment


def format_time(instant: datetime, offset_minutes: int) -> str:
    """An instant and the source's offset as RFC 3339; a zero offset is written `Z`."""
    zone = timezone(timedelta(minutes=offset_minutes))
    text = instant.astimezone(zone).isoformat()
    return text.replace("+00:00", "Z") if offset_minutes == 0 else text


def to_record_batch(values: Sequence[dict[str, Any]]) -> pa.RecordBatch:
    """Validated canonical records as one batch in the RECORD layout. Fields that RECORD does not know go under `extra`."""
    # Most fields are absent from all records of a batch: looking for them in each would take half of the time.
    present: set[str] = set().union(*values)
    columns = {name: [v.get(name) for v in values] for name in RECORD_FIELDS & present}
    if "extra" in present or not present <= RECORD_FIELDS:
        columns["extra"] = [_extra_text(value) for value in values]
    arrays: dict[str, pa.Array] = {}
    for name, column in columns.items():
        if name in TIMES:
            arrays[name], arrays[name + OFFSET_SUFFIX] = _instants(column)
        else:
            arrays[name] = pa.array(column, RECORD.field(name).type)
    rows = len(values)
    in_order = [arrays[f.name] if f.name in arrays else pa.nulls(rows, f.type) for f in RECORD]
    return pa.RecordBatch.from_arrays(in_order, schema=RECORD)


def _extra_text(value: dict[str, Any]) -> str | None:
    """`extra` and the fields that RECORD does not know, as JSON text; None if there are none."""
    loose = {k: v for k, v in value.items() if k not in RECORD_FIELDS}
    extra = {**(value.get("extra") or {}), **loose}
    return orjson.dumps(extra, option=orjson.OPT_SORT_KEYS).decode() if extra else None


def _plain_number(value: float | None) -> float | int | None:
    return int(value) if value is not None and value.is_integer() and abs(value) < 2**53 else value


def to_values(batch: pa.RecordBatch, keep_nulls: bool = False) -> list[dict[str, Any]]:
    """A batch in the RECORD or labelled layout as plain values in the names of the contract, ready for JSON.

    Absent fields are left out (the labels of a labelled batch never are); with `keep_nulls` every field is there.
    """
    names = [n for n in batch.schema.names if not n.endswith(OFFSET_SUFFIX)]
    labels = set(LABELS.names) if "orientation" in batch.schema.names else set()
    columns: dict[str, list[Any]] = {}
    for name in names:
        column = batch.column(name).to_pylist()
        if name in TIMES:
            offsets = batch.column(name + OFFSET_SUFFIX).to_pylist()
            column = [
                None if t is None else format_time(t, o or 0) for t, o in zip(column, offsets, strict=True)
            ]
        elif name in DURATIONS:
            column = [_plain_number(v) for v in column]
        elif name == "extra":
            column = [None if v is None else orjson.loads(v) for v in column]
        elif name == "satisfaction":
            column = [None if v is None else {**v, "score": _plain_number(v["score"])} for v in column]
        elif name in ("order", "source"):
            column = [_without_nulls(v) for v in column]
        elif name == "messages":
            column = [None if v is None else [_without_nulls(m) for m in v] for v in column]
        columns[name] = column
    always = names if keep_nulls else [n for n in names if n in labels]
    rows = zip(*columns.values(), strict=True)
    keep = set(always)
    return [{n: v for n, v in zip(names, row, strict=True) if v is not None or n in keep} for row in rows]


def _without_nulls(value: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else {k: v for k, v in value.items() if v is not None}


def join_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """Batches of one layout as one batch; an empty batch of that layout when there are none."""
    table = pa.Table.from_batches(list(batches), schema).combine_chunks()
    return table.to_batches()[0] if table.num_rows else pa.RecordBatch.from_pylist([], schema)


def row_positions(lists: pa.ListArray) -> np.ndarray:
    """For each element of the flattened list column (nulls count as empty), the row it stands in (int64)."""
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    return np.repeat(np.arange(len(lists)), lengths)
