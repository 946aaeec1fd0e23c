"""A lock held, a full disk, a file that cannot grow, a killed process: trouble that passes and leaves nothing behind."""

import subprocess
import sys

import pytest

from support.stores import (
    INTEGRITY_ERRORS,
    NOW,
    check_in,
    commit,
    delta,
    drain,
    environment,
    incident,
    monitor,
    read_pages,
    run,
    track,
    with_monitors,
)
from support.stores import check_in_number as number
from tocsin.domain.track import Track
from tocsin.engine.delta import Delta
from tocsin.engine.memory import Needs
from tocsin.store import CheckInFilter, StoreTrouble

ANY = CheckInFilter()


def test_a_failed_commit_leaves_nothing(store):
    with_monitors(store, monitor(1))
    broken = delta(check_in(number(1), track(1, 1)), incident(1, track(1, 1)), incident(2, track(1, 1)))
    with pytest.raises(INTEGRITY_ERRORS):  # two open incidents of one track: a bug, not trouble
        commit(store, broken)
    assert store.position() == 1
    assert store.list_check_ins(1, ANY, size=9).rows == []
    commit(store, delta(check_in(number(1), track(1, 1)), incident(1, track(1, 1))))


def test_one_incident_may_follow_another_in_one_batch(store):
    with_monitors(store, monitor(1))
    commit(store, delta(incident(1, track(1, 1))))
    both = delta(incident(2, track(1, 1)), incident(1, track(1, 1), resolve_time=NOW))
    commit(store, both)
    assert [one.number for one in store.list_incidents(1, open_only=True, size=9).rows] == [2]
    assert [one.number for one in store.list_incidents(1, size=9).rows] == [2, 1]


def test_a_locked_database_is_trouble_that_passes(open_store, tmp_path):
    store = open_store(tmp_path, busy_timeout_ms=20)
    try:
        with_monitors(store, monitor(1))
        made = delta(check_in(number(1), track(1, 1)))
        lock = type(store)(store.database.url)
        writing = lock.database.write()
        writing.__enter__()
        for write in (
            lambda: commit(store, made),
            lambda: store.alive(NOW),
            lambda: store.create_project("p", NOW),
            lambda: store.expire(check_ins_before=0, refusals_before=0, limit=1),
            store.load,
        ):
            with pytest.raises(StoreTrouble):
                write()
        assert store.get_monitor(1, "m-1") is not None  # reads go on
        writing.__exit__(None, None, None)
        lock.close()
        commit(store, made)
        assert len(store.list_check_ins(1, ANY, size=9).rows) == 1
    finally:
        store.close()


def test_a_full_disk_is_trouble_that_passes(store):
    with_monitors(store, monitor(1))
    fill_disk(store)
    here = track(1, 1)
    large = delta(*(check_in(number(index), here, message="x" * 2000) for index in range(100)))
    for _ in range(3):
        with pytest.raises(StoreTrouble):
            commit(store, large)
        assert store.list_check_ins(1, ANY, size=9).rows == []
        assert store.position() == 1
    free_disk(store)
    commit(store, large)
    assert len(store.list_check_ins(1, ANY, size=100).rows) == 100


def fill_disk(store) -> None:
    """SQLite: two pages more and that is it. PostgreSQL: any new check-in meets the error of a full disk."""
    if store.database.backend == "sqlite":
        limit(store, "(SELECT page_count FROM pragma_page_count) + 2")
        return
    with store.database.write() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END$$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER full_disk BEFORE INSERT ON check_ins FOR EACH ROW EXECUTE FUNCTION full_disk()"
        )


def free_disk(store) -> None:
    if store.database.backend == "sqlite":
        limit(store, str(2**30))
        return
    with store.database.write() as connection:
        connection.exec_driver_sql("DROP FUNCTION full_disk CASCADE")


def limit(store, pages: str) -> None:
    """Let the one connection of the writer use so many pages and no more."""
    with store.database.write() as connection:
        count = connection.exec_driver_sql(f"SELECT {pages}").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {count}")


CAPPED = """
import resource, sys
from support.stores import *
from tocsin.store import StoreTrouble
store = SqlStore(sys.argv[1])
with_monitors(store, monitor(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
index = kept = 0
try:
    while index < 1000:
        index += 1
        commit(store, delta(check_in(ids.check_in_number(NOW, index), track(1, 1), message="x" * 2000)))
        kept += 1
except StoreTrouble:
    print("trouble")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
commit(store, delta(check_in(ids.check_in_number(NOW, 5000), track(1, 1))))
print(kept + 1, store.position() - 1, len(store.list_check_ins(1, __import__("tocsin.store").store.CheckInFilter(), size=2000).rows))
store.close()
"""


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # a process of its own has PostgreSQL's files
def test_a_file_that_cannot_grow_is_trouble_that_passes(store):
    url = store.database.url
    first, second = run(CAPPED, url).split("\n")
    assert first == "trouble"
    kept, position, rows = map(int, second.split())
    assert kept == position == rows


def test_an_error_of_ours_is_not_trouble(store):
    with_monitors(store, monitor(1))
    with pytest.raises(INTEGRITY_ERRORS):
        commit(store, delta(monitor(2, id="m-1")))
    with pytest.raises(INTEGRITY_ERRORS):  # no such policy
        commit(store, Delta(monitors={3: (monitor(3), 99)}))


WRITER = """
import sys
from support.stores import *
store = SqlStore(sys.argv[1])
drain(store.load())
position = store.position()
here = track(1, 1)
while True:
    position += 1
    rows = [check_in(ids.check_in_number(NOW, position * 10 + index), here, id=f"{position * 10 + index:032x}") for index in range(10)]
    store.commit(delta(*rows, track(1, 1, ok_count=position), sequences={"any": position}), position)
    print(position, flush=True)
"""


@pytest.mark.timeout(120)
def test_kill_9_loses_nothing_that_was_acknowledged(store):
    with_monitors(store, monitor(1))
    acknowledged = store.position()
    for round_ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, store.database.url],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        with process:
            for _ in range(3 + 7 * round_):
                acknowledged = int(process.stdout.readline())
            process.kill()
            acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
        snapshot = store.load()
        position = store.position()
        assert acknowledged <= position <= acknowledged + 1
        [row] = drain(snapshot)["tracks"]
        assert Track(*row).ok_count == position
        assert snapshot.sequences == {"any": position}
        found = read_pages(lambda token: store.list_check_ins(1, ANY, size=500, token=token))
        assert [one.number for one in found] == [number(index) for index in range(position * 10 + 9, 19, -1)]
        assert len(store.recall(Needs(check_ins={(1, one.id) for one in found})).check_ins) == len(found)
        acknowledged = position
