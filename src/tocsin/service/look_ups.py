"""Look-ups that requests wait for before they can be recorded: asked together, on a thread of their own.

The threads that all other reads and writes share may be busy for seconds; a ping must not wait behind them. One
question is under way at a time, and all that come meanwhile are asked in the next: so each waits for two at most,
whatever the rate, and none is answered from before it was put.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, Generic, TypeVar

from tocsin.domain.errors import Unavailable

T = TypeVar("T")

MOST: Final = 500  # keys of one question
_RETRY_AFTER_MS: Final = 1_000


class LookUps(Generic[T]):
    """Belongs to the event loop; only `ask` runs on the thread."""

    def __init__(
        self, ask: Callable[[Collection[str]], Mapping[str, T]], name: str, *, within_ms: int, most: int = MOST
    ) -> None:
        """`ask(keys)` blocks and answers for those keys that it knows. `name` is the thread's."""
        self._ask = ask
        self._within_s = within_ms / 1000
        self._most = most
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._waiting: deque[tuple[str, asyncio.Future[T | None]]] = deque()
        self._asking = False
        self._closed = False

    async def find(self, key: str) -> T | None:
        """None: there is none. Unavailable: nobody can say now, or not in time; and whatever `ask` raises."""
        if self._closed:
            raise Unavailable("the server is shutting down", reason="SHUTTING_DOWN", retry_after_ms=_RETRY_AFTER_MS)
        answer: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        if not self._asking:
            self._ask_next()
        try:
            async with asyncio.timeout(self._within_s):
                return await answer
        except TimeoutError:
            raise Unavailable(
                "the database did not answer in time", reason="STORE_UNAVAILABLE", retry_after_ms=_RETRY_AFTER_MS
            ) from None

    def _ask_next(self) -> None:
        some: list[tuple[str, asyncio.Future[T | None]]] = []
        while self._waiting and len(some) < self._most:
            waiting = self._waiting.popleft()
            if not waiting[1].done():  # who waited may have gone
                some.append(waiting)
        if some:
            self._asking = True
            keys = frozenset(key for key, _ in some)
            asked = asyncio.get_running_loop().run_in_executor(self._thread, self._ask, keys)
            asked.add_done_callback(partial(self._tell, some))

    def _tell(
        self, some: "list[tuple[str, asyncio.Future[T | None]]]", asked: "asyncio.Future[Mapping[str, T]]"
    ) -> None:
        self._asking = False
        error = asked.exception()
        found: Mapping[str, T] = {} if error is not None else asked.result()
        for key, answer in some:
            if answer.done():
                continue
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(found.get(key))
        if not self._closed:
            self._ask_next()

    def close(self) -> None:
        """Once no request is left. Blocks until the question under way is answered."""
        self._closed = True
        self._thread.shutdown(wait=True)
