"""A track that cannot be judged is left out; the others are judged as if it were not there."""

import asyncio

import pytest
import structlog

from support.engines import T0, compiler
from support.stores import sqlite_url
from support.virtual import VirtualClock, run
from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.commands import (
    ChangeEnvironment,
    PutMaintenanceWindow,
    PutMonitor,
    ReportCheckIn,
    ReviewTracks,
)
from tocsin.domain.instant import HOUR, SECOND
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.monitor import ExpectFrom, MonitorChange
from tocsin.domain.schedule import Interval, Unit
from tocsin.engine.engine import Engine, EngineSettings
from tocsin.journal.local import LocalJournal
from tocsin.node.partition import Partition
from tocsin.store import CheckInFilter, SqlStore

BAD_EVERY = 7  # seconds; what tells the track that breaks the engine


class LateBrokenTiming:
    """The timing of a policy, with a fault in what is asked after a miss."""

    def __init__(self, timing):
        self._timing = timing

    def __getattr__(self, name):
        return getattr(self._timing, name)

    def after_miss(self, *_):
        raise ZeroDivisionError("a fault of ours")

    after_outage = after_miss


class BrokenTiming(LateBrokenTiming):
    """The same with a fault in nearly everything."""

    next_after = LateBrokenTiming.after_miss


RULES = EngineSettings(kernels=False)  # kernels ask no timing: what is plain cannot break them


class FaultyEngine(Engine):
    timing = BrokenTiming

    def load(self, snapshot):
        answer = super().load(snapshot)
        timings = self.state.timings
        for number, timing in enumerate(timings):
            if timing is not None and timing.policy.schedules[0].count == BAD_EVERY:
                timings[number] = self.timing(timing)
        return answer


class LateFaultyEngine(FaultyEngine):
    timing = LateBrokenTiming


async def fill(store, clock, engine) -> None:
    journal = LocalJournal(clock)
    partition = Partition(lambda: engine, journal, store, clock, lambda _: None, lambda *_: None, clock.now)
    await partition.start(clock.now())
    task = asyncio.ensure_future(partition.run())
    for name, seconds in (("bad", BAD_EVERY), ("good", 5)):
        plan = {"schedules": (Interval(seconds, Unit.SECOND),), "expect_from": ExpectFrom.CREATION}
        change = MonitorChange(policy=plan, tolerance={"margin_ms": 0})
        await journal.append(clock.now(), PutMonitor(1, name, change))
    partition.stop()
    await task
    partition.close()


@pytest.mark.parametrize("gap", [None, "restart", "running"])
def test_one_track_that_breaks_judging_stops_no_other(tmp_path, gap):
    url = sqlite_url(tmp_path)

    async def scenario(loop):
        clock = VirtualClock(loop, T0)
        store = SqlStore(url)
        await fill(store, clock, Engine(compiler()))
        journal = LocalJournal(clock)
        partition = Partition(
            lambda: FaultyEngine(compiler(), RULES), journal, store, clock, lambda _: None, lambda *_: None, loop.time
        )
        if gap == "restart":
            await asyncio.sleep(20)
        await partition.start(clock.now())
        task = asyncio.ensure_future(partition.run())
        if gap == "running":
            await asyncio.sleep(3)
            partition.deaf(clock.now(), clock.now() + 10 * SECOND, "stall")
        await asyncio.sleep(40)
        states = {}
        for name in ("good", "bad"):
            number = store.get_monitor(1, name).monitor.number
            found = store.list_check_ins(1, CheckInFilter(monitor=number), size=50).rows
            states[name] = [row.state.value for row in found]
        left_out = partition.engine.left_out
        partition.stop()
        await task
        partition.close()
        store.close()
        return states, left_out

    with structlog.testing.capture_logs() as logs:
        states, left_out = run(scenario)
    assert states["good"].count("missed") >= 4
    assert ("unknown" in states["good"]) == (gap is not None)
    assert states["bad"] == []
    assert left_out == 1
    assert [log for log in logs if "left out" in log["event"]]


BAD_REPORT = ReportCheckIn(Report(1, "bad", ReportKind.ERROR, T0 + 20 * SECOND))
WINDOW = MaintenanceWindow(0, 1, "w", start_time=T0, end_time=T0 + HOUR)


@pytest.mark.parametrize(
    "asked",
    [
        BAD_REPORT,
        ReviewTracks(),
        ChangeEnvironment(1, "bad", "production", muted=True),
        PutMonitor(1, "bad", MonitorChange(display_name="x")),
        PutMaintenanceWindow(1, "w", WINDOW, ("start_time", "end_time")),
    ],
    ids=["report", "review", "mute", "put", "window"],
)
def test_whatever_else_is_asked_of_it_goes_on(tmp_path, asked):
    """The engine is loaded at the start and once more when the track breaks it; nothing breaks it again."""
    url = sqlite_url(tmp_path)

    async def scenario(loop):
        clock = VirtualClock(loop, T0)
        store = SqlStore(url)
        await fill(store, clock, Engine(compiler()))
        made = []

        def new_engine():
            made.append(LateFaultyEngine(compiler(), RULES))
            return made[-1]

        journal = LocalJournal(clock)
        partition = Partition(new_engine, journal, store, clock, lambda _: None, lambda *_: None, loop.time)
        await partition.start(clock.now())
        task = asyncio.ensure_future(partition.run())
        await journal.append(clock.now(), BAD_REPORT)  # an incident, which a review looks at
        await asyncio.sleep(20)
        receipt = await journal.append(clock.now(), asked)
        await asyncio.sleep(40)
        number = store.get_monitor(1, "bad").monitor.number
        found = [row.state.value for row in store.list_check_ins(1, CheckInFilter(monitor=number), size=50).rows]
        loads = sum(bool(engine.clock) for engine in made)
        left_out = partition.engine.left_out
        partition.stop()
        await task
        partition.close()
        store.close()
        return receipt, found, loads, left_out

    with structlog.testing.capture_logs():
        receipt, found, loads, left_out = run(scenario)
    assert (receipt.error, receipt.refusal) == (None, None)
    assert found == ["error"] * (2 if asked is BAD_REPORT else 1)
    assert (loads, left_out) == (2, 1)
