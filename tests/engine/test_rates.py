"""The limit of check-ins in a minute and environment: off unless somebody sets it, and never for a run that is open."""

from collections import Counter

import hypothesis.strategies as st
import msgspec
from hypothesis import given, settings

from support.engines import T0, World, instant
from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.instant import MINUTE
from tocsin.domain.project_settings import DEFAULTS
from tocsin.engine.engine import EngineSettings
from tocsin.engine.rates import ENDING, OPENING, Rates

IDS = [f"{number:032x}" for number in range(1, 6)]


def limited(limit: int = 2, **fields: object) -> World:
    world = World(EngineSettings(projects=msgspec.structs.replace(DEFAULTS, check_ins_per_minute=limit)))
    world.put(**{"max_runtime_ms": 10 * MINUTE, **fields})
    return world


def refused(world: World) -> bool:
    refusal = world.last.refusal
    assert refusal is None or refusal.reason == "MONITOR_ENVIRONMENT_RATELIMITED"
    return refusal is not None


def test_off_unless_set() -> None:
    world = World()
    world.put()
    for number in range(100):
        world.ok(T0 + number)
    assert world.of(CheckInRefused) == []
    assert world.engine.state.rates.nbytes == 0


def test_the_excess_of_a_minute_is_refused_and_the_next_minute_is_new() -> None:
    world = limited()
    for second in (0, 10, 20, 30):
        world.ok(f"0:{second}")
    assert [state for state, _ in world.history()] == ["ok", "ok"]
    assert len(world.of(CheckInRefused)) == 2
    world.ok("1:00")
    assert not refused(world)


def test_openings_and_endings_are_counted_apart() -> None:
    world = limited(1)
    world.start("0:01", check_in_id=IDS[0])
    world.ok("0:02", check_in_id=IDS[0])
    world.start("0:03", check_in_id=IDS[1])
    assert refused(world)
    world.start("0:04", check_in_id=IDS[0])  # its run has ended: the start that comes after is noted, as an ending
    assert not refused(world)
    world.start("0:05", check_in_id=IDS[0])
    assert refused(world)


def test_environments_and_monitors_have_limits_of_their_own() -> None:
    world = limited(1)
    world.put(monitor_id="other")
    world.ok("0:01")
    world.ok("0:02", environment="staging")
    world.ok("0:03", monitor_id="other")
    assert world.of(CheckInRefused) == []


def test_a_monitor_may_say_otherwise() -> None:
    world = limited(1, check_ins_per_minute=0)
    for second in range(1, 9):
        world.ok(f"0:{second}")
    assert world.of(CheckInRefused) == []
    world.put("0:10", check_ins_per_minute=8)
    for second in range(11, 20):
        world.ok(f"0:{second}")
    assert len(world.of(CheckInRefused)) == 1


def test_a_project_may_say_otherwise() -> None:
    world = limited(1)
    world.decide("0:01", check_ins_per_minute=0)
    for second in range(2, 9):
        world.ok(f"0:{second}")
    assert world.of(CheckInRefused) == []


def test_a_backlog_is_counted_by_the_minutes_in_which_it_arrived() -> None:
    world = limited(1)
    world.together(*((minute, world.command(ReportKind.OK, minute)) for minute in ("0:30", "1:30", "2:30")))
    assert world.of(CheckInRefused) == []


def test_the_same_request_again_is_not_counted() -> None:
    world = limited(1)
    for second in range(1, 9):
        world.ok(f"0:{second}", check_in_id=IDS[0], retry_safe=True)
    assert world.of(CheckInRefused) == []


def test_what_is_dropped_moves_nothing() -> None:
    world = limited(1)
    world.ok("0:01")
    before = world.track()
    world.error("0:02")
    assert refused(world)
    assert world.track() == before


def test_a_backlog_after_deaf_time_is_counted_by_the_minutes_in_which_it_arrived() -> None:
    world = limited(1)
    world.deaf("0:10", "9:00", "stall")
    for minute in ("0:30", "1:30", "2:30"):
        assert world.step("9:00", world.command(ReportKind.OK, minute)).refusal is None
    world.step("9:00", world.command(ReportKind.OK, "2:31"))
    assert refused(world)


def test_two_minutes_are_counted_and_what_is_older_counts_as_of_the_older_one() -> None:
    rates = Rates()
    for slot in (0, 7, 100):
        at = T0 + slot * MINUTE
        assert rates.admit(slot, OPENING, 1, at)
        assert not rates.admit(slot, OPENING, 1, at + 1)
        assert rates.admit(slot, ENDING, 1, at + 1)
        assert rates.admit(slot, OPENING, 1, at + MINUTE)
        assert not rates.admit(slot, OPENING, 1, at)
        assert rates.admit(slot, OPENING, 1, at + 2 * MINUTE)
        assert not rates.admit(slot, OPENING, 1, at)  # of the minute before the newest, which is full
        assert rates.admit(slot, OPENING, 2, at)
        assert rates.admit(slot, OPENING, 1, at + 3 * MINUTE)


def test_who_gets_the_slot_of_another_begins_at_nothing() -> None:
    rates = Rates()
    rates.forget(3)
    for at in (T0, T0 + MINUTE):
        assert rates.admit(3, OPENING, 1, at)
    rates.forget(3)
    for at in (T0, T0 + MINUTE):
        assert rates.admit(3, OPENING, 1, at)


def test_an_environment_made_again_begins_at_nothing() -> None:
    world = limited(1)
    world.ok("0:01", environment="staging")
    world.delete_environment("0:02", "staging")
    world.ok("0:03", environment="staging")
    assert not refused(world)


def test_memory_is_bounded_by_the_tracks() -> None:
    rates = Rates()
    for at in range(T0, T0 + 50 * MINUTE, MINUTE):
        for slot in range(100):
            assert rates.admit(slot, OPENING, 1, at)
    assert rates.nbytes <= 100 * 24 * 5 // 4


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([OPENING, ENDING]), st.integers(0, 6)), max_size=80))
def test_it_counts_as_one_would_by_hand(asked: list[tuple[int, int, int]]) -> None:
    rates, counts, newest = Rates(), Counter[tuple[int, int, int]](), 0
    for slot, side, minute in asked:
        newest = max(newest, minute)
        key = (slot, side, max(minute, newest - 1))
        assert rates.admit(slot, side, 2, T0 // MINUTE * MINUTE + minute * MINUTE) == (counts[key] < 2)
        counts[key] += 1


STEPS = st.tuples(
    st.integers(0, 20_000), st.sampled_from(ReportKind), st.sampled_from([None, *IDS]), st.sampled_from(["", "staging"])
)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 3), st.lists(STEPS, max_size=40))
def test_no_sequence_drops_what_ends_or_keeps_alive_a_run_that_is_open(limit: int, steps: list) -> None:
    world, at = limited(limit), instant("0:01")
    for gap, kind, identifier, environment in steps:
        at += gap
        world.tick(at)
        open_runs = [run for run in world.kept.check_ins.values() if run.state is State.IN_PROGRESS]
        world.report(at, kind, check_in_id=identifier, environment=environment)
        if kind in (ReportKind.OK, ReportKind.ERROR, ReportKind.START, ReportKind.BEAT) and any(
            run.id == identifier for run in open_runs
        ):
            refusal = world.last.refusal
            assert refusal is None or refusal.reason != "MONITOR_ENVIRONMENT_RATELIMITED"
