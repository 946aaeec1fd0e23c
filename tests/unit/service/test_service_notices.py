"""Logs of notices may look at hundreds of thousands of rows: few are read at once, so that others can read too."""

import asyncio
from collections.abc import Callable
from typing import Any

from support.virtual import VirtualLoop
from tocsin.domain.project import Project, Scope
from tocsin.service.notices import LOGS, Notices
from tocsin.service.principal import Principal

READER = Principal(Project(1, "p", "P", "", 0), Scope.READ)
ASKED = 3 * LOGS


class _Searches:
    def told(self, *_: object, **__: object) -> tuple[list[object], int]:
        return [], 1

    deliveries = told


class _Threads(VirtualLoop):
    """Keeps what is to run on a thread until somebody lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.running: list[Callable[[], None]] = []

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = self.create_future()
        self.running.append(lambda: future.set_result(func(*args)))
        return future


def test_few_logs_are_read_at_once() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, _Threads)
        notices = Notices(None, _Searches(), None, lambda: None)  # type: ignore[arg-type] # only the logs are read
        reads = [
            asyncio.ensure_future((notices.told, notices.deliveries)[number % 2](READER, since=0, until=9, size=5))
            for number in range(ASKED)
        ]
        for left in range(ASKED, 0, -1):
            for _ in range(2 * ASKED):  # then whoever may go on has
                await asyncio.sleep(0)
            assert len(loop.running) == min(LOGS, left)
            loop.running.pop(0)()
        assert await asyncio.gather(*reads) == [([], 1)] * ASKED

    loop = _Threads()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
