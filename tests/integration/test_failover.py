"""The primary dies, the standby takes over: all that was acknowledged is there, and writing goes on by itself."""

import contextlib
import time
from collections.abc import Iterator

import pytest

from support.postgresql import Postgres
from support.stores import check_in, check_in_number, commit, delta, drain, monitor, track, with_monitors
from tocsin.store import CheckInFilter, Fenced, SqlStore, StoreTrouble

ANY = CheckInFilter()
PATIENCE_S = 20.0


@pytest.fixture
def pair() -> Iterator[tuple[Postgres, Postgres]]:
    """A primary and its standby."""
    with contextlib.ExitStack() as stack:
        primary = Postgres()
        stack.callback(primary.close)
        primary.start()
        standby = Postgres(primary=primary)
        stack.callback(standby.close)
        standby.start()
        wait_until(lambda: primary.execute("SELECT state FROM pg_stat_replication") == [("streaming",)])
        yield primary, standby


def wait_until(condition) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def both(primary: Postgres, standby: Postgres, url: str) -> str:
    """Either host may be the primary; the standby is asked first."""
    name = url.rpartition("/")[2]
    return f"postgresql://postgres@127.0.0.1:{standby.port},127.0.0.1:{primary.port}/{name}"


def test_what_was_acknowledged_survives_a_failover(pair):
    primary, standby = pair
    url = primary.new_database()
    primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.execute("SELECT pg_reload_conf()")
    wait_until(lambda: primary.execute("SELECT sync_state FROM pg_stat_replication") == [("sync",)])
    store = SqlStore(both(primary, standby, url), busy_timeout_ms=5_000)
    try:
        with_monitors(store, monitor(1))
        for index in range(20):
            commit(store, delta(check_in(check_in_number(index), track(1, 1))))
        primary.kill()
        made = delta(check_in(check_in_number(20), track(1, 1)))
        position = store.position() + 1
        with pytest.raises(StoreTrouble):
            store.commit(made, position)
        standby.execute("SELECT pg_promote(true)")
        wait_until(lambda: went_well(store, made, position))
        assert len(store.list_check_ins(1, ANY, size=99).rows) == 21
        drain(store.load())
        commit(store, delta(check_in(check_in_number(21), track(1, 1))))
    finally:
        store.close()


def test_a_standby_that_lacks_what_was_acknowledged_is_not_written_to(pair):
    primary, standby = pair
    url = primary.new_database()
    store = SqlStore(both(primary, standby, url), busy_timeout_ms=5_000)
    try:
        with_monitors(store, monitor(1))
        wait_until(lambda: primary.execute("SELECT sent_lsn = replay_lsn FROM pg_stat_replication") == [(True,)])
        standby.execute("SELECT pg_wal_replay_pause()")
        standby.stop(immediately=True)
        commit(store, delta(check_in(check_in_number(1), track(1, 1))))
        primary.kill()
        standby.start()
        standby.execute("SELECT pg_promote(true)")
        made = delta(check_in(check_in_number(2), track(1, 1)))
        with pytest.raises(Fenced, match="lacks what was committed"):
            wait_until(lambda: went_well(store, made, store.position() + 1))
        drain(store.load())
        assert store.list_check_ins(1, ANY, size=9).rows == []
        commit(store, made)  # by an engine that was loaded anew
    finally:
        store.close()


def went_well(store: SqlStore, made, position: int) -> bool:
    try:
        store.commit(made, position)
    except StoreTrouble:
        return False
    return True
