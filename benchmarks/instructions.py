"""Instructions for a deadline, a fire time, a parsed expression, counted by callgrind: a busy machine does not matter.

    python benchmarks/instructions.py [--count N] [--only WORD ...]

Method: a child runs each case under valgrind between two calls of a function of the core that does nothing, at which
callgrind writes down what it has counted so far. Two such calls in a row give the price of the marks, which is taken
off. Batches are one call each, so their Python side is spread over N items; `parse` is a Python call each, less what an
empty loop takes. No valgrind, no figures: it says so and ends with 2. Add a case in `cases`.
"""

import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
from array import array
from functools import partial
from pathlib import Path

MARK = "__pyx_pw_*count_by_leaf"
NOW = 1_800_000_000
SLOTS = 1_000_000
EMPTY = "empty loop"
EXPRESSIONS = [
    ("* * * * *", "UTC"),
    ("*/5 * * * *", "UTC"),
    ("30 2 * * *", "America/New_York"),
    ("0 0 29 2 *", "UTC"),
    ("0 0 * * 1#2", "UTC"),
    ("0 0 L * *", "UTC"),
]


def cases(count):
    """Name -> what is done `count` times, made here so that making it is not counted."""
    from tocsin._core.cron_text import parse
    from tocsin._core.deadlines import DeadlineHeap
    from tocsin._core.keys import KeyTable
    from tocsin.app.tzdata import read_zone
    from tocsin.domain.schedule import Cron
    from tocsin.schedule import Compiler, Zones

    chooser = random.Random(1)
    found = {EMPTY: lambda: [None for _ in range(count)]}
    for name, vector in (("vector", True), ("plain", False)):
        heap, late = DeadlineHeap(SLOTS, vector=vector), DeadlineHeap(SLOTS, vector=vector)
        seconds = array("I", [NOW + chooser.randrange(60, 86_400) for _ in range(SLOTS)])
        heap.set_many(array("I", range(SLOTS)), 0, seconds)
        late.set_many(array("I", range(SLOTS)), 0, array("I", [NOW]) * SLOTS)
        moved = array("I", [chooser.randrange(SLOTS) for _ in range(count)])
        new = array("I", [NOW + chooser.randrange(60, 86_400) for _ in range(count)])
        out = array("I", bytes(4 * count))
        found[f"deadline update, {name}"] = partial(heap.set_many, moved, 0, new)
        found[f"expired entry, {name}"] = partial(late.expire_into, NOW, out)
    table, keys = KeyTable(bytes(16)), b"".join(b"m1\0job-%08d" % i for i in range(count))
    table.reserve(count)
    ends, values = array("Q", range(15, 15 * count + 1, 15)), array("I", range(count))
    found["key put, 15 bytes"] = partial(table.put_joined, keys, ends, values)
    compiler = Compiler(Zones(read_zone))
    core = compiler.timetables
    starts = array("q", [(1_767_225_600 + chooser.randrange(31_536_000)) * 1000 for _ in range(count)])
    for text, zone in EXPRESSIONS:
        numbers = array("I", [compiler.compile((Cron(text, zone),))]) * count
        found[f"next fire, {text} {zone}"] = partial(core.next_many, numbers, starts, array("q", bytes(8 * count)))
    some = _items("parse", count)
    for text, _ in EXPRESSIONS[2:4]:
        found[f"parse, {text}"] = lambda text=text: [parse(text) for _ in range(some)]
    return found


def child(count, only):
    from tocsin._core.deadlines import DeadlineHeap

    mark = DeadlineHeap(1).count_by_leaf
    chosen = {
        name: work
        for name, work in cases(count).items()
        if not only or name == EMPTY or any(word in name for word in only)
    }
    mark()
    mark()
    for work in chosen.values():
        mark()
        work()
    mark()
    print("\n".join(chosen))


def count_all(count, only):
    """Name -> instructions between its marks, less those of the marks."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "counts"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", f"--dump-before={MARK}"]
        command += [sys.executable, __file__, "--child", "--count", str(count), "--only", *only]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        names = done.stdout.splitlines()
        totals = [_total(Path(f"{out}.{number}")) for number in range(2, len(names) + 4)]
    marks, _, *works = totals
    totals = {name: total - marks for name, total in zip(names, works, strict=True)}
    empty = totals.pop(EMPTY, 0) / count
    return {name: total / _items(name, count) - empty * name.startswith("parse") for name, total in totals.items()}


def _items(name, count):
    return min(count, 1000) if name.startswith("parse") else count


def _total(file):
    return int(re.search(r"^(?:summary|totals): (\d+)", file.read_text(), re.MULTILINE).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=15_000, help="items of a batch; up to 1/64 of the heap's leaves")
    parser.add_argument("--only", nargs="*", default=[], metavar="WORD", help="cases whose name has one of these words")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.count, options.only)
        return 0
    if shutil.which("valgrind") is None:
        print("valgrind is not installed, so nothing was counted", file=sys.stderr)
        return 2
    for name, each in count_all(options.count, options.only).items():
        print(f"{name:45} {each:12,.1f} instructions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
