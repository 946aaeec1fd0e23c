"""One timer for many who wait: each is told in time, and nobody earlier."""

import asyncio

from support.virtual import run
from tocsin.journal.patience import Patience


def test_each_waits_its_time():
    async def main(loop):
        patience, told = Patience(2.0), {}

        async def wait(name, after):
            await asyncio.sleep(after)
            answer = loop.create_future()
            patience.watch(answer)
            assert await answer is None
            told[name] = loop.time()

        await asyncio.gather(wait("a", 0.0), wait("b", 0.5), wait("c", 5.0))
        assert told == {"a": 2.0, "b": 2.5, "c": 7.0}

    run(main)


def test_who_is_answered_or_has_gone_is_let_go():
    async def main(loop):
        patience = Patience(2.0)
        answers = [loop.create_future() for _ in range(3)]
        for answer in answers:
            patience.watch(answer)
        answers[0].set_result("well")
        answers[1].cancel()
        await asyncio.sleep(1)
        last = loop.create_future()
        patience.watch(last)
        assert len(patience._watched) == 2
        assert await answers[2] is None
        assert loop.time() == 2.0
        assert await last is None
        assert answers[0].result() == "well"
        await asyncio.sleep(10)
        assert patience._timer is None

    run(main)
