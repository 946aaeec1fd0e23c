"""Retention: slices until nothing is left, and patience with a store in trouble."""

import asyncio

import structlog

from support.virtual import VirtualClock, run
from tocsin.domain.instant import DAY
from tocsin.node.janitor import EVERY_S, Janitor
from tocsin.store.port import StoreTrouble


class Old:
    """So many old rows; each slice may fail first."""

    def __init__(self, rows, failures=0):
        self.rows, self.failures, self.asked, self.prepared = rows, failures, [], []

    def prepare(self, now):
        self.prepared.append(now)

    def expire(self, *, check_ins_before, refusals_before, trace_errors_before, limit):
        self.asked.append((check_ins_before, refusals_before, trace_errors_before))
        if self.failures:
            self.failures -= 1
            raise StoreTrouble("database is locked")
        gone = min(self.rows, limit)
        self.rows -= gone
        return gone


def janitor(store, loop, **more):
    days = {"check_ins_days": 90, "refusals_days": 7, "trace_errors_days": 3}
    return Janitor(store, VirtualClock(loop, 100 * DAY), **days, **more)


def test_a_sweep_deletes_all_that_is_old_in_slices():
    async def main(loop):
        store = Old(12_000)
        assert await janitor(store, loop).sweep() == 12_000
        assert store.prepared == [100 * DAY]
        assert len(store.asked) == 4
        assert store.asked[0] == (10 * DAY, 93 * DAY, 97 * DAY)

    run(main)


def test_notices_that_are_over_go_too():
    async def main(loop):
        left, asked = [7_000], []

        def expire(before, limit):
            asked.append(before)
            gone = min(left[0], limit)
            left[0] -= gone
            return gone

        assert await janitor(Old(10), loop, expire_notices=expire, notices_days=30).sweep() == 7_010
        assert set(asked) == {70 * DAY}

    run(main)


def test_trouble_is_waited_out():
    async def main(loop):
        store = Old(10, failures=2)
        task = asyncio.ensure_future(janitor(store, loop).run())
        with structlog.testing.capture_logs() as logs:
            await asyncio.sleep(2.5 * EVERY_S)
        assert not task.done()
        assert store.rows == 0
        assert [log["event"] for log in logs] == ["retention waits", "retention waits", "retention has worked"]

    run(main)
