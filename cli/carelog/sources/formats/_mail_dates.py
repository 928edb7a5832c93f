"""When a mail was sent: the Date header as mailers write it (and get it wrong), else what else tells it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

from carelog.sources.blocks import Fault
from carelog.sources.clocks import with_offset
from carelog.sources.formats._mail_headers import Headers

Hint = tuple[str, datetime]
"""What besides its headers tells when a mail was sent, in words, and the time (aware, or local)."""

_CLOCK = re.compile(
    r"\d{1,2}[:.]\d{1,2}(?:[:.]\d{1,2})?(?:[.,]\d{1,9})?(?:\s*([AP])\.?M\b\.?)?", re.IGNORECASE
)
_ZONE = re.compile(
    r"(?:(?:GMT|UTC?)\s*)?([+-])(\d{2}):?(\d{2})(?!\d)|(?:GMT|UTC?)\s*([+-])(\d{1,2})(?![\d:])"
    r"|(?<![A-Za-z])([A-Z]{1,5})(?![A-Za-z])"
)
_PLAIN = re.compile(
    r"\s*(?:[A-Za-z]{3},\s+)?(\d{1,2}) ([A-Za-z]{3}) ([12][019]\d\d) ([01]\d|"
    r"2[0-3]):([0-5]\d):([0-6]\d) ([+-])([01]\d)([0-5]\d)"
    r"(?!\d)"
)
_ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_COMMENT = re.compile(r"\([^()]*\)?")
# Zones of one meaning; of IST, CST (China's or America's) and BST there are several.
_NAMED = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "MET": 1, "CEST": 2, "MEST": 2,
    "EET": 2, "EEST": 3, "SAST": 2, "MSK": 3, "PKT": 5, "ICT": 7, "WIB": 7, "HKT": 8, "SGT": 8, "MYT": 8,
    "PHT": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "BRT": -3, "EST": -5,
    "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PDT": -7, "PST": -8, "AKST": -9, "HST": -10,
}  # fmt: skip
_NAMED["CST"] = -6  # RFC 5322 gives these letters that meaning.
_ISO = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})[T ,]+(\d{1,2}):(\d{2})(?::(\d{2}))?")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)T?(\d\d)(\d\d)(\d\d)(?!\d)")
_MONTH = re.compile(r"[^\W\d_]{3,10}\.?")
# As mailers write them that think the header is for people: the first letters, for those of other letters
# than English.
_MONTHS = {
    "sept": "Sep", "janv": "Jan", "ene": "Jan", "gen": "Jan", "févr": "Feb", "fev": "Feb", "mär": "Mar",
    "mrz": "Mar", "maa": "Mar", "avr": "Apr", "abr": "Apr", "mai": "May", "mag": "May", "mei": "May",
    "juin": "Jun", "giu": "Jun", "juil": "Jul", "lug": "Jul", "août": "Aug", "ago": "Aug", "set": "Sep",
    "okt": "Oct", "out": "Oct", "ott": "Oct", "déc": "Dec", "dez": "Dec", "dic": "Dec",
}  # fmt: skip
_OTHERS = (
    "resent-date", "delivery-date", "x-delivery-date", "x-original-date", "posted-date", "posting-date",
    "x-originalarrivaltime", "date-received", "x-received-date", "x-date", "sent", "nntp-posting-date",
)  # fmt: skip
_BUDDHIST = 543
_LATE = timedelta(days=1)
_MOST_RECEIVED = 20


def find_time(
    headers: Headers, hints: Sequence[Hint], zone: str | None, remarks: list[Fault]
) -> tuple[datetime | None, str | None]:
    """When it was sent, and the same as RFC 3339 (None where nothing tells the offset).

    The Date header; where that is missing, has no zone or lies more than a day after the mail arrived, the
    newest Received header, then other headers and the `hints`, in order. Local times are those of `zone`.
    """
    sent, is_possible = parse_date(headers.text("date"))
    sent = sent if is_possible else None
    arrived = next(_received(headers), None)
    if sent is not None and sent.tzinfo is not None and (arrived is None or sent <= arrived + _LATE):
        return sent, to_rfc3339(sent)
    others = [("a Received header", arrived)] if arrived is not None else []
    others += [*_other_headers(headers), *hints]
    found = next(((what, at) for what, at in others if at.tzinfo is not None), None)
    if found is not None:
        why = "is missing or cannot be" if sent is None else "has no time zone"
        why = why if sent is None or sent.tzinfo is None else "is later than the day it was received"
        remarks.append(Fault("date_mended", f"the Date header {why}; the time is that of {found[0]}"))
        return found[1], to_rfc3339(found[1])
    what, local = ("", sent) if sent is not None else next(iter(others), ("", None))
    if local is None or zone is None:
        return local, None
    text, remark = with_offset(local, zone)
    remarks.extend([remark] if remark is not None else [])
    if what:
        remarks.append(
            Fault("date_mended", f"the Date header is missing or cannot be; the time is that of {what}")
        )
    return datetime.fromisoformat(text), text


def _received(headers: Headers) -> Iterator[datetime]:
    """The times in the Received headers, the newest first; those without a zone tell nothing."""
    for value in headers.raw("received", "x-received")[:_MOST_RECEIVED]:
        moment, is_possible = parse_date(value.rpartition(b";")[2].decode("ascii", "replace"))
        if moment is not None and is_possible and moment.tzinfo is not None:
            yield moment


def _other_headers(headers: Headers) -> Iterator[Hint]:
    for name in _OTHERS:
        moment, is_possible = parse_date(headers.text(name))
        if moment is not None and is_possible:
            yield f"the header {name.title()}", moment


def parse_date(text: str) -> tuple[datetime | None, bool]:
    """The time in a Date header, aware if it carries an offset, and whether it is one that can be meant.

    `-0000` is UTC (RFC 5322, 3.3). Names of zones that mean several, such as IST, count as no offset.
    """
    plain = _PLAIN.match(text)
    if plain is not None and plain[2].title() in _ENGLISH:
        return _parse_plain(plain)
    # Comments such as (JST) may not hide the offset before them.
    bare = _COMMENT.sub(" ", text[:200]).strip().strip("\"'")
    parsed = _parse(bare)
    if parsed is None:
        return None, False
    if 2400 <= parsed.year < 3000:
        parsed = (
            parsed.replace(year=parsed.year - _BUDDHIST) if (parsed.month, parsed.day) != (2, 29) else None
        )
    if parsed is None or not 1900 <= parsed.year < 3000:
        return None, False
    offset = _offset_of(bare)
    if offset is None:
        offset = _offset_of(" ".join(_COMMENT.findall(text[:200])))
    moment = parsed if offset is None else parsed.replace(tzinfo=timezone(offset))
    return moment, parsed.year >= 1990


def _parse_plain(found: re.Match[str]) -> tuple[datetime | None, bool]:
    """A date as RFC 5322 has it, which nearly all are: without looking for anything else."""
    day, _, year, hour, minute, second, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    zone = timezone(-offset if sign == "-" else offset)
    month = _ENGLISH.index(found[2].title()) + 1
    try:
        moment = datetime(
            int(year), month, int(day), int(hour), int(minute), min(int(second), 59), tzinfo=zone
        )
    except ValueError:
        return None, False
    return moment, moment.year >= 1990


def _parse(text: str) -> datetime | None:
    found = _ISO.match(text)
    numbers = found.group(1, 3, 4, 5, 6, 7) if found is not None else None
    if numbers is None and (compact := _COMPACT.match(text)) is not None:
        numbers = compact.groups()
    try:
        if numbers is not None:
            year, month, day, hour, minute, second = (int(digits or 0) for digits in numbers)
        else:
            fields = _fields_of(text)
            if fields is None:
                return None
            year, month, day, hour, minute, second = fields
            # Years of three digits count from 1900 (RFC 5322, 4.3).
            year += 1900 if 100 <= year < 200 else 0
        late = timedelta(days=1) if (hour, minute) == (24, 0) else timedelta()
        return datetime(year, month, day, hour % 24 if late else hour, minute, min(second, 59)) + late
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None


def _fields_of(text: str) -> tuple[int, ...] | None:
    """Year to second of a date with the month's name."""
    clock = _CLOCK.search(text)
    if clock is None:
        return None
    hour, minute, second, *_ = [int(n) for n in re.split(r"[:.,]|\s", clock[0])[:3] if n.isdigit()] + [0, 0]
    if clock[1]:
        hour = hour % 12 + (12 if clock[1] in "pP" else 0)
    words = text[: clock.start()] + f"{hour:02}:{minute:02}:{second:02} " + text[clock.end() :]
    fields = parsedate_tz(_MONTH.sub(_to_english, words))
    return None if fields is None else (*fields[:3], hour, minute, second)


def _to_english(found: re.Match[str]) -> str:
    word = found[0].rstrip(".").casefold()
    return next((month for start, month in _MONTHS.items() if word.startswith(start)), found[0].rstrip("."))


def _offset_of(text: str) -> timedelta | None:
    clock = _CLOCK.search(text)
    for found in _ZONE.finditer(text, clock.end() if clock else 0):
        sign, hours, minutes = found[1] or found[4], int(found[2] or found[5] or 0), int(found[3] or 0)
        if sign is None and found[6] in _NAMED:
            return timedelta(hours=_NAMED[found[6]])
        if sign is not None:
            offset = timedelta(hours=hours, minutes=minutes)
            return None if hours > 18 or minutes > 59 else -offset if sign == "-" else offset
    return None


def to_rfc3339(moment: datetime) -> str:
    """A time as RFC 3339 with its own offset; without one if it has none."""
    text = moment.isoformat(timespec="seconds" if moment.microsecond == 0 else "auto")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def from_seconds(seconds: int) -> datetime:
    """A time so many seconds after the beginning of 1970."""
    return datetime.fromtimestamp(seconds, UTC)
