"""No memory is an error and no crash; and what is no longer used goes back. In fresh interpreters, one for each test."""

import pytest

from support.fresh import run


def test_every_request_for_memory_may_be_refused():
    pytest.importorskip("_testcapi", reason="this Python was built without the module that refuses memory")
    refused = [line.split(": ") for line in run("-m", "support.starved").splitlines()]
    assert len(refused) > 40
    assert [name for name, count in refused if int(count) == 0] == []


LEAK = """
import gc, sys
from array import array
import psutil
from tocsin._core.deadlines import DeadlineHeap
from tocsin._core.keys import KeyTable
from tocsin._core.roster import MonitorRoster, TrackRoster
from tocsin._core.runs import OpenRuns
from tocsin._core.sweep import tally

N = 20_000
slots = array("I", range(N))
keys = [b"%d" % i for i in range(N)]
data, ends = b"".join(b"%05d" % i for i in range(N)), array("Q", range(5, 5 * N + 1, 5))
columns = [array(code, bytes(array(code).itemsize * N)) for code in "qIIHQIqq"]
wrong = [*columns[:-1], array("q", [-1]) * N]
wide = array("q", range(N))

def table():
    one = KeyTable(bytes(16))
    one.put_many(keys, slots)
    one.put_joined(data, ends, slots)
    for key in keys[:2000]:
        one.remove(key)
        one.get(key)

def heap():
    one = DeadlineHeap()
    one.set_many(slots, 0, slots)
    for slot in range(2000):
        one.set(slot, 1, slot)
        one.clear(slot, 0)
    one.expire(N, N)

def rosters():
    one = MonitorRoster()
    one.load(columns)
    for bad in (wrong, columns[:-1], [*columns[:-1], slots]):
        try:
            one.load(bad)
        except (OverflowError, ValueError):
            pass
    two = TrackRoster()
    for slot in range(2000):
        two.write(two.open(), two.read(slot))
        two.column("number") if slot % 100 == 0 else None
    two.close(7)
    tally(two, one, 0, 10)

def runs():
    one = OpenRuns(bytes(16))
    out = array("I", bytes(4 * N))
    one.put_many(keys, slots, wide, wide, out)
    for track in range(2000):
        one.put(b"x%d" % track, track, N + track, 1)
        one.of(track), one.tracks() if track % 500 == 0 else None
        one.drop(track)

work = {"table": table, "heap": heap, "rosters": rosters, "runs": runs}[sys.argv[1]]
process = psutil.Process()
for _ in range(5):
    work()
gc.collect()
before = process.memory_info().rss
blocks = sys.getallocatedblocks()
for _ in range(40):
    work()
gc.collect()
print(process.memory_info().rss - before, sys.getallocatedblocks() - blocks, [sys.getrefcount(c) for c in columns])
"""


@pytest.mark.parametrize("what", ["table", "heap", "rosters", "runs"])
def test_what_was_built_and_dropped_is_given_back(what):
    """Each round builds some 300 KB to 2 MB: one round that stayed would show forty times."""
    grown, blocks, references = run("-c", LEAK, what).split(" ", 2)
    assert int(grown) < 4 << 20
    assert abs(int(blocks)) < 100
    assert max(int(count) for count in references.strip("[]\n").split(", ")) <= 4  # nobody holds on to a buffer
