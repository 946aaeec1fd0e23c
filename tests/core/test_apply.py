"""Plain reports and plain first misses of one track come to what simple arithmetic says; and what kernels refuse."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.oracle.plain import OneTrack
from support.plain import NAME, TRACK, Parts
from tocsin._core import misses
from tocsin._core.apply import Applier, spare, unlisted, without
from tocsin._core.batch import KINDS, Batch
from tocsin._core.opened import Opened
from tocsin._core.plans import Plans
from tocsin._core.recorded import Recorded
from tocsin.domain.instant import NEVER
from tocsin.engine import rules

T0 = 1_774_000_800_000
OK = KINDS.index("OK")
GAPS = st.one_of(st.integers(0, 3_000), st.integers(0, 12 * 60_000), st.sampled_from([60_000, 300_000, 299_999]))


@given(
    st.sampled_from([1, 2, 5, 10, 30]),
    st.sampled_from([0, 1, 999, 30_000, 400_001]),
    st.sampled_from([None, None, 0, 1, 45_000]),
    st.lists(st.tuples(GAPS, st.booleans()), max_size=30),
)
def test_one_track_comes_to_what_arithmetic_says(minutes, margin, early, events):
    parts, track = Parts(minutes, margin, -1 if early is None else early), OneTrack(minutes * 60_000, margin, early)
    at = T0
    for gap, report in events:
        at += gap
        if report:
            assert parts.apply(at) == track.ok(at)
        else:
            assert parts.judge(at) == track.judge(at)
        seen = {name: parts.tracks.get(0, name) for name in ("expected", "deadline", "last_check_in", "last_success")}
        last = NEVER if track.last is None else track.last
        assert seen == {
            "expected": NEVER if track.expected is None else track.expected,
            "deadline": NEVER if track.deadline is None else track.deadline,
            "last_check_in": last,
            "last_success": last,
        }
        counts = ("ok_count", "missed_count", "recoveries", "failures")
        assert [parts.tracks.get(0, name) for name in counts] == [
            track.oks,
            track.missed,
            track.recoveries,
            track.failures,
        ]
        assert parts.heap.get(0, 0) == (0xFFFFFFFF if track.deadline is None else track.deadline // 1000)
        assert (parts.tracks.get(0, "incident") > 0) == (track.failures == 2)
    assert len(parts.recorded) == track.oks + track.missed
    assert len(parts.opened) == track.missed


def test_rows_behind_what_is_not_plain_wait():
    parts, batch = Parts(), Batch()
    for name in (NAME, NAME, "stranger", NAME):
        batch.append(name, OK)
    batch.append(NAME, KINDS.index("ERROR"))
    batch.append("", OK)
    assert parts.apply(T0, batch) == 2
    assert parts.apply(T0, batch, 2) == 2
    assert parts.apply(T0, batch, 3) == 4
    assert parts.apply(T0, batch, 5) == 5
    assert parts.apply(T0, batch, 6) == 6
    assert [parts.recorded.row(i)[-1] for i in range(3)] == [0, 1, 3]
    nameless = Batch()
    nameless.append("", OK)
    assert parts.apply(T0, nameless) == 0
    assert parts.apply(T0, Batch()) == 0


def test_what_has_no_room_is_for_the_rules():
    parts = Parts()
    for at in (-1, 2**42, 2**63 - 1, -(2**63)):
        assert parts.apply(at) == 0
        assert parts.apply(T0, times=array("q", [at])) == 0
    assert parts.apply(T0, number=-1) == parts.apply(T0, number=2**63 - 1) == 0
    assert parts.apply(T0, held=range(65)) == parts.apply(T0, held=[TRACK]) == parts.apply(T0, limit=3) == 0
    assert parts.apply(T0, environment=b"x" * 600) == 0
    assert len(parts.recorded) == 0
    assert parts.apply(T0, times=array("q", [T0 + 5])) == 1
    assert parts.tracks.get(0, "last_check_in") == T0 + 5


def test_misses_that_are_none_are_for_the_rules():
    parts = Parts()
    assert parts.apply(T0) == 1
    late = parts.tracks.get(0, "deadline") + 1
    for handle in (1, 2, 2**32 - 1):
        assert parts.judge(late, [handle]) == 0
    assert parts.judge(late, held=[TRACK]) == parts.judge(late, held=range(65)) == 0
    assert parts.judge(late, number=2**63 - 1) == parts.judge(late, incident=-1) == 0
    assert parts.judge(NEVER) == parts.judge(-5) == parts.judge(late, []) == 0
    parts.monitors.set(0, "policy", 2**31)
    assert parts.judge(late) == 0
    parts.monitors.set(0, "policy", 1)
    parts.tracks.set(0, "monitor", 2**31)
    assert parts.judge(late) == parts.apply(late - 10) == 0
    parts.tracks.set(0, "monitor", 0)
    expected = parts.tracks.get(0, "expected")
    parts.tracks.set(0, "expected", late)  # a rolling timer that is held for maintenance
    assert parts.judge(late) == 0
    parts.tracks.set(0, "expected", expected)
    assert parts.judge(late, [0, 0]) == 1
    with pytest.raises(ValueError, match="2 check-ins of 1 misses"):
        misses.by_project(parts.recorded, parts.opened)


def test_lids_refuse():
    parts, batch = Parts(), Batch()
    batch.append(NAME, OK)
    with pytest.raises(ValueError, match="cells"):
        Applier(parts.monitors, parts.tracks, *parts.keys, parts.plans, parts.heap, b"")
    with pytest.raises(TypeError):
        Applier(parts.monitors, parts.tracks, *parts.keys, None, parts.heap, rules.plain())
    with pytest.raises(IndexError, match="no report 2"):
        parts.apply(T0, batch, 2)
    with pytest.raises(IndexError, match="no deadline 2"):
        parts.judge(T0, first=2)
    with pytest.raises(ValueError, match="1 reports and 2 times"):
        parts.apply(T0, times=array("q", [T0, T0]))
    with pytest.raises(ValueError, match="cells"):
        parts.judge(T0, table=bytes(3))
    for held in ([None], ["a"], None, [2**63]):
        with pytest.raises((TypeError, OverflowError)):
            parts.apply(T0, held=held)
        with pytest.raises((TypeError, OverflowError)):
            parts.judge(T0, held=held)
    for wrong in ({"recorded": None}, {"environment": None}, {"times": b""}):
        with pytest.raises((TypeError, ValueError)):
            parts.apply(T0, **wrong)
    with pytest.raises(TypeError):
        misses.step(parts.kernel, None, 0, 0, parts.timetables, 0, 0, rules.misses(), Recorded(), Opened())
    plans = Plans()
    for wrong in ((1, 1, -1), (1, 1, 0, -2), (1, 1, 0, 0, -1), (1, 1, 2**63 - 1), (1, 1, 0, 2**62), (2**30, 1, 0)):
        with pytest.raises(ValueError, match="b"):
            plans.put(*wrong)
    assert len(plans) == 0
    assert len(parts.recorded) == len(parts.opened) == 0


class Growing(list):
    """Becomes longer when it is looked at."""

    def __len__(self):
        self.append(0)
        return super().__len__()


def test_what_is_held_may_grow_while_it_is_looked_at():
    parts = Parts()
    assert parts.apply(T0, held=Growing(range(64))) in (0, 1)


def test_copies_leave_out():
    made = Recorded()
    for i in range(10):
        made.append(i, i % 2, i % 5, 1, T0, T0, row=9 - i)
    assert list(spare(made, {0, 9}).numbers()) == list(range(1, 9))
    assert list(unlisted(made, {3}).numbers()) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert list(without(made, {0}, {1}).numbers()) == [3, 5, 7, 9]
    for copy in (spare(Recorded(), ()), unlisted(Recorded(), ()), without(Recorded(), (), ())):
        assert list(copy.numbers()) == []


def test_incidents_are_found_until_they_are_taken_out():
    parts = Parts()
    assert parts.apply(T0) == 1
    for _ in range(2):
        assert parts.judge(parts.tracks.get(0, "deadline") + 1, incident=500) == 1
    opened = parts.opened
    incident = opened.row(1)[2]
    assert opened.bounds() == (incident, incident, 1)
    assert opened.incidents() == [1]
    assert opened.slots() == [0, 0]
    assert len(opened.shown()) == 2
    assert opened.find(incident) == 1
    for other in (-(2**63), 0, incident - 1, incident + 1, 2**63 - 1):
        assert opened.find(other) is None
        opened.take_out(other)
    assert len(opened.spare({41}, ())) == len(opened.spare((), {TRACK})) == 0
    opened.take_out(incident)
    assert opened.find(incident) is None
    with pytest.raises(IndexError, match="no miss 2"):
        opened.row(2)
    with pytest.raises(IndexError, match="no miss -1"):
        opened.row(-1)
