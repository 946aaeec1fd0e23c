"""Batches run without the GIL: another thread counts on meanwhile, and is refused where it would disturb.

The interpreter is told not to take the GIL from whoever holds it, so the counting thread advances only while the other
one gives it up of its own accord. A call that holds it throughout shows that the count stands still then.
"""

import contextlib
import sys
from array import array

import pytest

from support.meanwhile import ROUNDS, Meanwhile
from tocsin._core.deadlines import NONE, DeadlineHeap
from tocsin._core.keys import KeyTable
from tocsin._core.roster import MonitorRoster, TrackRoster
from tocsin._core.sweep import tally

N = 300_000
SLOTS = array("I", range(N))


def heap_with(slots):
    heap = DeadlineHeap(slots)
    heap.set_many(SLOTS, 0, array("I", [7]) * N)
    return heap


def batches():
    heap = heap_with(N)
    few, seconds = array("I", range(N // 40)), array("I", [9]) * (N // 40)
    out = array("I", bytes(4 * N))
    every = array("I", [7]) * N

    def refill_and_expire():
        heap.set_many(SLOTS, 0, every)
        return heap.expire_into(7, out)

    data = b"".join(b"%08d" % i for i in range(N))
    ends = array("Q", range(8, 8 * N + 1, 8))
    keys = [data[i : i + 8] for i in range(0, 8 * N, 8)]
    columns = [array(code, bytes(array(code).itemsize * N)) for code in "qIIHQIqq"]
    columns[0] = array("q", range(N))
    return {
        "deadlines set and rebuilt": lambda: heap.set_many(SLOTS, 1, every),
        "deadlines set one by one": lambda: heap.set_many(few, 1, seconds),
        "deadlines handed out": refill_and_expire,
        "deadlines grown": lambda: DeadlineHeap(N * 4),
        "keys back to back": lambda: KeyTable(bytes(16)).put_joined(data, ends, SLOTS),
        "keys of a list": lambda: KeyTable(bytes(16)).put_many(keys, SLOTS),
        "rows loaded": lambda: MonitorRoster().load(columns),
    }


@pytest.mark.parametrize("name", list(batches()))
def test_another_thread_advances_during_a_batch(name):
    batch = batches()[name]
    with Meanwhile() as other:
        assert other.advances(batch)


def test_another_thread_stands_still_while_a_call_holds_the_gil():
    with Meanwhile() as other:
        assert not other.advances(lambda: sum(range(20_000)), rounds=100)


def test_totals_offer_the_gil_after_each_slice():
    """Here threads may take turns at any time; what can happen on the way in and out of a call is a turn or two."""
    rows, slices = TrackRoster(), 8
    rows.load([array(code, bytes(array(code).itemsize * 65_536 * slices)) for code in "qIIIBBHHHHHqqqqqqqiIIIIIIqq"])
    most = 0
    with Meanwhile() as other:
        sys.setswitchinterval(1e-6)
        for _ in range(ROUNDS):
            before = other.count
            tally(rows, MonitorRoster(), 0, 1)
            most = max(most, other.count - before)
            if most > slices // 2:
                break
    assert most > slices // 2


def test_a_heap_refuses_changes_in_the_middle_of_a_batch_and_lets_others_look():
    heap, every = heap_with(N), array("I", [7]) * N
    refused, changed = [], 0

    def disturb():
        nonlocal changed
        assert heap.get(0, 0) in (7, NONE)
        assert heap.min() <= NONE
        assert len(heap) <= 2 * N
        try:
            heap.set(N - 1, 1, 8)
            changed += 1
        except RuntimeError as error:
            refused.append(str(error))

    with Meanwhile(disturb) as other:
        for _ in range(ROUNDS):
            heap.set_many(SLOTS, 0, every)
            if refused:
                break
    assert set(refused) == {"another thread is in the middle of a batch of deadlines"}
    assert other.count > 1
    heap.set(N - 1, 1, 8)
    assert heap.count_by_leaf() == (N, 1)
    assert heap.expire(7, 2 * N) == list(range(0, 2 * N, 2))
    assert heap.expire(8, 2 * N) == [2 * N - 1]


def test_keys_and_rows_refuse_in_the_middle_of_a_batch():
    data, ends = b"".join(b"%08d" % i for i in range(N)), array("Q", range(8, 8 * N + 1, 8))
    table, roster = KeyTable(bytes(16)), MonitorRoster()
    columns = [array(code, bytes(array(code).itemsize * N)) for code in "qIIHQIqq"]
    roster.open()
    refused = set()

    def disturb():
        for call in (
            lambda: table.put(b"x", 1),
            lambda: table.get(b"x"),
            lambda: table.remove(b"x"),
            lambda: roster.get(0, "number"),
            lambda: roster.reserve(1),
        ):
            try:
                call()
            except RuntimeError as error:
                refused.add(str(error))

    with Meanwhile(disturb):
        for _ in range(ROUNDS):
            table.put_joined(data, ends, SLOTS)
            roster.load(columns) if len(roster) < 10 * N else None
            if len(refused) == 2:
                break
    assert refused == {f"another thread is in the middle of a batch of {what}" for what in ("keys", "rows")}
    assert all(table.get(data[8 * i : 8 * i + 8]) == i for i in range(0, N, 1000))


def test_slots_that_are_changed_in_the_middle_of_a_batch_do_no_harm():
    heap, slots, every = DeadlineHeap(N), array("I", range(N)), array("I", [7]) * N

    def disturb():
        slots[N - 1] = NONE - 1 if slots[N - 1] < N else N - 1

    with Meanwhile(disturb):
        for _ in range(ROUNDS):
            with contextlib.suppress(IndexError):
                heap.set_many(slots, 0, every)
    assert heap.capacity == N
    slots[N - 1] = N - 1
    heap.set_many(slots, 0, every)
    assert heap.expire(7, N) == list(range(0, 2 * N, 2))
