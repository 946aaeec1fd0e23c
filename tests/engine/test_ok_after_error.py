"""A retry under the same id: a run that ended badly may still end well, where the project says so."""

import pytest

from support.engines import World, relative
from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.facts import IncidentContinued, IncidentOpened, IncidentResolved
from tocsin.domain.instant import MINUTE

A, B = "a" * 32, "b" * 32


def job(*, allowed: bool = True, **fields: object) -> World:
    world = World()
    world.put(**{"max_runtime_ms": 10 * MINUTE, **fields})
    if allowed:
        world.decide("0:00.5", ok_after_error=True)
    return world


def failed(world: World) -> World:
    world.start("0:01", check_in_id=A)
    world.error("2:00", check_in_id=A)
    return world


def test_it_is_refused_unless_the_project_says_so() -> None:
    world = failed(job(allowed=False))
    assert world.ok("3:00", check_in_id=A).refusal.reason == "CHECKIN_FINISHED"
    assert len(world.incidents(open_only=True)) == 1


def test_the_retry_closes_the_run_well_and_recovers() -> None:
    world = failed(job())
    assert len(world.of(IncidentOpened)) == 1
    run = world.ok("3:01", check_in_id=A).check_in
    assert (run.state, run.duration_ms, relative(run.end_time)) == (State.OK, 3 * MINUTE, "0:03:01")
    assert len(world.of(IncidentResolved)) == 1
    assert world.history() == [("ok", None)]
    track = world.track()
    assert (track.error_count, track.ok_count, track.open_runs) == (1, 1, 0)


def test_a_recovery_threshold_counts_it_as_one_ok() -> None:
    world = failed(job(recovery_threshold=2))
    world.ok("3:00", check_in_id=A)
    assert world.of(IncidentResolved) == []
    world.ok("4:00")
    assert len(world.of(IncidentResolved)) == 1


def test_a_retry_that_fails_again_is_the_same_failure() -> None:
    world = failed(job(failure_threshold=2))
    again = world.error("3:00", check_in_id=A, message="again")
    assert (again.refusal, again.check_in.message) == (None, "again")
    assert relative(again.check_in.end_time) == "0:03:00"
    assert world.of(IncidentOpened) == world.of(IncidentContinued) == []
    assert world.track().error_count == 1
    assert world.ok("4:00", check_in_id=A).check_in.state is State.OK


@pytest.mark.parametrize(("at", "refused"), [("10:01", False), ("10:01.001", True)])
def test_within_the_maximum_runtime_since_its_start(at: str, refused: bool) -> None:
    world = failed(job())
    assert (world.ok(at, check_in_id=A).refusal is not None) == refused


def test_a_lone_error_counts_from_its_arrival() -> None:
    world = job()
    world.error("1:00", check_in_id=A)
    assert world.ok("11:00", check_in_id=A).check_in.state is State.OK


@pytest.mark.parametrize("kind", [ReportKind.START, ReportKind.BEAT])
def test_it_is_not_opened_again(kind: ReportKind) -> None:
    world = failed(job())
    assert world.report("3:00", kind, check_in_id=A).check_in.state is State.ERROR
    assert world.track().open_runs == 0


def test_what_ended_well_stays_so() -> None:
    world = failed(job())
    world.ok("3:00", check_in_id=A)
    for kind in (ReportKind.OK, ReportKind.ERROR):
        assert world.report("4:00", kind, check_in_id=A).refusal.reason == "CHECKIN_FINISHED"


def test_after_a_restart_the_run_is_found_again() -> None:
    world = failed(job())
    world.restart()
    assert world.ok("3:00", check_in_id=A).check_in.state is State.OK


def test_a_sent_duration_wins() -> None:
    world = failed(job())
    assert world.ok("3:00", check_in_id=A, duration_ms=7).check_in.duration_ms == 7
    assert world.track().last_duration == 7


@pytest.mark.parametrize("how", ["error", "lone error", "time-out"])
def test_what_a_newer_run_said_since_holds(how: str) -> None:
    world = failed(job(max_runtime_ms=20 * MINUTE))
    if how == "error":
        world.start("4:00", check_in_id=B)
        world.error("5:00", check_in_id=B)
    elif how == "lone error":
        world.error("5:00")
    else:
        world.put("2:30", max_runtime_ms=MINUTE)
        world.start("4:00", check_in_id=B)
        world.tick("6:00")
        world.put("6:10", max_runtime_ms=20 * MINUTE)
    before = world.track()
    run = world.ok("7:00", check_in_id=A).check_in
    assert (run.state, relative(run.end_time)) == (State.OK, "0:07:00")
    assert len(world.incidents(open_only=True)) == 1
    after = world.track()
    assert (after.verdict, after.health, after.failures, after.last_start) == (
        before.verdict,
        before.health,
        before.failures,
        before.last_start,
    )
    assert after.ok_count == 1
    world.ok("8:00")
    assert world.incidents(open_only=True) == []


def test_a_lone_error_tried_again_after_a_newer_failure() -> None:
    world = job()
    world.error("1:00", check_in_id=A)
    world.error("5:00")
    assert world.ok("6:00", check_in_id=A).check_in.state is State.OK
    assert len(world.incidents(open_only=True)) == 1


def test_a_lone_retry_does_not_silence_a_run_that_began_before_it() -> None:
    world = job()
    world.error("1:00", check_in_id=A)
    world.start("2:00", check_in_id=B)
    world.ok("3:00", check_in_id=A)
    world.error("4:00", check_in_id=B)
    assert len(world.incidents(open_only=True)) == 1


def test_after_a_newer_success_it_is_one_more() -> None:
    world = failed(job(recovery_threshold=3))
    world.start("3:00", check_in_id=B)
    world.ok("4:00", check_in_id=B)
    world.ok("5:00", check_in_id=A)
    assert world.track().recoveries == 1
