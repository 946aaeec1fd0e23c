"""Tracks are written later than their check-ins: whenever the engine dies, the next one comes to the same state."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import invariant, rule
from test_plain import NAMES, Pair, facts, hot, kept

from support.engines import T0, World
from tocsin._core.batch import KINDS, Batch
from tocsin._core.roster import MonitorRoster, TrackRoster
from tocsin._core.saved import COLUMNS, SIZE, Mover, packed, unpacked
from tocsin.domain.check_in import State
from tocsin.domain.commands import ReportBatch
from tocsin.domain.track import Track
from tocsin.engine.delta import Delta
from tocsin.engine.engine import EngineSettings
from tocsin.engine.memory import Snapshot


class Lagging(World):
    """Keeps of the tracks only what deltas bring, and reads check-ins again when it is restarted."""

    def __init__(self, settings: EngineSettings) -> None:
        super().__init__(settings)
        self.flush = 0
        self.applied: dict[int, int] = {}
        self.watermark = 0

    def _take(self) -> None:
        delta = self.engine.take(self.flush)
        self.facts += delta.facts
        self.kept.keep(delta)
        self.facts += self.kept.settle_columns(delta, self.engine)
        self.applied.update(dict.fromkeys(delta.tracks, delta.applied))
        for row, applied in saved(delta):
            if row[0] in self.kept.tracks:
                assert applied == delta.applied
                self.kept.tracks[row[0]] = Track(*row)
                self.applied[row[0]] = applied
        assert delta.watermark >= self.watermark
        self.watermark = delta.watermark
        assert (self.engine.projection.behind == 0) or self.engine.projection.unsaved

    def restart(self) -> None:
        snapshot = self.kept.snapshot()
        [tracks] = snapshot.tracks
        snapshot.tracks = [[(*row[:-1], self.applied[row[0]]) for row in tracks]]
        snapshot.watermark = self.watermark
        runs = [run for _, run in sorted(self.kept.check_ins.items()) if run.state is State.OK]
        after = [(run.number, run.track, run.receive_time, run.duration_ms) for run in runs]
        snapshot.after = [[row] for row in after if row[0] > self.watermark]
        self.load(snapshot)

    def load(self, snapshot: Snapshot) -> None:
        self.engine = type(self.engine)(self.engine.state.compiler, self.settings)
        self.engine.load(snapshot)


def saved(delta: Delta) -> list[tuple[tuple[int, ...], int]]:
    if not delta.saved:
        return []
    rows = [dict(zip(COLUMNS, values, strict=True)) for values in delta.saved.parameters()]
    found = [unpacked(row["packed"]) for row in rows]
    assert [row["number"] for row in rows] == delta.saved.numbers()
    for row, whole in zip(rows, found, strict=True):
        assert whole is not None
        fields = dict(zip(TrackRoster.COLUMNS, whole[0], strict=True))
        assert {name: row[name] for name in row if name in fields} == {
            name: fields[name] for name in row if name in fields
        }
        assert row["applied"] == whole[1]
    return [whole for whole in found if whole]


class Killed(Pair):
    """One engine whose tracks are written with each commit, one whose tracks lag; both restart at the same moments."""

    on: Lagging

    def worlds(self) -> tuple[World, World]:
        return Lagging(EngineSettings(kernels=True)), World(EngineSettings(kernels=True))

    @rule(flush=st.sampled_from([0, 0, 1, 2, 3, 1000]))
    def flush(self, flush: int) -> None:
        self.on.flush = flush

    @rule()
    def all_is_written(self) -> None:
        """As at a clean stop."""
        self.on.flush, before = 1000, self.on.flush
        self.on._take()
        self.on.flush = before
        assert self.on.kept.tracks == self.off.kept.tracks
        assert (self.on.engine.projection.unsaved, self.on.engine.projection.behind) == (0, 0)
        assert self.on.watermark == self.on.engine.state.last_check_in

    @invariant()
    def the_same(self) -> None:
        if not hasattr(self, "on"):
            return
        on, off = kept(self.on), kept(self.off)
        assert replace(on, tracks={}) == replace(off, tracks={})
        assert on.tracks.keys() == off.tracks.keys()
        assert hot(self.on) == hot(self.off)
        assert facts(self.on) == facts(self.off)
        for world in (self.on, self.off):
            world.facts.clear()


Killed.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestKilled = Killed.TestCase


def marked(count: int) -> tuple[TrackRoster, Mover]:
    """So many tracks, none of them moved."""
    tracks, monitors = TrackRoster(), MonitorRoster()
    for number in range(count):
        monitors.set(monitors.open(), "number", 2**40 + number)
        slot = tracks.open()
        tracks.set(slot, "number", number + 1)
        tracks.set(slot, "monitor", slot)
    return tracks, Mover(tracks, monitors)


@given(st.integers(1, 80), st.lists(st.tuples(st.lists(st.integers(0, 79)), st.integers(0, 30))))
def test_after_a_round_all_that_was_marked_has_been_taken(count: int, steps: list[tuple[list[int], int]]) -> None:
    tracks, mover = marked(count)
    waiting: set[int] = set()  # marked when the round began
    begun = mover.passed
    for slots, limit in steps:
        for slot in slots:
            tracks.mark_moved(slot % count)
        taken = [number - 1 for number in mover.take(limit, 7).numbers()]
        assert len(set(taken)) == len(taken) <= limit
        assert not any(tracks.is_moved(slot) for slot in taken)
        waiting.difference_update(taken)
        if mover.passed - begun >= mover.round:
            assert not waiting
        if not waiting:
            waiting = {slot for slot in range(count) if tracks.is_moved(slot)}
            begun = mover.passed


def test_a_row_of_another_layout_is_not_read() -> None:
    tracks, mover = marked(1)
    tracks.mark_moved(0)
    [values] = mover.take(5, 9).parameters()
    data = dict(zip(COLUMNS, values, strict=True))["packed"]
    assert len(data) == SIZE
    row = tuple(tracks.read(0))
    assert unpacked(data) == ((row[0], 2**40, *row[2:3], 0, *row[4:]), 9)
    assert data == packed((row[0], 2**40, *row[2:3], 0, *row[4:]), 9)
    for other in (b"", data[:-1], data + b"x", bytes([data[0] + 1]) + data[1:]):
        assert unpacked(other) is None


def test_what_is_taken_by_name_must_be_there() -> None:
    tracks, mover = marked(3)
    tracks.mark_moved(1)
    assert mover.of([1, 2], 5).numbers() == [2, 3]
    assert tracks.moved_count == 0
    assert len(mover.of([], 5)) == len(mover.take(10, 5)) == 0
    with pytest.raises(IndexError):
        mover.of([3], 5)


def test_the_watermark_follows_a_lap() -> None:
    """Marks made behind the mover wait for the next lap; the watermark is where the numbers stood when it began."""
    world = Lagging(EngineSettings())
    for name in NAMES[:4]:
        world.put(monitor_id=name)
    world.flush = 1
    marks = []
    for step in range(1, 20):
        batch = Batch()
        for name in NAMES[:4]:
            batch.append(name, KINDS.index("OK"))
        world.step(T0 + step, ReportBatch(1, batch, T0 + step, {}))
        marks.append(world.watermark)
    assert marks == sorted(marks)
    assert world.engine.projection.behind > 0


def test_tracks_of_monitors_that_are_gone_take_no_slots_of_others() -> None:
    """A track whose monitor is not there is closed again: what its slot holds then is no number of a track."""
    world = Lagging(EngineSettings())
    for name in "abcde":
        world.put(monitor_id=name)
        world.ok(T0 + 1, monitor_id=name)
    world.start(T0 + 2, monitor_id="c")
    batch = Batch()
    batch.append("c", KINDS.index("OK"), alone=True)
    world.step(T0 + 3, ReportBatch(1, batch, T0 + 3, {}))
    for name in "de":
        del world.kept.monitors["abcde".index(name) + 1]
    world.restart()
    state = world.engine.state
    last = {state.tracks.get(slot, "number"): state.tracks.get(slot, "last_check_in") for slot in range(3)}
    assert last == {1: T0 + 1, 2: T0 + 1, 3: T0 + 3}
    assert list(state.runs.tracks()) == [2]
