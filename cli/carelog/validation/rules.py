"""What is wrong with a record that a schema cannot say: times that contradict each other or the clock,
unknown fields.

Each rule exists twice: on the columns of a batch, to find the few rows that break it, and on one plain
record, to say how. A test holds that both agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from carelog.columns import RECORD, RECORD_FIELDS, parse_time, row_positions
from carelog.findings import Severity, show_value
from carelog.validation.wording import to_field, to_pointer

_KNOWN = {
    "satisfaction": frozenset({"scale", "score"}),
    "order": frozenset({"order_id", "kind", "amount", "currency"}),
    "source": frozenset({"system", "format", "file", "line", "record_id"}),
}
_KNOWN_MESSAGE = frozenset({"speaker", "text", "at", "message_id"})


@dataclass(frozen=True, slots=True)
class Remark:
    """What a rule found in one record, before it is known which record of which file that is."""

    path: tuple[str | int, ...]
    keyword: str
    message: str
    severity: Severity = "error"

    @property
    def pointer(self) -> str:
        """The place as a JSON Pointer."""
        return to_pointer(self.path)


def check_record(value: dict[str, Any], now: datetime | None) -> Iterator[Remark]:
    """What the rules say about one record; fields of the wrong type are passed over, since a schema speaks of
    those.
    """
    yield from check_end(value)
    yield from check_message_order(value)
    if now is not None:
        yield from check_future(value, now)


def check_end(value: dict[str, Any]) -> Iterator[Remark]:
    """`ended_at` before `started_at` is an error."""
    start, end = _time(value.get("started_at")), _time(value.get("ended_at"))
    if start and end and end < start:
        message = f"`ended_at` is {_span(start, end)} before `started_at`"
        yield Remark(("ended_at",), "ended_before_started", message)


def _span(start: datetime, end: datetime) -> str:
    seconds = (start - end).total_seconds()
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return f"{seconds:g} second{'s' if seconds != 1 else ''}"


def check_message_order(value: dict[str, Any]) -> Iterator[Remark]:
    """A message earlier than one before it is a warning; one for each record, at the first such message."""
    last = None
    for index, at in _message_times(value):
        if last is not None and at < last:
            message = f"message {index + 1} is earlier than one before it; messages must be in order of time"
            yield Remark(("messages", index, "at"), "message_order", message, "warning")
            return
        last = at


def check_future(value: dict[str, Any], now: datetime) -> Iterator[Remark]:
    """A time later than `now` is a warning; of the messages only the first such."""
    for name in ("started_at", "ended_at"):
        moment = _time(value.get(name))
        if moment and moment > now:
            yield Remark(
                (name,), "future", f"`{name}` is in the future: {show_value(value[name])}", "warning"
            )
    for index, at in _message_times(value):
        if at > now:
            yield Remark(
                ("messages", index, "at"), "future", f"message {index + 1} is in the future", "warning"
            )
            return


def check_strangers(value: dict[str, Any]) -> Iterator[Remark]:
    """Fields that the record does not know are warnings: they are kept under `extra`."""
    for path, _ in find_strangers(value):
        message = f"{to_field(path)} is not a field that carelog knows; it is kept under `extra`"
        yield Remark(path, "unknown_field", message, "warning")


def find_strangers(value: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Place and value of every field that the record does not know, also inside its objects."""
    yield from (((name,), inner) for name, inner in value.items() if name not in RECORD_FIELDS)
    for name, known in _KNOWN.items():
        yield from _inner_strangers((name,), value.get(name), known)
    for index, message in enumerate(_list(value.get("messages"))):
        yield from _inner_strangers(("messages", index), message, _KNOWN_MESSAGE)


def _inner_strangers(
    path: tuple[str | int, ...], value: Any, known: frozenset[str]
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict):
        yield from (((*path, name), inner) for name, inner in value.items() if name not in known)


def keep_strangers(value: dict[str, Any]) -> dict[str, Any]:
    """The record with the unknown fields of its inner objects copied into `extra`, under their JSON Pointer.

    Unknown top-level fields are moved there when the columns are built.
    """
    inner = {to_pointer(path): found for path, found in find_strangers(value) if len(path) > 1}
    return {**value, "extra": {**(value.get("extra") or {}), **inner}} if inner else value


def find_suspects(batch: pa.RecordBatch, now: datetime | None) -> tuple[np.ndarray, np.ndarray]:
    """For a batch in the RECORD layout two masks: rows that end before they start, rows that deserve a
    warning.
    """
    start, end = _micros(batch.column("started_at")), _micros(batch.column("ended_at"))
    ended_early = (end != _NOTHING) & (start != _NOTHING) & (end < start)
    odd = np.zeros(len(batch), bool)
    if now is not None:
        limit = round(now.astimezone(UTC).timestamp() * 1_000_000)
        odd |= (start > limit) | (end > limit)
    _mark_messages(odd, batch.column("messages"), now)
    return ended_early, odd


_NOTHING = np.iinfo(np.int64).min


def _micros(column: pa.Array) -> np.ndarray:
    filled: np.ndarray = pc.fill_null(column.cast(pa.int64()), int(_NOTHING)).to_numpy(zero_copy_only=False)
    return filled


def _mark_messages(odd: np.ndarray, messages: pa.ListArray, now: datetime | None) -> None:
    flat = messages.flatten()
    at = flat.field("at") if len(flat) else pa.array([], pa.string())
    if at.null_count == len(at):
        return
    rows = row_positions(messages.drop_null()) if messages.null_count == 0 else _rows_with_nulls(messages)
    given = pc.is_valid(at).to_numpy(zero_copy_only=False)
    rows, times = rows[given], _to_nanoseconds(at.drop_null())
    early = np.zeros(len(times), bool)
    early[1:] = (rows[1:] == rows[:-1]) & (times[1:] < times[:-1])
    odd[rows[early]] = True
    if now is not None:
        odd[rows[times > now.astimezone(UTC).timestamp() * 1e9]] = True


def _rows_with_nulls(messages: pa.ListArray) -> np.ndarray:
    lengths = pc.fill_null(pc.list_value_length(messages), 0).to_numpy(zero_copy_only=False)
    return np.repeat(np.arange(len(messages)), lengths)


def _to_nanoseconds(texts: pa.StringArray) -> np.ndarray:
    """RFC 3339 texts, none of them null, as nanoseconds since 1970 (int64, or float64 where int64 cannot hold
    them).
    """
    try:
        cast = texts.cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64())
    except pa.ArrowInvalid:
        # Arrow knows neither a small t or z nor ten digits after the point, all of which RFC 3339 allows.
        return np.array([parse_time(t).timestamp() * 1e9 for t in texts.to_pylist()], np.float64)
    times: np.ndarray = cast.to_numpy(zero_copy_only=False)
    return times


def _message_times(value: dict[str, Any]) -> Iterator[tuple[int, datetime]]:
    for index, message in enumerate(_list(value.get("messages"))):
        at = _time(message.get("at")) if isinstance(message, dict) else None
        if at is not None:
            yield index, at


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _time(value: Any) -> datetime | None:
    try:
        return parse_time(value) if isinstance(value, str) else None
    except ValueError:
        return None


assert set(_KNOWN) <= set(RECORD.names)
