"""Local times get the offset of a named zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carelog.columns import parse_time
from carelog.sources.clocks import parse_local, with_offset


@pytest.mark.parametrize(
    ("local", "zone", "text", "keyword"),
    [
        ("2026-03-10T09:15", "Asia/Kolkata", "2026-03-10T09:15:00+05:30", None),
        ("2026-03-10 09:15:00.5", "Asia/Bangkok", "2026-03-10T09:15:00.500000+07:00", None),
        ("2026-03-10T09:15:00", "UTC", "2026-03-10T09:15:00Z", None),
        ("2026-03-10T09:15:00", "America/St_Johns", "2026-03-10T09:15:00-02:30", None),
        ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T02:30:00+01:00", "clock_gap"),
        ("2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T02:30:00+02:00", "clock_fold"),
        ("1900-01-01T00:00:00", "Asia/Kolkata", "1900-01-01T00:00:00+05:21", None),
    ],
)
def test_a_local_time_gets_its_offset(local: str, zone: str, text: str, keyword: str | None) -> None:
    moment = parse_local(local)
    assert moment is not None
    got, remark = with_offset(moment, zone)
    assert (got, remark and remark.keyword) == (text, keyword)


@pytest.mark.parametrize("text", ["2026-03-10", "soon", "", "2026-03-10T09:15:00Z", "2026-03-10T09:15+05:30"])
def test_what_is_no_local_time_is_left_alone(text: str) -> None:
    assert parse_local(text) is None


@given(
    st.datetimes(datetime(1980, 1, 1), datetime(2040, 1, 1)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Manila"]),
)
def test_only_times_near_a_change_are_doubtful(local: datetime, zone: str) -> None:
    text, remark = with_offset(local, zone)
    moment = parse_time(text).astimezone(UTC)
    there = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert (there == local) == (remark is None or remark.keyword == "clock_fold")
    if remark is not None:
        hours = timedelta(hours=3)
        offsets = {(moment + step).astimezone(ZoneInfo(zone)).utcoffset() for step in (-hours, hours)}
        assert len(offsets) == 2
