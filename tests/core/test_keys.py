"""The key table as a state machine against a dict; its digest against published vectors and the oracle."""

import itertools
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from support.oracle import siphash
from tocsin._core.keys import NOWHERE, KeyTable

KEYS = st.integers(0, 300).map(lambda number: b"monitor-%d" % number) | st.binary(max_size=40)
VALUES = st.integers(0, NOWHERE - 1)
SECRET = bytes(range(16))


class KeyMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.table, self.model = KeyTable(SECRET), {}

    @rule(key=KEYS, value=VALUES)
    def put(self, key, value):
        self.table.put(key, value)
        self.model[key] = value

    @rule(rows=st.lists(st.tuples(KEYS, VALUES), max_size=60))
    def put_many(self, rows):
        self.table.put_many([key for key, _ in rows], array("I", [value for _, value in rows]))
        self.model.update(rows)

    @rule(rows=st.lists(st.tuples(KEYS, VALUES), max_size=200))
    def put_joined(self, rows):
        ends = array("Q", itertools.accumulate(len(key) for key, _ in rows))
        self.table.put_joined(b"".join(key for key, _ in rows), ends, array("I", [value for _, value in rows]))
        self.model.update(rows)

    @rule(extra=st.integers(0, 100))
    def reserve(self, extra):
        self.table.reserve(len(self.model) + extra)

    @rule(key=KEYS)
    def remove(self, key):
        assert self.table.remove(key) == (self.model.pop(key, None) is not None)

    @rule(data=st.data())
    def remove_known(self, data):
        if self.model:
            key = data.draw(st.sampled_from(sorted(self.model)))
            assert self.table.remove(key)
            del self.model[key]

    @rule(key=KEYS)
    def get(self, key):
        assert self.table.get(key) == self.model.get(key, NOWHERE)

    @invariant()
    def agrees(self):
        assert len(self.table) == len(self.model)
        assert self.table.capacity * 7 >= len(self.table) * 8
        out = array("I", bytes(4 * len(self.model)))
        assert self.table.get_many(list(self.model), out) == len(self.model)
        assert list(out) == list(self.model.values())


KeyMachine.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestKeys = KeyMachine.TestCase


@pytest.mark.parametrize(
    ("length", "digest"),
    [  # key 00 01 .. 0f, data 00 01 ..; as the reference implementation and OpenSSL print them
        (0, "a3817f04ba25a8e66df67214c7550293"),
        (1, "da87c1d86b99af44347659119b22fc45"),
        (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
    ],
)
def test_published_vectors(length, digest):
    low, high = KeyTable(SECRET).digest(bytes(range(length)))
    assert (low.to_bytes(8, "little") + high.to_bytes(8, "little")).hex() == digest
    assert siphash.digest(SECRET, bytes(range(length))) == (low, high)


@given(secret=st.binary(min_size=16, max_size=16), data=st.binary(max_size=600))
def test_digest(secret, data):
    assert KeyTable(secret).digest(data) == siphash.digest(secret, data)


def test_many_keys_come_and_go():
    table = KeyTable(SECRET)
    keys = [b"%d" % i for i in range(50_000)]
    table.put_many(keys, array("I", range(50_000)))
    for key in keys[::2]:
        assert table.remove(key)
    out = array("I", bytes(4 * len(keys)))
    assert table.get_many(keys, out) == 25_000
    assert list(out[1::2]) == list(range(1, 50_000, 2))
    assert set(out[::2]) == {NOWHERE}


def test_the_lid_checks():
    for secret in (b"", bytes(15), bytes(17)):
        with pytest.raises(ValueError, match="16 bytes"):
            KeyTable(secret)
    table = KeyTable(SECRET)
    with pytest.raises(ValueError, match="nowhere"):
        table.put(b"a", NOWHERE)
    with pytest.raises(TypeError):
        table.put("a", 1)
    with pytest.raises(TypeError):
        table.put(None, 1)
    with pytest.raises(OverflowError):
        table.put(b"a", -1)
    with pytest.raises(ValueError, match="1 keys and 2 values"):
        table.put_many([b"a"], array("I", [1, 2]))
    with pytest.raises(TypeError, match="key 1"):
        table.put_many([b"a", "b"], array("I", [1, 2]))
    with pytest.raises(ValueError, match="value 1"):
        table.put_many([b"a", b"b"], array("I", [1, NOWHERE]))
    with pytest.raises(MemoryError):
        table.reserve(1 << 60)
    for ends in ([2, 1], [1, 4], [0, 1 << 63]):
        with pytest.raises(ValueError, match="key 1 ends at"):
            table.put_joined(b"abc", array("Q", ends), array("I", [1, 2]))
    with pytest.raises(ValueError, match="value 0"):
        table.put_joined(b"abc", array("Q", [1]), array("I", [NOWHERE]))
    with pytest.raises(ValueError, match="1 keys and 0 values"):
        table.put_joined(b"abc", array("Q", [1]), array("I"))
    table.put_joined(b"", array("Q"), array("I"))
    assert len(table) == 0
    assert table.get(b"a") == NOWHERE


def test_the_empty_key_is_a_key():
    table = KeyTable(SECRET)
    table.put_joined(b"", array("Q", [0]), array("I", [7]))
    assert table.get(b"") == 7
    assert table.remove(b"")
    assert not table.remove(b"")


def test_a_reserved_table_takes_23_bytes_a_key_and_does_not_grow():
    table = KeyTable(SECRET)
    table.reserve(100_000)
    before = table.capacity, table.nbytes
    keys = [b"%d" % i for i in range(100_000)]
    table.put_many(keys, array("I", range(100_000)))
    assert (table.capacity, table.nbytes) == before
    assert table.nbytes / len(table) < 23
    assert all(table.get(key) == i for i, key in enumerate(keys))
    table.put(b"one more", 1)
    assert before[0] * 1.4 < table.capacity < before[0] * 1.6


def test_a_table_that_churns_for_long_stays_as_it_is():
    table = KeyTable(SECRET)
    table.reserve(1000)
    capacity = table.capacity
    for i in range(50_000):
        table.put(b"%d" % i, i)
        if i >= 1000:
            assert table.remove(b"%d" % (i - 1000))
    assert len(table) == 1000
    assert table.capacity <= capacity * 1.5 + 16
    assert all(table.get(b"%d" % i) == i for i in range(49_000, 50_000))


def test_small_batches_do_not_build_the_table_anew_each_time():
    table, capacities = KeyTable(bytes(16)), set()
    for first in range(0, 20_000, 50):
        table.put_many([b"%d" % i for i in range(first, first + 50)], array("I", range(first, first + 50)))
        capacities.add(table.capacity)
    assert len(capacities) < 25


def test_a_batch_with_a_bad_key_changes_nothing():
    class Text(bytes):
        pass

    table = KeyTable(bytes(16))
    with pytest.raises(TypeError, match="key 99"):
        table.put_many([*(b"%d" % i for i in range(99)), Text(b"x")], array("I", range(100)))
    assert len(table) == 0
