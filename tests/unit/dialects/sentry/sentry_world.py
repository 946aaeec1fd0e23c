"""The Sentry edge over a real engine at a time of the test's choosing: from the bytes of a request to what is kept."""

from collections.abc import Sequence
from typing import Any

import httpx
from sentry_edge import KEY, PROJECT, Edge, RecordingJournal, check_in, envelope, item

from support.engines import T0, World, compiler, instant
from tocsin.domain.commands import Command, PutMonitor
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.monitor import Monitor, MonitorChange
from tocsin.domain.receipt import Receipt
from tocsin.service.configuration import Configuration


class _Journal(RecordingJournal):
    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self.now = T0

    async def append_many(self, at: int, commands: Sequence[Command]) -> list[Receipt]:
        await super().append_many(at, commands)
        return self._world.together(*[(self.now, command) for command in commands])

    async def append(self, at: int, command: Command) -> Receipt:
        await super().append(at, command)
        return self._world.step(self.now, command)


class SentryWorld(Edge):
    """`now` is when requests arrive: "01:05" after T0, or an instant."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.journal: _Journal = _Journal(self.world)
        self.check_ins._journal = self.journal
        self.check_ins._check_change = Configuration(compiler().zones).check

    def at(self, now: str | int) -> "SentryWorld":
        self.journal.now = instant(now)
        return self

    def put(self, monitor_id: str, **fields: Any) -> Monitor:
        """As an operator does."""
        return self.world.step(self.journal.now, PutMonitor(PROJECT, monitor_id, MonitorChange(**fields))).monitors[0]

    def monitor(self, monitor_id: str = "job") -> Monitor | None:
        return next((one for one, _ in self.world.kept.monitors.values() if one.id == monitor_id), None)

    async def check_in(self, **fields: Any) -> list[CheckInRefused]:
        """What one check-in in an envelope left behind as refusals; the answer is always 200."""
        before = len(self.world.of(CheckInRefused))
        assert (await self.envelope(envelope(item(check_in(**fields))))).status_code == 200
        return self.world.of(CheckInRefused)[before:]

    async def cron(self, query: str, slug: str = "job") -> tuple[httpx.Response, list[CheckInRefused]]:
        before = len(self.world.of(CheckInRefused))
        answer = await self.send("GET", f"/api/{PROJECT}/cron/{slug}/{KEY}/?{query}")
        return answer, self.world.of(CheckInRefused)[before:]
