"""Maintenance windows: slots inside one are not due. T0 is 10:00:00 UTC on Friday, 20 March 2026."""

import datetime

import pytest

from support.engines import T0, World, instant, relative
from tocsin.domain.check_in import State
from tocsin.domain.commands import DeleteMaintenanceWindow, PutMaintenanceWindow
from tocsin.domain.facts import IncidentOpened, Missed, TimedOut, Unjudged
from tocsin.domain.instant import DAY, HOUR, MINUTE
from tocsin.domain.maintenance import FIELDS, MaintenanceWindow
from tocsin.domain.schedule import Cron, Daily, Interval, OnCalendar, Rolling, RRule, Schedule, Unit
from tocsin.engine.engine import EngineSettings
from tocsin.engine.maintenance import WINDOWS_MAX

TEN_MINUTES = (Cron("*/10 * * * *"),)


def window(world: World, at: str | int, window_id: str = "w", **fields: object):
    """Puts a window; `start` and `end` in relative time."""
    for name in ("start", "end"):
        if name in fields:
            fields[f"{name}_time"] = instant(fields.pop(name))  # type: ignore[arg-type]
    made = MaintenanceWindow(0, 1, window_id, **fields)  # type: ignore[arg-type]
    return world.step(at, PutMaintenanceWindow(1, window_id, made, tuple(fields)))


def remove(world: World, at: str | int, window_id: str = "w"):
    return world.step(at, DeleteMaintenanceWindow(1, window_id))


def job(**fields: object) -> World:
    world = World()
    world.put(**{"schedules": TEN_MINUTES, "margin_ms": MINUTE, "max_runtime_ms": 10 * HOUR, **fields})
    world.ok("00:00")
    return world


def missed(world: World) -> list[str | None]:
    return [slot for state, slot in world.history() if state == "missed"]


def utc(*parts: int) -> int:
    return int(datetime.datetime(*parts, tzinfo=datetime.UTC).timestamp()) * 1000


def test_slots_inside_are_passed_over_and_the_first_after_it_is_due() -> None:
    world = job()
    assert window(world, "00:01", start="10:00", end="40:00").error is None
    world.tick("41:00")
    assert missed(world) == []
    assert world.track().verdict == 1  # as before
    world.tick("51:00")
    assert missed(world) == ["0:40:00"]  # the end is outside


def test_the_beginning_is_inside_and_what_was_due_before_is_missed() -> None:
    world = job()
    window(world, "00:01", start="20:00", end="20:00.001")
    world.tick("35:00")
    assert missed(world) == ["0:10:00", "0:30:00"]


def test_a_margin_longer_than_the_distance_swallows_nothing_after_the_window() -> None:
    world = job(margin_ms=25 * MINUTE)
    window(world, "00:01", start="10:00", end="15:00")
    world.tick("35:00.001")
    assert missed(world) == []
    assert relative(world.track().expected) == "0:20:00"
    world.tick("45:00.001")
    assert missed(world) == ["0:20:00"]


@pytest.mark.parametrize(("schedule", "first"), [(Interval(10, Unit.MINUTE), 40), (Rolling(10 * MINUTE), 45)])
def test_timers_go_on_from_the_slot_that_was_passed_over_or_from_the_end(schedule: Schedule, first: int) -> None:
    world = job(schedules=(schedule,))
    window(world, "00:01", start="05:00", end="35:00")
    world.tick(f"{first + 1}:00")
    assert missed(world) == []
    world.tick(f"{first + 1}:00.001")
    assert missed(world) == [f"0:{first}:00"]


def test_made_while_a_slot_is_late() -> None:
    world = job(margin_ms=5 * MINUTE)
    world.tick("12:00")
    window(world, "12:00", start="05:00", end="19:00")
    world.tick("24:00")
    assert missed(world) == []
    world.tick("25:00.001")
    assert missed(world) == ["0:20:00"]


def test_made_after_the_deadline_it_comes_too_late_whenever_silence_is_judged() -> None:
    for ticked in (True, False):
        world = job(margin_ms=5 * MINUTE)
        if ticked:
            world.tick("15:01")
        window(world, "15:01", start="05:00", end="29:00")
        world.tick("29:00")
        assert missed(world) == ["0:10:00"]


def test_deleted_what_is_waited_for_is_due_again() -> None:
    world = job()
    window(world, "00:01", start="05:00", end="9:00:00")
    world.tick("35:00")
    assert missed(world) == []
    assert remove(world, "35:00").window.id == "w"
    world.tick("41:01")
    assert missed(world) == ["0:40:00"]
    assert not world.engine.state.windows


@pytest.mark.parametrize("ticked", [False, True])
def test_what_it_has_passed_over_stays_so_whenever_silence_is_judged(ticked: bool) -> None:
    world = job()
    window(world, "00:01", start="05:00", end="25:00")
    if ticked:
        world.tick("12:00")
    remove(world, "12:00")
    world.tick("20:30")
    assert missed(world) == []
    world.tick("21:01")
    assert missed(world) == ["0:20:00"]


def test_a_window_of_another_project_judges_nothing_here() -> None:
    world = job()
    made = MaintenanceWindow(0, 2, "w", start_time=T0, end_time=T0 + DAY)
    world.step("12:00", PutMaintenanceWindow(2, "w", made, FIELDS))
    assert missed(world) == []
    world.tick("12:00")
    assert missed(world) == ["0:10:00"]


def test_moved_what_is_outside_now_is_due() -> None:
    world = job()
    window(world, "00:01", start="05:00", end="9:00:00")
    receipt = window(world, "15:00", end="25:00")
    assert (receipt.error, relative(receipt.window.start_time)) == (None, "0:05:00")
    world.tick("31:01")
    assert missed(world) == ["0:30:00"]


@pytest.mark.parametrize("after", ["00:02", "15:00", "35:00"])
def test_a_restart_in_a_window_changes_nothing(after: str) -> None:
    world = job()
    window(world, "00:01", start="05:00", end="45:00", monitors=("j*",))
    world.tick(after)
    world.restart()
    world.tick("51:01")
    assert missed(world) == ["0:50:00"]


def test_only_the_environments_that_a_pattern_fits() -> None:
    world = job()
    world.ok("00:00", environment="staging-1")
    window(world, "00:01", start="05:00", end="25:00", environments=("staging-*", "qa"))
    world.tick("12:00")
    assert [fact.check_in.environment for fact in world.of(Missed)] == ["production"]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_only_the_monitors_that_a_pattern_fits(restart: bool, late: bool) -> None:
    world = job()
    if not late:
        world.put("00:00.5", monitor_id="nightly-a", schedules=TEN_MINUTES, margin_ms=MINUTE)
    window(world, "00:01", start="05:00", end="25:00", monitors=("nightly-*",))
    if late:
        world.put("00:02", monitor_id="nightly-a", schedules=TEN_MINUTES, margin_ms=MINUTE)
    world.ok("00:03", monitor_id="nightly-a")
    if restart:
        world.restart()
    world.tick("12:00")
    assert len(missed(world)) == 1
    world.tick("31:01")
    names = {monitor.number: monitor.id for monitor, _ in world.kept.monitors.values()}
    slots = [(names[fact.check_in.monitor], relative(fact.check_in.expected_time)) for fact in world.of(Missed)]
    assert sorted(slots) == [("job", "0:10:00"), ("job", "0:20:00"), ("job", "0:30:00"), ("nightly-a", "0:30:00")]


def test_a_monitor_and_its_window_in_one_batch() -> None:
    world = World()
    made = MaintenanceWindow(0, 1, "w", start_time=instant("05:00"), end_time=instant("25:00"), monitors=("new",))
    put = PutMaintenanceWindow(1, "w", made, FIELDS)
    world.put(monitor_id="old", schedules=TEN_MINUTES)
    from tocsin.domain.commands import PutMonitor
    from tocsin.domain.monitor import MonitorChange

    change = MonitorChange(policy={"schedules": TEN_MINUTES})
    world.together(("00:01", PutMonitor(1, "new", change)), ("00:01", put), ("00:01", DeleteMaintenanceWindow(1, "w")))
    world.together(("00:02", put))
    world.ok("00:03", monitor_id="new")
    world.ok("00:03", monitor_id="old")
    world.tick("12:00")
    assert len(missed(world)) == 1
    world.delete("13:00", "new")
    assert world.engine.state.windows._ids[1].keys() == {1}


def test_another_project_is_not_covered_and_the_servers_windows_cover_all() -> None:
    world = job()
    world.step(
        "00:01", PutMaintenanceWindow(2, "w", MaintenanceWindow(0, 2, "w", start_time=T0, end_time=T0 + DAY), FIELDS)
    )
    world.tick("12:00")
    assert missed(world) == ["0:10:00"]
    for patterns, found in (((), []), (("j?b",), []), (("other",), ["0:10:00"])):
        server = MaintenanceWindow(0, 0, "s", start_time=T0, end_time=T0 + DAY, monitors=patterns)
        world = World(EngineSettings(windows=(server,)))
        world.put(schedules=TEN_MINUTES, margin_ms=MINUTE)
        world.ok("00:00")
        world.restart()
        world.tick("12:00")
        assert missed(world) == found


# --- what happens inside


def test_a_run_that_fails_or_times_out_inside_has_failed() -> None:
    world = job(max_runtime_ms=5 * MINUTE)
    window(world, "00:01", start="05:00", end="9:00:00")
    world.error("10:00")
    assert len(world.of(IncidentOpened)) == 1
    world.ok("11:00")
    world.start("20:00")
    world.tick("26:00")
    assert len(world.of(TimedOut)) == 1
    assert len(world.of(IncidentOpened)) == 2


def test_a_report_inside_is_filed_as_ever() -> None:
    world = job()
    window(world, "00:01", start="05:00", end="45:00")
    assert relative(world.ok("10:30").check_in.expected_time) == "0:10:00"
    assert relative(world.track().expected) == "0:20:00"


def test_a_late_report_after_a_slot_that_was_passed_over_is_linked_to_nothing() -> None:
    world = job()
    window(world, "00:01", start="05:00", end="15:00")
    world.tick("12:00")
    run = world.ok("13:00").check_in
    assert (run.late, run.satisfies, relative(run.expected_time)) == (False, None, "0:20:00")


def test_deaf_inside_a_window_is_not_unknown() -> None:
    world = job()
    window(world, "00:01", start="05:00", end="45:00")
    world.deaf("08:00", "20:30")
    assert world.of(Unjudged) == []
    world.tick("51:01")
    assert missed(world) == ["0:50:00"]


def test_counters_of_thresholds_stand_still() -> None:
    world = job(failure_threshold=2)
    window(world, "00:01", start="15:00", end="45:00")
    world.tick("49:00")
    assert (missed(world), world.of(IncidentOpened)) == (["0:10:00"], [])
    world.tick("51:01")
    assert len(world.of(IncidentOpened)) == 1


# --- recurrences


@pytest.mark.parametrize(
    "recurrence",
    [
        Cron("0 11 * * *"),
        Daily(("11:00",)),
        RRule("FREQ=DAILY;BYHOUR=11;BYMINUTE=0;BYSECOND=0"),
        OnCalendar("*-*-* 11:00"),
        Cron("0 12 * * *", "Europe/Berlin"),  # before the change of the clocks: an hour ahead of UTC
    ],
)
def test_a_recurring_window(recurrence: Cron | Daily | RRule | OnCalendar) -> None:
    world = job(schedules=(Cron("0 * * * *"),))
    assert window(world, "00:01", recurrence=recurrence, duration_ms=2 * HOUR).error is None
    world.tick("4:01:00.001")
    assert missed(world) == ["3:00:00", "4:00:00"]  # 11:00 and 12:00 UTC are inside, 13:00 is its end
    world.tick("25:01:00.001")
    assert "25:00:00" not in missed(world)
    assert "24:00:00" in missed(world)


def test_a_recurring_window_across_changes_of_the_clocks() -> None:
    """22:00 in Berlin, six hours long in real time, over the night of 28 to 29 March 2026, when 02:00 becomes 03:00."""
    world = World()
    began = utc(2026, 3, 28, 20, 30)
    world.put(began, schedules=(Cron("0 * * * *"),), margin_ms=MINUTE)
    world.ok(began)
    window(world, began + 1, recurrence=Cron("0 22 * * *", "Europe/Berlin"), duration_ms=6 * HOUR)
    world.tick(utc(2026, 3, 29, 22, 5))
    hours = [(fact.check_in.expected_time - utc(2026, 3, 29)) // HOUR for fact in world.of(Missed)]
    # 21:00Z to 03:00Z in winter's time; from 20:00Z on the day after
    assert hours == list(range(3, 20))


def test_occurrences_that_overlap_and_windows_without_end() -> None:
    world = job()
    window(world, "00:01", recurrence=Cron("0 * * * *"), duration_ms=2 * HOUR)
    world.tick("50:00:00")
    assert missed(world) == []
    assert relative(world.track().expected) == "50:00:00"


# --- what can be said


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "maintenance_window.start_time"),
        ({"start": "5:00"}, "maintenance_window.end_time"),
        ({"start": "5:00", "end": "5:00"}, "maintenance_window.end_time"),
        ({"start": "5:00", "end": "6:00", "duration_ms": 1}, "maintenance_window.duration"),
        ({"recurrence": Cron("0 * * * *")}, "maintenance_window.duration"),
        ({"recurrence": Cron("0 * * * *"), "duration_ms": 367 * DAY}, "maintenance_window.duration"),
        ({"recurrence": Cron("0 * * * *"), "duration_ms": HOUR, "start": "0"}, "maintenance_window.start_time"),
        ({"recurrence": Interval(1, Unit.HOUR), "duration_ms": HOUR}, "maintenance_window.recurrence"),
        ({"recurrence": Rolling(HOUR), "duration_ms": HOUR}, "maintenance_window.recurrence"),
        (
            {"recurrence": Cron("0 99 * * *"), "duration_ms": HOUR},
            "maintenance_window.recurrence.cron.expression",
        ),
        ({"start": "5:00", "end": "6:00", "monitors": ("a", "")}, "maintenance_window.monitors[1]"),
        ({"start": "5:00", "end": "6:00", "environments": ("x" * 201,)}, "maintenance_window.environments[0]"),
        ({"start": "5:00", "end": "6:00", "display_name": "x" * 201}, "maintenance_window.display_name"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(fields: dict[str, object], field: str) -> None:
    world = job()
    error = window(world, "00:01", **fields).error
    assert error is not None
    assert error.violations[0].field == field
    assert not world.engine.state.windows
    assert world.kept.windows == {}


def test_create_update_and_delete() -> None:
    world = job()
    made = MaintenanceWindow(0, 1, "w", start_time=T0, end_time=T0 + HOUR)
    update = PutMaintenanceWindow(1, "w", made, FIELDS, create=False)
    create = PutMaintenanceWindow(1, "w", made, FIELDS, update=False)
    assert world.step("00:01", update).error.reason == "MAINTENANCE_WINDOW_NOT_FOUND"
    first = world.step("00:02", create)
    assert (first.created, first.window.number, relative(first.window.create_time)) == (True, 1, "0:00:02")
    assert world.step("00:03", create).error.reason == "MAINTENANCE_WINDOW_ALREADY_EXISTS"
    same = world.step("00:04", update)
    assert (same.created, same.window) == (False, first.window)
    named = window(world, "00:05", display_name="Patch day").window
    assert (named.display_name, named.end_time, relative(named.create_time)) == ("Patch day", T0 + HOUR, "0:00:02")
    assert relative(named.update_time) == "0:00:05"
    assert world.kept.windows == {1: named}
    remove(world, "00:06")
    assert world.kept.windows == {}
    assert remove(world, "00:07").error.reason == "MAINTENANCE_WINDOW_NOT_FOUND"
    assert window(world, "00:08", start="0", end="1").window.number == 2


def test_there_are_not_too_many() -> None:
    world = job()
    for number in range(WINDOWS_MAX):
        assert window(world, "00:01", f"w-{number}", start="0", end="1").error is None
    assert window(world, "00:02", "one-more", start="0", end="1").error.reason == "QUOTA_EXCEEDED"
    assert window(world, "00:02", "w-0", end="2").error is None


def test_without_windows_nothing_is_asked() -> None:
    world = job()
    assert not world.engine.state.windows
    world.tick("11:01")
    assert missed(world) == ["0:10:00"]
    assert world.of(Missed)[0].check_in.state is State.MISSED
