"""Whose a ping token is, by the database: it says so of any number, and lets one change hands in one commit."""

import pytest

from support.stores import INTEGRITY_ERRORS, commit, delta, monitor, with_monitors
from tocsin.engine.memory import Needs
from tocsin.store import SqlStore

TOKEN, OTHER = "a" * 32, "b" * 32


def test_a_token_names_its_monitor(store: SqlStore) -> None:
    with_monitors(store, monitor(1, ping_token=TOKEN), monitor(2), monitor(3, project=2, ping_token=OTHER))
    assert store.owners_of_tokens({TOKEN, OTHER, "c" * 32}) == {TOKEN: (1, "m-1"), OTHER: (2, "m-3")}
    recalled = store.recall(Needs(tokens={TOKEN, OTHER, "c" * 32})).tokens
    assert recalled == {TOKEN: (1, "m-1"), OTHER: (2, "m-3")}


def test_tokens_change_places_in_one_commit(store: SqlStore) -> None:
    with_monitors(store, monitor(1, ping_token=TOKEN), monitor(2, ping_token=OTHER))
    swapped = (monitor(1, ping_token=OTHER), monitor(2, ping_token=TOKEN))
    commit(store, delta(*swapped, released_tokens={TOKEN, OTHER}))
    assert store.owners_of_tokens([TOKEN, OTHER]) == {TOKEN: (1, "m-2"), OTHER: (1, "m-1")}


def test_the_token_of_a_deleted_monitor_is_free_in_the_same_commit(store: SqlStore) -> None:
    with_monitors(store, monitor(1, ping_token=TOKEN))
    commit(store, delta(monitor(2, ping_token=TOKEN), deleted_monitors={1}))
    assert store.owners_of_tokens([TOKEN]) == {TOKEN: (1, "m-2")}


def test_what_gave_up_its_token_has_none(store: SqlStore) -> None:
    with_monitors(store, monitor(1, ping_token=TOKEN))
    commit(store, delta(monitor(1), released_tokens={TOKEN}))
    assert store.owners_of_tokens([TOKEN]) == {}


def test_the_database_lets_no_two_have_one(store: SqlStore) -> None:
    with_monitors(store, monitor(1, ping_token=TOKEN))
    with pytest.raises(INTEGRITY_ERRORS):
        commit(store, delta(monitor(2, ping_token=TOKEN)))
