"""Entries of maintenance windows in the partition's loop: alone in their batch, and judged up to in slices."""

import asyncio

import structlog

from support.engines import T0, compiler
from support.stores import open_sqlite
from support.virtual import VirtualClock, run
from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.commands import DeleteMaintenanceWindow, PutMaintenanceWindow, PutMonitor, ReportCheckIn
from tocsin.domain.instant import HOUR, SECOND
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.schedule import Interval, Unit
from tocsin.engine.engine import Engine
from tocsin.journal.local import LocalJournal
from tocsin.node import partition as module
from tocsin.node.partition import Partition
from tocsin.store import CheckInFilter

JOBS = 10
START = MaintenanceWindow(0, 1, "w", start_time=T0, end_time=T0 + HOUR)
PUT = PutMaintenanceWindow(1, "w", START, ("start_time", "end_time"))
DELETE = DeleteMaintenanceWindow(1, "w")


def ok(number: int, at: int) -> ReportCheckIn:
    return ReportCheckIn(Report(1, f"job-{number}", ReportKind.OK, at))


def play(tmp_path, monkeypatch, commands):
    """Jobs every minute with no margin; at 90 s all of `commands` at once, unseen by any tick before."""
    monkeypatch.setattr(module, "SLICE", 3)

    async def main(loop):
        clock, store = VirtualClock(loop, T0), open_sqlite(tmp_path)
        journal = LocalJournal(clock)
        deltas = []
        partition = Partition(
            lambda: Engine(compiler()), journal, store, clock, deltas.append, lambda *_: None, loop.time
        )
        await partition.start(clock.now())
        task = asyncio.ensure_future(partition.run())
        change = MonitorChange(policy={"schedules": (Interval(1, Unit.MINUTE),)}, tolerance={"margin_ms": 0})
        for number in range(JOBS):
            await journal.append(clock.now(), PutMonitor(1, f"job-{number}", change))
            await journal.append(clock.now(), ok(number, clock.now()))
        with journal.arrival():  # holds the ticks back
            await asyncio.sleep(59.9)
            deltas.clear()
            at = clock.now() + 30 * SECOND
            receipts = await asyncio.gather(*(journal.append(at, command) for command in commands))
        await asyncio.sleep(2 * SECOND / 1000)
        partition.stop()
        await task
        partition.close()
        found = [row.state.value for row in store.list_check_ins(1, CheckInFilter(), size=1000).rows]
        store.close()
        return receipts, found, deltas

    with structlog.testing.capture_logs() as logs:
        receipts, found, deltas = run(main)
    assert [log["event"] for log in logs if "broke" in log["event"]] == []
    assert all(receipt.error is None for receipt in receipts)
    return receipts, found, deltas


def test_what_was_due_is_judged_in_slices_before_it_is_made(tmp_path, monkeypatch):
    _, found, deltas = play(tmp_path, monkeypatch, [PUT])
    assert found.count("missed") == JOBS
    assert max(len(delta.tracks) for delta in deltas) <= 3
    made = next(place for place, delta in enumerate(deltas) if delta.windows)
    assert sum(len(delta.check_ins) for delta in deltas[:made]) == JOBS


def test_entries_around_it_keep_their_order(tmp_path, monkeypatch):
    at = T0 + 89_900
    commands = [ok(0, at), PUT, ok(1, at), DELETE, ok(2, at), PUT, DELETE, ok(0, at)]
    receipts, found, deltas = play(tmp_path, monkeypatch, commands)
    assert found.count("missed") == JOBS
    assert found.count("ok") == JOBS + 4
    assert [receipt.window is not None for receipt in receipts] == [
        isinstance(c, type(PUT) | type(DELETE)) for c in commands
    ]
    numbers = [run for delta in deltas for run, row in delta.check_ins.items() if row.state.value == "ok"]
    assert numbers == sorted(numbers)


def test_a_window_of_another_project_writes_nothing_here(tmp_path, monkeypatch):
    other = PutMaintenanceWindow(2, "w", START, ("start_time", "end_time"))
    _, found, deltas = play(tmp_path, monkeypatch, [other])
    made = next(place for place, delta in enumerate(deltas) if delta.windows)
    assert not any(delta.check_ins for delta in deltas[:made])
    assert found.count("missed") == JOBS
