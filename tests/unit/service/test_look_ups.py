"""Look-ups that wait together are asked together, in order of coming, and none is answered from before it was put."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from support.virtual import VirtualLoop, run
from tocsin.domain.errors import Unavailable
from tocsin.service.look_ups import LookUps

KNOWN = {"a": 1, "b": 2, "c": 3}


class Asked:
    """Keeps the questions; `meanwhile` happens while one is under way."""

    def __init__(self) -> None:
        self.questions: list[list[str]] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.trouble: Exception | None = None

    def __call__(self, keys: Collection[str]) -> dict[str, int]:
        self.questions.append(sorted(keys))
        self.meanwhile()
        if self.trouble is not None:
            raise self.trouble
        return {key: KNOWN[key] for key in keys if key in KNOWN}


def on_virtual_time(asked: Asked, test: Callable[[LookUps[int]], Awaitable[None]], most: int = 500) -> None:
    async def main(_loop: VirtualLoop) -> None:
        await test(LookUps(asked, "test", within_ms=2_000, most=most))

    run(main)


def test_those_that_wait_are_asked_together() -> None:
    asked = Asked()

    async def test(look_ups: LookUps[int]) -> None:
        assert await asyncio.gather(*map(look_ups.find, "abcabx")) == [1, 2, 3, 1, 2, None]
        assert asked.questions == [["a"], ["a", "b", "c", "x"]]  # the first did not wait for others
        assert await look_ups.find("b") == 2

    on_virtual_time(asked, test)


def test_a_question_has_so_many_keys_and_no_more() -> None:
    asked = Asked()

    async def test(look_ups: LookUps[int]) -> None:
        await asyncio.gather(*map(look_ups.find, "abcabx"))
        assert asked.questions == [["a"], ["b", "c"], ["a", "b"], ["x"]]

    on_virtual_time(asked, test, most=2)


def test_nobody_gets_an_answer_of_before_the_question() -> None:
    """Who asks for what is being asked just now is asked for again: what is known may have changed in between."""
    asked = Asked()
    late: list[asyncio.Task[int | None]] = []

    async def test(look_ups: LookUps[int]) -> None:
        def meanwhile() -> None:
            asked.meanwhile = lambda: None
            late.append(asyncio.ensure_future(look_ups.find("a")))

        asked.meanwhile = meanwhile
        assert await look_ups.find("a") == 1
        assert await late[0] == 1
        assert asked.questions == [["a"], ["a"]]

    on_virtual_time(asked, test)


def test_trouble_is_told_to_those_who_were_asked_for_and_to_no_others() -> None:
    asked = Asked()

    async def test(look_ups: LookUps[int]) -> None:
        asked.trouble = Unavailable("locked", reason="STORE_UNAVAILABLE")
        found = await asyncio.gather(*map(look_ups.find, "abc"), return_exceptions=True)
        assert [type(one) for one in found] == [Unavailable] * 3
        asked.trouble = None
        assert await look_ups.find("a") == 1

    on_virtual_time(asked, test)


def test_who_goes_away_is_not_asked_for() -> None:
    asked = Asked()

    async def test(look_ups: LookUps[int]) -> None:
        waiting = [asyncio.ensure_future(look_ups.find(key)) for key in "abc"]

        def meanwhile() -> None:
            for one in waiting[:2]:
                one.cancel()

        asked.meanwhile = meanwhile
        assert await waiting[2] == 3
        assert asked.questions == [["a"], ["c"]]

    on_virtual_time(asked, test)


@contextmanager
def busy_pool(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Every thread that all others share waits for something."""
    over = Event()
    pool = ThreadPoolExecutor(max_workers=1)
    loop.set_default_executor(pool)
    pool.submit(over.wait)
    try:
        yield
    finally:
        over.set()


def test_a_look_up_does_not_wait_for_the_threads_of_others() -> None:
    async def main() -> None:
        look_ups = LookUps(Asked(), "test", within_ms=60_000)
        with busy_pool(asyncio.get_running_loop()):
            assert await look_ups.find("a") == 1
        look_ups.close()
        with pytest.raises(Unavailable) as refused:
            await look_ups.find("a")
        assert refused.value.reason == "SHUTTING_DOWN"

    asyncio.run(main())
