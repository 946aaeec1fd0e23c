"""An event loop on virtual time: waiting costs nothing, and what runs on a thread elsewhere runs in place here.

The code under test is the real one; it takes its time from the loop and from a clock that it is handed. Everything
happens in an order that depends on nothing but the program and its seed.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Where a loop would sleep, the virtual clock moves."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everything waits for ever")
        if timeout > 0:
            self.loop.virtual += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.virtual = 0.0
        selector = _Selector()
        super().__init__(selector)
        selector.loop = self

    def time(self) -> float:
        return self.virtual

    def stall(self, seconds: float) -> None:
        """The process does nothing for a while: all timers of the time run out together afterwards."""
        self.virtual += seconds

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]
        """In place, but answered one round of the loop later, so that others run in between and cancelling is real."""
        future: asyncio.Future[T] = self.create_future()

        def settle() -> None:
            if future.cancelled():
                return
            try:
                result = func(*args)
            except BaseException as error:  # the caller's to judge, whatever it is
                future.set_exception(error)
            else:
                self.call_soon(_resolve, future, result)

        self.call_soon(settle)
        return future


def _resolve(future: "asyncio.Future[T]", result: T) -> None:
    if not future.cancelled():
        future.set_result(result)


class VirtualClock:
    """Wall time of a virtual loop; it can be set, and like the real one it never runs backwards."""

    def __init__(self, loop: VirtualLoop, epoch: int) -> None:
        self._loop = loop
        self._epoch = epoch
        self._last = 0
        self.offset = 0  # milliseconds by which somebody set the clock

    def wall(self) -> int:
        return self._epoch + round(self._loop.time() * 1000) + self.offset

    def now(self) -> int:
        self._last = max(self._last, self.wall())
        return self._last

    def restarted(self) -> None:
        """A new process knows nothing of the time before."""
        self._last = 0


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Runs `main(loop)` to its end on a loop of its own."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main(loop))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(_settle())
        loop.close()


async def _settle() -> None:
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)
