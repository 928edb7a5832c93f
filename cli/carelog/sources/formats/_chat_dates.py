"""Dates in chats' text files: the order of day, month and year is not written anywhere, and Thai phones count
years from another beginning.

The order is told by all dates of the file together: one under which a date cannot be is out; of those left,
the one under which the dates go back least often, then the one under which they span by far the least time
(messages stand close together). Where that does not decide, the file is put aside: a guess would be wrong
for half of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from carelog.sources.blocks import Fault
from carelog.sources.formats._sessions import Said

ORDERS = ("dmy", "mdy", "ymd")
_BUDDHIST = 543
_LATE = re.compile(
    r"[Pp]\.?\s?[Mm]|下午|午後|오후|晚上|अपराह्न|म\.?उ|หลังเที่ยง|μ\.μ|пп|^م$|^CH$|^PTG$|^MD$|ب\.ظ|பிற்பகல்|ਬਾ|"
    r"сл\.об|^du"
)
_EARLY = re.compile(
    r"[Aa]\.?\s?[Mm]|上午|午前|오전|凌晨|清晨|早上|पूर्वाह्न|म\.?पू|ก่อนเที่ยง|π\.μ|дп|^ص$|^SA$|^PG$|^PD$|ق\.ظ|முற்பகல்|"
    r"ਪੂ|пр\.об|^de"
)

_EAST = re.compile(r"^([^\w\s]{0,3})(\d{4})[年년]\s?(\d{1,2})[月월]\s?(\d{1,2})[日일]")


_REIWA = re.compile(r"^([^\w\s]{0,3}(?:\d{1,2}/\d{1,2}/)?)R(\d{1,2})(?=[/,\s])")
_WEEKDAYS = (
    ("mon", "月", "一", "월", "จ", "sen"),
    ("tue", "火", "二", "화", "อ", "sel"),
    ("wed", "水", "三", "수", "พ", "rab"),
    ("thu", "木", "四", "목", "พฤ", "kam"),
    ("fri", "金", "五", "금", "ศ", "jum"),
    ("sat", "土", "六", "토", "ส", "sab"),
    ("sun", "日", "天", "일", "อา", "min"),
)
_THAI_DAYS = ("จันทร์", "อังคาร", "พุธ", "พฤหัส", "ศุกร์", "เสาร์", "อาทิตย์")


def weekday_of(text: str) -> int | None:
    """The day of the week (Monday is 0) that a word beside a date names; None if it is not known."""
    word = re.sub("[^\\w\u0e00-\u0e7f]|星期|周|週|曜日|요일", "", text).removeprefix("วัน").casefold()
    spelt = next((number for number, name in enumerate(_THAI_DAYS) if word.startswith(name)), None)
    return next((n for n, names in enumerate(_WEEKDAYS) if word[:3] in names), spelt)


def plain_dates(line: str) -> str:
    """A line whose date is written 2026年9月14日 (or 2026년 9월 14일), with that as 2026/9/14; and with 2026 for a
    year of the Japanese era, as in 9/14/R8.
    """
    if "R" in line[:16]:
        line = _REIWA.sub(lambda found: f"{found[1]}{2018 + int(found[2])}", line)
    return _EAST.sub(r"\1\2/\3/\4", line)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A date whose order is not known yet, as three numbers and the digits of the first, and a time of
    day.
    """

    parts: tuple[int, int, int] = (0, 0, 0)
    hour: int = 0
    minute: int = 0
    second: int = 0

    @classmethod
    def of(cls, found: re.Match[str]) -> Stamp:
        """From a match with the groups a, b, c, h, m, s, pre and post."""
        parts = int(found["a"]), int(found["b"]), int(found["c"])
        hour = to_hour(int(found["h"]), (found["pre"] or found["post"] or "").strip())
        return cls(parts, hour, int(found["m"]), int(found["s"] or 0))

    def to_text(self) -> str:
        """As six numbers between spaces."""
        return " ".join(map(str, (*self.parts, self.hour, self.minute, self.second)))

    @classmethod
    def parse(cls, text: str) -> Stamp:
        """From what `to_text` gives."""
        a, b, c, hour, minute, second = map(int, text.split())
        return cls((a, b, c), hour, minute, second)


def to_hour(hour: int, half: str) -> int:
    """The hour of 24 from an hour and the word for the half of the day that stands beside it, if any."""
    if _LATE.search(half):
        return hour + 12 if hour < 12 else hour
    return 0 if hour == 12 and _EARLY.search(half) else hour


def to_year(year: int) -> int:
    """The year of the Common Era; two digits from 58 on, and years from 2400 on, are of the Buddhist Era
    (messengers did not exist in 1958).
    """
    if year >= 2400:
        return year - _BUDDHIST
    if year >= 100:
        return year
    return year + 2000 if year < 58 else year + 2500 - _BUDDHIST


def to_date(parts: tuple[int, int, int], order: str) -> date | None:
    """The date that the three numbers are in this order; None if they are none."""
    named = dict(zip(order, parts, strict=True))
    year = to_year(named["y"])
    try:
        return date(year, named["m"], named["d"]) if 1990 <= year <= 2150 else None
    except ValueError:
        return None


@dataclass(slots=True)
class _Candidate:
    """What speaks for an order of the parts: how often the dates go back under it, and what they span."""

    wrong: int = 0
    back: int = 0
    first: date | None = None
    last: date | None = None
    high: date | None = None

    def note(self, day: date | None) -> None:
        if day is None:
            self.wrong += 1
            return
        self.back += self.high is not None and day < self.high - timedelta(days=1)
        self.first = day if self.first is None else min(self.first, day)
        self.high = day
        self.last = day if self.last is None else max(self.last, day)

    @property
    def span(self) -> int:
        return (self.last - self.first).days if self.first and self.last else 0


@dataclass(slots=True)
class DateEvidence:
    """All dates of a file, as evidence for the order of their parts."""

    orders: dict[str, _Candidate] = field(default_factory=lambda: {order: _Candidate() for order in ORDERS})
    count: int = 0
    last_parts: tuple[int, int, int] | None = None
    differs: bool = False
    is_assumed: bool = False
    proofs: Counter[str] = field(default_factory=Counter)

    def note(self, stamp: Stamp, weekday: int | None = None) -> None:
        """Take a date into account, with the day of the week (Monday is 0) that stands beside it."""
        if stamp.parts == self.last_parts:
            return
        self.last_parts = stamp.parts
        self.count += 1
        year_first = stamp.parts[0] > 31
        year_last = stamp.parts[2] > 31
        days: dict[str, date | None] = {}
        for order, candidate in self.orders.items():
            fits = order == "ymd" if year_first else order != "ymd" or not year_last
            days[order] = to_date(stamp.parts, order) if fits else None
            candidate.note(days[order])
            day = days[order]
            candidate.wrong += day is not None and weekday is not None and day.weekday() != weekday
        day_first, month_first = days["dmy"], days["mdy"]
        self.differs = self.differs or (day_first is not None and day_first != month_first)

    def note_proof(self, stamp: Stamp, day: str) -> None:
        """Take into account which day (eight digits) a date is, as the name of a picture of that day says."""
        for order in ORDERS:
            found = to_date(stamp.parts, order)
            self.proofs[order] += found is not None and found.strftime("%Y%m%d") == day

    def find_order(self, mark: str = "") -> str | None:
        """The order that the dates show; None if they leave it open. `mark` is what stands between their
        parts: no country writes the month first with dots or dashes.
        """
        # Damage to single lines must not decide: an order may be wrong for one date in twenty.
        least = min(candidate.wrong for candidate in self.orders.values())
        left = {o: c for o, c in self.orders.items() if c.wrong <= least + self.count // 20 and c.first}
        if not left:
            return None
        fewest = min(candidate.back for candidate in left.values())
        left = {o: c for o, c in left.items() if c.back == fewest}
        proven = [order for order in left if self.proofs[order] == max(self.proofs[o] for o in left)]
        if len(left) > 1 and len(proven) == 1:
            return proven[0]
        shortest = sorted(left, key=lambda order: left[order].span)
        if len(left) == 1 or (left[shortest[0]].span + 1) * 3 <= left[shortest[1]].span:
            return shortest[0]
        # Years of two digits at the beginning are rare: they must win by themselves.
        usual = [order for order in shortest if order != "ymd"]
        if usual and (len(usual) == 1 or not self.differs):
            return usual[0]
        self.is_assumed = "dmy" in usual and mark in (".", "-")
        return "dmy" if self.is_assumed else None

    def remarks(self, order: str | None, given: str | None) -> list[Fault]:
        """What is to be said of the order in force."""
        wrong = self.orders[order].wrong if order else 0
        if given and wrong:
            return [Fault("date_order", f"{wrong} dates cannot be read as {given}, which --date-order says")]
        if self.is_assumed and not given:
            told = "the dates were read with the day first, as they are written with dots or dashes"
            return [Fault("date_order", f"{told}; if that is wrong, say --date-order mdy")]
        return []


def unordered(zone: str | None) -> Fault:
    """Why the messages of a file have no time, and what to type; without a `zone` that has to be said as well."""
    told = "the dates do not show whether day or month stands first; say it with --date-order dmy (or mdy)"
    more = "" if zone is not None else ", and their time zone, for example --tz Asia/Bangkok"
    return Fault("date_order", told + more, "/started_at")


def to_local(messages: Iterable[Said], order: str | None) -> Iterator[Said]:
    """The messages with local times in ISO 8601 instead of what `Stamp.to_text` gave; where a date is none,
    with that of the message above. Without an order no message has a time.
    """
    last = ""
    for said in messages:
        stamp = Stamp.parse(said.at)
        day = to_date(stamp.parts, order) if order else None
        at = "" if day is None else _to_text(day, stamp)
        if day is None and order is not None:
            said.rest = {**said.rest, "date": said.at}
        last = at or last
        said.at = at or last
        yield said


def _to_text(day: date, stamp: Stamp) -> str:
    try:
        moment = datetime(day.year, day.month, day.day, stamp.hour % 24, stamp.minute, stamp.second)
    except ValueError:
        return ""
    # 24:00 is the end of the day.
    return (moment + timedelta(days=stamp.hour // 24)).isoformat()
