"""Zones and timetables: no memory is an error and no crash; what is dropped goes back; batches let others run."""

import sys
import threading
import time
from array import array

import pytest

from support.fresh import run


def test_every_request_for_memory_may_be_refused():
    pytest.importorskip("_testcapi", reason="this Python was built without the module that refuses memory")
    refused = [line.split(": ") for line in run("-m", "support.starved_times").splitlines()]
    assert len(refused) > 20
    assert sum(int(count) for _, count in refused) > 40
    for path in ("zone, made", "registry, made", "registry, union"):
        assert all(int(count) > 0 for name, count in refused if name == path)


LEAK = """
import gc, sys
from array import array
import psutil
from tocsin._core.cron_text import parse
from tocsin._core.timetable import Timetables
from tocsin._core.zone import Zone

N = 20_000
transitions, offsets = array("q", range(0, N * 100, 100)), array("i", [i % 2 for i in range(N + 1)])
cron = parse("0 0 * * *")

def zone():
    for _ in range(4):
        Zone(transitions, offsets).segment(5)
    for bad in ((transitions, offsets[1:]), (transitions[::-1], offsets)):
        try:
            Zone(*bad)
        except ValueError:
            pass

def registry():
    made = Timetables()
    number = made.add_zone(Zone(transitions, offsets))
    for _ in range(2000):
        made.add_cron(number, cron)
    made.add_union(range(1, 1000))
    made.add_daily(number, range(300))
    which, instants = array("I", range(2000)), array("q", range(2000))
    made.next_many(which, instants, array("q", instants))
    made.upcoming(1, 0, 100)

work = {"zone": zone, "registry": registry}[sys.argv[1]]
process = psutil.Process()
for _ in range(5):
    work()
gc.collect()
before, blocks = process.memory_info().rss, sys.getallocatedblocks()
for _ in range(60):
    work()
gc.collect()
print(process.memory_info().rss - before, sys.getallocatedblocks() - blocks, sys.getrefcount(transitions))
"""


@pytest.mark.parametrize("what", ["zone", "registry"])
def test_what_was_built_and_dropped_is_given_back(what):
    """Each round builds some 300 KB: one that stayed would show sixty times."""
    grown, blocks, references = (int(number) for number in run("-c", LEAK, what).split())
    assert grown < 4 << 20
    assert abs(blocks) < 100
    assert references <= 3  # nobody holds on to a buffer


@pytest.fixture
def counting():
    """Counts as long as it is let: the interpreter takes the GIL from nobody, so only who gives it up lets it count."""
    count, over, interval = [0], threading.Event(), sys.getswitchinterval()

    def work():
        while not over.is_set():
            count[0] += 1
            time.sleep(0)  # gives up the GIL, waits for nothing

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while not count[0]:
        time.sleep(0)
    sys.setswitchinterval(1000)
    yield count
    over.set()
    sys.setswitchinterval(interval)
    thread.join()


def advances(count, call, rounds):
    """Whether the other thread counts within one of so many calls."""
    for _ in range(rounds):
        before = count[0]
        call()
        if count[0] != before:
            return True
    return False


def test_another_thread_advances_during_a_batch(compiler, counting):
    from tocsin.domain.schedule import Cron

    number = compiler.compile((Cron("0 0 29 2 MON", "America/New_York"),))
    which = array("I", [number]) * 100_000
    instants = array("q", range(0, 100_000 * 10**9, 10**9)[:100_000])
    out = array("q", bytes(8 * len(which)))
    assert advances(counting, lambda: compiler.timetables.next_many(which, instants, out), rounds=200)


def test_another_thread_stands_still_while_a_call_holds_the_gil(counting):
    assert not advances(counting, lambda: sum(range(20_000)), rounds=100)
