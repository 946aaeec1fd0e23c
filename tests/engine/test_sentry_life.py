"""Rules of Sentry's engine that no other test here shows row by row. T0 is 10:00:00 UTC; times are relative."""

from collections.abc import Callable

import pytest

from support.engines import T0, World, instant, relative
from tocsin.domain.check_in import MAX_DURATION, ReportKind, State
from tocsin.domain.facts import IncidentOpened, Missed, TimedOut, Unjudged
from tocsin.domain.instant import DAY, HOUR, MINUTE, NEVER
from tocsin.domain.schedule import Cron, Interval, Unit
from tocsin.domain.track import Health, Verdict

A, B = "a" * 32, "b" * 32
HOURLY = (Cron("0 * * * *"),)
TEN_MINUTES = (Interval(10, Unit.MINUTE, truncate_to_minute=True),)
START, BEAT, OK, ERROR = ReportKind.START, ReportKind.BEAT, ReportKind.OK, ReportKind.ERROR


def job(**fields: object) -> World:
    """As a configuration of Sentry's makes it."""
    world = World()
    world.put(
        **{
            "schedules": TEN_MINUTES,
            "margin_ms": MINUTE,
            "max_runtime_ms": 30 * MINUTE,
            "round_to_minute": True,
            **fields,
        }
    )
    return world


# -- 4.2: the zero id


@pytest.mark.parametrize("kind", [OK, ERROR])
def test_the_zero_id_ends_the_newest_open_run_although_a_newer_one_has_ended(kind: ReportKind) -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    world.ok("01:00", check_in_id=B)
    assert world.report("02:00", kind).check_in.id == A


@pytest.mark.parametrize("kind", [START, OK, ERROR])
def test_the_zero_id_without_an_open_run_makes_a_new_one(kind: ReportKind) -> None:
    world = job()
    world.ok("00:00", check_in_id=A)
    receipt = world.report("01:00", kind)
    assert receipt.created
    assert receipt.check_in.id != A


# -- 4.3: each row of the update table


def run_in(state: State) -> World:
    world = job(schedules=())
    if state in (State.OK, State.ERROR):
        world.start("00:00", check_in_id=A)
        world.report("01:00", OK if state is State.OK else ERROR, check_in_id=A)
    else:
        world.start("00:00", check_in_id=A)
    if state is State.TIMED_OUT:
        world.tick("30:01")
    if state is State.UNKNOWN:
        world.deaf("10:00", "30:01")
    (run,) = world.kept.check_ins.values()
    assert run.state is state
    return world


def test_in_progress_meets_in_progress_a_heartbeat_moves_the_time_out() -> None:
    world = run_in(State.IN_PROGRESS)
    run = world.start("20:30", check_in_id=A).check_in
    assert (run.state, relative(run.timeout_time), relative(run.update_time)) == (
        State.IN_PROGRESS,
        "0:51:00",
        "0:20:30",
    )


@pytest.mark.parametrize("state", [State.IN_PROGRESS, State.UNKNOWN])
@pytest.mark.parametrize("kind", [OK, ERROR])
def test_an_open_or_unknown_run_meets_its_end(state: State, kind: ReportKind) -> None:
    world = run_in(state)
    run = world.report("31:00", kind, check_in_id=A).check_in if state is State.UNKNOWN else None
    run = run or world.report("29:00", kind, check_in_id=A).check_in
    assert (run.state.value, run.timeout_time) == (kind.value, None)
    assert run.duration_ms == run.end_time - T0


def test_an_unknown_run_meets_in_progress_and_is_open_again() -> None:
    run = run_in(State.UNKNOWN).start("31:00", check_in_id=A)
    assert (run.check_in.state, relative(run.check_in.timeout_time)) == (State.IN_PROGRESS, "1:01:00")


@pytest.mark.parametrize("state", [State.OK, State.ERROR])
def test_an_ended_run_meets_its_start_and_notes_it(state: State) -> None:
    world = run_in(state)
    before = world.track().verdict
    receipt = world.start("02:00", check_in_id=A)
    assert (receipt.refusal, receipt.check_in.state, world.track().verdict) == (None, state, before)


@pytest.mark.parametrize("state", [State.OK, State.ERROR])
@pytest.mark.parametrize("kind", [OK, ERROR])
def test_an_ended_run_meets_another_end_and_refuses_it(state: State, kind: ReportKind) -> None:
    world = run_in(state)
    before = world.track()
    assert world.report("02:00", kind, check_in_id=A).refusal.reason == "CHECKIN_FINISHED"
    assert world.track() == before


@pytest.mark.parametrize("kind", [OK, ERROR])
def test_a_timed_out_run_meets_its_end_stays_timed_out_and_resolves_nothing(kind: ReportKind) -> None:
    world = run_in(State.TIMED_OUT)
    run = world.report("40:00", kind, check_in_id=A).check_in
    assert (run.state, run.duration_ms) == (State.TIMED_OUT, 40 * MINUTE)
    assert len(world.incidents(open_only=True)) == 1


def test_a_timed_out_run_meets_in_progress_and_refuses_it() -> None:
    assert run_in(State.TIMED_OUT).start("40:00", check_in_id=A).refusal.reason == "CHECKIN_FINISHED"


@pytest.mark.parametrize("state", [State.IN_PROGRESS, State.OK, State.TIMED_OUT, State.UNKNOWN])
@pytest.mark.parametrize("kind", [START, OK, ERROR])
def test_after_28_days_every_run_refuses_everything(state: State, kind: ReportKind) -> None:
    world = run_in(state)
    assert world.report(T0 + 28 * DAY, kind, check_in_id=A).refusal.reason == "CHECKIN_FINISHED"


def test_the_trace_is_that_of_the_first_check_in_of_a_run() -> None:
    world = job()
    world.start("00:00", check_in_id=A, trace_id=A)
    assert world.ok("01:00", check_in_id=A, trace_id=B).check_in.trace_id == A


# -- 4.4: what a new run holds


def test_a_new_run_in_progress() -> None:
    world = job()
    world.ok("00:00")
    run = world.start("05:30", check_in_id=A, duration_ms=7).check_in
    assert (relative(run.receive_time), relative(run.update_time), relative(run.start_time)) == ("0:05:30",) * 3
    assert relative(run.expected_time) == "0:10:00"  # what was waited for before this check-in moved it
    assert (relative(run.timeout_time), run.duration_ms) == ("0:36:00", 7)
    assert relative(world.track().expected) == "0:15:00"


@pytest.mark.parametrize("kind", [OK, ERROR])
def test_a_lone_end_is_an_ordinary_run_without_start_and_duration(kind: ReportKind) -> None:
    run = job().report("05:30", kind).check_in
    assert (run.start_time, run.timeout_time, run.duration_ms, run.expected_time) == (None, None, None, None)


# -- 4.5, 4.6


@pytest.mark.parametrize("sent", [0, 5, MAX_DURATION])
def test_a_duration_that_is_sent_wins_also_zero(sent: int) -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    assert world.ok("01:00", check_in_id=A, duration_ms=sent).check_in.duration_ms == sent


def test_a_duration_is_computed_at_the_end_not_at_a_heartbeat() -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    assert world.start("01:00", check_in_id=A).check_in.duration_ms is None
    assert world.ok("03:00", check_in_id=A).check_in.duration_ms == 3 * MINUTE


def test_a_computed_duration_above_the_most_is_refused() -> None:
    world = job(max_runtime_ms=0)
    world.start("00:00", check_in_id=A)
    assert world.ok(T0 + MAX_DURATION + 1, check_in_id=A).refusal.reason == "CHECKIN_INVALID_DURATION"
    assert world.ok(T0 + MAX_DURATION, check_in_id=A).check_in.duration_ms == MAX_DURATION


@pytest.mark.parametrize(("at", "timeout"), [("00:59", "0:02:00"), ("01:00", "0:02:00"), ("01:00.001", "0:03:00")])
def test_a_time_out_is_never_early(at: str, timeout: str) -> None:
    world = job(max_runtime_ms=MINUTE)
    assert relative(world.start(at, check_in_id=A).check_in.timeout_time) == timeout


# -- 5.2: each event, and what is waited for after it


def opened(world: World) -> None:
    world.start("10:30", check_in_id=B)


def kept_alive(world: World) -> None:
    world.start("10:30", check_in_id=A)


def ended_well(world: World) -> None:
    world.ok("10:30", check_in_id=A)


def ended_badly(world: World) -> None:
    world.error("10:30", check_in_id=A)


@pytest.mark.parametrize("event", [opened, kept_alive, ended_well, ended_badly])
def test_any_accepted_check_in_waits_from_its_time_of_receipt(event: Callable[[World], None]) -> None:
    world = job()
    world.start("05:00", check_in_id=A)
    event(world)
    track = world.track()
    assert (relative(track.last_check_in), relative(track.expected)) == ("0:10:30", "0:20:00")
    assert relative(track.deadline) == "0:21:00"


def test_a_late_close_of_a_timed_out_run_waits_from_its_time_of_receipt() -> None:
    world = job(schedules=HOURLY, max_runtime_ms=5 * MINUTE)
    world.start("00:00", check_in_id=A)
    world.tick("1:01:00.001")
    world.ok("2:00:30", check_in_id=A)
    assert relative(world.track().expected) == "3:00:00"


def test_a_time_out_does_not_move_what_is_waited_for() -> None:
    world = job(schedules=HOURLY, max_runtime_ms=5 * MINUTE)
    world.start("00:30", check_in_id=A)
    before = world.track().expected
    world.tick("59:00")
    assert len(world.of(TimedOut)) == 1
    assert world.track().expected == before == instant("1:00:00")


def test_a_miss_of_a_crontab_waits_for_the_first_slot_from_its_deadline_on() -> None:
    world = job(schedules=(Cron("*/10 * * * *"),), margin_ms=15 * MINUTE)
    world.ok("00:00")
    world.tick("25:00.001")
    assert (world.history()[1:], relative(world.track().expected)) == ([("missed", "0:10:00")], "0:30:00")


def test_a_miss_of_an_interval_counts_steps_from_the_missed_slot() -> None:
    world = job(margin_ms=15 * MINUTE)
    world.ok("00:30")
    world.tick("25:00.001")
    assert (world.history()[1:], relative(world.track().expected)) == ([("missed", "0:10:00")], "0:30:00")


def test_before_its_first_check_in_an_environment_waits_for_nothing() -> None:
    world = job()
    world.tick("9:00:00")
    assert (world.track().expected, world.history()) == (NEVER, [])
    world.start("9:00:30", check_in_id=A)
    assert relative(world.track().expected) == "9:10:00"


# -- 5.3: early and late


@pytest.mark.parametrize(("at", "slot"), [("1:49:00", "2:00:00"), ("1:58:59.999", "2:00:00"), ("1:59:00", "3:00:00")])
def test_early_is_at_most_a_minute_before_an_hourly_slot(at: str, slot: str) -> None:
    world = job(schedules=HOURLY)
    world.ok("1:30:00")
    run = world.ok(at).check_in
    assert relative(run.expected_time) == "2:00:00"
    assert relative(world.track().expected) == slot


@pytest.mark.parametrize(("at", "slot"), [("01:53.999", "0:02:00"), ("01:54", "0:03:00")])
def test_early_is_at_most_a_tenth_of_the_distance(at: str, slot: str) -> None:
    world = job(schedules=(Cron("* * * * *"),))
    world.ok("01:10")
    world.ok(at)
    assert relative(world.track().expected) == slot


def test_a_daily_job_two_seconds_early_satisfies_midnight() -> None:
    world = job(schedules=(Cron("0 0 * * *"),))
    world.ok("00:00")
    run = world.ok("13:59:58").check_in
    world.tick("14:05:00")
    assert (relative(run.expected_time), world.of(Missed)) == ("14:00:00", [])


def test_a_late_run_is_linked_to_its_missed_slot_the_miss_stays_and_the_next_slot_is_due() -> None:
    world = job(schedules=HOURLY)
    world.ok("30:00")
    world.tick("1:01:00.001")
    (missed,) = world.of(Missed)
    run = world.ok("1:02:00").check_in
    assert (run.late, run.satisfies, relative(run.expected_time)) == (True, missed.check_in.number, "1:00:00")
    assert world.history() == [("ok", None), ("missed", "1:00:00"), ("ok", "1:00:00")]
    world.tick("2:01:00.001")
    assert world.history()[-1] == ("missed", "2:00:00")


# -- 5.5: worked misses


def test_a_miss_is_dated_to_its_slot_and_is_no_check_in() -> None:
    """`* * * * *`, margin 1, last 12:00; 12:02."""
    world = job(schedules=(Cron("* * * * *"),))
    world.ok("00:00")
    world.tick("02:00.001")
    (missed,) = world.of(Missed)
    assert relative(missed.check_in.receive_time) == relative(missed.check_in.expected_time) == "0:01:00"
    track = world.track()
    assert (relative(track.expected), relative(track.last_check_in)) == ("0:02:00", "0:00:00")
    assert (track.verdict, track.health) == (Verdict.MISSED, Health.UNHEALTHY)


def test_ticks_that_were_skipped_while_deaf_do_not_pile_up_misses() -> None:
    """Tick 12:02 skipped, next tick 12:04: we were deaf, so one UNKNOWN; slow instead, each slot is judged in order."""
    world = job(schedules=(Cron("* * * * *"),))
    world.ok("00:00")
    world.deaf("01:30", "03:30")
    world.tick("04:00")
    assert world.history()[1:] == [("unknown", "0:01:00")]
    assert relative(world.track().expected) == "0:04:00"


def test_a_time_out_while_a_newer_run_has_ended_well_leaves_the_environment_ok() -> None:
    """Daily, A open since yesterday, a newer ok exists."""
    world = job(schedules=(Cron("0 0 * * *"),), max_runtime_ms=30 * HOUR, margin_ms=HOUR)
    world.start("14:00:00", check_in_id=A)
    world.ok("38:00:00", check_in_id=B)
    world.tick("45:00:00")
    assert [fact.check_in.id for fact in world.of(TimedOut)] == [A]
    assert (world.track().health, world.of(IncidentOpened)) == (Health.HEALTHY, [])


# -- 6.3: what our own outage does


def test_one_unknown_for_each_environment_and_no_verdict() -> None:
    world = job(schedules=(Cron("* * * * *"),), failure_threshold=1)
    for environment in ("production", "staging"):
        world.ok("00:00", environment=environment)
    world.deaf("00:30", "30:00")
    assert len(world.of(Unjudged)) == 2
    for environment in ("production", "staging"):
        track = world.track(environment)
        assert (track.failures, track.misses, track.health) == (0, 0, Health.HEALTHY)
    assert (world.of(IncidentOpened), world.of(Missed)) == ([], [])


def test_a_check_in_since_makes_the_slot_no_victim_of_the_outage() -> None:
    world = job(schedules=HOURLY, margin_ms=10 * MINUTE)
    world.ok("30:00")
    world.ok("1:01:00")
    world.deaf("1:05:00", "1:15:00")
    assert world.of(Unjudged) == []


def test_a_run_open_over_an_outage_has_its_time_again_and_is_then_unknown() -> None:
    world = job(schedules=(), max_runtime_ms=30 * MINUTE)
    world.start("00:00", check_in_id=A)
    world.deaf("10:00", "20:00")
    (run,) = world.kept.check_ins.values()
    assert relative(run.timeout_time) == "0:40:00"
    world.tick("40:00.001")
    assert (world.history(), world.of(IncidentOpened)) == ([("unknown", None)], [])
