"""Futures that are waited for so long and no longer, with one timer for all of them.

All wait equally long, so they run out in the order in which they came. A timer each would cost more than the entry.
"""

import asyncio
from collections import deque
from typing import Any


class Patience:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._watched: deque[tuple[float, asyncio.Future[Any]]] = deque()  # when it runs out, by the loop's time
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, answer: "asyncio.Future[Any]") -> None:
        """Its result is None when nothing else came in time."""
        watched, loop = self._watched, answer.get_loop()
        while watched and watched[0][1].done():
            watched.popleft()
        due = loop.time() + self._seconds
        watched.append((due, answer))
        if self._timer is None:
            self._timer = loop.call_at(due, self._run_out, loop)

    def _run_out(self, loop: asyncio.AbstractEventLoop) -> None:
        watched, now = self._watched, loop.time()
        while watched and (watched[0][1].done() or watched[0][0] <= now):
            _, answer = watched.popleft()
            if not answer.done():
                answer.set_result(None)
        self._timer = loop.call_at(watched[0][0], self._run_out, loop) if watched else None
