"""A slot that was closed: a debug build refuses to store it and to hand it out; a release build does not look.

Each case does to a kernel what no correct program does, and says what both builds answer.
"""

from array import array

import pytest

from tocsin._core.deadlines import DeadlineHeap
from tocsin._core.handles import DEBUG
from tocsin._core.keys import KeyTable
from tocsin._core.roster import TrackRoster
from tocsin._core.runs import OpenRuns

SECRET = bytes(16)


@pytest.fixture
def roster():
    roster = TrackRoster()
    for _ in range(4):
        roster.open()
    return roster


def caught(match, call, *arguments):
    """What the call answers in a release build; None in a debug build, which must refuse it."""
    if not DEBUG:
        return call(*arguments)
    with pytest.raises(AssertionError, match=f"^stale handle: slot 2 of TrackRoster {match}"):
        call(*arguments)
    return None


def reused(roster):
    """Slot 2 as it is given out again."""
    roster.close(2)
    assert roster.open() == 2


def test_a_generation_counts_how_often_a_slot_was_closed(roster):
    for times in range(300):
        assert roster.generation(2) == (times % 256 if DEBUG else 0)
        reused(roster)
    with pytest.raises(IndexError):
        roster.generation(4)


@pytest.mark.parametrize("many", [False, True])
def test_a_deadline_of_a_closed_slot(roster, many):
    heap = DeadlineHeap(owner=roster)
    roster.close(2)
    if many:
        caught("is not open", heap.set_many, array("I", [1, 2]), 1, array("I", [5, 5]))
    else:
        caught("is not open", heap.set, 2, 1, 5)
    heap.clear(2, 1)  # that is how a slot is left
    heap.set_many(array("I", [2]), 1, array("I", [0xFFFFFFFF]))


def test_a_deadline_whose_slot_was_given_out_again(roster):
    heap = DeadlineHeap(owner=roster)
    heap.set(2, 0, 5)
    assert heap.expire(5, 9) == [4]
    heap.set(2, 0, 5)
    reused(roster)
    assert caught("was closed since", heap.expire, 5, 9) in (None, [4])
    heap.set(2, 0, 5)
    reused(roster)
    assert caught("was closed since", heap.expire_into, 5, array("I", [0])) in (None, 1)
    heap.set(2, 0, 5)
    assert heap.expire(5, 9) == [4]


@pytest.mark.parametrize("way", ["put", "put_many", "put_joined"])
def test_a_key_of_a_closed_slot(roster, way):
    table = KeyTable(SECRET, roster)
    roster.close(2)
    arguments = {
        "put": (b"a", 2),
        "put_many": ([b"a"], array("I", [2])),
        "put_joined": (b"a", array("Q", [1]), array("I", [2])),
    }
    caught("is not open", getattr(table, way), *arguments[way])


def test_a_key_whose_slot_was_given_out_again(roster):
    table = KeyTable(SECRET, roster)
    table.put_many([b"a", b"b"], array("I", [1, 2]))
    table.put_joined(b"c", array("Q", [1]), array("I", [3]))
    assert [table.get(key) for key in (b"a", b"b", b"c", b"d")] == [1, 2, 3, 0xFFFFFFFF]
    reused(roster)
    assert caught("was closed since", table.get, b"b") in (None, 2)
    assert table.remove(b"b")
    table.put(b"b", 2)
    assert table.get(b"b") == 2


def test_a_run_of_a_closed_track(roster):
    runs = OpenRuns(SECRET, roster)
    roster.close(2)
    caught("is not open", runs.put, b"a", 2, 1, 1)


@pytest.mark.parametrize("ask", ["of", "newest", "summary"])
def test_a_run_whose_track_was_given_out_again(roster, ask):
    runs = OpenRuns(SECRET, roster)
    runs.put(b"a", 2, 1, 1)
    getattr(runs, ask)(2)
    reused(roster)
    assert caught("was closed since", getattr(runs, ask), 2) in (None, [0], 0, (1, 1))
    caught("was closed since", runs.put, b"b", 2, 2, 1)
    runs.drop(2)
    runs.put(b"c", 2, 3, 1)
    assert len(runs.of(2)) == 1


def test_an_owner_is_a_roster():
    for make in (lambda: KeyTable(SECRET, 1), lambda: DeadlineHeap(owner=1), lambda: OpenRuns(SECRET, 1)):
        with pytest.raises(TypeError, match="the owner is a roster, got int"):
            make()
