"""Deaf time is not silence: ruling Time 6, case by case. T0 is 10:00:00 UTC."""

from copy import deepcopy

import pytest

from support.engines import T0, World, instant, relative
from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.commands import Deaf
from tocsin.domain.facts import Fact, IncidentOpened, Missed, OutageRecorded, TimedOut, Unjudged
from tocsin.domain.instant import DAY, HOUR, MINUTE, SECOND
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.schedule import Cron, Interval, Rolling, Unit
from tocsin.domain.track import TrackFlag, Verdict

A, B = "a" * 32, "b" * 32
MINUTELY = (Cron("* * * * *"),)
HOURLY = (Cron("0 * * * *"),)
TEN_MINUTES = (Interval(10, Unit.MINUTE),)


def job(**fields: object) -> World:
    world = World()
    world.put(**{"schedules": HOURLY, "margin_ms": 5 * MINUTE, "max_runtime_ms": 10 * MINUTE, **fields})
    world.ok("10:00", pair=False)
    return world


def verdicts(facts: list[Fact]) -> list[str]:
    return [type(fact).__name__ for fact in facts if isinstance(fact, (Missed, TimedOut, Unjudged, IncidentOpened))]


def test_a_stop_of_ten_minutes_gives_unknown_for_what_fell_due_and_no_incident() -> None:
    world = World()
    for number in range(20):
        world.put(0, f"job-{number}", schedules=MINUTELY, margin_ms=MINUTE, failure_threshold=1)
        world.ok("00:00", monitor_id=f"job-{number}")
    world.deaf("00:30", "10:30")
    world.restart()
    world.tick("10:30")
    assert len(world.of(Unjudged)) == 20  # one for each, not one for each slot
    assert {relative(fact.check_in.expected_time) for fact in world.of(Unjudged)} == {"0:01:00"}
    assert (world.of(Missed), world.incidents()) == ([], [])
    assert {relative(track.expected) for track in world.kept.tracks.values()} == {"0:11:00"}
    (outage,) = world.kept.outages
    assert (outage.unknown_count, outage.shown, outage.end_time - outage.start_time) == (20, True, 10 * MINUTE)


# -- a deadline inside


def test_a_deadline_inside_is_unknown_and_waits_anew_after() -> None:
    world = job()
    world.deaf("1:01:00", "1:30:00")
    assert world.history()[1:] == [("unknown", "1:00:00")]
    track = world.track()
    assert (relative(track.expected), relative(track.deadline)) == ("2:00:00", "2:05:00")
    assert (track.failures, track.misses, track.unknown_count) == (0, 0, 1)
    assert verdicts(world.facts) == ["Unjudged"]
    world.tick("2:05:00.001")
    assert world.history()[2:] == [("missed", "2:00:00")]  # an ordinary miss again


@pytest.mark.parametrize(
    ("since", "until", "state"),
    [
        ("1:05:00", "1:05:00.001", "unknown"),  # a report in the millisecond of the deadline would have been on time
        ("1:04:59.999", "1:05:00", "unknown"),
        ("1:05:00.001", "1:30:00", "missed"),  # it was over, and we were listening: slow, not deaf
    ],
)
def test_the_edges_of_a_deadline(since: str, until: str, state: str) -> None:
    world = job()
    world.deaf(since, until)
    assert world.history()[1:] == [(state, "1:00:00")]


def test_what_was_due_before_is_missed_although_nobody_had_ticked() -> None:
    world = job(schedules=MINUTELY, margin_ms=MINUTE)
    world.deaf("14:00", "30:00")
    assert world.history()[1:] == [("missed", "0:11:00"), ("missed", "0:12:00"), ("unknown", "0:13:00")]


def test_days_without_ears_are_one_unknown() -> None:
    world = job(schedules=MINUTELY)
    world.deaf("10:30", instant("10:30") + 5 * DAY)
    assert [state for state, _ in world.history()] == ["ok", "unknown"]
    assert world.track().expected == instant("11:00") + 5 * DAY


# -- a window that overlaps


def test_a_window_that_overlaps_is_moved_by_the_overlap() -> None:
    world = job()
    world.deaf("59:00", "1:02:00")
    track = world.track()
    assert (relative(track.expected), relative(track.deadline)) == ("1:00:00", "1:07:00")
    assert track.flags & TrackFlag.DEAFENED
    assert world.engine.next_deadline() == track.deadline
    assert world.tick("1:07:00") == []
    assert verdicts(world.tick("1:07:00.001")) == ["Unjudged"]
    assert world.history()[1:] == [("unknown", "1:00:00")]
    assert relative(world.track().expected) == "2:00:00"
    assert verdicts(world.tick("2:05:00.001")) == ["IncidentOpened", "Missed"]


def test_a_report_in_a_moved_window_is_ordinary() -> None:
    world = job()
    world.deaf("1:01:00", "1:03:00")
    receipt = world.ok("1:06:30")
    assert (receipt.check_in.late, relative(receipt.check_in.expected_time)) == (False, "1:00:00")
    assert world.of(Unjudged) == []
    assert not world.track().flags & TrackFlag.DEAFENED
    assert verdicts(world.tick("2:05:00.001")) == ["IncidentOpened", "Missed"]


def test_one_millisecond_counts_too() -> None:
    world = job()
    world.deaf("1:01:00", "1:01:00.001")
    assert relative(world.track().deadline) == "1:05:01"  # whole seconds, rounded up
    assert verdicts(world.tick("1:05:01.001")) == ["Unjudged"]
    assert [outage.shown for outage in world.kept.outages] == [False]


def test_many_restarts_in_a_row_add_up() -> None:
    world = job()
    for second in range(10):
        at = instant("1:01:00") + 10 * second * SECOND
        world.deaf(at, at + 3 * SECOND)
        world.restart()
    assert relative(world.track().deadline) == "1:05:30"
    assert verdicts(world.tick("1:05:30.001")) == ["Unjudged"]
    assert world.incidents() == []


def test_a_moved_window_that_ends_inside_another_outage_is_unknown_once() -> None:
    world = job()
    world.deaf("1:01:00", "1:02:00")
    world.deaf("1:05:30", "1:20:00")
    assert world.history()[1:] == [("unknown", "1:00:00")]


@pytest.mark.parametrize("change", [{"failure_threshold": 3}, {"margin_ms": 6 * MINUTE}])
def test_a_change_of_the_monitor_does_not_forget_that_we_were_deaf(change: dict[str, int]) -> None:
    world = job()
    world.deaf("1:01:00", "1:03:00")
    world.put("1:03:30", **change)
    longer = change.get("margin_ms", 5 * MINUTE) - 5 * MINUTE
    assert world.track().deadline == instant("1:07:00") + longer
    assert verdicts(world.tick(instant("1:07:00") + longer + 1)) == ["Unjudged"]


# -- everything else


def test_everything_else_is_untouched_bit_by_bit() -> None:
    world = job()
    world.put("00:00", "new", schedules=MINUTELY)
    world.put("00:00", "none")
    world.ok("10:00", monitor_id="none")
    world.put("00:00", "rolling", schedules=(Rolling(DAY),))
    world.ok("10:00", monitor_id="rolling")
    world.put("00:00", "off", schedules=MINUTELY, disabled=True)
    before = deepcopy((world.kept.tracks, world.kept.check_ins, world.kept.monitors))
    due = world.engine.next_deadline()
    world.deaf("11:00", "1:00:00")
    assert (world.kept.tracks, world.kept.check_ins, world.kept.monitors) == before
    assert world.engine.next_deadline() == due
    assert [type(fact) for fact in world.facts[-1:]] == [OutageRecorded]
    assert world.kept.outages[0].unknown_count == 0


def test_time_that_has_been_judged_cannot_have_been_deaf() -> None:
    """A gap told after its time had been judged moves nothing, and nothing backward."""
    world = job()
    world.start("1:01:00", check_in_id=A)
    world.tick("1:04:00")
    before = deepcopy((world.kept.tracks, world.kept.check_ins))
    world.deaf("50:00", "1:02:00")
    world.deaf("1:04:00", "1:04:00")
    assert (world.kept.tracks, world.kept.check_ins, world.kept.outages) == (*before, [])
    assert world.engine.clock == instant("1:04:00")


def test_only_the_part_not_judged_yet_counts() -> None:
    world = job()
    world.tick("1:03:00")
    world.deaf("50:00", "1:04:00")
    assert relative(world.track().deadline) == "1:06:00"
    assert (world.kept.outages[0].start_time, world.kept.outages[0].end_time) == (
        instant("1:03:00"),
        instant("1:04:00"),
    )


def test_deaf_time_in_the_batch_of_what_went_before_it() -> None:
    for together in (False, True):
        world = World()
        world.put(schedules=MINUTELY, margin_ms=MINUTE)
        entries = [
            ("00:00", world.command(ReportKind.OK, "00:00")),
            ("05:00", Deaf(instant("00:30"), instant("05:00"), "store")),
        ]
        if together:
            world.together(*entries)
        else:
            for entry in entries:
                world.step(*entry)
        assert world.history() == [("ok", None), ("unknown", "0:01:00")]


# -- runs


def test_a_run_due_inside_is_unknown_and_a_late_end_closes_it() -> None:
    world = job(schedules=())
    world.start("11:00", check_in_id=A)
    world.deaf("15:00", "30:00")
    assert verdicts(world.facts) == ["Unjudged"]
    run = world.kept.check_ins[max(world.kept.check_ins)]
    assert (run.state, run.timeout_time, world.track().open_runs) == (State.UNKNOWN, None, 0)
    world.ok("31:00", check_in_id=A)
    assert (world.last.check_in.state, world.last.check_in.duration_ms) == (State.OK, 20 * MINUTE)
    assert world.track().verdict == Verdict.OK


def test_an_error_closes_an_unknown_run_as_an_error() -> None:
    world = job(schedules=())
    world.start("11:00", check_in_id=A)
    world.deaf("15:00", "30:00")
    world.error("31:00", check_in_id=A)
    assert [one.failure_count for one in world.incidents()] == [1]


def test_a_run_open_across_is_moved_and_unknown_when_it_runs_out() -> None:
    world = job(schedules=())
    world.start("11:00", check_in_id=A)
    world.deaf("12:00", "16:00")
    assert world.engine.next_deadline() == instant("25:00")
    assert world.tick("25:00") == []
    assert verdicts(world.tick("25:00.001")) == ["Unjudged"]
    assert (world.incidents(), world.track().timed_out_count) == ([], 0)


def test_a_run_that_showed_life_after_the_outage_times_out_as_ever() -> None:
    world = job(schedules=())
    world.start("11:00", check_in_id=A)
    world.deaf("12:00", "16:00")
    world.start("17:00", check_in_id=A)
    assert verdicts(world.tick("27:00.001")) == ["IncidentOpened", "TimedOut"]


def test_an_unknown_run_that_comes_back_to_life_times_out_as_ever() -> None:
    world = job(schedules=())
    world.start("11:00", check_in_id=A)
    world.deaf("12:00", "16:00")
    world.tick("26:00")
    world.start("30:00", check_in_id=A)
    assert verdicts(world.tick("40:00.001")) == ["IncidentOpened", "TimedOut"]


def test_a_run_without_a_limit_stays_open() -> None:
    world = job(schedules=(), max_runtime_ms=0)
    world.start("11:00", check_in_id=A)
    world.deaf("12:00", "48:00:00")
    assert world.track().open_runs == 1
    assert world.ok("48:00:01", check_in_id=A).check_in.state is State.OK


def test_a_run_that_was_due_before_timed_out() -> None:
    world = job(schedules=())
    world.start("11:00", check_in_id=A)
    world.deaf("22:00", "30:00")
    assert verdicts(world.facts) == ["IncidentOpened", "TimedOut"]


def test_slot_and_runs_of_one_track_each_by_its_own_case() -> None:
    world = job(max_runtime_ms=30 * MINUTE)
    world.start("40:00", check_in_id=A)  # due 1:10, inside
    world.start("58:00", check_in_id=B)  # due 1:28, later
    world.deaf("1:02:00", "1:20:00")
    states = {run.id[0]: run.state.value for run in world.kept.check_ins.values() if run.id in (A, B)}
    assert states == {"a": "unknown", "b": "in_progress"}
    assert world.engine.next_deadline() == instant("1:46:00")
    assert world.kept.outages[0].unknown_count == 2


# -- after UNKNOWN


def test_an_unknown_slot_neither_opens_nor_resolves() -> None:
    world = job(failure_threshold=2, recovery_threshold=2)
    world.error("11:00")
    world.deaf("1:01:00", "1:30:00")
    assert world.track().failures == 1
    world.error("1:31:00")
    assert len(world.incidents(open_only=True)) == 1
    world.deaf("2:01:00", "2:30:00")
    assert len(world.incidents(open_only=True)) == 1


def test_a_report_after_an_unknown_slot_is_late_for_it() -> None:
    world = job()
    world.deaf("1:01:00", "1:30:00")
    unknown = world.of(Unjudged)[0].check_in
    world.ok("1:31:00")
    assert (world.last.check_in.late, world.last.check_in.satisfies) == (True, unknown.number)
    assert world.kept.check_ins[unknown.number].state is State.UNKNOWN  # without a time of its own it proves nothing


# -- spread


@pytest.mark.parametrize(
    ("schedule", "most"),
    [(Interval(10, Unit.MINUTE), MINUTE), (Interval(1, Unit.MINUTE), 6 * SECOND), (Rolling(DAY), MINUTE)],
)
def test_timers_are_spread_but_not_far(schedule: Interval | Rolling, most: int) -> None:
    world = World()
    for number in range(50):
        world.put(0, f"job-{number}", schedules=(schedule,), margin_ms=SECOND)
        world.ok("00:00", monitor_id=f"job-{number}")
    period = world.track(monitor_id="job-0").expected - T0
    until = T0 + period + HOUR
    world.deaf(T0 + period, until)
    moved = [track.expected - until - period for track in world.kept.tracks.values()]
    assert 0 <= min(moved) <= max(moved) <= most
    assert len(set(moved)) > 40
    assert max(moved) > most // 2


def test_a_grid_is_not_spread() -> None:
    world = World()
    for number in range(10):
        world.put(0, f"job-{number}", schedules=HOURLY)
        world.ok("00:00", monitor_id=f"job-{number}")
    world.deaf("1:00:00", "2:30:00")
    assert {relative(track.expected) for track in world.kept.tracks.values()} == {"3:00:00"}


# -- deaf and quiet


def test_deaf_during_a_pause() -> None:
    world = job()
    world.start("11:00", check_in_id=A)
    world.put("12:00", paused_until=T0 + 3 * HOUR)
    world.deaf("20:00", "2:30:00")
    assert verdicts(world.facts) == []
    assert verdicts(world.tick("3:10:00.001")) == ["Unjudged"]  # its end may have been lost
    assert [fact.check_in.id for fact in world.of(Unjudged)] == [A]


def test_a_pause_that_ends_while_nobody_listens() -> None:
    """The usual upgrade: everything paused for an hour, the server away for two."""
    world = job(schedules=MINUTELY, margin_ms=MINUTE)
    world.put("10:30", paused_until=T0 + HOUR)
    world.deaf("30:00", "2:00:00")
    world.restart()
    world.tick("2:01:00")
    assert (world.of(Missed), world.incidents()) == ([], [])
    assert [relative(fact.check_in.expected_time) for fact in world.of(Unjudged)] == ["1:01:00"]
    assert relative(world.track().expected) == "2:01:00"


def test_a_pause_that_ends_just_before_it_is_over() -> None:
    world = job(schedules=HOURLY)
    world.put("10:30", paused_until=instant("59:00"))
    world.deaf("30:00", "1:01:00")
    assert (relative(world.track().expected), relative(world.track().deadline)) == ("1:00:00", "1:06:00")
    assert verdicts(world.tick("1:06:00.001")) == ["Unjudged"]


def test_the_clock_is_where_the_outage_ended() -> None:
    world = job()
    world.deaf("20:00", "30:00")
    assert world.engine.clock == instant("30:00") == world.kept.clock
    assert [fact.length_ms for fact in world.of(OutageRecorded)] == [10 * MINUTE]


@pytest.mark.parametrize(("length", "shown"), [(29_999, False), (30_000, True)])
def test_thirty_seconds_decide_only_whether_it_is_shown(length: int, shown: bool) -> None:
    world = job()
    at = instant("1:05:00")
    world.deaf(at, at + length)
    assert world.kept.outages[0].shown == shown
    assert world.history()[1:] == [("unknown", "1:00:00")]


def test_an_upsert_after_an_outage_changes_no_case() -> None:
    world = job()
    world.deaf("1:01:00", "1:03:00")
    world.report("1:04:00", ReportKind.NOTE, upsert=MonitorChange(tolerance={"recovery_threshold": 2}))
    assert verdicts(world.tick("1:07:00.001")) == ["Unjudged"]
