"""Times as exports write them, to RFC 3339: epochs in any unit, ISO 8601 in any dress. Never a silent UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from carelog.sources.blocks import Fault
from carelog.sources.clocks import with_offset

_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*"
    r"(Z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})?",
    re.IGNORECASE,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A number of this size or more is in that unit: seconds until 2286, then thousandths, then millionths.
_UNITS = ((1e15, 1_000_000), (1e11, 1_000), (0, 1))


def from_epoch(value: Any) -> str | None:
    """A number of seconds, milliseconds or microseconds since 1970 (int, float or text) as RFC 3339 in UTC.

    None for what is no such number, and for 0 and less, which exports write for "never".
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
        if not 0 < number < 1e17:
            return None
        parts = next(unit for least, unit in _UNITS if number >= least)
        micros = int(value) * (1_000_000 // parts) if isinstance(value, int) else round(number * 1e6 / parts)
        return to_text(_EPOCH + timedelta(microseconds=micros))
    except (ValueError, OverflowError):
        return None


def read_time(value: Any, zone: str | None) -> tuple[str | None, Fault | None]:
    """An epoch or an ISO 8601 text as RFC 3339 with the offset that it carries, else that of `zone`.

    A local time stays one where there is no zone, so that validation says so. None for what is no time.
    """
    if isinstance(value, (int, float)):
        return from_epoch(value), None
    if not isinstance(value, str):
        return None, None
    found = _ISO.fullmatch(value.strip())
    if found is None:
        return (from_epoch(value), None) if value.strip().replace(".", "", 1).isdigit() else (None, None)
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        micros = int((fraction or "0").ljust(6, "0")[:6])
        numbers = (int(year), int(month), int(day), int(hour), int(minute), min(int(second or 0), 59))
        moment = datetime(*numbers, micros)
    except ValueError:
        return None, None
    if offset:
        return to_text(moment) + _offset(offset), None
    return with_offset(moment, zone) if zone is not None else (to_text(moment), None)


def _offset(text: str) -> str:
    if text.upper() in ("Z", "UTC"):
        return "Z"
    digits = text[1:].replace(":", "").ljust(4, "0")
    return "Z" if digits == "0000" else f"{text[0]}{digits[:2]}:{digits[2:]}"


def to_text(moment: datetime) -> str:
    """A time as RFC 3339 (without an offset if it has none); whole seconds without a fraction."""
    text = moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def seconds_between(start: str | None, end: str | None) -> float | None:
    """Seconds from one RFC 3339 time to another; None if one is missing, local or the end comes first."""
    if start is None or end is None:
        return None
    try:
        first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
        length = (last - first).total_seconds()
    except (ValueError, TypeError):
        return None
    return length if length >= 0 else None
