"""Half of all monitors fall due in one second and nothing came: when is the last verdict on disk, and who must wait?

Method: a database is filled by the store's own commits with a million monitors, every other one due at one second in
the near future; a real `tocsin serve` is started on it. From two seconds before that second on, 64 connections ping
monitors that are not due, 500 a second together, each answer durable (`load.py`). A verdict counts when
`tocsin_missed_total` shows it, which moves after the commit; the counter is asked ten times a second. Afterwards the
rows in the database are counted: as many missed check-ins and open incidents as monitors were due, or it fails.
"""

import re
import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench_ingest import Round, Way, ping, run
from bench_restore import POLICIES
from common import Report, Tocsin, number

from tocsin.domain.monitor import Monitor
from tocsin.domain.track import Health, Track, Verdict
from tocsin.engine.delta import Delta
from tocsin.store import SqlStore, migrations

CREATE = 10_000  # monitors in one commit while the database is filled
DAY_MS = 86_400_000
RATE = 500.0  # pings a second during the burst
_MISSED = re.compile(rb'^tocsin_missed_total\{project="default"\} (\S+)$', re.MULTILINE)


def main() -> None:
    report = Report(__doc__)
    options = report.parse()
    monitors, notice, seconds = (20_000, 20.0, 8.0) if options.quick else (1_000_000, 240.0, 20.0)
    with tempfile.TemporaryDirectory() as name:
        burst(report, Path(name), monitors, notice, seconds)
    report.end()


def burst(report: Report, folder: Path, monitors: int, notice: float, seconds: float) -> None:
    first = Tocsin(folder)  # makes the project and its keys
    first.stop()
    due = (int(time.time() + notice) + 1) * 1000
    fill(f"sqlite:///{first.database}", monitors, due)
    server = Tocsin(folder)
    try:
        if time.time() * 1000 > due - 5_000:
            raise SystemExit("filling took too long for the notice given")
        before = server.rss()
        watch = Watch(server, monitors // 2)
        time.sleep(max(due / 1000 - 2 - time.time(), 0))
        watch.start()
        felt = pings(server, monitors, seconds)
        watch.join()
        show(report, server, watch, felt, due, monitors, before)
    finally:
        server.stop()
    check(server, monitors // 2)


def fill(url: str, monitors: int, due: int) -> None:
    """Every other monitor waits for the second `due`, the rest for the day after."""
    migrations.upgrade(url)
    store = SqlStore(url)
    snapshot = store.load()
    for stream in (snapshot.monitors, snapshot.tracks, snapshot.open_runs, snapshot.open_incidents):
        for _ in stream:
            pass
    at = int(time.time() * 1000)
    for first in range(1, monitors + 1, CREATE):
        delta = Delta(clock=at)
        if first == 1:
            delta.policies = dict(enumerate(POLICIES, start=1))
            delta.environments[1] = "production"
        for index in range(first, min(first + CREATE, monitors + 1)):
            place = 2 + index // 2 % 2 if index % 2 else index // 2 % len(POLICIES)  # intervals wait for any second
            expected = due - 1_000 if index % 2 else due + DAY_MS
            delta.monitors[index] = (
                Monitor(
                    number=index,
                    project=1,
                    id=f"bench-{index}",
                    uid=f"{index:032x}",
                    policy=POLICIES[place],
                    create_time=at,
                ),
                place + 1,
            )
            delta.tracks[index] = Track(
                number=index,
                monitor=index,
                environment=1,
                next_track=0,
                health=Health.HEALTHY,
                verdict=Verdict.OK,
                expected=expected,
                deadline=expected + 1_000,
                last_check_in=at,
                ok_count=1,
            )
        delta.sequences = {"monitor": index, "track": index, "policy": len(POLICIES), "environment": 1}
        store.commit(delta, store.position() + 1)
    store.close()


class Watch(threading.Thread):
    """Asks ten times a second how many verdicts there are, and remembers when the first and the last were."""

    def __init__(self, server: Tocsin, wanted: int) -> None:
        super().__init__()
        self._server, self._wanted = server, wanted
        self.seen = 0
        self.first = self.last = 0.0

    def run(self) -> None:
        end = time.time() + 120
        while self.seen < self._wanted and time.time() < end:
            found = _MISSED.search(self._server.get("/metrics"))
            count = int(float(found[1])) if found else 0
            if count > self.seen:
                self.first = self.first or time.time()
                self.seen, self.last = count, time.time()
            time.sleep(0.1)


def pings(server: Tocsin, monitors: int, seconds: float) -> Round:
    requests = [ping(server, index) for index in range(2, min(monitors, 20_000), 2)]
    way = Way("pings", "http", {"requests": requests, "once": False}, 64, rate=RATE)
    return run(server, f"127.0.0.1:{server.http_port}", way, seconds, 1)


def show(report: Report, server: Tocsin, watch: Watch, felt: Round, due: int, monitors: int, before: int) -> None:
    if watch.seen < watch._wanted:
        raise SystemExit(f"only {watch.seen:,} of {watch._wanted:,} were judged in time")
    wanted = f"{watch._wanted:,} misses in one second, of {monitors:,} monitors"
    report.at_most(f"{wanted}: last verdict committed", watch.last - due / 1000, "s", bar=10.0)
    report.add("  first verdict seen", watch.first - due / 1000, "s")
    report.at_most("  check-in p99 meanwhile", felt.p99, "ms", bar=100.0, detail=f"p50 {number(felt.p50)} ms")
    report.add("  server memory after", server.rss() / 2**20, "MiB", detail=f"{before / 2**20:,.0f} before")


def check(server: Tocsin, wanted: int) -> None:
    with sqlite3.connect(f"file:{server.database}?mode=ro", uri=True) as connection:
        (missed,) = connection.execute("SELECT count(*) FROM check_ins WHERE state = 4").fetchone()
        (incidents,) = connection.execute("SELECT count(*) FROM incidents WHERE resolve_time IS NULL").fetchone()
    connection.close()
    if (missed, incidents) != (wanted, wanted):
        raise SystemExit(f"{wanted:,} were due; {missed:,} are stored as missed, with {incidents:,} open incidents")


if __name__ == "__main__":
    sys.exit(main())
