"""When a recording began that does not say so itself: as the user says, else as the file's name does."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from carelog.sources.blocks import Fault, ReadOptions

NO_START = Fault(
    "no_start",
    "the transcript does not say when the call began; say it with --start TIME, or put the time into the "
    "file's name (2026-09-14T09-12-05)",
    "/started_at",
)
_NAMED = re.compile(
    r"(?<!\d)(?P<y>20\d\d)[-_.]?(?P<mo>[01]\d)[-_.]?(?P<d>[0-3]\d)[T _-]*(?:at )?"
    r"(?P<h>[0-2]\d(?=[-_.:h \d])|\d(?=[.:h]))[-_.:h ]?(?P<mi>[0-5]\d)"
    r"(?:[-_.: ]?(?P<s>[0-5]\d)(?:\.\d{1,6}(?=Z))?)?(?:[\s_]?(?P<half>[AaPp])\.?[Mm]\b)?"
    r"(?P<utc>Z|[\s_]?UTC(?![+-]))?(?:(?:[\s_]?(?:GMT|UTC))?(?P<off>[+-][01]?\d(?::?[0-5]\d)?)(?!\d))?(?![\d:])"
)


def find_start(name: str, options: ReadOptions) -> str | None:
    """The beginning as ISO 8601, local where its offset is not known; None if nothing says it.

    Zoom names its files GMT20260914-091205, which is UTC.
    """
    if options.start:
        return options.start
    file = name.replace("\\", "/").rpartition("/")[2]
    found = _NAMED.search(file)
    if found is None:
        return None
    numbers = [int(found[part] or 0) for part in ("y", "mo", "d", "h", "mi", "s")]
    if found["half"]:
        numbers[3] = numbers[3] % 12 + 12 * (found["half"] in "Pp")
    try:
        moment = datetime(*numbers[:5], second=numbers[5])  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    is_utc = bool(found["utc"]) or file[: found.start()].upper().endswith("GMT")
    return moment.isoformat() + ("+00:00" if is_utc else _offset(found["off"], file[found.start() :]))


def _offset(text: str | None, named: str) -> str:
    """An offset, where it is written so that it is none of the numbers that file names end with (-1)."""
    digits = (text or "")[1:].replace(":", "")
    if text is None or (len(digits) < 4 and not re.search(rf"(?:GMT|UTC){re.escape(text)}", named)):
        return ""
    digits = f"{digits:>02}00" if len(digits) < 3 else f"{digits:>04}"
    return f"{text[0]}{digits[:2]}:{digits[2:4]}" if digits[:2] <= "14" else ""


def after(start: str | None, seconds: float) -> str:
    """The time so many seconds after the start; empty without a start or beyond the calendar."""
    if start is None:
        return ""
    try:
        return (datetime.fromisoformat(start) + timedelta(milliseconds=round(seconds * 1000))).isoformat()
    except OverflowError:
        return ""
