"""What a cell or a JSON value of a foreign record means: times, lengths of time, numbers, money."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from carelog.sources.blocks import Fault
from carelog.sources.clocks import with_offset
from carelog.sources.formats._html_text import html_to_text
from carelog.sources.formats._mapping import Rule

SENTINELS = frozenset(
    {"", "-", "--", "n/a", "na", "null", "none", "nil", "undefined", "(null)", "#n/a", "\\n"}
)
"""Texts that stand for nothing, without capitals."""
_LONGEST_SENTINEL = 12
_LONGEST_MATCHED = 1000
_BLANK = " \t\r\n\v\f\u00a0\u200b\ufeff"
_GUARD = re.compile(r'="(.*)"', re.DOTALL)
_NUMERIC_DAY = re.compile(
    r"(\d{1,4})[/.\-](\d{1,2})[/.\-](\d{1,4})"
    r"(?:[,T]?\s+|T)?(?:(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(\.\d{1,9})?)?\s*([AaPp])?\.?[Mm]?\.?)?"
    r"\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = re.compile(
    r"(?<![a-z])(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z])",
    re.IGNORECASE,
)
_CLOCK_IN = re.compile(
    r"(?<!\d)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?\s*(?:([AaPp])\.?[Mm]\b\.?)?\s*(Z\b|(?:UTC|GMT)?[+-]\d{2}:?\d{2}|UTC|GMT)?"
    r"(?:\s*\([^()]*\))?"
)
_LONGEST_NAMED = 80
_EPOCH = re.compile(r"-?\d+(\.\d+)?([eE][+]?\d{1,6})?")
_CLOCK = re.compile(r"(-)?(?:(\d+)\s*d(?:ays?)?[ ,]*)?(\d+):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?")
_FACTORS = {
    "": Decimal(1), "s": Decimal(1), "ms": Decimal("0.001"), "min": Decimal(60), "h": Decimal(3600),
    "hms": Decimal(1), "hm": Decimal(1),
}  # fmt: skip
# A number among a currency's letters: the point of "Rs. 20" belongs to the letters.
_NUMBER = re.compile(r"(?:(?<![^\W\d_])[.,])?\d(?:[\d.,'\u00a0\u202f ]*\d)?(?:[eE][+-]?\d{1,3})?")
_BUDDHIST = 543
_FIRST_BUDDHIST_YEAR = 2400


class UnclearError(ValueError):
    """A value cannot be understood; the text says why, without the value."""


def plain(value: Any) -> Any:
    """A value without what a spreadsheet put around it; None where it stands for nothing."""
    if isinstance(value, str):
        text = value.strip(_BLANK)
        guarded = _GUARD.fullmatch(text) if text.startswith("=") else None
        text = guarded[1] if guarded else text
        if len(text) < _LONGEST_SENTINEL and text.casefold() in SENTINELS:
            return None
        return text if guarded else value
    return value if value not in ([], {}) else None


def to_value(value: Any, rule: Rule, decimal: str) -> tuple[Any, Fault | None]:
    """What a value (not None) means for the rule's field, and a remark. UnclearError if it means nothing."""
    if rule.values or rule.matches or rule.otherwise is not None:
        value = _replaced(_shown(value), rule)
    if rule.kind == "time":
        return to_time(value, rule)
    if rule.kind == "seconds":
        return to_seconds(value, rule.unit, decimal), None
    if rule.kind == "number":
        return _as_number(to_decimal(value, decimal)), None
    if rule.kind == "money":
        return format(to_decimal(value, decimal), "f"), None
    if rule.kind == "tags":
        return _to_tags(value, rule.split), None
    return (html_to_text(value) if rule.html and isinstance(value, str) else _to_text(value)), None


def _replaced(text: str, rule: Rule) -> Any:
    found = rule.values.get(text.casefold())
    if found is None:
        looked_at = text[:_LONGEST_MATCHED]
        found = next(
            (meaning for pattern, meaning in rule.matches if pattern.search(looked_at)), rule.otherwise
        )
    if found is None:
        raise UnclearError("the mapping's `values` do not list this value")
    return found


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()


def _to_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(_shown(inner) for inner in value if not isinstance(inner, (list, dict)))
    if isinstance(value, dict):
        raise UnclearError("it is an object, not a text")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else _shown(value)


def _to_tags(value: Any, split: str) -> list[str]:
    parts = value if isinstance(value, list) else str(value).split(split or ",")
    return [text for part in parts if not isinstance(part, (list, dict)) and (text := _shown(part))]


def to_decimal(value: Any, decimal: str = ".") -> Decimal:
    """The number in a text with a currency, thousands marks, or brackets for minus. UnclearError if none."""
    if isinstance(value, (bool, list, dict)):
        raise UnclearError("it is no number")
    text = str(value).strip().replace("−", "-")
    found = _NUMBER.search(text)
    if found is None or len(text) > 100:
        raise UnclearError("it is no number")
    negative = "-" in text[: found.start()] or text.endswith("-") or text.startswith("(")
    kept = re.sub(r"[^\d.,eE+-]", "", found[0])
    kept = kept.replace(",", "") if decimal == "." else kept.replace(".", "").replace(",", ".")
    try:
        number = Decimal(kept.rstrip("."))
    except InvalidOperation:
        raise UnclearError("it is no number") from None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise UnclearError("the number is too large")
    return -number if negative else number


def _as_number(number: Decimal) -> float | int:
    return int(number) if number == number.to_integral_value() else float(number)


def to_seconds(value: Any, unit: str, decimal: str = ".") -> float | int | None:
    """A length of time in seconds; None for a negative number, which systems write for unknown."""
    if isinstance(value, str) and (found := _CLOCK.fullmatch(value.strip())):
        if found[1]:
            return None
        first, second, third = Decimal(found[3]), Decimal(found[4]), found[5]
        if third is None and unit != "hm":
            return _as_number(first * 60 + second)
        hours = Decimal(found[2] or 0) * 24 + first
        return _as_number(hours * 3600 + second * 60 + Decimal(third or 0))
    if unit in ("hms", "hm") and isinstance(value, str) and ":" in value:
        raise UnclearError("it is no length of time such as 00:03:20")
    number = to_decimal(value, decimal) * _FACTORS[unit]
    return None if number < 0 else _as_number(number)


def to_time(value: Any, rule: Rule) -> tuple[str | None, Fault | None]:
    """A time as RFC 3339 (in ISO form without an offset where nobody says one), with a remark on its zone.

    None for 0, which systems write for "never". UnclearError if it is no time.
    """
    moment = _parse_moment(value, rule)
    if moment is None:
        return None, None
    if moment.year >= _FIRST_BUDDHIST_YEAR:
        moment = _from_buddhist(moment)
    if moment.tzinfo is not None:
        return _to_rfc3339(moment), None
    if rule.zone is not None:
        return with_offset(moment, rule.zone)
    return moment.isoformat(), None


def _to_rfc3339(moment: datetime) -> str:
    text = moment.isoformat()
    return text.replace("+00:00", "Z") if moment.utcoffset() == timedelta() else text


def _from_buddhist(moment: datetime) -> datetime:
    try:
        return moment.replace(year=moment.year - _BUDDHIST)
    except ValueError:
        raise UnclearError("the day does not exist") from None


def _parse_moment(value: Any, rule: Rule) -> datetime | None:
    if isinstance(value, (bool, list, dict)):
        raise UnclearError("it is no time")
    text = str(value).strip().replace("\u202f", " ").replace("\u00a0", " ")
    if _EPOCH.fullmatch(text) and not _is_compact_date(text):
        return _from_epoch(Decimal(text))
    for format_ in rule.formats:
        try:
            return datetime.strptime(text, format_)
        except ValueError:
            continue
    if text[:4].isdigit():
        for iso in (text, _tidy_iso(text)) if len(text) > 19 else (text,):
            try:
                return datetime.fromisoformat(iso)
            except ValueError:
                continue
    return _from_numeric_day(text, rule.order)


def _is_compact_date(text: str) -> bool:
    return (
        len(text) in (8, 14)
        and re.match(r"(19|20|25)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", text) is not None
    )


def _tidy_iso(text: str) -> str:
    text = re.sub(r"(?:UTC|GMT)(?=[+-]\d)", "", text)
    text = re.sub(r"\s*(?:UTC|GMT|Z|z)$", "+00:00", text)
    return re.sub(r"\s+(?=[+-]\d{2}:?\d{2}$)", "", text)


def _from_epoch(number: Decimal) -> datetime | None:
    """A Unix time in seconds, or by its size in thousandths or millionths of them; None for 0 and -1."""
    if number <= 0:
        return None
    if number.adjusted() > 17:
        raise UnclearError("it is no time")
    factor = 1 if number < 10**11 else 1000 if number < 10**14 else 10**6
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(number * 10**6 / factor))
    except (OverflowError, InvalidOperation):
        raise UnclearError("it is no time") from None
    if moment.year < 1980:
        raise UnclearError("it is no time: the number is too small for a Unix time")
    return moment


def _from_named_day(text: str) -> datetime | None:
    """A time whose month is an English word (`Tue Oct 31 22:10:47 +0000 2017`, `14 Sep 2026, 9:12 AM`)."""
    found = _MONTH.search(text) if len(text) < _LONGEST_NAMED else None
    if found is None:
        return None
    month = _MONTHS.index(found[1][:3].casefold()) + 1
    rest = f"{text[: found.start()]} {text[found.end() :]}"
    clock = _CLOCK_IN.search(rest)
    outside = rest if clock is None else f"{rest[: clock.start()]} {rest[clock.end() :]}"
    numbers = re.findall(r"\d+", outside)
    if len(numbers) != 2:
        return None
    day, year = sorted(numbers, key=len) if len(numbers[0]) != len(numbers[1]) else numbers
    hour = int(clock[1]) if clock else 0
    if clock and clock[4]:
        hour = hour % 12 + (12 if clock[4] in "Pp" else 0)
    zone = _tidy_iso("2000-01-01T00:00:00" + (clock[5] or "" if clock else ""))
    try:
        return datetime(
            int(year) + (2000 if len(year) == 2 else 0), month, int(day), hour, int(clock[2]) if clock else 0,
            int(clock[3] or 0) if clock else 0, tzinfo=datetime.fromisoformat(zone).tzinfo,
        )  # fmt: skip
    except (ValueError, OverflowError):
        raise UnclearError("the day or the hour does not exist") from None


def _from_numeric_day(text: str, order: str) -> datetime:
    found = _NUMERIC_DAY.fullmatch(text)
    if found is None and (named := _from_named_day(text)) is not None:
        return named
    if found is None:
        raise UnclearError("the time is written in a way that is not known; say it with times.formats")
    day, month, year = _sort_day(found[1], found[2], found[3], order)
    hour = int(found[4] or 0)
    if found[8]:
        hour = hour % 12 + (12 if found[8] in "Pp" else 0)
    micros = int(Decimal(found[7] or 0) * 10**6)
    zone = _tidy_iso("2000-01-01T00:00:00" + (found[9] or ""))
    try:
        return datetime(
            year, month, day, hour, int(found[5] or 0), int(found[6] or 0), micros,
            datetime.fromisoformat(zone).tzinfo,
        )  # fmt: skip
    except ValueError:
        raise UnclearError("the day or the hour does not exist") from None


def _sort_day(first: str, second: str, third: str, order: str) -> tuple[int, int, int]:
    """Day, month, year. What can be told is told; else the order must be said."""
    if len(first) == 4:
        return int(third), int(second), int(first)
    a, b = int(first), int(second)
    year = int(third) + (2000 if len(third) <= 2 else 0)
    if order == "ymd":
        return int(third), b, a + 2000
    if order == "dmy" or (not order and a > 12):
        return a, b, year
    if order == "mdy" or (not order and b > 12):
        return b, a, year
    if a == b:
        return a, b, year
    raise UnclearError("day and month cannot be told apart; say times.order in the mapping, or --date-order")
