"""Check-ins applied again at a start: the kernel comes to the same as the arithmetic of the rules, row by row."""

from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given, settings
from test_plain import SCHEDULES

from support.engines import T0, compiler
from tocsin._core.apply import Applier
from tocsin._core.replay import Replay
from tocsin.app.tzdata import read_zone, zone_names
from tocsin.domain.instant import DAY, MINUTE, NEVER
from tocsin.domain.monitor import Policy, Tolerance
from tocsin.domain.schedule import Cron
from tocsin.domain.track import Track, TrackFlag
from tocsin.engine.engine import Engine, EngineSettings
from tocsin.engine.memory import AfterRow, Snapshot
from tocsin.schedule import Compiler, Zones

POLICIES = st.builds(
    Policy,
    SCHEDULES,
    st.builds(
        Tolerance,
        margin_ms=st.sampled_from([0, 1, 30_001, 25 * MINUTE]),
        early_ms=st.sampled_from([None, None, 0, 45_000, DAY]),
        recovery_threshold=st.integers(1, 3),
    ),
)
NEAR = st.integers(-12 * MINUTE, 12 * MINUTE).map(lambda shift: T0 + shift)


@st.composite
def tracks(draw: st.DrawFn, number: int, monitors: int) -> Track:
    return Track(
        number=number,
        monitor=draw(st.integers(1, monitors + 1)),  # the last is of no monitor
        environment=1,
        next_track=0,
        flags=draw(st.sampled_from([0, int(TrackFlag.DEAFENED), int(TrackFlag.MUTED)])),
        failures=draw(st.integers(0, 2)),
        recoveries=draw(st.sampled_from([0, 1, 0xFFFF])),
        expected=draw(st.one_of(st.just(NEVER), NEAR)),
        deadline=draw(st.one_of(st.just(NEVER), NEAR.map(lambda at: at // 1000 * 1000))),
        last_success=draw(st.one_of(st.just(NEVER), NEAR)),
        ok_count=draw(st.integers(0, 5)),
    )


@st.composite
def starts(draw: st.DrawFn) -> tuple[list[Policy], list[tuple[Track, int]], list[list[AfterRow]]]:
    """Policies, one for each monitor; tracks in any order, with what they contain; chunks of check-ins."""
    policies = draw(st.lists(POLICIES, min_size=1, max_size=4))
    numbers = draw(st.lists(st.integers(1, 40), min_size=1, max_size=12, unique=True))
    rows = [(draw(tracks(number, len(policies))), draw(st.integers(0, 30))) for number in numbers]
    at = st.one_of(NEAR, st.integers(T0, T0 + 30 * DAY), st.just(0))
    what = st.tuples(st.sampled_from([*numbers, 99]), at, st.one_of(st.none(), st.integers(0, 2**31 - 1)))
    after = [(number, *one) for number, one in enumerate(draw(st.lists(what, max_size=40)), 1)]
    size = draw(st.integers(1, 41))
    return policies, rows, [after[first : first + size] for first in range(0, len(after), size)]


def started(
    kernels: bool, policies: list[Policy], rows: list[tuple[Track, int]], after: list[list[AfterRow]], fresh: bool
) -> Any:

    schedules = Compiler(Zones(read_zone, zone_names)) if fresh else compiler()
    engine = Engine(schedules, EngineSettings(kernels=kernels))
    engine.load(
        Snapshot(
            clock=T0,
            policies=list(enumerate(policies, 1)),
            environments=[(1, "production")],
            monitors=[
                [(number, 1, f"m{number}", number, False, False, None, None) for number, _ in enumerate(policies, 1)]
            ],
            tracks=[[(*msgspec.structs.astuple(track), applied) for track, applied in rows]],
            open_runs=[],
            open_incidents=[],
            after=after,
            sequences={},
        )
    )
    state = engine.state
    found = [slot for slot in range(state.tracks.capacity) if state.tracks.is_open(slot)]
    return (
        [state.tracks.read(slot) for slot in found],
        [(state.deadlines.heap.get(slot, 0), state.deadlines.heap.get(slot, 1)) for slot in found],
        [state.tracks.is_moved(slot) for slot in found],
        engine.projection.behind,
        engine.next_deadline(),
    )


@settings(max_examples=300, deadline=None)
@given(starts(), st.booleans())
def test_the_kernel_comes_to_what_the_rules_come_to(
    start: tuple[list[Policy], list[tuple[Track, int]], list[list[AfterRow]]], fresh: bool
) -> None:
    """`fresh`: no timetable reaches far, so the kernel stops at many rows."""
    assert started(True, *start, fresh) == started(False, *start, fresh)


def test_what_the_kernel_cannot_do_is_done_in_its_place() -> None:
    """A year passes between two check-ins: the timetable must reach farther for each."""
    track = Track(number=7, monitor=1, environment=1, next_track=0)
    other = Track(number=8, monitor=1, environment=1, next_track=0)
    after = [(n, 7 + n % 2, T0 + n * 400 * DAY, n) for n in range(1, 9)]
    policies = [Policy((Cron("7 3 * * *", "Europe/Vienna"),))]
    on, off = (started(kernels, policies, [(track, 0), (other, 3)], [after], True) for kernels in (True, False))
    assert on == off
    assert on[2] == [True, True]
    assert on[3] == 6, "all but the first and the third, which are contained"


def test_a_chunk_is_checked() -> None:
    engine = Engine(compiler(), EngineSettings())
    assert isinstance(engine.state.applier, Applier)
    replay = Replay(engine.state.applier, engine.state.compiler.timetables, {})
    with pytest.raises(ValueError, match="duration of -1 ms"):
        replay.read([(1, 1, T0, -1)])
    with pytest.raises(OverflowError):
        replay.read([(1, 1, 2**63, None)])
    with pytest.raises(IndexError):
        replay.step(1)
    replay.read([(1, 1, T0, None), (2, 5, T0, 3)])
    assert replay.step(0) == (2, 0), "there are no tracks"
    assert replay.slot(1) == 0xFFFFFFFF
    with pytest.raises(IndexError):
        replay.slot(2)
