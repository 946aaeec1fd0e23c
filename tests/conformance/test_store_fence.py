"""Who owns the partition, what counts once, and a clock that only moves forward."""

import pytest

from support.stores import NOW, check_in, commit, delta, drain, monitor, track, with_monitors
from support.stores import check_in_number as number
from tocsin.store import Fenced


def test_who_has_not_loaded_owns_nothing(store):
    with pytest.raises(Fenced):
        store.commit(delta(), 1)
    with pytest.raises(Fenced):
        store.alive(NOW)


def test_a_new_owner_fences_the_old_one(store, tmp_path):
    other = type(store)(store.database.url)
    try:
        with_monitors(store, monitor(1))
        drain(other.load())
        with pytest.raises(Fenced):
            commit(store, delta(monitor(2)))
        with pytest.raises(Fenced):
            store.alive(NOW + 1)
        commit(other, delta(monitor(3)))
        assert [row.monitor.number for row in store.list_monitors(1, size=9).rows] == [1, 3]
        assert other.position() == 2
    finally:
        other.close()


def test_a_delta_counts_once(store):
    with_monitors(store, monitor(1))
    before = store._fence
    commit(store, delta(check_in(number(1), track(1, 1))))
    store._fence = before  # as if the answer to the commit had been lost
    with pytest.raises(Fenced):
        commit(store, delta(check_in(number(1), track(1, 1))))


def test_the_clock_moves_forward_only(store):
    with_monitors(store, monitor(1))
    store.alive(NOW + 500)
    store.alive(NOW + 100)
    assert store.load().clock == NOW + 500
    commit(store, delta(clock=NOW + 200))
    assert store.load().clock == NOW + 500
    commit(store, delta(clock=NOW + 900))
    assert store.load().clock == NOW + 900
