"""What a report does to a run: the table cell by cell as the spec says it, then pairing, durations, order, retries."""

import pytest

from support.engines import T0, World, findable, instant, relative
from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.facts import Abandoned, CheckInRecorded, Missed, TimedOut
from tocsin.domain.instant import DAY, HOUR, MINUTE
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.schedule import Anchor, Cron, Interval, Unit
from tocsin.engine.filing import OPEN_RUNS_MAX

A, B, C = "a" * 32, "b" * 32, "c" * 32
MIDNIGHT = (Cron("0 0 * * *"),)  # 14 hours after T0: far from everything below
HOURLY = (Cron("0 * * * *"),)
START, BEAT, OK, ERROR, RESET, NOTE = ReportKind
REFUSED = "refused"


def job(**fields: object) -> World:
    world = World()
    world.put(**{"schedules": MIDNIGHT, "max_runtime_ms": 10 * MINUTE, **fields})
    return world


def in_state(state: State | None) -> tuple[World, str, int]:
    """A world in which the check-in with this id is in this state, and a time after that."""
    world = job()
    now = instant("05:00")
    if state in (State.OK, State.ERROR):
        world.report("00:00", OK if state is State.OK else ERROR, check_in_id=A)
    elif state is State.NOTE:
        return world, world.report("00:00", NOTE).check_in.id, now
    elif state is State.MISSED:
        world.ok("00:00")
        now = instant("14:05:00")
        world.tick(now)
        return world, world.of(Missed)[0].check_in.id, now
    elif state is State.ABANDONED:
        world, now = job(abandon_runs=True, max_runtime_ms=0), instant("72:00:01")
        world.start("00:00", check_in_id=A)
        world.tick(now)
    elif state is not None:
        world.start("00:00", check_in_id=A)
        if state is State.TIMED_OUT:
            now = instant("12:00")
            world.tick(now)
        if state is State.UNKNOWN:
            world.deaf("05:00", "12:00")
            now = instant("12:00")
    found = [run.state for run in world.kept.check_ins.values() if run.id == A]
    assert found == ([state] if state else [])
    return world, A, now


# The state of the check-in answered, and how many rows the report added. Sections 4.3 and 4.4 of the spec, and for
# what Sentry does not know (beats, resets, notes) the words of the report kinds.
CELLS = {
    None: {START: ("in_progress", 1), BEAT: ("in_progress", 1), OK: ("ok", 1), ERROR: ("error", 1)},
    State.IN_PROGRESS: {START: ("in_progress", 0), BEAT: ("in_progress", 0), OK: ("ok", 0), ERROR: ("error", 0)},
    State.UNKNOWN: {START: ("in_progress", 0), BEAT: ("in_progress", 0), OK: ("ok", 0), ERROR: ("error", 0)},
    State.ABANDONED: {START: ("in_progress", 0), BEAT: ("in_progress", 0), OK: ("ok", 0), ERROR: ("error", 0)},
    State.OK: {START: ("ok", 0), BEAT: ("ok", 0), OK: (REFUSED, 0), ERROR: (REFUSED, 0)},
    State.ERROR: {START: ("error", 0), BEAT: ("error", 0), OK: (REFUSED, 0), ERROR: (REFUSED, 0)},
    State.TIMED_OUT: {START: (REFUSED, 0), BEAT: (REFUSED, 0), OK: ("timeout", 0), ERROR: ("timeout", 0)},
    State.MISSED: {START: (REFUSED, 0), BEAT: (REFUSED, 0), OK: (REFUSED, 0), ERROR: (REFUSED, 0)},
    State.NOTE: {START: (REFUSED, 0), BEAT: (REFUSED, 0), OK: (REFUSED, 0), ERROR: (REFUSED, 0)},
}
for row in CELLS.values():
    row |= {RESET: ("ok", 1), NOTE: ("note", 1)}


@pytest.mark.parametrize("kind", ReportKind)
@pytest.mark.parametrize("state", [None, *State])
def test_every_cell(state: State | None, kind: ReportKind) -> None:
    world, identifier, now = in_state(state)
    before, rows = (world.track(), len(world.kept.check_ins))
    receipt = world.report(now, kind, check_in_id=identifier)
    expected, added = CELLS[state][kind]
    assert len(world.kept.check_ins) - rows == added
    assert receipt.created == bool(added)
    if expected == REFUSED:
        assert receipt.refusal.reason == "CHECKIN_FINISHED"
        assert receipt.check_in is None
        assert world.track() == before  # a dropped report does not touch the environment
    else:
        assert receipt.refusal is None
        assert receipt.check_in.state.value == expected
        assert world.track().open_runs == sum(run.state is State.IN_PROGRESS for run in world.kept.check_ins.values())


@pytest.mark.parametrize("kind", [START, BEAT])
def test_a_sign_of_life_moves_the_time_out(kind: ReportKind) -> None:
    for state, before in ((State.IN_PROGRESS, "0:10:00"), (State.UNKNOWN, None)):
        world, identifier, now = in_state(state)
        (run,) = world.kept.check_ins.values()
        assert relative(run.timeout_time) == before
        world.report(now, kind, check_in_id=identifier)
        assert world.last.check_in.timeout_time == now + 10 * MINUTE == world.engine.next_deadline()


@pytest.mark.parametrize("kind", [START, BEAT])
def test_a_start_after_the_end_is_noted_and_is_no_error(kind: ReportKind) -> None:
    world = job()
    world.ok("00:30", check_in_id=A)
    world.report("00:42", kind, check_in_id=A)
    run = world.last.check_in
    assert (run.state, relative(run.start_time), relative(run.end_time)) == (State.OK, "0:00:42", "0:00:30")
    assert run.duration_ms == 12_000  # the two messages came swapped: the time between them, either way round
    world.report("00:50", kind, check_in_id=A)
    assert (relative(world.last.check_in.start_time), world.last.check_in.duration_ms) == ("0:00:42", 12_000)
    assert world.track().open_runs == 0


def test_a_swapped_start_may_bring_the_duration() -> None:
    world = job()
    world.ok("00:30", check_in_id=A)
    world.start("00:42", check_in_id=A, duration_ms=7)
    assert world.last.check_in.duration_ms == 7


def test_a_late_end_of_a_timed_out_run_tells_its_duration() -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    world.tick("11:00")
    world.ok("12:00", check_in_id=A)
    run = world.last.check_in
    assert (run.state, run.duration_ms, relative(run.end_time)) == (State.TIMED_OUT, 12 * MINUTE, "0:12:00")
    assert world.track().last_duration == 12 * MINUTE
    assert world.track().ok_count == 0


def test_a_keep_alive_goes_no_further_than_28_days() -> None:
    world = job(max_runtime_ms=20 * DAY)
    world.start("00:00", check_in_id=A)
    world.start(T0 + 15 * DAY, check_in_id=A)
    assert world.last.check_in.timeout_time == T0 + 28 * DAY


# -- pairing without an id


def test_without_an_id_the_newest_open_run_ends() -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    world.start("01:00", check_in_id=B)
    world.ok("02:00")
    assert world.last.check_in.id == B
    world.error("03:00")
    assert world.last.check_in.id == A
    world.ok("04:00")
    assert world.last.created


def test_newest_is_by_arrival_also_when_an_older_run_came_back_to_life() -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    world.deaf("05:00", "12:00")
    world.start("13:00", check_in_id=B)
    world.start("14:00", check_in_id=A)  # was unknown, is alive: still the older run
    world.ok("15:00")
    assert world.last.check_in.id == B


def test_without_an_id_a_start_inside_the_same_slot_keeps_the_run_alive() -> None:
    world = job(schedules=HOURLY)
    first = world.start("00:05").check_in
    assert world.start("09:00").check_in.id == first.id
    assert not world.last.created
    assert relative(world.last.check_in.timeout_time) == "0:19:00"


def test_without_an_id_a_start_over_an_earlier_slot_is_the_next_run() -> None:
    world = job(schedules=HOURLY, max_runtime_ms=0)
    first = world.start("05:00").check_in
    second = world.start("1:00:00").check_in  # a slot boundary lies between
    assert (second.id != first.id, world.last.created, world.track().open_runs) == (True, True, 2)
    world.ok("1:10:00")
    assert world.last.check_in.id == second.id


def test_a_retry_without_an_id_is_a_sign_of_life() -> None:
    """Only the same id says that it is the same request; without one a second start is a second report."""
    world = job(schedules=(Interval(5, Unit.MINUTE),))
    world.start("00:00", retry_safe=True)
    world.start("04:00", retry_safe=True)
    assert relative(world.last.check_in.timeout_time) == "0:14:00"
    assert relative(world.track().expected) == "0:09:00"


def test_standing_alone_closes_nothing() -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    world.ok("01:00", pair=False)
    assert (world.last.created, world.track().open_runs) == (True, 1)


def test_a_series_pairs_its_own_runs() -> None:
    world = job()
    one, two = (world.start(at, series=name, pair=True).check_in for at, name in (("00:00", "x"), ("00:01", "y")))
    assert one.id != two.id
    assert world.ok("02:00", series="x").check_in.id == one.id
    assert world.ok("02:30", series="z").created  # nobody opened that one
    assert world.ok("03:00").check_in.id == two.id  # without a series: the newest of all


def test_an_open_run_that_is_too_old_is_not_paired() -> None:
    """Else one lost end would refuse every report without an id for ever."""
    world = job(schedules=(), max_runtime_ms=0)
    world.start("00:00")
    for kind in (START, OK):
        receipt = world.report(T0 + 28 * DAY, kind)
        assert receipt.refusal is None
    assert world.ok(T0 + 29 * DAY).created


# -- whose id is it


def test_another_environment() -> None:
    world = job()
    world.start("00:00", check_in_id=A, environment="staging")
    before = world.track("staging")
    receipt = world.ok("01:00", check_in_id=A, environment="production")
    assert receipt.refusal.reason == "CHECKIN_ENVIRONMENT_MISMATCH"
    assert "staging" in receipt.refusal.detail
    assert world.track("staging") == before
    assert world.ok("02:00", check_in_id=A).check_in.environment == "staging"  # unsaid: that of the run


def test_another_monitor() -> None:
    world = job()
    world.put("00:00", "other")
    world.start("00:00", check_in_id=A)
    receipt = world.ok("01:00", check_in_id=A, monitor_id="other")
    assert receipt.refusal.reason == "CHECKIN_GUID_PROJECT_MISMATCH"
    assert world.kept.check_ins[min(world.kept.check_ins)].state is State.IN_PROGRESS


def test_an_unknown_monitor() -> None:
    world = World()
    receipt = world.ok("00:00", monitor_id="nobody")
    assert (receipt.refusal.reason, receipt.refusal.dropped) == ("MONITOR_NOT_FOUND", True)
    assert world.kept.monitors == {}


@pytest.mark.parametrize(("age", "refused"), [(28 * DAY - 31_000, False), (28 * DAY - 30_000, True)])
def test_after_28_days_a_run_is_closed_for_ever(age: int, refused: bool) -> None:
    """From the whole minute of its first report; T0 + 30 s here."""
    world = job(max_runtime_ms=0)
    world.start("00:30", check_in_id=A)
    receipt = world.ok(instant("00:30") + age, check_in_id=A, duration_ms=5)
    assert (receipt.refusal is not None and receipt.refusal.reason == "CHECKIN_FINISHED") == refused


def test_a_longer_max_runtime_is_remembered_longer() -> None:
    world = job(max_runtime_ms=60 * DAY)
    world.start("00:00", check_in_id=A)
    assert world.start(T0 + 40 * DAY, check_in_id=A).check_in.timeout_time == T0 + 60 * DAY
    assert world.ok(T0 + 50 * DAY, check_in_id=A, duration_ms=1).check_in.state is State.OK


# -- durations


@pytest.mark.parametrize(("sent", "stored"), [(None, 90_000), (0, 0), (5, 5)])
def test_the_sent_duration_wins_and_zero_is_kept(sent: int | None, stored: int) -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    world.ok("01:30", check_in_id=A, duration_ms=sent)
    assert world.last.check_in.duration_ms == stored == world.track().last_duration


def test_a_keep_alive_computes_no_duration() -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    assert world.start("01:00", check_in_id=A).check_in.duration_ms is None
    assert world.ok("02:00", check_in_id=A).check_in.duration_ms == 2 * MINUTE


def test_a_duration_told_by_the_start_is_kept() -> None:
    world = job()
    world.start("00:00", check_in_id=A, duration_ms=3)
    assert world.ok("02:00", check_in_id=A).check_in.duration_ms == 3


def test_a_lone_signal_has_no_duration_unless_told() -> None:
    world = job()
    assert world.ok("00:00").check_in.duration_ms is None
    assert world.ok("01:00", duration_ms=4).check_in.duration_ms == 4


def test_an_impossible_duration_is_refused_and_changes_nothing() -> None:
    world = job(max_runtime_ms=0, schedules=())
    world.start("00:00", check_in_id=A)
    before = dict(world.kept.check_ins), world.track()
    receipt = world.ok(T0 + 25 * DAY, check_in_id=A)
    assert receipt.refusal.reason == "CHECKIN_INVALID_DURATION"
    assert (world.kept.check_ins, world.track()) == before


# -- retries and order


@pytest.mark.parametrize("kind", [START, OK, ERROR])
def test_the_same_request_again_changes_nothing(kind: ReportKind) -> None:
    world = job()
    first = world.report("00:00", kind, check_in_id=A, retry_safe=True).check_in
    before, facts = world.track(), len(world.facts)
    receipt = world.report("01:00", kind, check_in_id=A, retry_safe=True)
    assert (receipt.check_in, receipt.created, receipt.refusal) == (first, False, None)
    assert (world.track(), len(world.facts)) == (before, facts)


def test_another_outcome_for_the_same_id_is_refused() -> None:
    world = job()
    world.ok("00:00", check_in_id=A, retry_safe=True)
    assert world.error("01:00", check_in_id=A, retry_safe=True).refusal.reason == "CHECKIN_FINISHED"


def test_a_retry_in_the_same_batch_is_the_same_request() -> None:
    world = job()
    one, two = world.together(
        ("00:00", world.command(OK, "00:00", check_in_id=A, retry_safe=True)),
        ("00:01", world.command(OK, "00:01", check_in_id=A, retry_safe=True)),
    )
    assert one.check_in == two.check_in
    assert world.history() == [("ok", None)]


def test_all_of_a_run_in_one_batch() -> None:
    world = job()
    kinds = (OK, START, START, OK)
    receipts = world.together(
        *((f"00:0{i}", world.command(kind, f"00:0{i}", check_in_id=A, message=f"m{i}")) for i, kind in enumerate(kinds))
    )
    assert [receipt.refusal is None for receipt in receipts] == [True, True, True, False]
    (run,) = world.kept.check_ins.values()
    assert (run.state, relative(run.start_time), run.message) == (State.OK, "0:00:01", "m0")  # what the end said stays


def test_an_error_older_than_a_newer_end_neither_fails_nor_moves_the_slot() -> None:
    world = job(schedules=(Interval(10, Unit.MINUTE),))
    world.start("00:00", check_in_id=A)
    world.ok("01:00", pair=False)
    expected = world.track().expected
    world.error("02:00", check_in_id=A)
    assert world.incidents() == []
    assert world.track().expected == expected
    assert (world.track().error_count, world.last.check_in.state) == (1, State.ERROR)


def test_an_old_ok_after_a_newer_error_is_a_success() -> None:
    """Two overlapping runs: the spec holds back old errors, not old successes."""
    world = job()
    world.start("00:00", check_in_id=A)
    world.error("01:00", pair=False)
    world.ok("02:00", check_in_id=A)
    assert world.incidents(open_only=True) == []


# -- kinds that Sentry does not have


def test_a_beat_without_a_run_opens_one() -> None:
    world = job()
    assert relative(world.report("01:00", BEAT).check_in.timeout_time) == "0:11:00"
    assert world.track().started_count == 1


def test_a_reset_recovers_whatever_the_threshold_says() -> None:
    world = job(recovery_threshold=5)
    world.start("00:00", check_in_id=A)
    world.error("01:00", pair=False)
    world.report("02:00", RESET)
    assert world.incidents(open_only=True) == []
    assert world.tick("20:00") != []  # the open run times out, and does not overrule the reset
    assert [type(fact) for fact in world.facts[-1:]] == [TimedOut]
    assert world.incidents(open_only=True) == []


def test_a_note_changes_nothing() -> None:
    world = job(schedules=HOURLY)
    world.start("00:00", check_in_id=A)
    before = world.track()
    world.report("01:00", NOTE, message="half way", metrics={"rows": 5.0})
    assert world.track() == before
    note = world.last.check_in
    assert (note.state, note.message, note.metrics) == (State.NOTE, "half way", {"rows": 5.0})


# -- what a report carries


def test_details_are_merged() -> None:
    world = job()
    world.start("00:00", check_in_id=A, message="begun", trace_id="t1", metrics={"a": 1.0, "b": 1.0}, host="h1")
    world.error("01:00", check_in_id=A, exit_code=3, trace_id="t2", metrics={"b": 2.0}, release="r2")
    run = world.last.check_in
    assert (run.exit_code, run.message, run.release, run.host) == (3, "begun", "r2", "h1")
    assert run.trace_id == "t1"  # only from the first report of a run
    assert run.metrics == {"a": 1.0, "b": 2.0}


def test_facts_tell_kind_and_end() -> None:
    world = job()
    for kind, at in ((START, "00:00"), (BEAT, "00:01"), (OK, "00:02"), (NOTE, "00:03"), (ERROR, "00:04")):
        world.report(at, kind)
    told = [(fact.kind, fact.finished) for fact in world.of(CheckInRecorded)]
    assert told == [(START, False), (BEAT, False), (OK, True), (NOTE, False), (ERROR, True)]


def test_ids_that_we_make_hold_their_number() -> None:
    """The store finds them without an index."""
    world = job(schedules=HOURLY)
    world.ok("00:00")
    world.start("01:00", check_in_id=A)
    world.report("02:00", NOTE, check_in_id=B)
    world.report("02:00", RESET, check_in_id=C)
    world.tick("3:00:00")
    for run in world.kept.check_ins.values():
        assert findable(run)


def test_an_id_of_ours_that_a_client_sends_again_is_still_an_id() -> None:
    world = job()
    made = world.start("00:00").check_in
    assert world.ok("01:00", check_in_id=made.id).check_in.number == made.number


def test_an_unknown_id_that_looks_like_ours_is_one_that_a_client_chose() -> None:
    """Of a monitor deleted since, or out of retention: its run must be found by it all the same."""
    world = job()
    old = world.start("00:00").check_in.id
    world.delete("01:00")
    world.put("01:00", schedules=MIDNIGHT)
    run = world.start("02:00", check_in_id=old).check_in
    assert (run.id, findable(run)) == (old, True)


def test_an_interval_may_count_from_the_start_of_a_run() -> None:
    world = job(schedules=(Interval(1, Unit.HOUR, anchor=Anchor.RUN_START),))
    world.start("00:00", check_in_id=A)
    world.start("05:00", check_in_id=A)
    world.ok("07:00", check_in_id=A)
    assert relative(world.track().expected) == "1:00:00"


def test_an_interval_counts_from_any_report_otherwise() -> None:
    world = job(schedules=(Interval(1, Unit.HOUR),))
    world.start("00:00", check_in_id=A)
    assert world.track().expected == T0 + HOUR
    world.start("05:00", check_in_id=A)
    world.ok("07:00", check_in_id=A)
    assert relative(world.track().expected) == "1:07:00"


def test_the_first_report_has_no_slot_and_the_next_has_one() -> None:
    world = job(schedules=HOURLY)
    assert world.ok("00:00").check_in.expected_time is None
    assert relative(world.ok("1:00:30").check_in.expected_time) == "1:00:00"


def test_runs_of_environments_are_apart() -> None:
    world = job()
    world.start("00:00", environment="production")
    world.ok("01:00", environment="staging")
    assert (world.last.created, world.track().open_runs, world.track("staging").ok_count) == (True, 1, 1)


def test_an_upsert_does_not_touch_open_runs() -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    world.ok("01:00", pair=False, upsert=MonitorChange(tolerance={"max_runtime_ms": MINUTE}))
    assert relative(world.kept.check_ins[min(world.kept.check_ins)].timeout_time) == "0:10:00"


def test_open_runs_have_an_end() -> None:
    world = World()
    world.put(max_runtime_ms=0)
    for number in range(OPEN_RUNS_MAX):
        world.start(T0 + number, check_in_id=f"{number:032x}"[::-1])
    refused = world.start(T0 + OPEN_RUNS_MAX, check_in_id="f" * 32).refusal
    assert refused is not None
    assert "1000 runs are open" in refused.detail
    world.ok(T0 + OPEN_RUNS_MAX, check_in_id=f"{7:032x}"[::-1])
    assert world.start(T0 + OPEN_RUNS_MAX + 1, check_in_id="f" * 32).refusal is None


def test_where_runs_are_abandoned_the_oldest_makes_room() -> None:
    world = World()
    world.put(max_runtime_ms=0, abandon_runs=True, separate_causes=True)
    for number in range(OPEN_RUNS_MAX):
        world.start(T0 + number, series=f"s{number}")
    assert world.start(T0 + OPEN_RUNS_MAX, series="one more").refusal is None
    assert world.track().open_runs == OPEN_RUNS_MAX
    [abandoned] = world.of(Abandoned)
    assert (abandoned.check_in.series, abandoned.check_in.state) == ("s0", State.ABANDONED)
    assert world.kept.check_ins[abandoned.check_in.number].state is State.ABANDONED
    assert world.incidents() == []
    world.restart()
    assert world.track().open_runs == OPEN_RUNS_MAX
