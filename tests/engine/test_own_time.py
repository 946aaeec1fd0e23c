"""Reports with a time of their own: kept by the client while nobody could listen, delivered later. Ruling Time 7."""

import pytest

from support.engines import World, findable, instant, relative
from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.facts import Missed, Unjudged
from tocsin.domain.instant import HOUR, MINUTE
from tocsin.domain.schedule import Cron, Interval, Unit
from tocsin.domain.track import Verdict

A = "a" * 32
HOURLY = (Cron("0 * * * *"),)


def job(**fields: object) -> World:
    world = World()
    world.put(**{"schedules": HOURLY, "margin_ms": 5 * MINUTE, "max_runtime_ms": 10 * MINUTE, **fields})
    world.ok("10:00", pair=False)
    return world


def deaf_job(**fields: object) -> World:
    """The slot of 1:00:00 is unknown; we listen again from 1:30:00."""
    world = job(**fields)
    world.deaf("50:00", "1:30:00")
    return world


def spooled(world: World, at: str, happened: str, kind: ReportKind = ReportKind.OK, **fields: object) -> None:
    world.report(at, kind, time=instant(happened), **fields)


def test_it_turns_unknown_into_a_late_ok() -> None:
    world = deaf_job()
    unknown = world.of(Unjudged)[0].check_in
    spooled(world, "1:31:00", "1:00:02")
    assert world.history() == [("ok", None), ("ok", "1:00:00")]
    run = world.kept.check_ins[unknown.number]
    assert (run.state, run.late, run.satisfies, relative(run.end_time)) == (State.OK, True, None, "1:00:02")
    assert relative(run.receive_time) == "1:31:00"
    assert world.track().verdict == Verdict.OK
    assert relative(world.track().expected) == "2:00:00"
    assert findable(run)
    assert world.last.check_in == run


def test_the_id_that_was_answered_finds_the_run_again() -> None:
    world = deaf_job()
    spooled(world, "1:31:00", "1:00:02", ReportKind.START)
    answered = world.last.check_in
    assert findable(answered)
    world.tick("1:36:00")
    assert world.ok("1:36:01", check_in_id=answered.id).check_in.number == answered.number


def test_a_client_keeps_its_id_when_its_run_takes_the_place_of_the_unknown_one() -> None:
    world = deaf_job()
    spooled(world, "1:31:00", "1:00:02", check_in_id=A)
    assert world.last.check_in.id == A
    world.restart()
    assert world.ok("1:32:00", check_in_id=A, retry_safe=True).created is False
    assert len(world.kept.check_ins) == 2


def test_missed_stays_and_is_linked() -> None:
    world = job()
    world.tick("1:10:00")
    missed = world.of(Missed)[0].check_in
    spooled(world, "1:31:00", "1:00:02")
    assert world.kept.check_ins[missed.number].state is State.MISSED
    late = world.last.check_in
    assert (late.late, late.satisfies, relative(late.expected_time)) == (True, missed.number, "1:00:00")
    assert world.incidents(open_only=True) == []


def test_missed_stays_also_when_a_run_became_unknown_since() -> None:
    world = job(max_runtime_ms=HOUR)
    world.start("50:00", check_in_id=A)
    world.tick("1:10:00")
    missed = world.of(Missed)[0].check_in
    world.deaf("1:20:00", "1:55:00")
    spooled(world, "1:56:00", "1:00:02", pair=False)
    assert world.kept.check_ins[missed.number].state is State.MISSED
    assert world.last.check_in.satisfies == missed.number


def test_unknown_turns_also_when_a_run_failed_since() -> None:
    world = job(max_runtime_ms=0)
    world.start("20:00", check_in_id=A)
    world.deaf("50:00", "1:30:00")
    unknown = world.of(Unjudged)[0].check_in
    world.error("1:30:30", check_in_id=A)
    spooled(world, "1:31:00", "1:00:02", pair=False)
    assert world.kept.check_ins[unknown.number].state is State.OK
    assert world.incidents(open_only=True) == []


def test_a_spooled_error_is_an_error() -> None:
    world = deaf_job()
    spooled(world, "1:31:00", "1:00:02", ReportKind.ERROR)
    assert world.history() == [("ok", None), ("error", "1:00:00")]
    assert len(world.incidents(open_only=True)) == 1


def test_older_news_does_not_move_what_is_waited_for() -> None:
    world = job(schedules=(Interval(10, Unit.MINUTE),))
    world.ok("15:00")
    before = world.track()
    spooled(world, "16:00", "12:00")
    after = world.track()
    assert (after.expected, after.deadline, after.last_check_in) == (
        before.expected,
        before.deadline,
        before.last_check_in,
    )


@pytest.mark.parametrize("kind", [ReportKind.OK, ReportKind.ERROR])
def test_older_news_does_not_overrule_what_came_later(kind: ReportKind) -> None:
    world = job()
    (world.error if kind is ReportKind.OK else world.ok)("20:00")
    open_before = len(world.incidents(open_only=True))
    spooled(world, "21:00", "15:00", kind)
    assert len(world.incidents(open_only=True)) == open_before
    assert (world.track().ok_count, world.track().error_count) == (2, 1)  # counted all the same


def test_an_interval_counts_from_the_time_of_the_report() -> None:
    world = job(schedules=(Interval(10, Unit.MINUTE),))
    spooled(world, "14:00", "12:00")
    assert relative(world.track().expected) == "0:22:00"
    assert relative(world.last.check_in.end_time) == "0:12:00"


def test_a_start_delivered_late_has_a_minute_to_deliver_its_end() -> None:
    world = job(schedules=())
    spooled(world, "30:00", "12:00", ReportKind.START, check_in_id=A)
    assert relative(world.last.check_in.timeout_time) == "0:31:00"
    spooled(world, "30:01", "13:30", check_in_id=A)
    run = world.last.check_in
    assert (run.state, run.duration_ms) == (State.OK, 90_000)
    assert (relative(run.start_time), relative(run.end_time)) == ("0:12:00", "0:13:30")


def test_a_time_a_little_ahead_is_kept() -> None:
    world = job()
    spooled(world, "59:20", "1:00:10")
    assert relative(world.track().expected) == "2:00:00"
    world.ok("1:00:00")  # this clock is behind that one: older news
    assert relative(world.track().expected) == "2:00:00"


def test_a_spool_of_several_runs_in_order() -> None:
    world = job(schedules=(Cron("*/20 * * * *"),))
    world.ok("20:00")
    world.ok("40:00")
    world.deaf("50:00", "1:30:00")
    for happened in ("1:00:01", "1:20:01"):
        spooled(world, "1:31:00", happened)
    assert world.history()[3:] == [("ok", "1:00:00"), ("ok", "1:40:00")]
    assert world.track().ok_count == 5
    assert relative(world.track().expected) == "1:40:00"
