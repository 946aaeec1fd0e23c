"""A maintenance window that is deleted or changed: what it excused while it held stays excused.

T0 is 10:00:00 UTC on Friday, 20 March 2026. The job is hourly and has half an hour of margin.
"""

import pytest

from support.engines import T0, World, instant, relative
from tocsin.domain.commands import DeleteMaintenanceWindow, Entry, PutMaintenanceWindow
from tocsin.domain.instant import DAY, HOUR, MINUTE
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.schedule import Cron, Interval, Rolling, Schedule, Unit

HOURLY = (Cron("0 * * * *"),)


def window(world: World, at: str, window_id: str = "w", **fields: object) -> None:
    for name in ("start", "end"):
        if name in fields:
            fields[f"{name}_time"] = instant(fields.pop(name))  # type: ignore[arg-type]
    made = MaintenanceWindow(0, 1, window_id, **fields)  # type: ignore[arg-type]
    assert world.step(at, PutMaintenanceWindow(1, window_id, made, tuple(fields))).error is None


def remove(world: World, at: str, window_id: str = "w") -> None:
    assert world.step(at, DeleteMaintenanceWindow(1, window_id)).error is None


def job(**fields: object) -> World:
    world = World()
    world.put(**{"schedules": HOURLY, "margin_ms": 30 * MINUTE, **fields})
    world.ok("00:00")
    return world


def missed(world: World) -> list[str | None]:
    return [slot for state, slot in world.history() if state == "missed"]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("end", ["delete", "shorten", "tomorrow", "other monitors"])
def test_a_slot_within_its_margin_stays_excused(end: str, restart: bool) -> None:
    world = job()
    window(world, "40:00", start="50:00", end="70:00")
    if end == "delete":
        remove(world, "75:00")
    elif end == "shorten":
        window(world, "75:00", end="55:00")
    elif end == "tomorrow":
        window(world, "75:00", start="24:00:00", end="25:00:00")
    else:
        window(world, "75:00", monitors=("x*",))
    assert relative(world.track().expected) == "2:00:00"
    if restart:
        world.restart()
    world.tick("2:29:00")
    assert missed(world) == []
    world.tick("2:30:00.001")
    assert missed(world) == ["2:00:00"]


@pytest.mark.parametrize(("at", "due"), [("59:59.999", True), ("1:00:00", True), ("1:00:00.001", False)])
def test_deleted_while_it_holds_only_its_past_stays(at: str, due: bool) -> None:
    world = job()
    window(world, "40:00", start="50:00", end="70:00")
    remove(world, at)
    world.tick("1:30:00.001")
    assert missed(world) == (["1:00:00"] if due else [])


@pytest.mark.parametrize(("end", "due"), [("1:00:00", True), ("1:00:00.001", False)])
def test_a_slot_at_its_end_is_due(end: str, due: bool) -> None:
    world = job()
    window(world, "40:00", start="50:00", end=end)
    remove(world, "75:00")
    world.tick("1:30:00.001")
    assert missed(world) == (["1:00:00"] if due else [])


def test_all_slots_of_its_past_are_passed_over_and_none_after_it() -> None:
    world = job(schedules=(Cron("*/10 * * * *"),))
    window(world, "05:00", start="09:00", end="25:00")
    remove(world, "31:00")
    assert relative(world.track().expected) == "0:30:00"
    world.tick("59:00")
    assert missed(world) == []
    world.tick("60:00.001")
    assert missed(world) == ["0:30:00"]


@pytest.mark.parametrize(("schedule", "expected"), [(Interval(1, Unit.HOUR), "2:00:00"), (Rolling(HOUR), "2:10:00")])
@pytest.mark.parametrize("deleted", [False, True])
def test_timers_wait_for_what_they_had_waited_for(schedule: Schedule, expected: str, deleted: bool) -> None:
    world = job(schedules=(schedule,))
    window(world, "40:00", start="50:00", end="70:00")
    if deleted:
        remove(world, "75:00")
    world.tick("95:00")
    assert relative(world.track().expected) == expected  # as if the window had been left alone


def test_earlier_occurrences_of_a_recurrence_too() -> None:
    world = job(margin_ms=5 * HOUR)
    window(world, "00:01", recurrence=Cron("45 * * * *"), duration_ms=30 * MINUTE)
    remove(world, "3:05:00")
    assert relative(world.track().expected) == "4:00:00"
    world.tick("8:59:00")
    assert missed(world) == []


def test_two_windows_that_meet_in_one_margin() -> None:
    world = job(schedules=(Cron("*/10 * * * *"),))
    window(world, "05:00", "a", start="09:00", end="15:00")
    window(world, "05:00", "b", start="15:00", end="25:00")
    remove(world, "26:00", "a")
    remove(world, "26:01", "b")
    world.tick("60:00")
    assert missed(world) == []


def test_only_what_it_covers() -> None:
    world = job()
    world.put("00:00.5", monitor_id="nightly", schedules=HOURLY, margin_ms=30 * MINUTE)
    world.ok("00:01", monitor_id="nightly")
    window(world, "40:00", start="50:00", end="70:00", monitors=("night*",))
    remove(world, "75:00")
    world.tick("1:30:00.001")
    assert missed(world) == ["1:00:00"]
    assert relative(world.track(monitor_id="nightly").expected) == "2:00:00"


def test_a_report_after_it_counts_for_the_next_slot() -> None:
    world = job()
    window(world, "40:00", start="50:00", end="70:00")
    remove(world, "75:00")
    run = world.ok("80:00").check_in
    assert (run.late, relative(run.expected_time)) == (False, "2:00:00")
    assert relative(world.track().expected) == "2:00:00"


def test_a_pause_that_ended_before_is_over_first() -> None:
    world = job(margin_ms=MINUTE)
    world.put("00:30", paused_until=instant("30:00"))
    window(world, "1:01:30", start="00:30", end="9:00:00")
    assert missed(world) == ["1:00:00"]  # due before the window was made


@pytest.mark.parametrize("crash", [False, True])
@pytest.mark.parametrize("size", [1, 3, 100])
def test_slices_come_to_the_same(size: int, crash: bool) -> None:
    ends = []
    for sliced in (False, True):
        world = World()
        for number in range(10):
            world.put(monitor_id=f"j{number}", schedules=HOURLY, margin_ms=(number + 1) * 5 * MINUTE)
            world.ok("00:00", monitor_id=f"j{number}")
        window(world, "40:00", start="50:00", end="70:00")
        if sliced:
            entry = Entry(instant("75:00"), DeleteMaintenanceWindow(1, "w"))
            for _ in world.engine.make_way(entry, slice_size=size):
                world.kept.keep(world.engine.take())
                if crash and any(relative(track.expected) == "2:00:00" for track in world.kept.tracks.values()):
                    world.restart()
                    break
            world.engine.step(entry)
            world.kept.keep(world.engine.take())
        else:
            remove(world, "75:00")
        world.tick("2:00:00")
        assert missed(world) == []
        ends.append(world.kept.tracks)
    assert ends[0] == ends[1]


def test_another_project_is_left_alone() -> None:
    world = job()
    made = MaintenanceWindow(0, 2, "w", start_time=T0, end_time=T0 + DAY)
    world.step("40:00", PutMaintenanceWindow(2, "w", made, ("start_time", "end_time")))
    before = world.engine.state.deadlines.counts(), world.kept.tracks[1]
    world.step("1:30:01", DeleteMaintenanceWindow(2, "w"))
    assert (world.engine.state.deadlines.counts(), world.kept.tracks[1]) == before
    assert missed(world) == []
    world.tick("1:30:01")
    assert missed(world) == ["1:00:00"]
