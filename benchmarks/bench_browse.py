"""How long the lists of Sentry's management API take: pages of many monitors, pages and counts of many check-ins.

Method: the database is filled by the store's own commits; one project holds all of its monitors, each with one
environment; one monitor has 40,000 check-ins, evenly over 30 days. Each figure is the median of calls of `SqlBrowse`,
JSON included for pages of monitors, the database in the page cache. There is no rival: nothing else answers the same.
"""

import itertools
import tempfile
import time
from pathlib import Path
from statistics import median

import msgspec
from bench_restore import NOW, filled
from common import Report

from tocsin.dialects.sentry.management.monitor_json import monitor_json
from tocsin.domain import ids
from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.instant import DAY, HOUR
from tocsin.domain.project import Project
from tocsin.engine.delta import Delta
from tocsin.store import CheckInFilter, SqlStore
from tocsin.store.browse import SqlBrowse
from tocsin.store.browse_port import MonitorSearch, Sort, Turn

PAGE = 100
RUNS = 40_000
SPAN = 30 * DAY
PROJECT = Project(1, "default", "default", "", NOW)


def main() -> None:
    report = Report(__doc__)
    options = report.parse()
    for count in (10_000,) if options.quick else (100_000,):
        with tempfile.TemporaryDirectory() as folder:
            store = filled(f"sqlite:///{Path(folder)}/browse.db", count)
            lists(report, SqlBrowse(store.database), count)
            if count <= 100_000:
                runs(report, store)
            store.close()
    report.end()


def lists(report: Report, browse: SqlBrowse, count: int) -> None:
    for sort, rounds in ((Sort.ID, 50), (Sort.NAME, 5), (Sort.STANDING, 5), (Sort.MUTED, 5)):
        search = MonitorSearch(sort=sort)
        middle = _middle(browse, search, count)
        for what, turn in (("first page", Turn()), ("middle page", middle)):
            spent = _median(lambda turn=turn, search=search: _page(browse, search, turn), rounds)
            report.add(f"{what} of {count:,} monitors by {sort.value}", spent * 1000, "ms")
    search = MonitorSearch(words=("monitor-99",))
    report.add(f"search in {count:,} monitors", _median(lambda: _page(browse, search, Turn()), 10) * 1000, "ms")


def _middle(browse: SqlBrowse, search: MonitorSearch, count: int) -> Turn:
    """The page in the middle, found by a search that walks half of the list in one stride."""
    leaf = browse.monitors(1, search, now=NOW, size=min(count // 2, 50_000), turn=Turn())
    return Turn(leaf.last)


def _page(browse: SqlBrowse, search: MonitorSearch, turn: Turn) -> None:
    leaf = browse.monitors(1, search, now=NOW, size=PAGE, turn=turn)
    msgspec.json.encode([monitor_json(row, PROJECT, NOW) for row in leaf.rows])


def runs(report: Report, store: SqlStore) -> None:
    step = SPAN // RUNS
    numbers = itertools.count(1)
    for first in range(0, RUNS, 1_000):
        delta = Delta(clock=NOW + SPAN)
        for index in range(first, first + 1_000):
            at = NOW + index * step
            number = ids.check_in_number(at, next(numbers) % 1000)
            delta.check_ins[number] = CheckIn(
                number=number,
                id=ids.public_id(number),
                project=1,
                monitor=1,
                monitor_id="monitor-1",
                track=1,
                environment="production",
                state=State.ERROR if index % 10 == 0 else State.OK,
                receive_time=at,
                update_time=at,
                duration_ms=index % 1000,
            )
            delta.new_check_ins.add(number)
        store.commit(delta, store.position() + 1)
    browse = SqlBrowse(store.database)
    for name, width in (("hours", HOUR), ("days", DAY)):
        spent = _median(
            lambda width=width: browse.counts([1], since=NOW, until=NOW + SPAN, width=width, environments=()), 10
        )
        report.add(f"counts of {RUNS:,} check-ins in 30 days by {name}", spent * 1000, "ms")
    only = CheckInFilter(monitor=1)
    spent = _median(lambda: browse.check_ins(1, only, (), size=PAGE, turn=Turn()), 50)
    report.add(f"newest page of {RUNS:,} check-ins", spent * 1000, "ms")


def _median(work, rounds: int) -> float:
    found = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        found.append(time.perf_counter() - begin)
    return median(found)


if __name__ == "__main__":
    main()
