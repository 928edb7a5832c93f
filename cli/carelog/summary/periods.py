"""The report's period and the one it is compared with: spans of whole days in the report's zone."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from carelog.errors import UsageProblem
from carelog.summary.figures import Window


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` to `last`, both inclusive."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def to_window(self) -> Window:
        return Window(self.first.isoformat(), self.last.isoformat())


def parse_day(text: str, option: str, end: bool = False) -> date:
    """A day (2026-03-31), a month (2026-03) or a year (2026): its first day, or its last with `end`.
    UsageProblem else.
    """
    match = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", text)
    if not match:
        raise UsageProblem(
            f"{option} is no date", "write a day, a month or a year: 2026-03-31, 2026-03, 2026"
        )
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        if year is None or not 1900 <= year <= 2200:
            raise ValueError(text)
        if month is None:
            return date(year, 12, 31) if end else date(year, 1, 1)
        if day is None:
            return date(year, month, monthrange(year, month)[1] if end else 1)
        return date(year, month, day)
    except (ValueError, IndexError) as error:
        raise UsageProblem(f"{option} names a day that does not exist") from error


def choose_span(first: str | None, last: str | None, found: Span) -> Span:
    """The report's period: what was asked for, and where nothing was, the days that were `found`.
    UsageProblem if reversed.
    """
    start = parse_day(first, "--from") if first else found.first
    end = parse_day(last, "--to", end=True) if last else found.last
    if end < start and first and last:
        raise UsageProblem("--to is before --from")
    return Span(start, max(start, end))


def compared_span(compare: str, span: Span) -> Span:
    """The span that `--compare previous|year|FROM..TO` means beside `span`. UsageProblem if it means none.

    `previous`: the calendar months before where `span` is whole months, else as many days before. `year`: the
    same days a year earlier. A month or year alone is that month or year.
    """
    if compare == "previous":
        return _previous(span)
    if compare == "year":
        return Span(_year_before(span.first), _year_before(span.last))
    first, dots, last = compare.partition("..")
    if not dots and first[:1].isdigit():
        last = first
    elif not dots:
        raise UsageProblem(
            "--compare is neither previous nor year nor FROM..TO", "for example 2026-01..2026-03"
        )
    other = Span(parse_day(first, "--compare"), parse_day(last, "--compare", end=True))
    if other.last < other.first:
        raise UsageProblem("--compare ends before it begins")
    return other


def _previous(span: Span) -> Span:
    end = span.first - timedelta(days=1)
    months = whole_months(span)
    if not months:
        return Span(end - timedelta(days=span.days - 1), end)
    position = span.first.year * 12 + span.first.month - 1 - months
    return Span(date(position // 12, position % 12 + 1, 1), end)


def whole_months(span: Span) -> int:
    """How many calendar months `span` is made of; 0 if it does not begin and end with one."""
    last_day = monthrange(span.last.year, span.last.month)[1]
    if span.first.day != 1 or span.last.day != last_day:
        return 0
    return (span.last.year - span.first.year) * 12 + span.last.month - span.first.month + 1


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return date(day.year - 1, 2, 28)
