"""What it costs that every week of check-ins has a table of its own, and how long a week that goes holds the writer.

Method, on SQLite, durable: commits of 1,000 new check-ins, chosen ids and all, into a store with fourteen weeks, by
turns with the same rows into one table of the same columns and indexes, written by the same kind of statement; figures
are CPU time, medians of rounds. Then a week of a million check-ins goes, beside another that stays: each step of the
retention is one transaction, and the longest is how long a commit may have to wait.
"""

import random
import tempfile
import time
from pathlib import Path
from statistics import median

from common import Report, median_ratio
from sqlalchemy import Connection

from tocsin.domain import ids
from tocsin.store import SqlStore, migrations
from tocsin.store.check_in_tables import tables
from tocsin.store.check_in_writes import CheckInWrites
from tocsin.store.upsert import Row, Upsert
from tocsin.store.weeks import WEEK

NOW = 1_800_000_000_000
SIZE = 1_000
MONITORS = 100_000
WEEKS = 14


def main() -> None:
    report = Report(__doc__)
    options = report.parse()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder)}/weeks.db"
        migrations.upgrade(url)
        store = SqlStore(url)
        for week in range(WEEKS):
            store.prepare(NOW + (week - WEEKS + 1) * WEEK)
        commits(report, store, 20 if options.quick else 300)
        drop(report, store, 20_000 if options.quick else 1_000_000)
        store.close()
    report.end()


def commits(report: Report, store: SqlStore, rounds: int) -> None:
    writes = CheckInWrites(store.database.writer.dialect)
    one = tables("one")
    single = tuple(Upsert(table, store.database.writer.dialect, fixed=("project",)) for table in one)
    with store.database.write() as connection:
        for table in one:
            table.create(connection)

    def into_one(connection: Connection, rows: list[Row], chosen: list[Row]) -> None:
        single[0](connection, rows)
        single[1](connection, chosen)

    ours, theirs = [], []
    for index in range(rounds):
        rows, chosen = batch(NOW + index * 1_000)
        for work, spent in ((writes, ours), (into_one, theirs)):
            begin = time.process_time()
            with store.database.write() as connection:
                work(connection, rows, chosen)
            spent.append((time.process_time() - begin) * 1000)
    report.add(
        "commit of 1,000 check-ins, CPU",
        median(ours),
        "ms",
        rival="one table",
        rival_figure=median(theirs),
        ratio=median_ratio(zip(theirs, ours, strict=True)),
    )


def drop(report: Report, store: SqlStore, count: int) -> None:
    writes = CheckInWrites(store.database.writer.dialect)
    oldest = NOW - (WEEKS - 1) * WEEK
    for start in range(0, count, SIZE * 10):
        rows, chosen = zip(*(batch(oldest + start + part * SIZE) for part in range(10)), strict=True)
        with store.database.write() as connection:
            writes(connection, [row for some in rows for row in some], [row for some in chosen for row in some])
    steps = []
    gone = True
    while gone:
        begin = time.perf_counter()
        gone = store.expire(check_ins_before=oldest + 2 * WEEK, refusals_before=0, limit=5_000)
        steps.append((time.perf_counter() - begin) * 1000)
    report.add(
        f"a week of {count:,} goes, longest step",
        max(steps),
        "ms",
        detail=f"{len(steps) - 1} steps, {sum(steps):.0f} ms in all",
    )


def batch(at: int) -> tuple[list[Row], list[Row]]:
    """Rows of plain check-ins of any monitors, a client's id for each."""
    rows, chosen = [], []
    for index in range(SIZE):
        monitor, number, name = random.randrange(MONITORS), ids.check_in_number(at + index, index), random.randbytes(16)
        empty = (None, None, None)
        rows.append((number, 1, monitor, monitor, 1, at, at, *empty, at, None, False, None, False, name, None, 1))
        chosen.append((1, name, number))
    return rows, chosen


if __name__ == "__main__":
    main()
