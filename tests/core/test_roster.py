"""The rosters as state machines against dicts of tuples."""

from array import array

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tocsin._core.roster import MonitorRoster, Roster, TrackRoster
from tocsin._core.timetable import NEVER

NOWHERE = 0xFFFFFFFF
# As in `array`, and w: 48 bits without a sign, or NEVER; int64 in buffers.
CODES = {TrackRoster: "wIIIBBHHHHHwwwwwwwiIIIIIIqw", MonitorRoster: "wIIHQIww"}
BLANK = {
    TrackRoster: (0, NOWHERE, NOWHERE, NOWHERE, *[0] * 8, *[NEVER] * 6, -1, *[0] * 7, NEVER),
    MonitorRoster: (0, NOWHERE, NOWHERE, 0, 0, NOWHERE, 0, 0),
}
BITS = {"B": (0, 8), "H": (0, 16), "I": (0, 32), "Q": (0, 64), "i": (1, 32), "q": (1, 64)}


def bounds(code):
    if code == "w":
        return 0, (1 << 48) - 2
    signed, bits = BITS[code]
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def values(code):
    low, high = bounds(code)
    edges = [low, high, 0, *[NEVER] * (code == "w")]
    return st.sampled_from(edges) | st.integers(low, high)


def buffer(code, numbers):
    return array("q" if code == "w" else code, numbers)


class RosterMachine(RuleBasedStateMachine):
    kind = TrackRoster

    def __init__(self):
        super().__init__()
        self.roster, self.model, self.high = self.kind(), {}, 0
        self.moved = set()  # slots, of tracks only

    def row(self, data):
        return data.draw(st.tuples(*[values(code) for code in CODES[self.kind]]))

    @rule()
    def open(self):
        slot = self.roster.open()
        assert slot not in self.model
        assert slot <= self.high
        self.high = max(self.high, slot + 1)
        self.model[slot] = BLANK[self.kind]

    @rule(data=st.data())
    @precondition(lambda self: self.model)
    def close(self, data):
        slot = data.draw(st.sampled_from(sorted(self.model)))
        self.roster.close(slot)
        del self.model[slot]
        self.moved.discard(slot)
        assert not self.roster.is_open(slot)
        with pytest.raises(IndexError):
            self.roster.read(slot)
        with pytest.raises(IndexError):
            self.roster.close(slot)

    @rule(data=st.data())
    @precondition(lambda self: self.model)
    def write(self, data):
        slot, row = data.draw(st.sampled_from(sorted(self.model))), self.row(data)
        self.roster.write(slot, row)
        self.model[slot] = row

    @rule(data=st.data())
    @precondition(lambda self: self.model)
    def set(self, data):
        slot = data.draw(st.sampled_from(sorted(self.model)))
        i = data.draw(st.integers(0, len(CODES[self.kind]) - 1))
        value = data.draw(values(CODES[self.kind][i]))
        self.roster.set(slot, self.kind.COLUMNS[i], value)
        self.model[slot] = (*self.model[slot][:i], value, *self.model[slot][i + 1 :])
        assert self.roster.get(slot, self.kind.COLUMNS[i]) == value

    @rule(data=st.data(), count=st.integers(0, 3))
    def load(self, data, count):
        rows = [self.row(data) for _ in range(count)]
        columns = [buffer(code, [row[i] for row in rows]) for i, code in enumerate(CODES[self.kind])]
        first = self.roster.load(columns)
        assert first == self.high
        self.high += count
        self.model.update({first + i: row for i, row in enumerate(rows)})

    @invariant()
    def agrees(self):
        assert len(self.roster) == len(self.model)
        for slot, row in self.model.items():
            assert self.roster.read(slot) == row
        for i in (0, 5):
            column = self.roster.column(self.kind.COLUMNS[i])
            assert len(column) == self.high
            assert all(column[slot] == row[i] for slot, row in self.model.items())


class TrackMachine(RosterMachine):
    @rule(data=st.data())
    @precondition(lambda self: self.model)
    def mark(self, data):
        slot = data.draw(st.sampled_from(sorted(self.model)))
        self.roster.mark_moved(slot)
        self.moved.add(slot)

    @rule(data=st.data())
    @precondition(lambda self: self.moved)
    def clear(self, data):
        slot = data.draw(st.sampled_from(sorted(self.moved)))
        self.roster.clear_moved(slot)
        self.moved.discard(slot)

    @rule(limit=st.integers(0, 4))
    def take(self, limit):
        taken = list(self.roster.take_moved(limit))
        assert len(taken) == len(set(taken)) == min(limit, len(self.moved))
        assert set(taken) <= self.moved
        self.moved -= set(taken)

    @invariant()
    def marks_agree(self):
        assert self.roster.moved_count == len(self.moved)
        assert {slot for slot in self.model if self.roster.is_moved(slot)} == self.moved


class MonitorMachine(RosterMachine):
    kind = MonitorRoster


TrackMachine.TestCase.settings = MonitorMachine.TestCase.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None
)
TestTracks, TestMonitors = TrackMachine.TestCase, MonitorMachine.TestCase


@pytest.mark.parametrize("kind", [TrackRoster, MonitorRoster])
def test_a_value_that_does_not_fit_names_its_column_and_changes_nothing(kind):
    roster = kind()
    slot = roster.open()
    for i, code in enumerate(CODES[kind]):
        for outside in (bounds(code)[0] - 1, bounds(code)[1] + 1):
            row = list(BLANK[kind])
            row[0] = 1
            row[i] = outside
            with pytest.raises(OverflowError, match=f"^{kind.COLUMNS[i]} is"):
                roster.write(slot, tuple(row))
            with pytest.raises(OverflowError, match=f"^{kind.COLUMNS[i]} is"):
                roster.set(slot, kind.COLUMNS[i], outside)
    assert roster.read(slot) == BLANK[kind]


def test_the_lid_checks():
    roster = TrackRoster()
    slot = roster.open()
    with pytest.raises(ValueError, match="27 values"):
        roster.write(slot, (1, 2))
    with pytest.raises(TypeError, match=r"^health is an integer"):
        roster.write(slot, (*BLANK[TrackRoster][:4], "x", *BLANK[TrackRoster][5:]))
    with pytest.raises(KeyError):
        roster.get(slot, "colour")
    with pytest.raises(IndexError):
        roster.get(slot + 1, "health")
    columns = [buffer(code, [0]) for code in CODES[TrackRoster]]
    with pytest.raises(ValueError, match="27 columns"):
        roster.load(columns[:-1])
    with pytest.raises(ValueError, match=r"^health is a buffer of 'B', got 'H'"):
        roster.load([*columns[:4], array("H", [0]), *columns[5:]])
    with pytest.raises(ValueError, match=r"^expected is a buffer of 'q', got 'Q'"):
        roster.load([*columns[:12], array("Q", [0]), *columns[13:]])
    with pytest.raises(ValueError, match="2 rows, not 1"):
        roster.load([*columns[:12], array("q", [0, 0]), *columns[13:]])
    with pytest.raises(MemoryError):
        roster.reserve(1 << 40)
    assert len(roster) == 1
    assert roster.column("health").readonly


def test_memory_of_a_row():
    assert TrackRoster().bytes_per_slot == 114.25
    assert MonitorRoster().bytes_per_slot == 40.125


@pytest.mark.parametrize("kind", [TrackRoster, MonitorRoster])
def test_a_buffer_with_a_value_that_does_not_fit_names_its_column_and_appends_nothing(kind):
    roster = kind()
    roster.load([buffer(code, [1, 2]) for code in CODES[kind]])
    for i, code in enumerate(CODES[kind]):
        if code == "w":
            for outside in (-1, (1 << 48) - 1, NEVER - 1, -NEVER - 1):
                columns = [buffer(code, [3, 4]) for code in CODES[kind]]
                columns[i][1] = outside
                with pytest.raises(OverflowError, match=f"^{kind.COLUMNS[i]} is {outside}, outside 0"):
                    roster.load(columns)
    assert len(roster) == 2
    assert roster.open() == 2
    assert roster.read(2) == BLANK[kind]
    assert list(roster.column("number"))[:2] == [1, 2]


def test_the_last_millisecond_of_the_year_9999_and_never_are_exact():
    roster = TrackRoster()
    slot = roster.open()
    for instant in (0, 1, 253402300799999, (1 << 48) - 2, NEVER):
        roster.set(slot, "expected", instant)
        assert roster.get(slot, "expected") == roster.column("expected")[slot] == instant


def test_reserve_is_exact_and_growth_doubles():
    roster = MonitorRoster()
    roster.reserve(1001)
    assert roster.capacity == 1008
    for _ in range(1009):
        roster.open()
    assert roster.capacity == 2016
    assert roster.nbytes == 2016 * roster.bytes_per_slot


def test_a_roster_without_columns_holds_nothing():
    with pytest.raises(TypeError, match="no columns"):
        Roster().open()


def test_tracks_that_moved_have_their_turn_in_a_round():
    roster = TrackRoster()
    slots = [roster.open() for _ in range(40)]
    for slot in slots:
        roster.mark_moved(slot)
    assert list(roster.take_moved(10)) == slots[:10]
    for slot in slots[:10]:
        roster.mark_moved(slot)
    assert list(roster.take_moved(25)) == slots[10:35]
    assert list(roster.take_moved(100)) == [*slots[35:], *slots[:10]]
    assert list(roster.take_moved(100)) == []
    with pytest.raises(IndexError):
        roster.mark_moved(40)
