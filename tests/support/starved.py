"""A program for a fresh interpreter: every path of the state kernels that takes memory, with the n-th request refused.

Prints "name count" for each path: how many requests were refused before it went through. For each n, the path must
either work or raise MemoryError; then the object must answer as before, and work once there is memory again.
"""

from array import array

from support.fresh import starve
from tocsin._core.deadlines import DeadlineHeap
from tocsin._core.keys import NOWHERE, KeyTable
from tocsin._core.roster import MonitorRoster, TrackRoster
from tocsin._core.runs import OpenRuns
from tocsin._core.sweep import tally

SECRET = bytes(16)
NEVER = 2**63 - 1
MANY = 400
SLOTS = array("I", range(MANY))
KEYS = [b"%d" % i for i in range(MANY)]
JOINED, ENDS = b"".join(b"%03d" % i for i in range(MANY)), array("Q", range(3, 3 * MANY + 1, 3))
WIDE = array("q", range(MANY))
COLUMNS = [array(code, bytes(array(code).itemsize * MANY)) for code in "qIIHQIqq"]
OUT = array("I", bytes(4 * MANY))


def full_roster():
    roster = TrackRoster()
    for i in range(16):
        roster.set(roster.open(), "number", i)
    return roster


def roster_answers(roster):
    return [roster.get(slot, "number") for slot in range(16)] == list(range(16)) and not roster.is_open(16)


def full_table():
    table = KeyTable(SECRET)
    while (table.capacity * 7) // 8 > len(table):
        table.put(b"old-%d" % len(table), len(table))
    return table


def table_answers(table):
    same = all(table.get(b"old-%d" % i) == i for i in range(14))
    return same and len(table) == 14 and table.get(b"new") == table.get(b"0") == table.get(b"000") == NOWHERE


def full_heap():
    heap = DeadlineHeap(8)
    heap.set_many(array("I", range(8)), 0, array("I", range(10, 18)))
    return heap


def heap_answers(heap):
    return heap.min() == 10 and len(heap) == 8 and [heap.get(slot, 0) for slot in range(8)] == list(range(10, 18))


def late_heap():
    heap = DeadlineHeap()
    heap.set_many(SLOTS, 0, array("I", range(2_000, 2_000 + MANY)))
    return heap


def full_runs():
    runs = OpenRuns(SECRET)
    for i in range(14):  # full tables of ids and of tracks
        runs.put(b"old-%d" % i, i, i, i)
    return runs


def full_rows():
    runs = OpenRuns(SECRET)
    for i in range(16):
        runs.put(b"old-%d" % i, 0, i, i)
    return runs


def runs_answer(runs):
    n = len(runs)
    same = n in (14, 16) and all(runs.find(b"old-%d" % i) == i for i in range(n))
    return same and runs.find(b"new") == runs.find(b"0") == NOWHERE and sum(runs.summary(i)[0] for i in range(16)) == n


def put_runs(runs):
    runs.put_many(KEYS, SLOTS, WIDE, WIDE, OUT)


PATHS = {
    "roster, made": (lambda: None, lambda _: TrackRoster(), lambda _: True),
    "roster, opened": (full_roster, lambda roster: roster.open(), roster_answers),
    "roster, reserved": (full_roster, lambda roster: roster.reserve(1000), roster_answers),
    "roster, loaded": (
        MonitorRoster,
        lambda roster: roster.load(COLUMNS),
        lambda roster: len(roster) == 0 and len(roster.column("number")) == 0,
    ),
    "roster, column": (full_roster, lambda roster: roster.column("number"), roster_answers),
    "roster, read": (full_roster, lambda roster: roster.read(3), roster_answers),
    "keys, made": (lambda: None, lambda _: KeyTable(SECRET), lambda _: True),
    "keys, put": (full_table, lambda table: table.put(b"new", 1), table_answers),
    "keys, put many": (full_table, lambda table: table.put_many(KEYS, SLOTS), table_answers),
    "keys, put joined": (full_table, lambda table: table.put_joined(JOINED, ENDS, SLOTS), table_answers),
    "keys, reserved": (full_table, lambda table: table.reserve(MANY), table_answers),
    "deadlines, made": (lambda: None, lambda _: DeadlineHeap(100), lambda _: True),
    "deadlines, set": (full_heap, lambda heap: heap.set(8, 1, 5), heap_answers),
    "deadlines, set many": (full_heap, lambda heap: heap.set_many(SLOTS, 1, SLOTS), heap_answers),
    "deadlines, expired": (
        late_heap,
        lambda heap: heap.expire(3_000, 1000),
        lambda heap: heap.min() <= 3_000 and len(heap) == MANY,
    ),
    "deadlines, reserved": (full_heap, lambda heap: heap.reserve(1000), heap_answers),
    "runs, made": (lambda: None, lambda _: OpenRuns(SECRET), lambda _: True),
    "runs, put, tables full": (full_runs, lambda runs: runs.put(b"new", 15, 99, 1), runs_answer),
    "runs, put, rows full": (full_rows, lambda runs: runs.put(b"new", 15, 99, 1), runs_answer),
    "runs, put many": (full_runs, put_runs, runs_answer),
    "runs, reserved": (full_rows, lambda runs: runs.reserve(MANY), runs_answer),
    "totals": (full_roster, lambda roster: tally(roster, MonitorRoster(), 0, 3), roster_answers),
}


if __name__ == "__main__":
    starve(PATHS, lasting=False)
