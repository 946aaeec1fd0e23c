"""A ping is no report until it is known whose it is: meanwhile no deadline after its arrival is judged."""

import asyncio

import pytest
import structlog

from support.engines import T0, compiler
from support.stores import open_sqlite
from support.virtual import VirtualClock, run
from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.commands import PutMonitor, ReportCheckIn
from tocsin.domain.errors import NotFound, Unavailable
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.schedule import Rolling
from tocsin.engine.engine import Engine
from tocsin.journal.local import LocalJournal
from tocsin.node.partition import Partition
from tocsin.service.tokens import Tokens
from tocsin.store import CheckInFilter
from tocsin.store.port import StoreTrouble

TOKEN, STRANGER = "a" * 32, "b" * 32
WITHIN_MS = 15_000


@pytest.fixture(autouse=True)
def logs():
    with structlog.testing.capture_logs() as found:
        yield found


class Rig:
    """A partition on a real store and virtual time, and pings as a door takes them. A look-up takes `slow` seconds."""

    def __init__(self, loop, folder):
        self.loop, self.slow, self.trouble = loop, 0.0, None
        self.clock, self.store = VirtualClock(loop, T0), open_sqlite(folder)
        self.journal = LocalJournal(self.clock)
        self.tokens = Tokens(self, self.journal.hold, within_ms=WITHIN_MS)
        self.partition = Partition(
            lambda: Engine(compiler()),
            self.journal,
            self.store,
            self.clock,
            self.tokens.forget,
            lambda _seconds, _well: None,
            loop.time,
        )
        usual = loop.run_in_executor

        def run_in_executor(executor, func, *args):
            if func != self.owners_of_tokens:
                return usual(executor, func, *args)
            future = loop.create_future()

            def settle():
                try:
                    future.set_result(func(*args))
                except Exception as error:
                    future.set_exception(error)

            loop.call_later(self.slow, settle)
            return future

        loop.run_in_executor = run_in_executor

    def owners_of_tokens(self, tokens):
        if self.trouble is not None:
            raise self.trouble
        return self.store.owners_of_tokens(tokens)

    async def __aenter__(self):
        await self.partition.start(self.clock.now())
        self.task = asyncio.ensure_future(self.partition.run())
        # Expected five seconds after each ping, missed one second later.
        change = MonitorChange(policy={"schedules": (Rolling(5_000),)}, tolerance={"margin_ms": 1_000})
        for name in ("job", "other"):
            await self.journal.append(T0, PutMonitor(1, name, change))
        await self.journal.append(T0, PutMonitor(1, "job", MonitorChange(ping_token=TOKEN)))
        for name in ("job", "other"):
            await self.journal.append(T0, ReportCheckIn(Report(1, name, ReportKind.OK, T0)))
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.partition.close()
        self.tokens.close()
        self.store.close()

    async def ping(self, token=TOKEN):
        with self.journal.arrival() as received:
            found = await self.tokens.find(token, received)
            if found is None:
                raise NotFound("nobody's", reason="PING_TOKEN_UNKNOWN", metadata={})
            report = Report(found.project, found.monitor_id, ReportKind.OK, received)
            await self.journal.append(received, ReportCheckIn(report))

    def states(self, monitor_id="job"):
        rows = self.store.list_check_ins(1, CheckInFilter(), size=1000).rows
        return [run.state.value for run in rows if run.monitor_id == monitor_id][::-1]


def test_a_ping_before_its_deadline_counts_however_slow_its_look_up(tmp_path):
    async def main(loop):
        async with Rig(loop, tmp_path) as rig:
            await asyncio.sleep(5.9)
            rig.slow = 6.0
            pinging = asyncio.ensure_future(rig.ping())
            await asyncio.sleep(4)
            assert (rig.states(), rig.states("other")) == (["ok"], ["ok"])  # the clock is held, for all
            await pinging
            assert rig.states() == ["ok", "ok"]
            await asyncio.sleep(0.1)
            assert (rig.states(), rig.states("other")) == (["ok", "ok"], ["ok", "missed"])

    run(main)


def test_a_ping_after_its_deadline_does_not_save_it(tmp_path):
    async def main(loop):
        async with Rig(loop, tmp_path) as rig:
            await asyncio.sleep(6.1)
            rig.slow = 2.0
            await rig.ping()
            assert rig.states() == ["ok", "missed", "ok"]

    run(main)


@pytest.mark.parametrize("trouble", [None, StoreTrouble("locked")])
def test_a_ping_whose_look_up_fails_was_turned_away_and_is_not_missed(tmp_path, trouble):
    """It takes for ever, or the database cannot: either way nobody knows that it came, and that is our fault."""

    async def main(loop):
        async with Rig(loop, tmp_path) as rig:
            await asyncio.sleep(5.9)
            rig.trouble, rig.slow = trouble, 60.0 if trouble is None else 3.0
            with pytest.raises(Unavailable) as refused:
                await rig.ping()
            assert refused.value.reason == "STORE_UNAVAILABLE"
            assert rig.clock.now() <= T0 + 5_900 + WITHIN_MS
            await asyncio.sleep(0.1)
            assert "missed" not in rig.states() + rig.states("other")

    run(main)


def test_who_guesses_tokens_does_not_stop_the_clock(tmp_path):
    """Guesses come without end, so one is always being looked up; the clock follows behind the oldest of them."""

    async def main(loop):
        async with Rig(loop, tmp_path) as rig:
            rig.slow = 0.2

            async def guess():
                while True:
                    with pytest.raises(NotFound):
                        await rig.ping(STRANGER)

            async def guess_later(seconds):
                await asyncio.sleep(seconds)
                await guess()

            guessing = [asyncio.ensure_future(guess_later(0.05 * number)) for number in range(9)]
            await asyncio.sleep(7)
            for one in guessing:
                one.cancel()
            assert rig.states() == ["ok", "missed"]

    run(main)


def test_who_goes_away_holds_nothing(tmp_path):
    async def main(loop):
        async with Rig(loop, tmp_path) as rig:
            await asyncio.sleep(5.9)
            rig.slow = 10.0
            pinging = asyncio.ensure_future(rig.ping(STRANGER))
            await asyncio.sleep(1)
            pinging.cancel()
            await asyncio.sleep(1)
            assert rig.states() == ["ok", "missed"]
            assert rig.journal.take_refused() is None

    run(main)
