"""Reads go on beside writes, and cannot write."""

import threading

import pytest

from support.stores import commit, delta, monitor, track, with_monitors
from tocsin.store import StoreTrouble


def test_reads_go_on_beside_writes(store):
    with_monitors(store, *(monitor(index) for index in range(1, 21)))
    troubles: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                rows = store.list_monitors(1, size=50).rows
                counts = {one.tracks[0][1].ok_count for one in rows}
                assert len(rows) == 20
                assert len(counts) == 1, "a page is of one moment"
        except BaseException as error:
            troubles.append(error)

    readers = [threading.Thread(target=read) for _ in range(6)]
    for thread in readers:
        thread.start()
    for index in range(60):
        commit(store, delta(*(track(n, n, ok_count=index) for n in range(1, 21))))
        store.put_setting("round", str(index))
    stop.set()
    for thread in readers:
        thread.join()
    assert troubles == []


def test_readers_cannot_write(store):
    from sqlalchemy.exc import OperationalError

    with pytest.raises((StoreTrouble, OperationalError)), store.database.read() as connection:
        connection.exec_driver_sql("DELETE FROM settings")
