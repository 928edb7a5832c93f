"""Labelled interactions that were read back: plain values to columns, and back to the records that they
were made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa

from carelog.columns import LABELS, RECORD, labelled_schema, to_record_batch
from carelog.errors import UnusableInput

_SIGNS = ("orientation", "activities", "assessable")
_NEEDED = ("interaction_id", "channel", "started_at", "orientation")
_COMPLETED = {"initiative": "structure.initiative.stated", "customer_kind": "structure.customer_kind"}
"""Fields that classification completes, and the rule in the evidence that says the record had them itself."""
_PARSED = frozenset(f.name for f in LABELS if not pa.types.is_string(f.type))


def is_labelled(value: Mapping[str, Any]) -> bool:
    """Whether a record as it was read carries labels."""
    return all(name in value or name in (value.get("extra") or {}) for name in _SIGNS)


def flatten_labels(value: Mapping[str, Any]) -> dict[str, Any]:
    """A labelled record with its labels at the top, and cells of CSV as the values that they stand for.

    ValueError if a cell is no JSON.
    """
    extra = {k: v for k, v in (value.get("extra") or {}).items() if k not in LABELS.names}
    inner = {k: v for k, v in (value.get("extra") or {}).items() if k in LABELS.names}
    flat = {**inner, **value, "extra": extra}
    for name in _PARSED & flat.keys():
        if isinstance(flat[name], str):
            flat[name] = orjson.loads(flat[name]) if flat[name] else None
    return {k: v for k, v in flat.items() if v not in (None, {}) and v != ""}


def to_record_value(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The record that a labelled one was made of: without labels, and without what classification filled
    in.
    """
    rules = {entry.get("rule") for entry in flat.get("evidence", []) if isinstance(entry, dict)}
    filled = {name for name, rule in _COMPLETED.items() if rule not in rules}
    return {k: v for k, v in flat.items() if k not in filled and (k in RECORD.names or k not in LABELS.names)}


def to_labelled_batch(flats: Sequence[Mapping[str, Any]], file: str) -> pa.RecordBatch:
    """Flat labelled records in the layout `labelled_schema(with_text=True)`. UnusableInput if they are of
    another form.
    """
    try:
        if not all(isinstance(flat.get(name), str) for flat in flats for name in _NEEDED):
            raise ValueError("a field that every record has is missing")
        return _to_batch(flats)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise UnusableInput(
            f"{file}: its labels are not as carelog writes them", "`carelog schema check` says what is wrong"
        ) from error


def _to_batch(flats: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    records = to_record_batch([{k: v for k, v in f.items() if k in RECORD.names} for f in flats])
    labels = {field.name: pa.array([f.get(field.name) for f in flats], field.type) for field in LABELS}
    schema = labelled_schema(with_text=True)
    arrays = [labels[f.name] if f.name in labels else records.column(f.name) for f in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
