"""Open runs as a state machine against a dict and sorted lists."""

from array import array

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tocsin._core.runs import NOWHERE, OpenRuns
from tocsin._core.timetable import NEVER

SECRET = bytes(range(16))
TRACKS = st.integers(0, 4) | st.sampled_from([1 << 31, NOWHERE - 1])
TIMEOUTS = st.integers(0, 10) | st.just(NEVER) | st.just(-5)


class RunMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.runs, self.next = OpenRuns(SECRET), 0
        self.model = {}  # key -> (row, track, number, timeout)

    def _new(self, number):
        self.next += 1
        return b"run-%d" % self.next, (number, self.next)  # numbers are unique

    @rule(track=TRACKS, number=st.integers(-3, 50), timeout=TIMEOUTS)
    def put(self, track, number, timeout):
        key, (major, minor) = self._new(number)
        number = major * 1_000_000 + minor
        row = self.runs.put(key, track, number, timeout)
        assert row not in {known[0] for known in self.model.values()}
        self.model[key] = (row, track, number, timeout)

    @rule(rows=st.lists(st.tuples(TRACKS, TIMEOUTS), max_size=40))
    def put_many(self, rows):
        keys = [self._new(60)[0] for _ in rows]
        numbers = [60_000_000 + int(key[4:]) for key in keys]
        out = array("I", bytes(4 * len(rows)))
        tracks, timeouts = array("I", [track for track, _ in rows]), array("q", [timeout for _, timeout in rows])
        self.runs.put_many(keys, tracks, array("q", numbers), timeouts, out)
        for key, row, (track, timeout), number in zip(keys, out, rows, numbers, strict=True):
            self.model[key] = (row, track, number, timeout)

    @rule(data=st.data(), timeout=TIMEOUTS)
    @precondition(lambda self: self.model)
    def move_timeout(self, data, timeout):
        key = data.draw(st.sampled_from(sorted(self.model)))
        row, track, number, _ = self.model[key]
        assert self.runs.put(key, track, number, timeout) == row
        self.model[key] = (row, track, number, timeout)
        with pytest.raises(ValueError, match=f"number {number} of track {track}"):
            self.runs.put(key, track, number + 1, timeout)

    @rule(data=st.data())
    @precondition(lambda self: self.model)
    def remove(self, data):
        key = data.draw(st.sampled_from(sorted(self.model)))
        row = self.model.pop(key)[0]
        assert self.runs.remove(key) == row
        assert self.runs.remove(key) == NOWHERE
        with pytest.raises(IndexError):
            self.runs.older(row)

    @rule(track=TRACKS)
    def drop(self, track):
        wanted = self._of(track)
        assert self.runs.drop(track) == wanted
        self.model = {key: known for key, known in self.model.items() if known[1] != track}

    def _of(self, track):
        return [
            known[0]
            for known in sorted(self.model.values(), key=lambda known: known[2], reverse=True)
            if known[1] == track
        ]

    @invariant()
    def agrees(self):
        assert len(self.runs) == len(self.model)
        for key, (row, *_) in self.model.items():
            assert self.runs.find(key) == row
        tracks = {known[1] for known in self.model.values()}
        assert sorted(self.runs.tracks()) == sorted(tracks)
        for track in tracks | {9}:
            rows, timeouts = self._of(track), [known[3] for known in self.model.values() if known[1] == track]
            assert self.runs.of(track) == rows
            assert self.runs.newest(track) == (rows[0] if rows else NOWHERE)
            for row, older in zip(rows, [*rows, NOWHERE][1:], strict=True):
                assert self.runs.older(row) == older
            assert self.runs.summary(track) == (len(rows), min(timeouts, default=NEVER))


RunMachine.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestRuns = RunMachine.TestCase


def test_freed_rows_are_used_again():
    runs = OpenRuns(SECRET)
    for round_ in range(100):
        rows = {runs.put(b"%d-%d" % (round_, i), i % 3, i, NEVER) for i in range(10)}
        assert rows == set(range(10))
        assert len(runs.drop(0)) + len(runs.drop(1)) + len(runs.drop(2)) == 10
    assert runs.capacity == 16


def test_the_lid_checks():
    with pytest.raises(ValueError, match="16 bytes"):
        OpenRuns(b"")
    with pytest.raises(TypeError, match="owner is a roster"):
        OpenRuns(SECRET, object())
    runs = OpenRuns(SECRET)
    with pytest.raises(ValueError, match="nowhere"):
        runs.put(b"a", NOWHERE, 1, 1)
    with pytest.raises(OverflowError):
        runs.put(b"a", 0, 1 << 63, 1)
    with pytest.raises(TypeError):
        runs.put("a", 0, 1, 1)
    one, two = array("I", [0]), array("I", [0, 0])
    wide = array("q", [0])
    with pytest.raises(ValueError, match="1 keys, but not"):
        runs.put_many([b"a"], two, wide, wide, one)
    with pytest.raises(ValueError, match="1 keys, but not"):
        runs.put_many([b"a"], one, wide, wide, two)
    with pytest.raises(TypeError, match="key 0"):
        runs.put_many(["a"], one, wide, wide, one)
    with pytest.raises(ValueError, match="nowhere"):
        runs.put_many([b"a"], array("I", [NOWHERE]), wide, wide, one)
    with pytest.raises(MemoryError):
        runs.reserve(NOWHERE)
    with pytest.raises(IndexError):
        runs.older(0)
    assert len(runs) == 0
    assert runs.find(b"a") == NOWHERE
    assert runs.of(NOWHERE) == []
