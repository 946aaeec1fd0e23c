"""The Sentry edge with everything below the journal replaced by doubles that record.

Real: routes, Principals, CheckIns. Doubles: the journal (keeps commands, answers what it is told to) and the store of
credentials. Nothing here judges a report; tests look at what was appended.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware

from tocsin.dialects.sentry.ingest import routes
from tocsin.dialects.sentry.limits import Limits
from tocsin.domain.check_in import Report
from tocsin.domain.commands import Command, RecordRefusals, ReportCheckIn
from tocsin.domain.errors import TocsinError
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.project import Key, Project, Scope, digest_of
from tocsin.domain.project_settings import DEFAULTS, ProjectSettings
from tocsin.domain.receipt import Receipt
from tocsin.service.check_ins import CheckIns
from tocsin.service.principal import Principals
from tocsin.service.room import Room

NOW = 1_795_289_021_123
KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "f" * 32  # of project 7
READ_KEY = "e" * 32  # of project 42, may not report
PROJECT = 42
ROOM = Room(1, 2**40)


class RecordingJournal:
    """Keeps what is appended. `trouble` raises; `errors[i]` and `refused[i]` are put into the receipt of the i-th report."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.trouble: TocsinError | None = None
        self.errors: dict[int, TocsinError] = {}
        self.refused: dict[int, CheckInRefused] = {}

    def arrival(self) -> contextlib.AbstractContextManager[int]:
        return contextlib.nullcontext(NOW)

    async def append(self, at: int, command: Command) -> Receipt:
        if self.trouble is not None:
            raise self.trouble
        self.commands.append(command)
        number = sum(isinstance(one, ReportCheckIn) for one in self.commands) - 1
        if not isinstance(command, ReportCheckIn):
            return Receipt()
        return Receipt(error=self.errors.get(number), refusal=self.refused.get(number))

    async def append_many(self, at: int, commands: Sequence[Command]) -> list[Receipt]:
        return [await self.append(at, command) for command in commands]

    @property
    def reports(self) -> list[Report]:
        """Without the excerpts, which `payloads` are."""
        return [
            msgspec.structs.replace(command.report, payload="")
            for command in self.commands
            if isinstance(command, ReportCheckIn)
        ]

    @property
    def payloads(self) -> list[str]:
        return [command.report.payload for command in self.commands if isinstance(command, ReportCheckIn)]

    @property
    def refusals(self) -> list[CheckInRefused]:
        return [
            refused for command in self.commands if isinstance(command, RecordRefusals) for refused in command.refusals
        ]


class Credentials:
    """The part of a store that Principals reads."""

    def credentials_revision(self) -> int:
        return 1

    def list_projects(self) -> list[Project]:
        return [Project(number, f"p{number}", f"P{number}", "", 0) for number in (PROJECT, 7)]

    def list_keys(self) -> list[Key]:
        rows = ((KEY, PROJECT, Scope.INGEST), (OTHER_KEY, 7, Scope.ADMIN), (READ_KEY, PROJECT, Scope.READ))
        return [
            Key(number, project, scope, digest_of(key), key[-4:], 0)
            for number, (key, project, scope) in enumerate(rows, 1)
        ]


class _Stamp:
    """What the server's front does: the instant of arrival on every request, and room for it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {}).update(received=NOW, hold=ROOM.hold())
        await self.app(scope, receive, send)


class Edge:
    def __init__(
        self, *, path_prefix: str = "", limits: Limits | None = None, settings: ProjectSettings = DEFAULTS
    ) -> None:
        self.journal = RecordingJournal()
        self.rejections: list[str] = []
        self.items: list[tuple[str, int]] = []
        self.losses: list[tuple[str, int, int]] = []
        principals = Principals(Credentials())  # type: ignore[arg-type]
        principals.refresh()
        self.check_ins = CheckIns(
            journal=self.journal,
            store=None,  # type: ignore[arg-type] # nothing is read here
            check_change=lambda _change, _field: None,
            answered=lambda _dialect, _received: None,
            rejected=lambda dialect, reason: self.rejections.append(f"{dialect}:{reason}"),
            clock_offset=lambda _dialect, _milliseconds: None,
        )
        found = routes(
            self.check_ins,
            principals,
            path_prefix=path_prefix,
            limits=limits,
            observe_item=lambda kind, project, count: self.items.extend([(kind, project)] * count),
            observe_loss=lambda *loss: self.losses.append(loss),
            settings_of=lambda _project: settings,
        )
        self.app = Starlette(routes=found, middleware=[Middleware(_Stamp)])

    @property
    def reports(self) -> list[Report]:
        return self.journal.reports

    @property
    def refusals(self) -> list[CheckInRefused]:
        return self.journal.refusals

    @property
    def reasons(self) -> list[str]:
        return [refused.reason for refused in self.journal.refusals]

    async def send(
        self,
        method: str,
        target: str,
        *,
        content: bytes | AsyncIterator[bytes] | None = None,
        headers: Iterable[tuple[str, str]] | dict[str, str] = (),
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sentry.test") as client:
            client.headers.clear()
            items = headers.items() if isinstance(headers, dict) else headers
            return await client.request(method, target, content=content, headers=list(items))

    async def raw(
        self, method: str, path: str, query: str = "", messages: Sequence[dict[str, Any]] = ()
    ) -> list[dict[str, Any]]:
        """Below every HTTP client: what the application sends when it receives `messages`, then a disconnect."""
        sent: list[dict[str, Any]] = []
        waiting = [*messages]

        async def receive() -> dict[str, Any]:
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
        }
        scope |= {"query_string": query.encode(), "headers": [], "http_version": "1.1", "scheme": "http"}
        await self.app(scope, receive, send)
        return sent

    async def envelope(self, body: bytes | AsyncIterator[bytes], *, target: str = "", **headers: str) -> httpx.Response:
        """POST to project 42 with its key, unless `target` says otherwise; `content_encoding="gzip"` is a header."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.send("POST", target or f"/api/42/envelope/?sentry_key={KEY}", content=body, headers=sent)


def check_in(**fields: Any) -> bytes:
    """The JSON of a check-in that is fine unless `fields` spoil it; a field of `...` is left out."""
    whole = {"check_in_id": "83a7c03ed0a04e1b97e2e3b18d38f244", "monitor_slug": "job", "status": "ok", **fields}
    return json.dumps({name: value for name, value in whole.items() if value is not ...}).encode()


def item(payload: bytes, kind: str = "check_in", *, length: int | None = None, sized: bool = True) -> bytes:
    header: dict[str, object] = {"type": kind}
    if sized:
        header["length"] = len(payload) if length is None else length
    return json.dumps(header).encode() + b"\n" + payload


def envelope(*items: bytes, header: dict[str, object] | None = None, end: bytes = b"\n") -> bytes:
    return b"\n".join([json.dumps(header or {}).encode(), *items]) + end


async def slowly(body: bytes, size: int = 7) -> AsyncIterator[bytes]:
    """A chunked body in pieces that respect nothing."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


def splits(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    for cut in range(len(body) + 1):
        yield body[:cut], body[cut:]
