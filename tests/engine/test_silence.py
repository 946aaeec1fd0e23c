"""Slots without a report: misses, worked by hand, in relative time. T0 is 10:00:00 UTC."""

import pytest

from support.engines import T0, World, instant, relative
from tocsin.domain.facts import IncidentOpened, Missed, TimedOut
from tocsin.domain.instant import MINUTE, NEVER
from tocsin.domain.monitor import ExpectFrom
from tocsin.domain.schedule import Cron, Interval, Rolling, Unit

EVERY_MINUTE = (Cron("* * * * *"),)
TEN_MINUTES = (Interval(10, Unit.MINUTE),)


def test_a_slot_is_missed_strictly_after_its_deadline() -> None:
    world = World()
    world.put(schedules=EVERY_MINUTE, margin_ms=MINUTE)
    world.ok("00:00")
    assert world.tick("02:00") == []  # a report in the same millisecond would be on time
    facts = world.tick("02:00.001")
    assert [type(fact) for fact in facts] == [IncidentOpened, Missed]
    missed = world.of(Missed)[0]
    assert relative(missed.deadline) == "0:02:00"
    assert world.history() == [("ok", None), ("missed", "0:01:00")]
    assert relative(world.track().expected) == "0:02:00"


def test_a_report_in_the_millisecond_of_the_deadline_is_on_time() -> None:
    world = World()
    world.put(schedules=EVERY_MINUTE, margin_ms=MINUTE)
    world.ok("00:00")
    world.ok("02:00")
    assert world.of(Missed) == []


def test_a_late_report_settles_its_own_track_first() -> None:
    world = World()
    world.put(schedules=EVERY_MINUTE, margin_ms=MINUTE)
    world.ok("00:00")
    world.ok("02:00.001")
    assert [run[0] for run in world.history()] == ["ok", "missed", "ok"]


def test_before_the_first_check_in_nothing_is_expected() -> None:
    world = World()
    world.put(schedules=EVERY_MINUTE)
    assert world.tick("9:00:00") == []
    assert world.track().expected == NEVER


def test_expect_from_creation() -> None:
    world = World()
    world.put(schedules=EVERY_MINUTE, margin_ms=MINUTE, expect_from=ExpectFrom.CREATION)
    world.tick("02:00.001")
    assert world.history() == [("missed", "0:01:00")]


def test_margin_longer_than_the_gap_swallows_slots() -> None:
    world = World()
    world.put(schedules=(Cron("*/5 * * * *"),), margin_ms=10 * MINUTE)
    world.ok("10:00")
    assert world.tick("25:00") == []
    world.tick("25:00.001")
    assert world.history()[1:] == [("missed", "0:15:00")]  # 0:20 is never reported
    assert relative(world.track().expected) == "0:25:00"


def test_a_daily_slot_falls_due_at_midnight_of_its_zone() -> None:
    world = World()
    world.put(schedules=(Cron("0 0 * * *", "Asia/Tokyo"),), margin_ms=MINUTE)  # midnight is 15:00 UTC
    world.ok("00:00")
    for hour in range(1, 6):
        assert world.tick(f"{hour}:00:00") == []
    assert world.tick("5:01:00") == []
    world.tick("5:01:00.001")
    assert world.history()[1:] == [("missed", "5:00:00")]
    assert relative(world.track().expected) == "29:00:00"


def test_an_interval_counts_from_the_last_report_and_rearms_from_the_missed_slot() -> None:
    world = World()
    world.put(schedules=TEN_MINUTES, margin_ms=5 * MINUTE)
    world.ok("00:00")
    assert world.tick("15:00") == []
    world.tick("15:00.001")
    assert world.history()[1:] == [("missed", "0:10:00")]
    assert relative(world.track().expected) == "0:20:00"
    assert relative(world.track().deadline) == "0:25:00"


def test_a_rolling_timer_starts_anew_at_the_deadline() -> None:
    world = World()
    world.put(schedules=(Rolling(10 * MINUTE),), margin_ms=5 * MINUTE)
    world.ok("00:00")
    world.tick("15:00.001")
    assert world.history()[1:] == [("missed", "0:10:00")]
    assert relative(world.track().expected) == "0:25:00"


def test_a_slow_engine_judges_every_slot_in_order() -> None:
    world = World()
    world.put(schedules=EVERY_MINUTE, margin_ms=MINUTE)
    world.ok("00:00")
    world.tick("05:30")
    assert world.history()[1:] == [("missed", f"0:0{minute}:00") for minute in (1, 2, 3, 4)]
    assert len(world.incidents()) == 1


def test_deadlines_are_whole_seconds_rounded_up() -> None:
    world = World()
    world.put(schedules=(Interval(5, Unit.SECOND),), margin_ms=1000)
    world.ok(T0 + 300)
    assert world.track().expected == T0 + 5300
    assert world.track().deadline == T0 + 7000


def test_early_arrival_satisfies_the_coming_slot() -> None:
    world = World()
    world.put(schedules=(Cron("0 * * * *"),), margin_ms=MINUTE)
    world.ok("30:00")
    world.ok("59:01")  # the window is a tenth of an hour, at most a minute: 59 s before is early enough
    assert relative(world.last.check_in.expected_time) == "1:00:00"
    assert relative(world.track().expected) == "2:00:00"


def test_two_seconds_early_every_day_is_never_missed() -> None:
    world = World()
    world.put(schedules=(Cron("0 0 * * *"),), margin_ms=MINUTE)
    world.ok("10:00")
    for day in range(3):
        midnight = instant("14:00:00") + day * 86_400_000
        world.ok(midnight - 2000)
        assert world.last.check_in.expected_time == midnight
        world.tick(midnight + 2 * MINUTE)
    assert world.of(Missed) == []


def test_too_early_does_not_satisfy() -> None:
    world = World()
    world.put(schedules=(Cron("0 * * * *"),), margin_ms=MINUTE)
    world.ok("30:00")
    world.ok("58:00")  # two minutes early
    world.tick("1:01:00.001")
    assert world.history()[-1] == ("missed", "1:00:00")


def test_intervals_have_no_early_window() -> None:
    world = World()
    world.put(schedules=TEN_MINUTES)
    world.ok("00:00")
    world.ok("09:59")
    assert relative(world.track().expected) == "0:19:59"


def test_a_late_arrival_is_linked_to_the_slot_it_missed() -> None:
    world = World()
    world.put(schedules=(Cron("0 * * * *"),), margin_ms=MINUTE)
    world.ok("00:00")
    world.tick("1:01:00.001")
    missed = world.of(Missed)[0].check_in
    world.ok("1:02:00")
    late = world.last.check_in
    assert (late.late, late.satisfies, late.expected_time) == (True, missed.number, missed.expected_time)
    assert relative(world.track().expected) == "2:00:00"  # the next slot stays due
    world.ok("1:03:00")
    assert not world.last.check_in.late  # one slot is answered once


def test_expected_never_moves_backward() -> None:
    world = World()
    world.put(schedules=(Cron("0 0 * * *"),))
    world.ok("10:00")
    midnight = instant("14:00:00")
    world.start(midnight - 2000, check_in_id="a" * 32)  # early: satisfies midnight
    world.ok(midnight - 1000, check_in_id="a" * 32)
    assert world.track().expected == midnight + 86_400_000


def test_miss_while_running_can_be_turned_off() -> None:
    world = World()
    world.put(schedules=(Cron("0 * * * *"),), margin_ms=MINUTE, max_runtime_ms=0, miss_while_running=False)
    world.start("00:00", check_in_id="a" * 32)
    world.tick("1:30:00")
    assert world.of(Missed) == []
    world.ok("1:40:00", check_in_id="a" * 32)
    world.tick("2:01:00.001")
    assert [relative(fact.check_in.expected_time) for fact in world.of(Missed)] == ["2:00:00"]


def test_hourly_job_that_runs_over_is_missed_as_sentry_does() -> None:
    world = World()
    world.put(schedules=(Cron("0 * * * *"),), margin_ms=MINUTE, max_runtime_ms=90 * MINUTE, round_to_minute=True)
    world.start("00:00", check_in_id="a" * 32)
    world.tick("1:01:00.001")
    assert world.history() == [("in_progress", None), ("missed", "1:00:00")]


def test_overlapping_runs_time_out_apart() -> None:
    world = World()
    world.put(schedules=(Cron("0 * * * *"),), max_runtime_ms=90 * MINUTE, round_to_minute=True)
    world.start("00:00", check_in_id="a" * 32)
    world.start("1:00:00", check_in_id="b" * 32)
    facts = world.tick("1:30:00.001")
    assert [fact.check_in.id for fact in facts if isinstance(fact, TimedOut)] == ["a" * 32]
    assert world.track().open_runs == 1
    assert relative(world.track().expected) == "2:00:00"
    assert len(world.incidents(open_only=True)) == 1


def test_a_time_out_of_an_older_run_does_not_overrule_a_newer_ok() -> None:
    world = World()
    world.put(schedules=(Cron("0 0 * * *"),), max_runtime_ms=60 * MINUTE)
    world.start("00:00", check_in_id="a" * 32)
    world.ok("30:00", pair=False)
    world.tick("1:00:00.001")
    assert [run[0] for run in world.history()] == ["timeout", "ok"]
    assert world.incidents() == []


def test_time_outs_of_sentry_are_rounded_up_to_the_minute() -> None:
    world = World()
    world.put(schedules=EVERY_MINUTE, margin_ms=60 * MINUTE, max_runtime_ms=MINUTE, round_to_minute=True)
    world.start("00:59", check_in_id="a" * 32)
    assert relative(world.last.check_in.timeout_time) == "0:02:00"


def test_keep_alive_moves_the_time_out() -> None:
    world = World()
    world.put(schedules=(Cron("0 0 * * *"),), max_runtime_ms=10 * MINUTE)
    world.start("00:00", check_in_id="a" * 32)
    world.start("09:00", check_in_id="a" * 32)
    assert world.tick("18:59") == []
    assert [type(fact) for fact in world.tick("19:00.001")] == [IncidentOpened, TimedOut]


@pytest.mark.parametrize("seconds", [0, 1, 59])
def test_no_limit_no_time_out(seconds: int) -> None:
    world = World()
    world.put(schedules=(), max_runtime_ms=0)
    world.start(T0 + seconds * 1000)
    assert world.tick("9999:00:00") == []


def test_a_monitor_without_schedule_is_never_due() -> None:
    world = World()
    world.put()
    world.ok("00:00")
    assert world.tick("9999:00:00") == []
    assert world.track().expected == NEVER
