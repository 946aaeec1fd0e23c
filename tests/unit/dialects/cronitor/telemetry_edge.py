"""The telemetry edge with everything below the journal replaced by doubles that record.

Real: the front with its lanes, the framework, routes, Principals, CheckIns. Nothing here judges a report; tests look at
what was appended.
"""

import contextlib
from collections.abc import Sequence

import httpx

from tocsin.dialects.cronitor.telemetry import routes
from tocsin.dialects.cronitor.telemetry.intake import Intake, Options
from tocsin.dialects.cronitor.telemetry.limits import Limits
from tocsin.domain.check_in import Report
from tocsin.domain.commands import Command, RecordRefusals, ReportCheckIn
from tocsin.domain.errors import TocsinError
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.project import Key, Project, Scope, digest_of
from tocsin.domain.project_settings import DEFAULTS, ProjectSettings
from tocsin.domain.receipt import Receipt
from tocsin.http.addresses import Addresses
from tocsin.http.app import application
from tocsin.service.check_ins import CheckIns
from tocsin.service.principal import Principals
from tocsin.service.room import Room

NOW = 1_795_289_021_123
KEY = "0123456789abcdef0123456789abcdef"
READ_KEY = "e" * 32
PROJECT = 42
CODE, NUMBER = "a1b2c3", 77


class RecordingJournal:
    """Keeps what is appended. `trouble` raises; `error` and `refused` are put into the receipt of a report."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.now = NOW
        self.trouble: TocsinError | None = None
        self.error: TocsinError | None = None
        self.refused: CheckInRefused | None = None

    def arrival(self) -> contextlib.AbstractContextManager[int]:
        return contextlib.nullcontext(self.now)

    async def append(self, at: int, command: Command) -> Receipt:
        assert at == self.now
        if self.trouble is not None:
            raise self.trouble
        self.commands.append(command)
        return Receipt(error=self.error, refusal=self.refused) if isinstance(command, ReportCheckIn) else Receipt()


class Credentials:
    """The part of a store that Principals reads."""

    def credentials_revision(self) -> int:
        return 1

    def list_projects(self) -> list[Project]:
        return [Project(PROJECT, "p42", "P42", "", 0)]

    def list_keys(self) -> list[Key]:
        rows = ((KEY, Scope.INGEST), (READ_KEY, Scope.READ))
        return [Key(number, PROJECT, scope, digest_of(key), key[-4:], 0) for number, (key, scope) in enumerate(rows, 1)]


class Edge:
    def __init__(
        self,
        options: Options | None = None,
        limits: Limits | None = None,
        settings: ProjectSettings = DEFAULTS,
    ) -> None:
        self.journal = RecordingJournal()
        self.rejections: list[str] = []
        principals = Principals(Credentials())  # type: ignore[arg-type]
        principals.refresh()
        check_ins = CheckIns(
            journal=self.journal,  # type: ignore[arg-type]
            store=None,  # type: ignore[arg-type] # nothing is read here
            check_change=lambda _change, _field: None,
            answered=lambda _dialect, _received: None,
            rejected=self._reject,
            clock_offset=lambda _dialect, _milliseconds: None,
        )
        intake = Intake(
            check_ins, lambda text: NUMBER if text == CODE else None, options or Options(), lambda _project: settings
        )
        found = routes.routes(intake, principals, Addresses("127.0.0.1"), limits)
        self.app = application(found, self.journal.arrival, Room(10, 2**40), self._reject, busy=routes.BUSY)

    def _reject(self, dialect: str, reason: str) -> None:
        self.rejections.append(f"{dialect}:{reason}")

    @property
    def reports(self) -> list[Report]:
        return [command.report for command in self.journal.commands if isinstance(command, ReportCheckIn)]

    @property
    def report(self) -> Report:
        (found,) = self.reports
        return found

    @property
    def refusals(self) -> list[CheckInRefused]:
        commands = self.journal.commands
        return [one for command in commands if isinstance(command, RecordRefusals) for one in command.refusals]

    async def send(
        self,
        target: str,
        method: str = "GET",
        *,
        content: bytes | None = None,
        headers: Sequence[tuple[str, str]] = (),
        address: str = "192.0.2.7",
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app, client=(address, 1234))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://cronitor.test") as client:
            client.headers.clear()
            return await client.request(method, target, content=content, headers=list(headers))

    async def ping(self, query: str = "", place: str = "job") -> Report:
        """The report of one event that is taken."""
        answer = await self.send(f"/p/{KEY}/{place}?{query}")
        assert (answer.status_code, answer.text) == (200, "ok")
        return self.reports[-1]
