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
    r"(?P<h>[0-2]\d)[-_.:h]?(?P<mi>[0-5]\d)"
    r"(?:[-_.:]?(?P<s>[0-5]\d))?(?P<utc>Z|UTC)?(?![\d:])"
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
    try:
        moment = datetime(*numbers[:5], second=numbers[5])  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    is_utc = bool(found["utc"]) or file[: found.start()].upper().endswith("GMT")
    return moment.isoformat() + ("+00:00" if is_utc else "")


def after(start: str | None, seconds: float) -> str:
    """The time so many seconds after the start; empty without a start or beyond the calendar."""
    if start is None:
        return ""
    try:
        return (datetime.fromisoformat(start) + timedelta(milliseconds=round(seconds * 1000))).isoformat()
    except OverflowError:
        return ""
