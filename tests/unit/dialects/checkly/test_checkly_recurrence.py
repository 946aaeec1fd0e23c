"""Windows that come again fire on the same wall time, and on the last day of months that lack the day."""

import calendar
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.app.tzdata import read_zone
from tocsin.dialects.checkly.resources.recurrence import UNITS, Repeat, rule_of
from tocsin.schedule import Compiler, Zones

ZONES = ("UTC", "Europe/Vienna", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")


def wall_of(start: datetime, zone: str) -> int:
    return int(start.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC).timestamp())


def times(repeat: Repeat, start: datetime, zone: str, count: int) -> list[datetime]:
    compiler = Compiler(Zones(read_zone))
    number = compiler.compile((rule_of(repeat, wall_of(start, zone), zone),), field="rule")
    found, at = [], int(start.timestamp() * 1000) - 1
    while len(found) < count and (at := compiler.next_after(number, at)) < 2**62:
        found.append(datetime.fromtimestamp(at / 1000, UTC))
    return found


def expected(repeat: Repeat, start: datetime, zone: str, count: int) -> list[datetime]:
    """By the calendar, one by one."""
    local = start.astimezone(ZoneInfo(zone))
    found = []
    for step in range(count):
        much = step * repeat.interval
        if repeat.unit == "MONTH":
            year, month = divmod(local.month - 1 + much, 12)
            year, month = local.year + year, month + 1
            day = min(local.day, calendar.monthrange(year, month)[1])
            one = local.replace(year=year, month=month, day=day, fold=0)
        else:
            days = much * (7 if repeat.unit == "WEEK" else 1)
            one = (local.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=local.tzinfo, fold=0)
        instant = one.astimezone(UTC)
        if repeat.ends is not None and instant.timestamp() * 1000 > repeat.ends:
            break
        found.append(instant)
    return found


def test_a_window_on_the_31st_is_on_the_last_day_of_shorter_months():
    start = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    found = times(Repeat("MONTH", 1, None), start, "UTC", 5)
    assert [(one.month, one.day) for one in found] == [(1, 31), (2, 28), (3, 31), (4, 30), (5, 31)]
    assert {(one.hour, one.minute) for one in found} == {(9, 30)}


def test_local_time_is_kept_over_daylight_saving():
    start = datetime(2026, 3, 28, 1, 0, tzinfo=UTC)  # 02:00 in Vienna, the day before clocks go forward
    found = times(Repeat("WEEK", 1, None), start, "Europe/Vienna", 2)
    assert found == [start, datetime(2026, 4, 4, 0, 0, tzinfo=UTC)]


@pytest.mark.parametrize("unit", UNITS)
def test_no_time_begins_after_the_end(unit):
    start = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    ends = int(datetime(2026, 3, 31, 9, 30, tzinfo=UTC).timestamp() * 1000)
    found = times(Repeat(unit, 1, ends), start, "UTC", 1000)
    assert found == expected(Repeat(unit, 1, ends), start, "UTC", 1000)
    assert found[-1].timestamp() * 1000 <= ends


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(UNITS),
    st.integers(1, 365),
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from(ZONES),
)
def test_times_are_those_of_the_calendar(unit, interval, start, zone):
    start = start.replace(microsecond=0, tzinfo=UTC)
    if start.astimezone(ZoneInfo(zone)).fold:  # the second pass of an hour: the rule knows its first one only
        return
    repeat = Repeat(unit, min(interval, 100) if unit == "MONTH" else interval, None)
    assert times(repeat, start, zone, 8) == expected(repeat, start, zone, 8)
