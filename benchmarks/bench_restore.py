"""How fast the store commits, and how fast it gives everything hot back at start.

    python benchmarks/bench_restore.py [--quick]

Commits: batches of check-ins with their tracks, one transaction and one fsync each. Restore: a database of n monitors,
each with one track, read as the engine reads it. RSS is that of a fresh process that keeps nothing it read.
"""

import argparse
import subprocess
import sys
import tempfile
import time

import psutil

from tocsin.domain import ids
from tocsin.domain.check_in import CheckIn, ReportKind, State
from tocsin.domain.facts import CheckInRecorded
from tocsin.domain.monitor import Monitor, Policy
from tocsin.domain.track import Track
from tocsin.engine.delta import Delta
from tocsin.engine.memory import Snapshot
from tocsin.store import SqlStore, migrations

NOW = 1_800_000_000_000
CREATE = 10_000  # monitors in one commit while a database is filled


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, a few seconds")
    parser.add_argument("--read", metavar="URL", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        read(arguments.read)
        return
    with tempfile.TemporaryDirectory() as folder:
        commits(f"sqlite:///{folder}/commits.db", quick=arguments.quick)
        for monitors in (1_000, 10_000) if arguments.quick else (10_000, 100_000, 1_000_000):
            restore(f"sqlite:///{folder}/restore-{monitors}.db", monitors)


def commits(url: str, *, quick: bool) -> None:
    monitors = 10_000
    store = filled(url, monitors)
    print(f"{'check-ins a commit':>20} {'check-ins/s':>12} {'p50 ms':>8} {'p99 ms':>8}")
    made = 0
    for size, rounds in ((1, 500), (10, 300), (100, 100), (1000, 30)):
        deltas = []
        for _ in range(rounds // 5 if quick else rounds):
            deltas.append(batch(made, size, monitors))
            made += size
        times = []
        for delta in deltas:
            start = time.perf_counter()
            store.commit(delta, store.position() + 1)
            times.append(time.perf_counter() - start)
        times.sort()
        p50, p99 = times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000
        print(f"{size:>20} {size * len(times) / sum(times):>12,.0f} {p50:>8.2f} {p99:>8.2f}")
    store.close()


def batch(start: int, size: int, monitors: int) -> Delta:
    """Lone OKs of monitors in turn."""
    clock = NOW + start
    delta = Delta(clock=clock)
    for index in range(start, start + size):
        number, monitor = ids.check_in_number(clock, index - start), index % monitors + 1
        check_in = CheckIn(
            number=number,
            id=ids.public_id(number),
            project=1,
            monitor=monitor,
            monitor_id=f"monitor-{monitor}",
            track=monitor,
            environment="production",
            state=State.OK,
            receive_time=clock,
            update_time=clock,
            end_time=clock,
            expected_time=clock,
        )
        delta.check_ins[number] = check_in
        delta.new_check_ins.add(number)
        delta.facts.append(CheckInRecorded(check_in, ReportKind.OK, finished=True))
        delta.tracks[monitor] = Track(monitor, monitor, 1, 0, 1, 1, expected=clock, deadline=clock, last_check_in=clock)
    return delta


def restore(url: str, monitors: int) -> None:
    start = time.perf_counter()
    filled(url, monitors).close()
    print(f"{monitors:>10,} monitors created in {time.perf_counter() - start:.1f} s; ", end="", flush=True)
    subprocess.run([sys.executable, __file__, "--read", url], check=True)


def filled(url: str, monitors: int) -> SqlStore:
    migrations.upgrade(url)
    store = SqlStore(url)
    drain(store.load())
    policy = Policy()
    for first in range(1, monitors + 1, CREATE):
        delta = Delta(clock=NOW)
        if first == 1:
            delta.policies[1] = policy
            delta.environments[1] = "production"
        for number in range(first, min(first + CREATE, monitors + 1)):
            monitor = Monitor(
                number=number, project=1, id=f"monitor-{number}", uid=f"{number:032x}", policy=policy, create_time=NOW
            )
            delta.monitors[number] = (monitor, 1)
            delta.tracks[number] = Track(
                number, number, 1, 0, 1, 1, expected=NOW, deadline=NOW, last_check_in=NOW, ok_count=number
            )
        store.commit(delta, store.position() + 1)
    return store


def read(url: str) -> None:
    store = SqlStore(url)
    before = psutil.Process().memory_info().rss
    start = time.perf_counter()
    rows = drain(store.load())
    seconds = time.perf_counter() - start
    store.close()
    memory = psutil.Process().memory_info()
    grown = (memory.rss - before) / 2**20
    mapped = getattr(memory, "shared", 0) / 2**20
    print(f"{rows:,} rows read in {seconds:.2f} s, {rows / seconds:,.0f} rows/s, ", end="")
    print(f"RSS +{grown:.0f} MiB ({mapped:.0f} MiB shared)")


def drain(snapshot: Snapshot) -> int:
    streams = (snapshot.monitors, snapshot.tracks, snapshot.open_runs, snapshot.open_incidents)
    return sum(len(chunk) for stream in streams for chunk in stream)


if __name__ == "__main__":
    main()
