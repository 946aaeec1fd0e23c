"""Maintenance windows over groups and tags: who is covered, and what it means to join and to leave in the middle."""

import pytest

from support.engines import World, instant, relative
from tocsin.domain.commands import DeleteMaintenanceWindow, PutMaintenanceWindow, PutMonitor
from tocsin.domain.facts import Missed
from tocsin.domain.instant import MINUTE
from tocsin.domain.maintenance import FIELDS, MaintenanceWindow
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.receipt import Receipt
from tocsin.domain.schedule import Cron

TEN_MINUTES = (Cron("*/10 * * * *"),)


def window(world: World, at: str, window_id: str = "w", **fields: object) -> Receipt:
    for name in ("start", "end"):
        if name in fields:
            fields[f"{name}_time"] = instant(fields.pop(name))  # type: ignore[arg-type]
    made = MaintenanceWindow(0, 1, window_id, **fields)  # type: ignore[arg-type]
    return world.step(at, PutMaintenanceWindow(1, window_id, made, tuple(fields)))


def put(world: World, at: str, monitor_id: str, **fields: object) -> None:
    world.put(at, monitor_id, schedules=TEN_MINUTES, margin_ms=MINUTE, **fields)


def missed(world: World) -> list[tuple[str, str]]:
    names = {monitor.number: monitor.id for monitor, _ in world.kept.monitors.values()}
    return sorted((names[fact.check_in.monitor], relative(fact.check_in.expected_time)) for fact in world.of(Missed))


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("fields", "covered"),
    [
        ({"groups": ("night",)}, {"a", "b"}),
        ({"tags": ("db",)}, {"b", "c"}),
        ({"groups": ("night", "x"), "tags": ("db",)}, {"a", "b", "c"}),
        ({"groups": ("Night",)}, set()),
        ({"groups": ("night",), "monitors": ("d*",)}, {"a", "b", "d"}),
        ({"groups": ("night",), "environments": ("staging",)}, set()),
        ({"tags": ("nobody",)}, set()),
        ({}, {"a", "b", "c", "d"}),
    ],
)
def test_those_of_its_groups_and_tags(fields: dict[str, object], covered: set[str], restart: bool, late: bool) -> None:
    world = World()
    filed = {"a": {"group": "night"}, "b": {"group": "night", "tags": ("x", "db")}, "c": {"tags": ("db",)}, "d": {}}
    if late:
        window(world, "00:00", start="05:00", end="15:00", **fields)
    for name, by in filed.items():
        put(world, "00:01", name, **by)
    if not late:
        window(world, "00:02", start="05:00", end="15:00", **fields)
    for name in filed:
        world.ok("00:03", monitor_id=name)
    if restart:
        world.restart()
    world.tick("12:00")
    assert {name for name, _ in missed(world)} == filed.keys() - covered


def test_a_monitor_and_its_window_in_one_batch() -> None:
    world = World()
    put(world, "00:00", "old")
    made = MaintenanceWindow(0, 1, "w", start_time=instant("05:00"), end_time=instant("15:00"), tags=("new",))
    change = MonitorChange(policy={"schedules": TEN_MINUTES}, tags=("new",))
    tag_old = MonitorChange(tags=("new",))
    window_put = PutMaintenanceWindow(1, "w", made, FIELDS)
    world.together(
        ("00:01", PutMonitor(1, "new", change)), ("00:01", window_put), ("00:01", PutMonitor(1, "old", tag_old))
    )
    for name in ("old", "new"):
        world.ok("00:03", monitor_id=name)
    world.tick("12:00")
    assert missed(world) == []
    world.delete("13:00", "new")
    world.put("13:00", "old", tags=())
    world.tick("22:00")
    assert missed(world) == [("old", "0:20:00")]


@pytest.mark.parametrize("ticked", [False, True])
def test_who_leaves_is_due_from_then_on_and_not_for_what_was_excused(ticked: bool) -> None:
    world = World()
    put(world, "00:00", "a", group="night")
    world.ok("00:01", monitor_id="a")
    window(world, "00:02", start="05:00", end="55:00", groups=("night",))
    if ticked:
        world.tick("20:30")
    world.put("20:30", "a", group="")  # the slot of 20:00 is within its margin
    world.tick("41:30")
    assert missed(world) == [("a", "0:30:00"), ("a", "0:40:00")]


def test_who_joins_is_excused_for_what_is_not_missed_yet() -> None:
    world = World()
    put(world, "00:00", "a")
    world.ok("00:01", monitor_id="a")
    window(world, "00:02", start="05:00", end="55:00", groups=("night",))
    world.put("20:30", "a", group="night")
    world.tick("41:30")
    assert missed(world) == [("a", "0:10:00")]
    world.step("42:00", DeleteMaintenanceWindow(1, "w"))
    world.tick("51:30")
    assert missed(world)[1:] == [("a", "0:50:00")]


def test_only_where_it_matters_is_anything_kept() -> None:
    world = World()
    put(world, "00:00", "a", group="night", tags=("x",))
    window(world, "00:01", start="05:00", end="55:00")
    assert world.engine.state.windows._filed == {}
    window(world, "00:02", "v", start="05:00", end="55:00", tags=("x",))
    assert world.engine.state.windows._filed[1].keys() == {1}
    world.put("00:03", "a", group="", tags=())
    assert world.engine.state.windows._filed == {1: {}}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"groups": ("a", "b/c")}, "maintenance_window.groups[1]"),
        ({"groups": ("a",) * 1_001}, "maintenance_window.groups"),
        ({"tags": ("",)}, "maintenance_window.tags[0]"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, object], field: str) -> None:
    error = window(World(), "00:01", start="05:00", end="55:00", **fields).error
    assert error.violations[0].field == field


def test_a_monitor_that_waits_for_nothing_may_join_while_windows_recur() -> None:
    """Nobody has reported yet, so there is no slot that a window could excuse."""
    world = World()
    window(world, "00:00", recurrence=Cron("0 3 * * *"), duration_ms=60 * MINUTE, tags=("new",))
    put(world, "00:01", "a")
    put(world, "00:02", "a", tags=("new",))
    put(world, "00:03", "a", group="night")
    world.ok("00:04", monitor_id="a")
    world.tick("25:00")
    assert missed(world) == [("a", "0:10:00"), ("a", "0:20:00")]
