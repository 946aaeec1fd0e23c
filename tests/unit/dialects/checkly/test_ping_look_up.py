"""From its arrival until its report is queued, a ping holds the clock: also while its token is looked up."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from support.virtual import VirtualClock, VirtualLoop
from tocsin.dialects.checkly import pings
from tocsin.domain.project import Project
from tocsin.http.app import application
from tocsin.journal.local import LocalJournal
from tocsin.service.check_ins import CheckIns
from tocsin.service.room import Room
from tocsin.service.tokens import Tokens

T0 = 1_795_289_021_000
TOKEN = "0f8fad5b-d9cb-469f-a165-70867728950e"
SCOPE = {"type": "http", "method": "GET", "path": f"/ping/{TOKEN}", "query_string": b"", "headers": []}
SCOPE |= {"http_version": "1.1", "client": ("192.0.2.7", 1234), "scheme": "http", "root_path": ""}


class _SlowThreads(VirtualLoop):
    """What runs on a thread takes ten seconds; then `watch` is called at every turn of the loop."""

    watch: Callable[[], None]

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = self.create_future()

        def settle() -> None:
            self._look()
            future.set_result(func(*args))

        self.call_later(10, settle)
        return future

    def _look(self, turns: int = 50) -> None:
        self.watch()
        if turns:
            self.call_soon(self._look, turns - 1)


class _Store:
    def owners_of_tokens(self, tokens: Collection[str]) -> dict[str, tuple[int, str]]:
        return dict.fromkeys(tokens, (42, "job"))


async def _ping(loop: _SlowThreads) -> None:
    clock = VirtualClock(loop, T0)
    journal = LocalJournal(clock)
    project = Project(42, "p42", "P42", "", 0)
    check_ins = CheckIns(
        journal=journal,
        store=None,  # type: ignore[arg-type] # nothing is read here
        check_change=lambda _change, _field: None,
        answered=lambda _dialect, _received: None,
        rejected=lambda _dialect, _reason: None,
        clock_offset=lambda _dialect, _milliseconds: None,
    )
    tokens = Tokens(_Store(), journal.hold, within_ms=15_000)
    lane = pings.Pings(check_ins, tokens, {42: project}.get, lambda _dialect, _reason: None)
    app = application(pings.routes(lane), journal.arrival, Room(10, 2**40), lambda _dialect, _reason: None)
    horizons: list[int] = []
    loop.watch = lambda: horizons.append(journal.horizon())

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    answering = asyncio.ensure_future(app(dict(SCOPE), receive, send))
    (waiting,) = await journal.take(limit=9, wait=60)
    assert (clock.now(), waiting.entry.at) == (T0 + 10_000, T0)
    journal.put_back([waiting])
    await asyncio.sleep(1)
    assert set(horizons) == {T0}
    assert len(horizons) > 50
    answering.cancel()
    await asyncio.gather(answering, return_exceptions=True)


def test_there_is_no_gap_between_look_up_and_report() -> None:
    loop = _SlowThreads()
    try:
        loop.run_until_complete(_ping(loop))
    finally:
        loop.close()
