"""Ten million monitors with a track, its key and two deadlines each: bytes by part, and seconds to build.

Method: rows come in chunks of a million, as a store would bring them; making a chunk (columns, keys back to back) is
not timed, giving it to the core is. Time is CPU time of the thread, user and system, because a busy machine would
count others' work; wall time stands beside it. One small build before warms the allocator.
What decides is the growth of its resident memory over the calls of the core, and over the whole build, in which the
chunks leave some of theirs behind; the core's own count stands beside it. The rosters, the key table and
the heap are told beforehand how many will come, as the engine's load does not know but a store could say.
"""

import gc
import itertools
import sys
import time
from array import array

import psutil
from common import Report

from tocsin._core.deadlines import DeadlineHeap
from tocsin._core.keys import KeyTable
from tocsin._core.roster import MonitorRoster, TrackRoster
from tocsin._core.runs import OpenRuns

CHUNK = 1_000_000
NOW = 1_800_000_000
NEVER = 2**63 - 1
NOWHERE = 0xFFFFFFFF
BAR_BYTES, BAR_SECONDS = 192, 5.0  # for ten million


def chunk_of(first, count):
    """Columns of both rosters, keys and deadlines of `count` monitors from number `first` + 1 on."""

    def constant(code, value):
        return array(code, [value]) * count

    numbers = array("q", range(first + 1, first + count + 1))
    slots = array("I", range(first, first + count))
    expected = array("q", [(NOW + 60 * (i % 1440)) * 1000 for i in range(count)])
    seconds = array("I", [NOW + 60 * (i % 1440) + 60 for i in range(count)])
    monitors = (
        numbers,
        constant("I", 1),  # project
        array("I", [i % 2000 for i in range(count)]),  # policy
        constant("H", 0),
        constant("Q", 0),
        slots,  # first_track
        constant("q", 0),
        constant("q", 0),
    )
    counts = [constant("I", 7) for _ in range(6)]
    tracks = (
        numbers,
        slots,  # monitor
        constant("I", 1),  # environment
        constant("I", NOWHERE),
        constant("B", 1),
        constant("B", 1),
        *[constant("H", 0) for _ in range(5)],
        constant("q", 0),
        expected,
        expected,  # deadline
        constant("q", NEVER),
        *[expected] * 3,
        constant("i", 1234),
        *counts,
        constant("q", 0),
        constant("q", NEVER),
    )
    keys = b"".join(b"m1\0%s" % name for name in (b"job-%08d" % number for number in numbers))
    width = len(keys) // count
    ends = array("Q", itertools.accumulate(itertools.repeat(width, count)))
    return monitors, tracks, keys, ends, slots, seconds


class Core:
    def __init__(self):
        self.monitors, self.tracks = MonitorRoster(), TrackRoster()
        self.keys, self.deadlines, self.runs = KeyTable(bytes(16)), DeadlineHeap(), OpenRuns(bytes(16))

    def parts(self):
        return {
            "tracks": self.tracks,
            "monitors": self.monitors,
            "keys": self.keys,
            "deadlines": self.deadlines,
            "runs": self.runs,
        }


def build(count, chunk):
    """The core, seconds of CPU and of wall time by part, and how much resident memory grew by part."""
    core, process = Core(), psutil.Process()
    seconds = dict.fromkeys(core.parts(), 0.0)
    walls, grown = dict.fromkeys(core.parts(), 0.0), dict.fromkeys(core.parts(), 0)

    def timed(part, *work):
        before = process.memory_info().rss
        wall, begin = time.perf_counter(), time.thread_time()
        for call, *arguments in work:
            call(*arguments)
        seconds[part] += time.thread_time() - begin
        walls[part] += time.perf_counter() - wall
        grown[part] += process.memory_info().rss - before

    timed("tracks", (core.tracks.reserve, count))
    timed("monitors", (core.monitors.reserve, count))
    timed("keys", (core.keys.reserve, count))
    timed("deadlines", (core.deadlines.reserve, count))
    for first in range(0, count, chunk):
        many = min(chunk, count - first)
        monitors, tracks, keys, ends, slots, due = chunk_of(first, many)
        timed("monitors", (core.monitors.load, monitors))
        timed("tracks", (core.tracks.load, tracks))
        timed("keys", (core.keys.put_joined, keys, ends, slots))
        timed("deadlines", (core.deadlines.set_many, slots, 0, due))
    return core, seconds, walls, grown


def main():
    report = Report(__doc__)
    quick = report.parse().quick
    count = 200_000 if quick else 10_000_000
    build(1000, 1000)
    gc.collect()
    process = psutil.Process()
    before = process.memory_info().rss
    core, seconds, walls, grown = build(count, min(CHUNK, count))
    gc.collect()
    resident = (process.memory_info().rss - before) / count
    assert core.keys.get(b"m1\0job-%08d" % count) == count - 1
    assert len(core.deadlines) == len(core.tracks) == len(core.monitors) == count
    title = f"memory, {count:,} monitors"
    for part, holder in core.parts().items():
        detail = f"built in {seconds[part]:.2f} s; resident {grown[part] / count:.1f}"
        report.add(f"{title}: {part}", holder.nbytes / count, "bytes each", detail=detail)
    counted = sum(part.nbytes for part in core.parts().values()) / count
    report.add(f"{title}: core's own count", counted, "bytes each")
    ours = sum(grown.values()) / count
    report.add(f"{title}: resident", ours, "bytes each", rival="bar", rival_figure=BAR_BYTES, ratio=BAR_BYTES / ours)
    report.add(f"{title}: resident, chunks' remains included", resident, "bytes each")
    total, bar = sum(seconds.values()), BAR_SECONDS * count / 10_000_000
    report.add(
        f"{title}: built",
        total,
        "s",
        rival="bar",
        rival_figure=bar,
        ratio=bar / total,
        detail=f"wall {sum(walls.values()):.2f} s",
    )
    report.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
