"""Fire times around an instant, with what the clocks do there."""

import pytest

from tocsin.domain.schedule import Cron, Daily, DaylightPolicy, Rolling, RRule
from tocsin.schedule import ClockChange, Placement, fire_times, fire_times_before

MARCH = 1_774_612_800_000  # 2026-03-27 12:00Z
FORWARD = 1_774_746_000_000  # 2026-03-29 01:00Z, 02:00 in Vienna becomes 03:00
BACK = 1_792_890_000_000  # 2026-10-25 01:00Z, 03:00 becomes 02:00
HOUR = 3_600_000


def test_a_fire_time_that_is_moved_out_of_a_gap_is_marked(compiler):
    found = fire_times(compiler, (Cron("30 2 * * *", "Europe/Vienna"),), MARCH, 4)
    assert [(time.at_ms, time.utc_offset_s) for time in found] == [
        (1_774_661_400_000, 3600),  # 28 March 02:30
        (FORWARD, 7200),  # 29 March 03:00, for 02:30 does not exist
        (1_774_830_600_000, 7200),
        (1_774_917_000_000, 7200),
    ]
    assert [time.changes for time in found] == [(), (ClockChange(FORWARD, 3600),), (), ()]
    assert [time.placement for time in found] == [Placement.PLAIN, Placement.MOVED, Placement.PLAIN, Placement.PLAIN]


@pytest.mark.parametrize(
    "schedule", [Daily(("02:30",), "Europe/Vienna"), RRule("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "Europe/Vienna")]
)
def test_other_kinds_are_moved_too(compiler, schedule):
    assert fire_times(compiler, (schedule,), MARCH, 2)[1].placement is Placement.MOVED


def test_a_fire_time_that_is_there_by_itself_is_not_called_moved(compiler):
    found = fire_times(compiler, (Cron("0 * * * *", "Europe/Vienna"),), FORWARD - HOUR, 2)
    assert found[0].at_ms == FORWARD
    assert [time.placement for time in found] == [Placement.PLAIN, Placement.PLAIN]
    assert found[0].changes == (ClockChange(FORWARD, 3600),)


def test_both_passes_of_a_repeated_hour_are_named(compiler):
    schedule = Cron("30 2 * * *", "Europe/Vienna", DaylightPolicy.BOTH)
    found = fire_times(compiler, (schedule,), BACK - 2 * HOUR, 3)
    assert [time.placement for time in found] == [Placement.FIRST, Placement.SECOND, Placement.PLAIN]
    assert [time.changes for time in found] == [(), (ClockChange(BACK, -3600),), ()]


def test_a_window_ends_where_it_is_told_to(compiler):
    schedule = (Cron("0 * * * *"),)
    assert [time.at_ms for time in fire_times(compiler, schedule, 0, 9, until_ms=2 * HOUR)] == [HOUR, 2 * HOUR]
    assert fire_times(compiler, schedule, 0, 9, until_ms=HOUR - 1) == []


def test_fire_times_before_an_instant_ascend(compiler):
    assert [time.at_ms for time in fire_times_before(compiler, (Cron("0 * * * *"),), 3 * HOUR, 2)] == [HOUR, 2 * HOUR]
    assert [time.at_ms for time in fire_times_before(compiler, (Rolling(1000),), 5000, 2)] == [3000, 4000]
    rule = RRule("DTSTART:19700101T020000\nRRULE:FREQ=HOURLY;UNTIL=20990101T000000")
    assert [time.at_ms for time in fire_times_before(compiler, (rule,), 4 * HOUR, 9)] == [2 * HOUR, 3 * HOUR]
    assert fire_times_before(compiler, (), 0, 3) == []


def test_without_a_zone_and_without_a_schedule(compiler):
    assert [time.at_ms for time in fire_times(compiler, (Rolling(1000),), 0, 3)] == [1000, 2000, 3000]
    assert fire_times(compiler, (), 0, 3) == []
