"""The ping URL with everything below the journal replaced by doubles that record.

Real: the front with its lanes, the framework, routes, CheckIns. Cronitor's paths are beside it, as on a server.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence

import httpx
from starlette.responses import Response
from starlette.routing import Route

from tocsin.dialects.checkly import pings
from tocsin.domain.check_in import Report
from tocsin.domain.commands import Command, ReportCheckIn
from tocsin.domain.errors import TocsinError
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.project import Project
from tocsin.domain.receipt import Receipt
from tocsin.http.app import application
from tocsin.http.tokens import NO_TOKEN
from tocsin.service.check_ins import CheckIns
from tocsin.service.room import Room
from tocsin.service.tokens import Found

NOW = 1_795_289_021_123
PROJECT = 42
TOKEN = "0f8fad5b-d9cb-469f-a165-70867728950e"
ORPHAN = "1f8fad5b-d9cb-469f-a165-70867728950e"  # its project is gone
UNKNOWN = "2f8fad5b-d9cb-469f-a165-70867728950e"


class RecordingJournal:
    """Keeps what is appended. `trouble` raises; `error` and `refused` are put into the receipt of a report."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.trouble: TocsinError | None = None
        self.error: TocsinError | None = None
        self.refused: CheckInRefused | None = None

    def arrival(self) -> contextlib.AbstractContextManager[int]:
        return contextlib.nullcontext(NOW)

    async def append(self, at: int, command: Command) -> Receipt:
        assert at == NOW
        if self.trouble is not None:
            raise self.trouble
        self.commands.append(command)
        return Receipt(error=self.error, refusal=self.refused)


class Tokens:
    """One token that somebody has, and one that is left over."""

    def __init__(self) -> None:
        self.trouble: TocsinError | None = None

    async def find(self, token: str, received: int) -> Found | None:
        assert received == NOW
        if self.trouble is not None:
            raise self.trouble
        return {TOKEN.replace("-", ""): Found(PROJECT, "job"), ORPHAN.replace("-", ""): Found(7, "x")}.get(token)


async def cronitors(_request: object) -> Response:
    return Response("cronitor")


class Edge:
    def __init__(self, room: int = 10) -> None:
        self.journal, self.tokens = RecordingJournal(), Tokens()
        self.rejections: list[str] = []
        check_ins = CheckIns(
            journal=self.journal,  # type: ignore[arg-type]
            store=None,  # type: ignore[arg-type] # nothing is read here
            check_change=lambda _change, _field: None,
            answered=lambda _dialect, _received: None,
            rejected=self._reject,
            clock_offset=lambda _dialect, _milliseconds: None,
        )
        projects = {PROJECT: Project(PROJECT, "p42", "P42", "", 0)}
        lane = pings.Pings(check_ins, self.tokens, projects.get, self._reject)
        others = [Route(f"/ping/{{key:{NO_TOKEN}}}{rest}", cronitors) for rest in ("/{rest:path}", "")]
        found = [*pings.routes(lane), *others]
        self.app = application(found, self.journal.arrival, Room(room, 2**40), self._reject, busy=pings.BUSY)

    def _reject(self, dialect: str, reason: str) -> None:
        self.rejections.append(f"{dialect}:{reason}")

    @property
    def reports(self) -> list[Report]:
        return [command.report for command in self.journal.commands if isinstance(command, ReportCheckIn)]

    async def send(
        self,
        target: str,
        method: str = "GET",
        *,
        content: bytes | AsyncIterator[bytes] | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app, client=("192.0.2.7", 1234))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://checkly.test") as client:
            client.headers.clear()
            return await client.request(method, target, content=content, headers=list(headers))
