"""A program for LeakSanitizer (`make sanitize`): makes and drops every object of the core, some of them refused."""

import contextlib
from array import array

from support.plain import Parts
from tocsin._core import answers, bulk, intake, tallies
from tocsin._core.batch import Batch
from tocsin._core.cron_text import parse
from tocsin._core.deadlines import DeadlineHeap
from tocsin._core.keys import KeyTable
from tocsin._core.recorded import Recorded
from tocsin._core.roster import MonitorRoster, TrackRoster
from tocsin._core.saved import Mover
from tocsin._core.timetable import Timetables
from tocsin._core.zone import Zone

CRON = parse("0 0 * * *")


def times():
    with contextlib.suppress(ValueError):
        Zone(array("q", [2, 1]), array("i", [0, 1, 2]))
    timetables = Timetables()
    zone = timetables.add_zone(Zone(array("q", range(0, 10_000, 100)), array("i", [0, 1] * 50 + [0])))
    for _ in range(100):
        timetables.add_cron(zone, CRON)
    timetables.add_union(range(1, 50))
    timetables.add_daily(zone, range(20))
    timetables.upcoming(1, 0, 300)
    with contextlib.suppress(IndexError):
        timetables.add_union([1, 10_000])


def batches():
    batch, recorded = Batch(), Recorded()
    for i in range(100):
        recorded.append(i, 1, 1, 1, 5, 5, row=batch.append(f"monitor-{i}", 2))
    answers.check_ins(batch, recorded, {}, (100,), 7, "grpc", "")
    read = intake.check_ins(b"\x12\x00" * 100, ("7",), 1_000)
    intake.rest(read.batch)
    with contextlib.suppress(intake.Malformed):
        intake.check_ins(b"\x12\x00\x00", ("7",), 1_000)
    with contextlib.suppress(ValueError):
        answers.check_ins(Batch(), recorded, {}, (), 7, "grpc", "")


def state():
    heap = DeadlineHeap(100)
    heap.set(1, 0, 5)
    heap.expire(10, 10)
    table = KeyTable(bytes(16))
    for i in range(100):
        table.put(b"%d" % i, i)
    for roster in (MonitorRoster(), TrackRoster()):
        for _ in range(100):
            roster.open()


def columns():
    parts = Parts()
    parts.apply(1_774_000_800_000)
    parts.judge(parts.tracks.get(0, "deadline") + 1)
    parts.opened.spare((), ())
    bulk.copied([(parts.recorded, 1, "grpc")])
    bulk.parameters([(parts.recorded, 1, "grpc")])
    with contextlib.suppress(OverflowError):
        bulk.copied([(parts.recorded, 2**70, "")])
    tallies.durations(parts.recorded, array("q", [1, 2]))
    mover = Mover(parts.tracks, parts.monitors)
    with contextlib.suppress(IndexError):
        mover.of([0, 9], 1)
    mover.take(5, 1).copied()


if __name__ == "__main__":
    for _ in range(50):
        times()
        state()
        batches()
        columns()
