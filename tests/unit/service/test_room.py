"""Room: what is held is counted once, let go once, and never more than there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.errors import Unavailable
from tocsin.service.room import FREE, Room

LIMIT = 10 * FREE


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12 * FREE) | st.none())))
def test_what_is_held_is_the_sum_of_what_each_holds(steps):
    refused = []
    room = Room(1, LIMIT, lambda: refused.append(1))
    holds, sizes = [room.hold() for _ in range(4)], [0, 0, 0, 0]
    for place, size in steps:
        if size is None:
            holds[place].__exit__(None, None, None)
            sizes[place] = 0
            continue
        counted = size if size > FREE else 0
        if sum(sizes) - sizes[place] + counted > LIMIT and counted > sizes[place]:
            before = len(refused)
            with pytest.raises(Unavailable) as full:
                holds[place].set(size)
            assert (full.value.reason, len(refused)) == ("QUEUE_FULL", before + 1)
            assert full.value.retry_after_ms > 0
        else:
            holds[place].set(size)
            sizes[place] = counted
        assert room.held == sum(sizes) <= LIMIT


def test_so_many_at_a_door_and_no_more():
    refused = []
    room = Room(3, LIMIT, lambda: refused.append(1))
    room.admit(2)
    assert not refused
    with pytest.raises(Unavailable):
        room.admit(3)
    assert refused == [1]
