"""Local times that were written without an offset: the offset comes from a named zone, and where the clocks
were changed that is said.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from carelog.sources.blocks import Fault


@cache
def load_zone(name: str) -> ZoneInfo:
    """The zone of that IANA name; KeyError or ValueError if there is none."""
    return ZoneInfo(name)


def parse_local(text: str) -> datetime | None:
    """A date and time in ISO 8601 that carries no offset; None if it is anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is None and len(text) > len("2026-01-01") else None


def with_offset(local: datetime, zone: str) -> tuple[str, Fault | None]:
    """A local time as RFC 3339, with a remark where the zone's clocks make it doubtful.

    A time that occurs twice (clocks set back) is taken as the first of the two; one that does not occur
    (clocks set forward) as if they had not been changed yet.
    """
    place = load_zone(zone)
    first, second = local.replace(tzinfo=place), local.replace(tzinfo=place, fold=1)
    text = _to_text(first)
    if first.utcoffset() == second.utcoffset():
        return text, None
    if (first.utcoffset() or timedelta()) > (second.utcoffset() or timedelta()):
        return text, Fault(
            "clock_fold", f"the time occurs twice in {zone} (clocks set back); the first is taken"
        )
    return text, Fault("clock_gap", f"the time does not occur in {zone} (clocks set forward)")


def _to_text(moment: datetime) -> str:
    # Zones of before 1972 can have seconds in their offset, which RFC 3339 cannot write.
    offset = moment.utcoffset() or timedelta()
    text = moment.replace(tzinfo=None).isoformat()
    minutes = round(offset.total_seconds() / 60)
    if minutes == 0:
        return text + "Z"
    sign = "-" if minutes < 0 else "+"
    return f"{text}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
