"""Windows that only silence cover no slot; of whom nobody is told is asked by tags."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from support.engines import T0, World, compiler, instant
from tocsin.domain.commands import PutMaintenanceWindow, PutMonitor
from tocsin.domain.instant import HOUR, MINUTE
from tocsin.domain.maintenance import FIELDS, MaintenanceWindow
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.schedule import Cron
from tocsin.engine.windows import Windows

FROM, TO = instant("05:00"), instant("15:00")


def world_with(**fields: object) -> World:
    world = World()
    world.put(schedules=(Cron("*/10 * * * *"),), margin_ms=MINUTE, tags=("db", "night"))
    world.ok("00:00")
    made = MaintenanceWindow(0, 1, "w", start_time=FROM, end_time=TO, **fields)  # type: ignore[arg-type]
    world.step("00:01", PutMaintenanceWindow(1, "w", made, FIELDS))
    return world


def silent(world: World, at: str = "10:00", tags: tuple[str, ...] = (), environment: str = "production") -> bool:
    number = world.engine.state.monitor(world.engine.state.find_monitor(1, "job")).number
    return world.engine.state.windows.silences(compiler(), 1, number, environment, instant(at), tags)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),  # whom it pauses it silences too
        ({"pause": False}, False),
        ({"pause": False, "silence_all": True}, True),
        ({"pause": False, "silence_tags": ("db", "x")}, True),
        ({"pause": False, "silence_tags": ("x",)}, False),
        ({"pause": False, "silence_tags": ("DB",)}, False),
        ({"tags": ("x",)}, False),
        ({"tags": ("x",), "silence_tags": ("night",)}, True),
        ({"tags": ("x",), "silence_all": True}, True),
        ({"pause": False, "silence_all": True, "environments": ("stag*",)}, False),
    ],
)
def test_who_is_silenced(fields: dict[str, object], expected: bool) -> None:
    world = world_with(**fields)
    assert silent(world) == expected
    assert [silent(world, at) for at in ("04:59.999", "15:00")] == [False, False]
    world.restart()
    assert silent(world) == expected


def test_tags_of_a_group_count_too() -> None:
    world = world_with(pause=False, silence_tags=("team-a",))
    assert (silent(world), silent(world, tags=("team-b", "team-a"))) == (False, True)


def test_new_tags_count_at_once() -> None:
    world = world_with(pause=False, silence_tags=("new",))
    assert not silent(world)
    world.step("01:00", PutMonitor(1, "job", MonitorChange(tags=("new",))))
    assert silent(world)


def test_a_recurring_one_silences_in_its_occurrences() -> None:
    world = world_with()
    made = MaintenanceWindow(
        0, 1, "r", recurrence=Cron("0 * * * *"), duration_ms=10 * MINUTE, pause=False, silence_all=True
    )
    world.step("00:02", PutMaintenanceWindow(1, "r", made, FIELDS))
    found = [silent(world, at) for at in ("1:00:00", "1:09:59.999", "1:10:00", "2:05:00")]
    assert found == [True, True, False, True]


def test_the_servers_windows_silence_every_project() -> None:
    windows = Windows([MaintenanceWindow(0, 0, "s", start_time=FROM, end_time=TO, pause=False, silence_all=True)])
    assert windows.silences(compiler(), 7, 1, "production", FROM)
    assert not windows.pause()


@pytest.mark.parametrize("restarts", [False, True])
def test_slots_in_it_are_due_as_ever(*, restarts: bool) -> None:
    world = world_with(pause=False, silence_all=True)
    if restarts:
        world.restart()
    world.tick("11:00.001")
    assert [slot for state, slot in world.history() if state == "missed"] == ["0:10:00"]
    assert not world.engine.state.windows.pause()
    assert world.engine.state.windows


def test_bursts_are_judged_in_columns_beside_it() -> None:
    world = world_with(pause=False, silence_all=True)
    world.tick("11:00.001")
    assert len(world.delta.opened) == 1


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-10, 10), st.integers(1, 10), st.booleans(), st.booleans()), max_size=6),
    st.integers(-12, 22),
)
def test_when_windows_are_over_beside_the_plain_answer(known: list[tuple[int, int, bool, bool]], minute: int) -> None:
    windows = Windows()
    for number, (start, length, pause, repeated) in enumerate(known):
        begin = T0 + start * MINUTE
        when = (
            {"recurrence": Cron(f"{start % 60} * * * *"), "duration_ms": length * MINUTE}
            if repeated
            else {"start_time": begin, "end_time": begin + length * MINUTE}
        )
        windows.put(MaintenanceWindow(number + 1, 1, f"w{number}", pause=pause, **when))  # type: ignore[arg-type]

    def covered(at: int) -> bool:
        return any(
            pause and any(0 <= at - (T0 + start * MINUTE + again) < length * MINUTE for again in shifts(repeated))
            for start, length, pause, repeated in known
        )

    at = T0 + minute * MINUTE + 1
    end = windows.until(compiler(), 1, 1, "production", at)
    assert (end is not None) == covered(at)
    if end is not None:
        assert not covered(end)
        assert all(covered(between) for between in range(at, end, MINUTE))


def shifts(repeated: bool) -> range | tuple[int]:
    return range(-2 * HOUR, 3 * HOUR, HOUR) if repeated else (0,)
