"""The loop that owns a partition: what the simulation does not single out."""

import asyncio
from contextlib import nullcontext, suppress

import pytest
import structlog

from support.engines import T0, compiler
from support.stores import open_sqlite
from support.tzif import reader, tzif
from support.virtual import VirtualClock, run
from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.commands import DeleteMonitor, PutMonitor, ReportCheckIn
from tocsin.domain.instant import HOUR
from tocsin.domain.monitor import ExpectFrom, MonitorChange
from tocsin.domain.schedule import Daily, Interval, Unit
from tocsin.engine.engine import Engine
from tocsin.engine.rezoning import compile_again
from tocsin.journal.local import LocalJournal
from tocsin.node.partition import Partition
from tocsin.schedule import Compiler, Zones
from tocsin.service.tokens import Found, Tokens
from tocsin.store import CheckInFilter, SqlStore
from tocsin.store.port import Fenced, StoreTrouble


class Rig:
    """A partition on a real store and virtual time."""

    def __init__(self, loop, folder, observe=lambda _delta: None, store=None):
        self.clock = VirtualClock(loop, T0)
        self.store = store or open_sqlite(folder)
        self.journal = LocalJournal(self.clock)
        self.partition = Partition(
            lambda: Engine(compiler()),
            self.journal,
            self.store,
            self.clock,
            observe,
            lambda _seconds, _well: None,
            loop.time,
        )

    async def __aenter__(self):
        await self.partition.start(self.clock.now())
        self.task = asyncio.ensure_future(self.partition.run())
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        with suppress(asyncio.CancelledError, Fenced):
            await self.task
        self.partition.close()
        self.store.close()

    async def put(self, **fields):
        change = MonitorChange(policy={"schedules": (Interval(5, Unit.SECOND),)}, tolerance={"margin_ms": 0}, **fields)
        return await self.journal.append(self.clock.now(), PutMonitor(1, "job", change))

    async def ok(self, at=None, **fields):
        at = self.clock.now() if at is None else at
        return await self.journal.append(at, ReportCheckIn(Report(1, "job", ReportKind.OK, at, **fields)))

    def states(self):
        return [run.state.value for run in self.store.list_check_ins(1, CheckInFilter(), size=1000).rows][::-1]


@pytest.fixture(autouse=True)
def logs():
    with structlog.testing.capture_logs() as found:
        yield found


def test_silence_is_judged_within_a_second_of_its_deadline(tmp_path):
    async def main(loop):
        async with Rig(loop, tmp_path) as rig:
            await rig.put()
            await asyncio.sleep(0.3)
            await rig.ok()
            await asyncio.sleep(5.5)  # 5 seconds after the report, rounded up to the whole second, is at 6.0
            assert rig.states() == ["ok"]
            await asyncio.sleep(0.3)
            assert rig.states() == ["ok", "missed"]

    run(main)


def test_a_batch_that_straddles_a_gap_is_split_by_it(tmp_path):
    """A report from after a gap must not judge the silence in the gap, though one from before comes first."""

    async def main(loop):
        async with Rig(loop, tmp_path) as rig:
            await rig.put()
            await rig.ok()
            await asyncio.sleep(2.2)  # between two turns of the loop
            before = rig.clock.now()
            loop.stall(30)
            after = rig.clock.now()
            sent = [asyncio.ensure_future(rig.ok(at)) for at in (before, after)]
            rig.partition.deaf(before + 1, after, "stall")
            await asyncio.gather(*sent)
            assert rig.states() == ["ok", "ok", "unknown", "ok"]

    run(main)


def test_gaps_that_overlap_count_once(tmp_path):
    async def main(loop):
        async with Rig(loop, tmp_path) as rig:
            await rig.put()
            await rig.ok()
            start = rig.clock.now()
            await asyncio.sleep(1)
            loop.stall(20)
            rig.partition.deaf(start + 1_000, start + 21_000, "stall")
            rig.partition.deaf(start + 500, start + 800, "overload")
            await rig.ok()
            outages = rig.store.list_outages(shown_only=False, size=9).rows
            lengths = sorted(outage.end_time - outage.start_time for outage in outages)
            assert sum(lengths) <= 20_600
            track = rig.store.get_monitor(1, "job").tracks[0][1]
            assert track.deadline > rig.clock.now()

    run(main)


def test_trouble_in_the_middle_of_loading_starts_over(tmp_path):
    async def main(loop):
        async with Rig(loop, tmp_path) as rig:
            await rig.put()
            await rig.ok()
        again = Rig(loop, tmp_path, store=SqlStore(f"sqlite:///{tmp_path / 'tocsin.db'}"))
        load, failures = again.store.load, [1, 1]

        def failing_load():
            snapshot = load()
            if failures:
                failures.pop()
                snapshot.tracks = broken(snapshot.tracks)
            return snapshot

        def broken(chunks):
            yield from chunks
            raise StoreTrouble("the disk is away")

        again.store.load = failing_load
        async with again as rig:
            assert failures == []
            assert len(rig.partition.engine.state.monitors) == 1
            assert (await rig.ok()).check_in is not None

    run(main)


def test_a_counter_that_breaks_does_not_store_twice(tmp_path, logs):
    def observe(_delta):
        raise ValueError("too long")

    async def main(loop):
        async with Rig(loop, tmp_path, observe) as rig:
            await rig.put()
            assert (await rig.ok()).check_in is not None
            assert rig.states() == ["ok"]
            assert not rig.task.done()

    run(main)
    assert "what was committed could not be counted" in {log["event"] for log in logs}


def test_who_lost_the_partition_stops(tmp_path):
    """A second owner has loaded it: to go on, or to take it back, would be to fight over one database."""

    async def main(loop):
        async with Rig(loop, tmp_path) as rig:
            await rig.put()
            other = SqlStore(f"sqlite:///{tmp_path / 'tocsin.db'}")
            other.load()
            other.close()
            sent = asyncio.ensure_future(rig.ok())
            await asyncio.wait({rig.task}, timeout=5)
            assert isinstance(rig.task.exception(), Fenced)
            sent.cancel()

    run(main)


def test_nothing_is_judged_once_nobody_listens(tmp_path):
    async def main(loop):
        async with Rig(loop, tmp_path) as rig:
            await rig.put()
            await rig.ok()
            rig.journal.stop_listening()
            await asyncio.sleep(20)
            assert rig.states() == ["ok"]
            assert (await rig.ok()).check_in is not None  # calls in flight still end well

    run(main)


def test_stopping_commits_what_is_queued(tmp_path):
    async def main(loop):
        async with Rig(loop, tmp_path) as rig:
            await rig.put()
            sent = [asyncio.ensure_future(rig.ok()) for _ in range(50)]
            await asyncio.sleep(0)
            rig.partition.stop()
            await rig.task
            assert all(receipt.check_in for receipt in await asyncio.gather(*sent))
            assert len(rig.states()) == 50

    run(main)


ZONE = "Test/City"
ONE_HOUR_EAST = {ZONE: tzif("<+01>-1", first=3600), "UTC": tzif("UTC0")}


def test_new_time_zone_rules_come_into_force_between_entries(tmp_path, monkeypatch):
    """Reports go on while tracks move; an engine that is loaded again uses the new rules; a plan that fails is left."""
    monkeypatch.setattr("tocsin.node.partition.SLICE", 2)

    async def main(loop):
        current = [Compiler(Zones(reader(ONE_HOUR_EAST)))]
        rig = Rig(loop, tmp_path)
        rig.partition._new_engine = lambda: Engine(current[0])
        async with rig:
            policy = {"schedules": (Daily(("12:00",), ZONE),), "expect_from": ExpectFrom.CREATION}
            for number in range(9):
                await rig.journal.append(
                    rig.clock.now(), PutMonitor(1, f"job-{number}", MonitorChange(policy=dict(policy)))
                )

            def slots():
                return {
                    track.expected
                    for row in rig.store.list_monitors(1, size=99, token="").rows
                    for _, track in row.tracks
                }

            assert slots() == {T0 + HOUR}
            state = rig.partition.engine.state
            policies = [(timing.number, timing.policy) for timing in state.timings if timing is not None]
            rules = compile_again(current[0], Zones(reader(ONE_HOUR_EAST | {ZONE: tzif("UTC0")})), policies, T0)
            moved, failures = [], []

            def adopted(count):
                current[0] = rules.compiler
                moved.append(count)

            rig.partition.rezone(rules, adopted, failures.append)
            await asyncio.gather(
                *(
                    rig.journal.append(
                        rig.clock.now(), ReportCheckIn(Report(1, f"job-{n}", ReportKind.OK, rig.clock.now()))
                    )
                    for n in range(9)
                )
            )
            await asyncio.sleep(1)
            assert moved == [9]
            assert slots() == {T0 + 2 * HOUR}

            def broken(_rules):
                raise RuntimeError("no plan")

            rig.partition.engine.plan_rezone = broken
            rig.partition.rezone(rules, adopted, failures.append)
            await asyncio.sleep(1)
            assert moved == [9]
            assert [str(error) for error in failures] == ["no plan"]
            await rig.partition._load()
            assert slots() == {T0 + 2 * HOUR}
            assert "missed" not in rig.states()

    run(main)


def test_new_time_zone_rules_wait_for_the_end_of_a_burst(tmp_path, monkeypatch):
    """Within it some tracks have been judged past the clock, which stands still."""
    monkeypatch.setattr("tocsin.node.partition.FIRST_SLICE", 2)

    async def main(loop):
        rules = compile_again(Compiler(Zones(reader({}))), Zones(reader({})), [], T0)
        asked, planned = [], []

        def observe(delta):
            if delta.judged and not asked:
                asked.append(True)
                rig.partition.rezone(rules, lambda _moved: None, lambda _error: None)

        rig = Rig(loop, tmp_path, observe)
        async with rig:
            policy = {"schedules": (Interval(20, Unit.SECOND),), "expect_from": ExpectFrom.CREATION}
            for number in range(9):
                change = MonitorChange(policy=dict(policy), tolerance={"margin_ms": 0})
                await rig.journal.append(rig.clock.now(), PutMonitor(1, f"job-{number}", change))

            def plan(_rules):
                state = rig.partition.engine.state
                planned.append(sum(expected <= T0 + 25_000 for expected in state.tracks.column("expected")))
                raise RuntimeError("that is all we wanted to know")

            rig.partition.engine.plan_rezone = plan
            await asyncio.sleep(22)
            assert asked
            assert planned == [0]

    run(main)


def test_a_ping_token_is_forgotten_before_who_changed_it_is_answered(tmp_path):
    first, second = "a" * 32, "b" * 32

    async def main(loop):
        store = open_sqlite(tmp_path)
        tokens = Tokens(store, nullcontext, within_ms=60_000)
        async with Rig(loop, tmp_path, tokens.forget, store) as rig:
            await rig.put(ping_token=first)
            assert await tokens.find(first, T0) == Found(1, "job")
            await rig.put(ping_token=second)
            assert [await tokens.find(token, T0) for token in (first, second)] == [None, Found(1, "job")]
            await rig.journal.append(rig.clock.now(), DeleteMonitor(1, "job"))
            assert await tokens.find(second, T0) is None

    run(main)
