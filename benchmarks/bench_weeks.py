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
from tocsin.domain.check_in import CheckIn, State
from tocsin.engine.delta import Delta
from tocsin.store import SqlStore, check_ins, migrations
from tocsin.store.check_in_tables import tables
from tocsin.store.check_in_writes import CheckInWrites
from tocsin.store.upsert import Upsert, cursor_of
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

    def into_weeks(connection: Connection, delta: Delta) -> None:
        if not writes.are_ready(delta):
            writes.prepare(connection, delta)
        writes(cursor_of(connection), delta)

    def into_one(connection: Connection, delta: Delta) -> None:
        made = delta.check_ins.values()
        single[0](cursor_of(connection), [check_ins.to_row(check_in) for check_in in made])
        single[1](cursor_of(connection), [check_ins.id_to_row(check_in) for check_in in made])

    ours, theirs = [], []
    for index in range(rounds):
        delta = batch(NOW + index * 1_000)
        for work, spent in ((into_weeks, ours), (into_one, theirs)):
            begin = time.process_time()
            with store.database.write() as connection:
                work(connection, delta)
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
        delta = batch(oldest + start, SIZE * 10)
        with store.database.write() as connection:
            if not writes.are_ready(delta):
                writes.prepare(connection, delta)
            writes(cursor_of(connection), delta)
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


def batch(at: int, size: int = SIZE) -> Delta:
    """Plain check-ins of any monitors, with an id that a client chose for each."""
    made = {}
    for index in range(size):
        monitor, number = random.randrange(MONITORS), ids.check_in_number(at + index, index % SIZE)
        made[number] = CheckIn(
            number=number,
            id=random.randbytes(16).hex(),
            project=1,
            monitor=monitor,
            monitor_id="",
            track=monitor,
            environment="production",
            state=State.OK,
            receive_time=at,
            update_time=at,
            end_time=at,
            client_chosen=True,
        )
    return Delta(check_ins=made, new_check_ins=set(made))


if __name__ == "__main__":
    main()
