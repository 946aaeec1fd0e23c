"""A server under bad input: the same process afterwards, and its memory within bounds all the while."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from support.server import Server

MIB = 1024 * 1024
ROOM = 96 * MIB  # by which the server may grow over one case


@contextmanager
def bounded_by(server: Server, lives_on: Callable[[], bool], room: int = ROOM) -> Iterator[None]:
    """`lives_on()` is asked at the end: whether the server still does its work for others."""
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    peak = [before]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    assert server.process.poll() is None, "the server ended"
    assert lives_on()
    assert max(peak[0], process.memory_info().rss) - before < room
