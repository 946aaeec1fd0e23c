"""A new time zone database: slots move to where the new rules have them, and nobody is blamed for it."""

import copy
import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.engines import T0, World, instant
from support.tzif import reader, tzif
from tocsin.domain.facts import IncidentOpened, Missed
from tocsin.domain.instant import HOUR, MINUTE, NEVER
from tocsin.domain.monitor import ExpectFrom, Monitor, Policy
from tocsin.domain.schedule import Anchor, Cron, Daily, Interval, RRule, Unit
from tocsin.engine.engine import Engine
from tocsin.engine.rezoning import compile_again
from tocsin.schedule import Compiler, Zones
from tocsin.schedule.rrule import Occurrences

ZONE = "Test/City"
FIXED = "Test/Fixed"
PLUS_1 = {ZONE: tzif("<+01>-1", first=3600), FIXED: tzif("<+01>-1", first=3600), "UTC": tzif("UTC0")}
PLUS_2 = PLUS_1 | {ZONE: tzif("<+02>-2", first=7200)}
PLUS_0 = PLUS_1 | {ZONE: tzif("<+00>0", first=0)}


class Zoned(World):
    """T0 is 10:00 UTC: 11:00 in the city, at first."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__()
        self.compiler = Compiler(Zones(reader(files)))
        self.engine = Engine(self.compiler)

    def put(self, at: str | int = 0, monitor_id: str = "job", **fields: Any) -> Monitor:
        """As a running server: it ticks after each entry."""
        monitor = super().put(at, monitor_id, **fields)
        self.tick(T0)
        return monitor

    def new_database(self, files: dict[str, bytes], slice_size: int = 1) -> int:
        timings = self.engine.state.timings
        policies = [(timing.number, timing.policy) for timing in timings if timing is not None]
        rules = compile_again(self.compiler, Zones(reader(files)), policies, T0)
        self.compiler = rules.compiler
        moved = 0
        for found in self.engine.rezone(self.engine.plan_rezone(rules), slice_size=slice_size):
            moved = found
            self._take()
        return moved

    def restart(self) -> None:
        self.engine = Engine(self.compiler)
        self.engine.load(self.kept.snapshot())
        self._take()


def noon(zone: str = ZONE) -> tuple[Cron, ...]:
    return (Cron("0 12 * * *", zone),)


@pytest.fixture
def world() -> Zoned:
    return Zoned(PLUS_1)


def expected(world: Zoned, monitor_id: str = "job") -> int:
    return world.track(monitor_id=monitor_id).expected


def test_a_slot_to_come_moves_with_the_zone(world: Zoned) -> None:
    world.put(schedules=noon(), expect_from=ExpectFrom.CREATION)
    assert expected(world) == instant("1:00:00")
    world.new_database(PLUS_0)
    assert expected(world) == instant("2:00:00")
    assert world.track().deadline >= instant("2:00:00")
    world.tick("1:30:00")
    assert not world.of(Missed)


def test_a_slot_that_is_past_under_the_new_rules_is_not_missed(world: Zoned) -> None:
    world.put(schedules=noon(), expect_from=ExpectFrom.CREATION, margin_ms=MINUTE)
    world.tick("0:30:00")
    world.new_database(PLUS_2)  # noon was at 10:00 UTC, half an hour ago
    assert expected(world) == T0 + 24 * HOUR
    world.tick("23:00:00")
    assert not world.of(Missed)
    assert not world.of(IncidentOpened)


def test_what_is_waited_for_in_its_margin_is_waited_for_if_it_is_still_a_slot(world: Zoned) -> None:
    world.put(schedules=(Cron("0 * * * *", ZONE),), expect_from=ExpectFrom.CREATION, margin_ms=30 * MINUTE)
    world.tick("1:10:00")
    assert expected(world) == instant("1:00:00")
    world.new_database(PLUS_0)
    assert expected(world) == instant("1:00:00")
    world.tick("1:31:00")
    assert [fact.check_in.expected_time for fact in world.of(Missed)] == [instant("1:00:00")]


def test_what_is_waited_for_in_its_margin_is_dropped_if_it_is_no_slot_any_more(world: Zoned) -> None:
    world.put(schedules=noon(), expect_from=ExpectFrom.CREATION, margin_ms=30 * MINUTE)
    world.tick("1:10:00")
    world.new_database(PLUS_0)
    assert expected(world) == instant("2:00:00")
    world.tick("1:59:00")
    assert not world.of(Missed)


def test_a_slot_that_was_satisfied_early_is_not_asked_for_again(world: Zoned) -> None:
    world.put(schedules=noon(), expect_from=ExpectFrom.CREATION)
    world.ok("0:59:30")
    assert expected(world) == T0 + 25 * HOUR
    world.tick("0:59:40")
    world.new_database(PLUS_0)
    assert expected(world) == T0 + 26 * HOUR


def test_days_of_an_interval_count_again_from_the_last_report(world: Zoned) -> None:
    files = PLUS_1 | {ZONE: tzif("<+02>-2", [((T0 + 12 * HOUR) // 1000, 7200)], first=3600)}
    world.put(schedules=(Interval(1, Unit.DAY, ZONE),))
    world.ok("0:00:10")
    assert expected(world) == instant("24:00:10")
    world.new_database(files)
    assert expected(world) == instant("23:00:10")


def test_hours_of_an_interval_and_other_zones_stay(world: Zoned) -> None:
    world.put(schedules=(Interval(5, Unit.HOUR, ZONE),), monitor_id="hours")
    world.put(schedules=noon(FIXED), expect_from=ExpectFrom.CREATION, monitor_id="fixed")
    world.ok("0:00:10", monitor_id="hours")
    assert world.new_database(PLUS_2) == 0
    assert expected(world, "hours") == instant("5:00:10")
    assert expected(world, "fixed") == instant("1:00:00")


def test_every_kind_of_grid_follows(world: Zoned) -> None:
    kinds = {"daily": Daily(("12:00",), ZONE), "rrule": RRule("FREQ=DAILY;BYHOUR=12", ZONE), "cron": noon()[0]}
    for name, schedule in kinds.items():
        world.put(schedules=(schedule,), expect_from=ExpectFrom.CREATION, monitor_id=name)
    assert world.new_database(PLUS_0) == 3
    assert {expected(world, name) for name in kinds} == {instant("2:00:00")}


def test_a_restart_in_the_middle_gives_the_same_slots(world: Zoned) -> None:
    for number in range(5):
        world.put(schedules=noon(), expect_from=ExpectFrom.CREATION, monitor_id=f"job-{number}")
    timings = world.engine.state.timings
    policies = [(timing.number, timing.policy) for timing in timings if timing is not None]
    rules = compile_again(world.compiler, Zones(reader(PLUS_0)), policies, T0)
    world.compiler = rules.compiler
    next(world.engine.rezone(world.engine.plan_rezone(rules), slice_size=2))
    world._take()
    assert (
        sorted(expected(world, f"job-{number}") for number in range(5))
        == [instant("1:00:00")] * 3 + [instant("2:00:00")] * 2
    )
    world.restart()
    assert {expected(world, f"job-{number}") for number in range(5)} == {instant("2:00:00")}
    again = {number: track.expected for number, track in world.kept.tracks.items()}
    world.restart()
    assert {number: track.expected for number, track in world.kept.tracks.items()} == again


def test_a_database_that_changed_while_nobody_ran(world: Zoned) -> None:
    world.put(schedules=noon(), expect_from=ExpectFrom.CREATION)
    world.compiler = Compiler(Zones(reader(PLUS_0)))
    world.restart()
    assert expected(world) == instant("2:00:00")


def test_reports_between_two_slices_count_under_the_new_rules(world: Zoned) -> None:
    for number in range(3):
        world.put(schedules=noon(), expect_from=ExpectFrom.CREATION, monitor_id=f"job-{number}")
    rules = compile_again(
        world.compiler, Zones(reader(PLUS_0)), [(t.number, t.policy) for t in world.engine.state.timings if t], T0
    )
    moving = world.engine.rezone(world.engine.plan_rezone(rules), slice_size=1)
    next(moving)
    world._take()
    for number in range(3):
        world.ok("0:30:00", monitor_id=f"job-{number}")
    for _ in moving:
        world._take()
    assert {expected(world, f"job-{number}") for number in range(3)} == {instant("2:00:00")}


def test_a_zone_that_is_gone_keeps_its_rules_and_the_same_database_moves_nothing(world: Zoned) -> None:
    world.put(schedules=noon(), expect_from=ExpectFrom.CREATION)
    rules = compile_again(world.compiler, Zones(reader({"UTC": PLUS_1["UTC"]})), [], T0)
    assert rules.gone == {ZONE}
    assert not rules.zones
    assert world.new_database(dict(PLUS_1)) == 0
    assert expected(world) == instant("1:00:00")


def test_a_quiet_monitor_stays_quiet(world: Zoned) -> None:
    world.put(schedules=noon(), expect_from=ExpectFrom.CREATION, paused_until=NEVER)
    assert world.new_database(PLUS_0) == 0
    assert expected(world) == NEVER


def test_five_thousand_schedules_are_compiled_in_seconds() -> None:
    compiler = Compiler(Zones(reader(PLUS_1)))
    policies = [
        (i + 1, Policy(schedules=(Cron(f"{i % 60} {i // 60 % 24} {i // 1440 + 1} * *", ZONE),))) for i in range(5_000)
    ]
    for _, policy in policies:
        compiler.compile(policy.schedules)
    began = time.perf_counter()
    rules = compile_again(compiler, Zones(reader(PLUS_2)), policies, T0)
    assert len(rules.timings) == 5_000
    assert time.perf_counter() - began < 10


DAY_S = 24 * 3600
LATER_PLUS_0 = PLUS_1 | {ZONE: tzif("<+00>0", [(T0 // 1000 + DAY_S // 2, 0)], first=3600)}  # from tonight on


def test_a_restart_does_not_ask_again_for_a_slot_that_was_satisfied_early(world: Zoned) -> None:
    world.put(schedules=noon(), expect_from=ExpectFrom.CREATION, margin_ms=MINUTE)
    world.ok("0:59:30")
    world.tick("0:59:40")
    world.compiler = Compiler(Zones(reader(LATER_PLUS_0)))
    world.restart()
    assert expected(world) == T0 + 26 * HOUR
    world.tick("2:00:00")
    assert not world.of(Missed)


def test_a_slot_that_was_judged_is_not_waited_for_again(world: Zoned) -> None:
    """Within a burst some tracks have been judged past the clock, and then the server ends or the files change."""
    for number in range(2):
        world.put(schedules=(Cron("*/10 * * * *", ZONE),), expect_from=ExpectFrom.CREATION, monitor_id=f"job-{number}")
    world.restart()
    assert world.engine.tick(instant("0:35:00"), limit=1)
    world._take()
    missed = {fact.check_in.expected_time for fact in world.of(Missed)}
    assert missed == {instant("10:00"), instant("20:00"), instant("30:00")}
    quarter = tzif("<+0115>-1:15", first=3600 + 15 * 60)
    files = PLUS_1 | {ZONE: quarter}
    world.new_database(files)
    world.restart()
    world.tick("0:36:00")
    slots = [(fact.check_in.monitor, fact.check_in.expected_time) for fact in world.of(Missed)]
    assert len(slots) == len(set(slots))
    late = {run.expected_time for run in world.kept.check_ins.values() if run.monitor == slots[0][0]}
    assert sorted(late) == sorted(missed)


def moving(world: Zoned, files: dict[str, bytes], slice_size: int = 1) -> Iterator[int]:
    """New rules in force, and not a track moved yet."""
    timings = world.engine.state.timings
    rules = compile_again(world.compiler, Zones(reader(files)), [(t.number, t.policy) for t in timings if t], T0)
    world.compiler = rules.compiler
    return world.engine.rezone(world.engine.plan_rezone(rules), slice_size=slice_size)


def test_a_report_before_the_first_slice_is_not_judged_by_the_old_slot(world: Zoned) -> None:
    for name in ("one", "two"):
        world.put(schedules=noon(), expect_from=ExpectFrom.CREATION, margin_ms=MINUTE, monitor_id=name)
    world.tick("1:00:59")
    slices = moving(world, PLUS_0)
    world.ok("1:01:01", monitor_id="one")
    world.put("1:01:01", monitor_id="two", schedules=noon(), miss_while_running=False)
    for _ in slices:
        world._take()
    world.tick("1:59:00")
    assert not world.of(Missed)
    assert {expected(world, name) for name in ("one", "two")} == {instant("2:00:00")}


def test_deaf_time_before_the_last_slice_is_passed_over_by_the_new_slots(world: Zoned) -> None:
    for name in ("one", "two", "gone"):
        world.put(schedules=noon(), expect_from=ExpectFrom.CREATION, margin_ms=MINUTE, monitor_id=name)
    world.tick("1:00:59")
    slices = moving(world, PLUS_0)
    world.delete("1:00:59", monitor_id="gone")
    world.deaf("1:05:00", "1:06:00")
    for _ in slices:
        world._take()
    assert {expected(world, name) for name in ("one", "two")} == {instant("2:00:00")}
    assert world.kept.check_ins == {}


def test_a_slot_that_came_nearer_is_unknown_if_nobody_could_listen_then(world: Zoned) -> None:
    world.put(schedules=noon(), expect_from=ExpectFrom.CREATION, margin_ms=MINUTE)
    late = PLUS_1 | {ZONE: tzif("<+01>-1", [(T0 // 1000 + 60, 5400)], first=3600)}  # noon comes half an hour earlier
    slices = moving(world, late)
    world.deaf("0:29:00", "0:40:00")
    for _ in slices:
        world._take()
    assert [run.state.value for run in world.kept.check_ins.values()] == ["unknown"]


NO_CITY = {"UTC": PLUS_1["UTC"], FIXED: PLUS_1[FIXED]}


def test_a_zone_that_is_gone_at_the_start_stops_only_its_own_monitors(world: Zoned) -> None:
    """And they are waited for again when it is back, in the files of a running server or of the next start."""
    world.put(schedules=noon(), expect_from=ExpectFrom.CREATION)
    world.put(schedules=(Interval(1, Unit.DAY, ZONE),), monitor_id="days")
    world.put(schedules=noon(), paused_until=NEVER, expect_from=ExpectFrom.CREATION, monitor_id="paused")
    world.put(schedules=noon(FIXED), expect_from=ExpectFrom.CREATION, margin_ms=MINUTE, monitor_id="fixed")
    world.ok("0:00:10", monitor_id="days")
    world.compiler = Compiler(Zones(reader(NO_CITY)))
    engine = world.engine = Engine(world.compiler)
    assert engine.load(world.kept.snapshot()) == {ZONE: 3}
    world._take()
    world.tick("1:30:00")
    assert [fact.check_in.monitor for fact in world.of(Missed)] == [world.track(monitor_id="fixed").monitor]
    world.ok("1:31:00")
    assert expected(world) == expected(world, "days") == NEVER
    assert world.new_database(NO_CITY) == 0
    world.tick("1:32:00")

    kept = copy.deepcopy(world.kept)
    assert world.new_database(PLUS_1) == 2
    assert (expected(world), expected(world, "days")) == (instant("25:00:00"), instant("24:00:10"))
    assert expected(world, "paused") == NEVER

    world.kept, world.compiler = kept, Compiler(Zones(reader(PLUS_1)))
    world.restart()
    assert (expected(world), expected(world, "days")) == (instant("25:00:00"), instant("24:00:10"))
    assert expected(world, "paused") == NEVER


def test_a_zone_that_comes_back_does_not_ask_for_a_slot_that_was_satisfied_early(world: Zoned) -> None:
    world.put(schedules=noon(), expect_from=ExpectFrom.CREATION)
    world.compiler = Compiler(Zones(reader(NO_CITY)))
    world.restart()
    world.ok("0:59:30")
    world.tick("0:59:40")
    world.new_database(PLUS_1)
    assert expected(world) == instant("25:00:00")


def test_a_restart_arms_nothing_that_waits_for_a_run_or_for_the_end_of_a_pause(world: Zoned) -> None:
    world.put(schedules=(Interval(1, Unit.DAY, ZONE, anchor=Anchor.RUN_START),), monitor_id="runs")
    world.put(schedules=noon(), paused_until=instant("0:30:00.5"), monitor_id="pause")
    world.ok("0:01:00", monitor_id="runs")
    world.ok("0:01:00", monitor_id="pause")
    world.tick("0:30:01")
    before = {name: expected(world, name) for name in ("runs", "pause")}
    world.restart()
    assert {name: expected(world, name) for name in ("runs", "pause")} == before


def test_compiling_makes_the_tables_that_the_plan_asks_for(world: Zoned, monkeypatch: pytest.MonkeyPatch) -> None:
    """To walk a recurrence rule is slow, and the partition waits for the plan."""
    world.put(schedules=(RRule("FREQ=DAILY;BYHOUR=12", ZONE),), expect_from=ExpectFrom.CREATION)
    timings = world.engine.state.timings
    policies = [(timing.number, timing.policy) for timing in timings if timing is not None]
    rules = compile_again(world.compiler, Zones(reader(PLUS_0)), policies, T0)

    def walk(*_: object) -> None:
        raise AssertionError("walked while the partition waits")

    monkeypatch.setattr(Occurrences, "window", walk)
    assert [move[3] for move in world.engine.plan_rezone(rules).moves] == [instant("2:00:00")]
