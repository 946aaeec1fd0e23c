"""The engine alone: reports and verdicts per second, and the memory of a monitor.

Method: monitors (half cron, half interval, one environment each) are loaded as they are from a store. "reports" steps
lone OKs of known monitors in batches of 1,000 and takes the delta, as the server's loop does, without a database.
"verdicts" ticks at a time when half of all monitors are overdue, in slices of 5,000 with their deltas. Interleaved with
a rival that makes the same decision with what Python offers: a dict of monitors, cronsim for the next time, heapq with
lazy deletion for the deadlines. The rival keeps no thresholds, runs, incidents or history and makes no rows. Medians of
rounds. Memory is the growth of a fresh process over a load, and what the core itself says it holds.
"""

import argparse
import datetime as dt
import gc
import heapq
import subprocess
import sys
import time
from itertools import islice
from statistics import median
from zoneinfo import ZoneInfo

import psutil
from common import Report, median_ratio
from cronsim import CronSim

from tocsin.app.tzdata import read_zone
from tocsin.domain.check_in import Report as Sent
from tocsin.domain.check_in import ReportKind
from tocsin.domain.commands import Entry, ReportCheckIn
from tocsin.domain.instant import NEVER
from tocsin.domain.monitor import Policy
from tocsin.domain.schedule import Cron, Interval, Unit
from tocsin.engine.engine import Engine
from tocsin.engine.memory import Snapshot
from tocsin.schedule import Compiler, Zones

NOW = 1_800_000_000_000
CHUNK = 1_024
BATCH = 1_000
SLICE = 5_000
CRONS = ("*/5 * * * *", "0 * * * *", "30 4 * * *", "0 9 * * MON-FRI")
HOUR_MS = 3_600_000


def main() -> None:
    report = Report(__doc__)
    report.parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    options = report.parse()
    if options.memory:
        memory(options.memory)
        return
    monitors, rounds = (10_000, 2) if options.quick else (100_000, 5)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(engine_round(monitors))
        theirs.append(rival_round(monitors))
    for place, what in enumerate(("engine: reports, known monitors", "engine: verdicts, half of all due")):
        report.add(
            what,
            median(round_[place] for round_ in ours),
            "/s",
            rival="cronsim + heapq + dict",
            rival_figure=median(round_[place] for round_ in theirs),
            ratio=median_ratio((our[place], their[place]) for our, their in zip(ours, theirs, strict=True)),
            detail=f"{monitors:,} monitors",
        )
    for size in (10_000, 100_000) if options.quick else (100_000, 1_000_000):
        line = subprocess.run([sys.executable, __file__, "--memory", str(size)], check=True, capture_output=True)
        process, core = map(int, line.stdout.split())
        report.add(f"engine: memory a monitor, {size:,}", process / size, "bytes", detail="growth of the process")
        report.add("  of it in the core", core / size, "bytes", detail="rosters, keys, deadlines, as they report it")
    report.end()


# --- ours


def loaded(monitors: int, *, overdue: bool = False) -> Engine:
    """An engine with so many monitors; `overdue`: every other one's deadline has passed."""
    policies = [
        (number, Policy(schedules=(Cron(text, "Europe/Vienna"),))) for number, text in enumerate(CRONS, start=1)
    ] + [(len(CRONS) + number, Policy(schedules=(Interval(number, Unit.HOUR),))) for number in range(1, len(CRONS) + 1)]
    engine = Engine(Compiler(Zones(read_zone)))
    engine.load(
        Snapshot(
            clock=NOW,
            policies=policies,
            environments=[(1, "production")],
            monitors=chunks(monitor_rows(monitors, len(policies))),
            tracks=chunks(track_rows(monitors, overdue=overdue)),
            open_runs=(),
            open_incidents=(),
            after=(),
            sequences={"monitor": monitors, "track": monitors},
        )
    )
    return engine


def monitor_rows(monitors, policies):
    for number in range(1, monitors + 1):
        yield number, 1, f"monitor-{number}", number % policies + 1, False, False, None, None


def track_rows(monitors, *, overdue):
    for number in range(1, monitors + 1):
        deadline = NOW if overdue and number % 2 else NOW + HOUR_MS + number % 86_400 * 1000
        times = (deadline, deadline, NEVER, NOW - HOUR_MS, NOW - HOUR_MS, NOW - HOUR_MS, 1000)
        yield number, number, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, *times, 7, 0, 0, 0, 0, 0, 0, NEVER, 0


def chunks(rows):
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def engine_round(monitors: int) -> tuple[float, float]:
    engine = loaded(monitors)
    count = min(monitors, 20_000)
    at = NOW + 1_000
    entries = [
        Entry(at, ReportCheckIn(Sent(1, f"monitor-{number * 7919 % monitors + 1}", ReportKind.OK, at, pair=False)))
        for number in range(count)
    ]
    begin = time.perf_counter()
    for first in range(0, count, BATCH):
        engine.step_many(entries[first : first + BATCH])
        engine.take()
    reports = count / (time.perf_counter() - begin)
    engine = loaded(min(monitors, 100_000), overdue=True)
    due = min(monitors, 100_000) // 2
    begin, judged = time.perf_counter(), 0
    more = True
    while more:
        more = engine.tick(NOW + 60_000, limit=SLICE)
        delta = engine.take()
        judged += len(delta.tracks) + (len(delta.judged) if delta.judged is not None else 0)
    seconds = time.perf_counter() - begin
    if judged < due:
        raise SystemExit(f"{judged} verdicts, {due} were due")
    return reports, judged / seconds


# --- the rival


class Peer:
    """A dict of monitors and a heap of deadlines, as a small cron monitor keeps them."""

    def __init__(self, monitors: int, *, overdue: bool) -> None:
        zone = ZoneInfo("Europe/Vienna")
        self.monitors = {}
        self.heap = []
        for number in range(1, monitors + 1):
            policy = number % (2 * len(CRONS))
            cron = CRONS[policy] if policy < len(CRONS) else None
            deadline = NOW if overdue and number % 2 else NOW + HOUR_MS + number % 86_400 * 1000
            name = f"monitor-{number}"
            self.monitors[name] = [cron, zone, (policy % 4 + 1) * HOUR_MS, deadline, "ok", 0, 0]
            self.heap.append((deadline, name))
        heapq.heapify(self.heap)

    def next_after(self, monitor, at):
        if monitor[0] is None:
            return at + monitor[2]
        local = dt.datetime.fromtimestamp(at / 1000, monitor[1])
        return int(next(CronSim(monitor[0], local)).timestamp() * 1000)

    def report(self, name, at):
        monitor = self.monitors[name]
        monitor[3] = deadline = self.next_after(monitor, at) + 60_000
        monitor[4], monitor[5] = "ok", monitor[5] + 1
        heapq.heappush(self.heap, (deadline, name))

    def tick(self, now):
        judged = 0
        while self.heap and self.heap[0][0] < now:
            deadline, name = heapq.heappop(self.heap)
            monitor = self.monitors[name]
            if monitor[3] != deadline:
                continue
            monitor[4], monitor[6] = "missed", monitor[6] + 1
            monitor[3] = following = self.next_after(monitor, deadline) + 60_000
            heapq.heappush(self.heap, (following, name))
            judged += 1
        return judged


def rival_round(monitors: int) -> tuple[float, float]:
    peer = Peer(monitors, overdue=False)
    count = min(monitors, 20_000)
    names = [f"monitor-{number * 7919 % monitors + 1}" for number in range(count)]
    begin = time.perf_counter()
    for name in names:
        peer.report(name, NOW + 1_000)
    reports = count / (time.perf_counter() - begin)
    peer = Peer(min(monitors, 100_000), overdue=True)
    begin = time.perf_counter()
    judged = peer.tick(NOW + 60_000)
    return reports, judged / (time.perf_counter() - begin)


# --- memory


def memory(monitors: int) -> None:
    """Prints the growth of this process, and what the core holds, in bytes."""
    loaded(1_000)
    gc.collect()
    before = psutil.Process().memory_info().rss
    engine = loaded(monitors)
    gc.collect()
    after = psutil.Process().memory_info().rss
    state = engine.state
    print(after - before, sum(state.memory().values()))


if __name__ == "__main__":
    main()
