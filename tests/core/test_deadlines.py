"""The deadline heap as a state machine against a dict, with vector instructions and without."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from support.oracle.deadlines import Deadlines
from tocsin._core.deadlines import NONE, SLOTS_MAX, VECTOR, DeadlineHeap

SLOTS = st.integers(0, 40) | st.integers(0, 5000)
SECONDS = st.integers(0, 50) | st.integers(0, 0xFFFFFFFE)


class HeapMachine(RuleBasedStateMachine):
    vector = True

    def __init__(self):
        super().__init__()
        self.heap, self.model = DeadlineHeap(1, vector=self.vector), Deadlines()

    @rule(slot=SLOTS, leaf=st.integers(0, 1), second=SECONDS)
    def set(self, slot, leaf, second):
        self.heap.set(slot, leaf, second)
        self.model.set(slot, leaf, second)
        assert self.heap.get(slot, leaf) == second

    @rule(slot=SLOTS, leaf=st.integers(0, 1))
    def clear(self, slot, leaf):
        self.heap.clear(slot, leaf)
        self.model.clear(slot, leaf)
        assert self.heap.get(slot, leaf) == NONE

    @rule(rows=st.lists(st.tuples(SLOTS, SECONDS | st.just(NONE)), max_size=200), leaf=st.integers(0, 1))
    def set_many(self, rows, leaf):
        self.heap.set_many(array("I", [slot for slot, _ in rows]), leaf, array("I", [second for _, second in rows]))
        for slot, second in rows:
            self.model.set(slot, leaf, second)

    @rule(now=SECONDS | st.just(-1) | st.just(NONE), limit=st.integers(0, 30) | st.just(10**6))
    def expire(self, now, limit):
        assert self.heap.expire(now, limit) == self.model.expire(min(now, NONE - 1), limit)

    @rule(now=SECONDS, room=st.integers(0, 30))
    def expire_into(self, now, room):
        out = array("I", [7] * room)
        expected = self.model.expire(now, room)
        assert self.heap.expire_into(now, out) == len(expected)
        assert list(out[: len(expected)]) == expected

    @rule(slots=st.integers(0, 3000))
    def reserve(self, slots):
        self.heap.reserve(slots)
        assert self.heap.capacity >= slots

    @invariant()
    def agrees(self):
        assert self.heap.min() == self.model.min()
        assert len(self.heap) == len(self.model.seconds)
        assert self.heap.count_by_leaf() == self.model.count_by_leaf()


class PlainHeapMachine(HeapMachine):
    vector = False


HeapMachine.TestCase.settings = PlainHeapMachine.TestCase.settings = settings(
    max_examples=80, stateful_step_count=40, deadline=None
)
TestHeap, TestPlainHeap = HeapMachine.TestCase, PlainHeapMachine.TestCase


@given(
    seconds=st.lists(st.sampled_from([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, NONE]) | SECONDS, max_size=100),
    now=st.sampled_from([0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE]) | SECONDS,
    limit=st.integers(0, 100),
)
def test_both_instruction_sets_answer_the_same(seconds, now, limit):
    answers = []
    for vector in (True, False):
        heap = DeadlineHeap(vector=vector)
        heap.set_many(array("I", range(len(seconds))), 1, array("I", seconds))
        steps = [heap.min(), heap.expire(now, limit), heap.min(), heap.count_by_leaf(), heap.expire(now, 1000)]
        answers.append((steps, [heap.get(slot, 1) for slot in range(len(seconds))], heap.min()))
    assert answers[0] == answers[1]


def test_the_instructions_in_use_are_named():
    assert VECTOR in ("avx2", "plain")


@pytest.mark.parametrize("vector", [True, False])
def test_the_ends_of_every_range(vector):
    heap = DeadlineHeap(3, vector=vector)
    heap.set(2, 1, 0)
    heap.set(0, 0, 0xFFFFFFFE)
    assert heap.min() == 0
    for now in (-1, -(10**30)):
        assert heap.expire(now, 10) == []
        assert heap.expire_into(now, array("I", [0])) == 0
    assert heap.expire(0, 0) == []
    assert heap.expire_into(0, array("I")) == 0
    assert heap.expire(0, 10) == [5]
    assert heap.min() == 0xFFFFFFFE
    assert heap.expire(0xFFFFFFFD, 10) == []
    assert heap.expire(10**30, 10**30) == [0]
    assert (heap.min(), len(heap), heap.capacity) == (NONE, 0, 3)
    assert [heap.get(slot, 0) for slot in (3, SLOTS_MAX - 1)] == [NONE, NONE]
    heap.clear(SLOTS_MAX - 1, 1)
    for slot in (SLOTS_MAX, NONE - 1, NONE):
        for call in (heap.get, heap.clear):
            with pytest.raises(IndexError):
                call(slot, 0)
        with pytest.raises(IndexError):
            heap.set(slot, 0, 1)
        with pytest.raises(IndexError):
            heap.set_many(array("I", [0, slot]), 0, array("I", [1, 1]))
    assert len(heap) == 0


def test_a_slot_is_free_again_after_it_was_cleared_or_handed_out():
    heap = DeadlineHeap(1)
    for second in range(100):
        heap.set(0, 0, second)
        heap.set(0, 1, second + 1)
        assert heap.expire(second, 5) == [0]
        heap.clear(0, 1)
        heap.clear(0, 1)
        assert (heap.min(), heap.count_by_leaf()) == (NONE, (0, 0))
    assert heap.capacity == 1


def test_expiry_in_slices_hands_out_everything_once():
    heap = DeadlineHeap()
    n = 20_000
    heap.set_many(array("I", range(n)), 0, array("I", [1000 + i % 3 for i in range(n)]))
    heap.set_many(array("I", range(n)), 1, array("I", [1001] * n))
    seen = []
    while slice_ := heap.expire(1001, 777):
        assert len(slice_) <= 777
        seen += slice_
    assert seen == sorted([2 * i for i in range(n) if i % 3 < 2] + [2 * i + 1 for i in range(n)])
    assert heap.min() == 1002


def test_four_and_a_third_bytes_a_deadline():
    heap = DeadlineHeap(1_000_000)
    assert heap.nbytes / 2_000_000 < 4.3


def test_the_lid_checks():
    heap = DeadlineHeap()
    for leaf in (-1, 2):
        with pytest.raises(IndexError):
            heap.set(0, leaf, 0)
        with pytest.raises(IndexError):
            heap.set_many(array("I", [0]), leaf, array("I", [0]))
    for second in (-1, NONE):
        with pytest.raises(ValueError, match="outside"):
            heap.set(0, 0, second)
    with pytest.raises(IndexError):
        heap.set(SLOTS_MAX, 0, 0)
    with pytest.raises(OverflowError):
        heap.set(-1, 0, 0)
    with pytest.raises(ValueError, match="more than"):
        heap.reserve(1 << 40)
    with pytest.raises(ValueError, match="1 slots and 2 seconds"):
        heap.set_many(array("I", [0]), 0, array("I", [0, 1]))
    with pytest.raises(IndexError):
        heap.set_many(array("I", [NONE]), 0, array("I", [0]))
    with pytest.raises(ValueError, match="negative"):
        heap.expire(0, -1)
    assert len(heap) == 0
    assert heap.get(SLOTS_MAX - 1, 1) == NONE
