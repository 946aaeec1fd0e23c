"""Deadlines at 1 and 10 million monitors: set, move and expire, beside heapq.

Method: two deadlines a monitor, periods from a minute to a day, most of them on whole minutes. `build` is one bulk
call; `move` gives random monitors new deadlines, in one batch and call by call; `burst` hands out half of all
deadlines, which fall due in one second, in slices of 65 536, and `slice` is the longest of them, in ms. `plain` is the
same without vector instructions, which the first line names. heapq holds packed integers (second << 32 | leaf) with
lazy deletion, the fastest honest use of it we know, and runs at the smallest size only. Medians of interleaved rounds
in CPU time of the thread, because on a busy machine wall time counts the others,
in nanoseconds for each deadline.
"""

import heapq
import random
import statistics
import time
from array import array

from common import Report

from tocsin._core.deadlines import VECTOR, DeadlineHeap

NOW = 1_800_000_000
SLICE = 65_536


class LazyHeap:
    """heapq with a dict of what is valid."""

    def __init__(self, pairs):
        self.current = dict(pairs)
        self.heap = [second << 32 | leaf for leaf, second in pairs]
        heapq.heapify(self.heap)

    def move(self, leaf, second):
        self.current[leaf] = second
        heapq.heappush(self.heap, second << 32 | leaf)

    def expire(self, now, limit):
        due, heap, current = [], self.heap, self.current
        while heap and len(due) < limit and heap[0] >> 32 <= now:
            entry = heapq.heappop(heap)
            leaf = entry & 0xFFFFFFFF
            if current.get(leaf) == entry >> 32:
                del current[leaf]
                due.append(leaf)
        return due


def seconds_for(count, chooser):
    periods = [60, 300, 600, 3600, 86400]
    return array(
        "I",
        [
            (NOW // 60 * 60 + chooser.choice(periods))
            if chooser.random() < 5 / 8
            else NOW + chooser.randrange(60, 86400)
            for _ in range(count)
        ],
    )


def timed(work, count):
    begin = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - begin) / count


def drain(heap, now):
    found = 0
    while due := heap.expire(now, SLICE):
        found += len(due)
    return found


def drain_into(heap, now, out, slices):
    """Times of the slices, in ns, are added to `slices`."""
    begin = time.thread_time_ns()
    while heap.expire_into(now, out):
        end = time.thread_time_ns()
        slices.append(end - begin)
        begin = end


def measure(monitors, rounds, chooser, *, peer):
    slots = array("I", range(monitors))
    seconds = seconds_for(monitors, chooser)
    moved = array("I", [chooser.randrange(monitors) for _ in range(monitors // 100)])
    new = seconds_for(len(moved), chooser)
    burst = array("I", [NOW]) * monitors
    calls = list(zip(moved, new, strict=True))[:100_000]
    out = array("I", bytes(4 * SLICE))
    names = ("build", "move, batch", "move, plain", "move, calls", "burst, list", "burst, array", "burst, plain")
    ours, slices = {name: [] for name in names}, []
    theirs = {"build": [], "move, calls": [], "burst, list": []}
    for _ in range(rounds):
        heap = DeadlineHeap(monitors)
        ours["build"].append(
            timed(lambda heap=heap: (heap.set_many(slots, 0, seconds), heap.set_many(slots, 1, seconds)), 2 * monitors)
        )
        ours["move, batch"].append(timed(lambda heap=heap: heap.set_many(moved, 0, new), len(moved)))
        ours["move, calls"].append(timed(lambda heap=heap: [heap.set(slot, 1, at) for slot, at in calls], len(calls)))
        heap.set_many(slots, 0, burst)
        ours["burst, list"].append(timed(lambda heap=heap: drain(heap, NOW), monitors))
        heap.set_many(slots, 0, burst)
        passed = []
        ours["burst, array"].append(
            timed(lambda heap=heap, passed=passed: drain_into(heap, NOW, out, passed), monitors)
        )
        slices.append(max(passed) / 1e6)
        bytes_each = heap.nbytes / (2 * monitors)
        del heap
        plain = DeadlineHeap(monitors, vector=False)
        plain.set_many(slots, 0, seconds)
        plain.set_many(slots, 1, seconds)
        ours["move, plain"].append(timed(lambda plain=plain: plain.set_many(moved, 0, new), len(moved)))
        plain.set_many(slots, 0, burst)
        ours["burst, plain"].append(timed(lambda plain=plain: drain_into(plain, NOW, out, []), monitors))
        del plain
        if peer:
            # heapq's pop loop hands out what ours does as a list and as an array; the same rounds serve for both.
            pairs = [(2 * slot + leaf, at) for leaf in (0, 1) for slot, at in enumerate(seconds)]
            begin = time.thread_time_ns()
            lazy = LazyHeap(pairs)
            theirs["build"].append((time.thread_time_ns() - begin) / len(pairs))
            theirs["move, calls"].append(
                timed(lambda lazy=lazy: [lazy.move(2 * slot, at) for slot, at in calls], len(calls))
            )
            lazy = LazyHeap([(2 * slot, NOW) for slot in range(monitors)] + pairs[monitors:])
            theirs["burst, list"].append(timed(lambda lazy=lazy: drain(lazy, NOW), monitors))
            del lazy, pairs
    theirs["burst, array"] = theirs["burst, list"]
    return ours, theirs, bytes_each, slices


def bar(figure, ours):
    return {"rival": "bar", "rival_figure": figure, "ratio": figure / ours}


def main():
    report = Report(__doc__)
    quick = report.parse().quick
    sizes, rounds = ([100_000], 3) if quick else ([1_000_000, 10_000_000], 7)
    for monitors in sizes:
        ours, theirs, bytes_each, slices = measure(monitors, rounds, random.Random(1), peer=monitors == sizes[0])
        print(f"instructions: {VECTOR}")
        print(f"{monitors} monitors, {bytes_each:.2f} bytes a deadline; median ns a deadline")
        for what, values in ours.items():
            line = f"  {what:14} {statistics.median(values):9.1f}"
            rival = {}
            if theirs.get(what):
                peer = statistics.median(theirs[what])
                ratio = statistics.median(b / a for a, b in zip(values, theirs[what], strict=True))
                line += f"   heapq {peer:9.1f}   {ratio:6.1f}x"
                rival = {"rival": "heapq", "rival_figure": peer, "ratio": ratio}
            print(line)
            report.add(f"deadlines: {what}, {monitors:,}", statistics.median(values), "ns", **rival)
        report.add(f"deadlines: bytes each, {monitors:,}", bytes_each, "bytes", **bar(4.5, bytes_each))
        slice_ms = statistics.median(slices)
        report.add(f"deadlines: longest slice, {monitors:,}", slice_ms, "ms", **bar(1.0, slice_ms))
    report.end(show=False)


if __name__ == "__main__":
    main()
