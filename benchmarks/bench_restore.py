"""How fast the store commits, and how fast a server is there again with a million monitors.

Method: databases are filled by the store's own commits. "commits" are batches of lone check-ins with their tracks, one
transaction and one fsync each; the rival is `sqlite3.executemany` of the same two kinds of rows into the same schema,
rounds alternating. "in columns" are such batches as a kernel leaves them, without their tracks; the rival writes whole
rows of integers. "rows read" is the store alone, drained as the engine reads it. "engine loaded" is the whole path from
rows to rosters, keys and deadlines, in a fresh process; "to /readyz" is a real `tocsin serve`, from the start of the
process to its first answer that it is ready; both on SQLite and on PostgreSQL, whose memory is not counted. All
databases lie in the page cache: they were just written.
"""

import argparse
import gc
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil
from common import Report, Tocsin, median_ratio, percentile, postgresql

from tocsin._core.recorded import Recorded
from tocsin.app.tzdata import read_zone
from tocsin.domain import ids
from tocsin.domain.check_in import CheckIn, ReportKind, State
from tocsin.domain.facts import CheckInRecorded
from tocsin.domain.monitor import Monitor, Policy
from tocsin.domain.schedule import Cron, Interval, Unit
from tocsin.domain.track import Track
from tocsin.engine.delta import Columns, Delta
from tocsin.engine.engine import Engine
from tocsin.engine.memory import Snapshot
from tocsin.schedule import Compiler, Zones
from tocsin.store import SqlStore, check_ins, migrations, monitors, schema

NOW = 1_800_000_000_000
CREATE = 10_000  # monitors in one commit while a database is filled
DAY_S = 86_400
BARS_AT = 1_000_000  # monitors
BARS = {"sqlite": 2.0, "postgresql": 3.0}  # seconds until the server is ready
MEMORY_BAR = 600  # megabytes of the whole process
POLICIES = (
    Policy(schedules=(Cron("*/5 * * * *", "UTC"),)),
    Policy(schedules=(Cron("30 4 * * *", "Europe/Vienna"),)),
    Policy(schedules=(Interval(1, Unit.HOUR),)),
    Policy(schedules=(Interval(1, Unit.DAY),)),
)


def main() -> None:
    report = Report(__doc__)
    report.parser.add_argument("--read", nargs=2, metavar=("WHAT", "URL"), help=argparse.SUPPRESS)
    options = report.parse()
    if options.read:
        print(json.dumps({"rows": rows, "engine": engine}[options.read[0]](options.read[1])))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commits(report, folder, quick=options.quick)
        columns(report, folder, quick=options.quick)
        with postgresql() as server:
            for count in (10_000, 100_000) if options.quick else (100_000, BARS_AT):
                for backend in ("sqlite", "postgresql"):
                    served = folder / f"{backend}-{count}"
                    (served / "data").mkdir(parents=True)
                    store = "" if backend == "sqlite" else server.new_database(empty=True)
                    restore(report, backend, served, store, count, 1 if options.quick else 3)
    report.end()


# --- commits


def commits(report: Report, folder: Path, *, quick: bool) -> None:
    count = 10_000
    store = filled(f"sqlite:///{folder}/commits.db", count)
    bare = bare_copy(folder)
    made = 0
    for size, rounds in ((1, 500), (10, 300), (100, 100), (1000, 30)):
        ours, theirs = [], []
        for _ in range(rounds // 5 if quick else rounds):
            delta = batch(made, size, count)
            made += size
            ours.append(timed(lambda delta=delta: store.commit(delta, store.position() + 1)))
            theirs.append(bare_commit(bare, delta))
        ordered = sorted(ours)
        report.add(
            f"commit of {size:,}",
            size / median(ours),
            "/s",
            rival="sqlite3 executemany",
            rival_figure=size / median(theirs),
            ratio=median_ratio(zip(theirs, ours, strict=True)),
            detail=f"p50 {percentile(ordered, 0.5) * 1000:.2f} ms, p99 {percentile(ordered, 0.99) * 1000:.2f} ms",
        )
    store.close()
    bare.close()


def columns(report: Report, folder: Path, *, quick: bool) -> None:
    """Batches of lone OKs as a kernel leaves them: check-ins in columns, and the tracks later."""
    with postgresql() as server:
        columns_of(report, "sqlite", f"sqlite:///{folder}/columns.db", folder, quick=quick)
        columns_of(report, "postgresql", server.new_database(empty=True), None, quick=quick)


def columns_of(report: Report, backend: str, url: str, folder: Path | None, *, quick: bool) -> None:
    """With a folder, beside the bare driver on a copy of the database in it."""
    store = filled(url, 10_000)
    bare = bare_copy(folder, "columns.db") if folder else None
    made = 0
    for size, rounds in ((1, 500), (10, 300), (100, 200), (1000, 100)):
        ours, cpu, theirs = [], [], []
        for _ in range(rounds // 5 if quick else rounds):
            delta, rows = in_columns(made, size, 10_000)
            made += size
            begin = time.process_time()
            ours.append(timed(lambda delta=delta: store.commit(delta, store.position() + 1)))
            cpu.append(time.process_time() - begin)
            if bare is not None:
                theirs.append(bare_rows(bare, rows))
        report.add(
            f"commit of {size:,} in columns, {backend}",
            size / median(ours),
            "/s",
            rival="sqlite3 executemany" if theirs else "",
            rival_figure=size / median(theirs) if theirs else None,
            ratio=median_ratio(zip(theirs, ours, strict=True)) if theirs else None,
            detail=f"p50 {median(ours) * 1000:.2f} ms, {median(cpu) / size * 1e6:.1f} µs of CPU a check-in here",
        )
    store.close()
    if bare is not None:
        bare.close()


def in_columns(start: int, size: int, count: int) -> tuple[Delta, list[tuple]]:
    """A delta, and the same rows as tuples."""
    clock = NOW + start
    recorded, rows = Recorded(), []
    for index in range(start, start + size):
        number, monitor = ids.check_in_number(clock, index - start), index * 7919 % count + 1
        recorded.append(number, monitor, monitor, 1, clock, clock, clock, None, clock, 1)
        rows.append(
            (number, 1, monitor, monitor, 1, clock, clock, None, clock, None, clock, None, 0, None, 0, None, None, 1)
        )
    made = [Columns(recorded, 1, "native", "")]
    return Delta(clock=clock, columns=made, sequences={"check_in": number}), rows


def bare_rows(bare: sqlite3.Connection, rows: list[tuple]) -> float:
    marks = ", ".join("?" * len(rows[0]))
    begin = time.perf_counter()
    bare.execute("BEGIN IMMEDIATE")
    bare.executemany(f"INSERT INTO check_ins_kept VALUES ({marks})", rows)
    bare.execute("COMMIT")
    return time.perf_counter() - begin


def bare_copy(folder: Path, name: str = "commits.db") -> sqlite3.Connection:
    """The same database once more, behind the bare driver with the same promise."""
    source = sqlite3.connect(folder / name)
    bare = sqlite3.connect(folder / f"bare-{name}", isolation_level=None)
    source.backup(bare)
    source.close()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536"):
        bare.execute(f"PRAGMA {pragma}").close()
    return bare


def bare_commit(bare: sqlite3.Connection, delta: Delta) -> float:
    made = [check_ins.to_row(check_in) for check_in in delta.check_ins.values()]
    tracks = [monitors.track_to_row(track, delta.clock, 0) for track in delta.tracks.values()]
    one, two = ", ".join("?" * len(made[0])), ", ".join("?" * len(tracks[0]))
    moved = ", ".join(f"{column.name} = excluded.{column.name}" for column in schema.tracks.columns[3:])
    begin = time.perf_counter()
    bare.execute("BEGIN IMMEDIATE")
    bare.executemany(f"INSERT INTO check_ins_kept VALUES ({one})", made)
    bare.executemany(f"INSERT INTO tracks VALUES ({two}) ON CONFLICT (number) DO UPDATE SET {moved}", tracks)
    bare.execute("COMMIT")
    return time.perf_counter() - begin


def timed(work) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def batch(start: int, size: int, count: int) -> Delta:
    """Lone OKs of monitors in turn."""
    clock = NOW + start
    delta = Delta(clock=clock)
    for index in range(start, start + size):
        number, monitor = ids.check_in_number(clock, index - start), index % count + 1
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


# --- restore


def restore(report: Report, backend: str, served: Path, store: str, count: int, rounds: int) -> None:
    """`store`: the URL of an empty PostgreSQL database, or "": SQLite in the folder."""
    path = served / "data" / "tocsin.db"
    url = store or f"sqlite:///{path}"
    begin = time.perf_counter()
    filled(url, count, at=time.time_ns() // 1_000_000).close()
    spent = time.perf_counter() - begin
    report.add(f"restore, {backend}: {count:,} monitors created", count / spent, "/s")
    for what, name in (("rows", "rows read"), ("engine", "engine loaded")):
        found = [read(what, url) for _ in range(rounds)]
        report.add(
            f"restore, {backend}: {name}, {count:,}",
            median(one["seconds"] for one in found),
            "s",
            detail=f"process grows by {median(one['grown'] for one in found) / 2**20:,.0f} MiB",
        )
    starts = [start(served, store) for _ in range(rounds)]
    seconds, rss = median(one for one, _ in starts), median(one for _, one in starts) / 1e6
    served_in, memory = f"restore, {backend}: serve to /readyz, {count:,}", "  server memory"
    if count == BARS_AT:
        report.at_most(served_in, seconds, "s", bar=BARS[backend])
        report.at_most(memory, rss, "MB", bar=MEMORY_BAR)
    else:
        report.add(served_in, seconds, "s")
        report.add(memory, rss, "MB")
    path.unlink(missing_ok=True)


def start(folder: Path, store: str) -> tuple[float, int]:
    begin = time.perf_counter()
    server = Tocsin(folder, store)
    seconds, rss = time.perf_counter() - begin, server.rss()
    server.stop()
    return seconds, rss


def read(what: str, url: str) -> dict[str, float]:
    line = subprocess.run([sys.executable, __file__, "--read", what, url], check=True, capture_output=True)
    return json.loads(line.stdout)


def filled(url: str, count: int, at: int = NOW) -> SqlStore:
    """A database with so many monitors, due within the day after the next hour."""
    migrations.upgrade(url)
    store = SqlStore(url)
    drain(store.load())
    compiler = Compiler(Zones(read_zone))
    slots = [compiler.next_after(compiler.compile(policy.schedules), at + 3_600_000) for policy in POLICIES]
    for first in range(1, count + 1, CREATE):
        delta = Delta(clock=at)
        if first == 1:
            delta.policies = dict(enumerate(POLICIES, start=1))
            delta.environments[1] = "production"
        for number in range(first, min(first + CREATE, count + 1)):
            place = number % len(POLICIES)
            monitor = Monitor(
                number=number,
                project=1,
                id=f"monitor-{number}",
                uid=f"{number:032x}",
                policy=POLICIES[place],
                create_time=at,
            )
            due = slots[place] if place < 2 else at + (3600 + number % DAY_S) * 1000
            delta.monitors[number] = (monitor, place + 1)
            delta.tracks[number] = Track(
                number, number, 1, 0, 1, 1, expected=due, deadline=due + 1000, last_check_in=at, ok_count=number
            )
        delta.sequences = {"monitor": number, "track": number, "policy": len(POLICIES), "environment": 1}
        store.commit(delta, store.position() + 1)
    return store


def rows(url: str) -> dict[str, float]:
    store = SqlStore(url)
    return grown(lambda: drain(store.load()))


def engine(url: str) -> dict[str, float]:
    store = SqlStore(url)
    loading = Engine(Compiler(Zones(read_zone)))
    return grown(lambda: loading.load(store.load()))


def grown(work) -> dict[str, float]:
    gc.collect()
    before = psutil.Process().memory_info().rss
    begin = time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - begin, "grown": psutil.Process().memory_info().rss - before}


def drain(snapshot: Snapshot) -> int:
    streams = (snapshot.monitors, snapshot.tracks, snapshot.open_runs, snapshot.open_incidents, snapshot.after)
    return sum(len(chunk) for stream in streams for chunk in stream)


if __name__ == "__main__":
    main()
