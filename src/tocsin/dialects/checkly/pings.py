"""The ping URL, as raw lanes: /TOKEN, /ping/TOKEN and /heartbeats/ping/TOKEN. The token is all that a job has to know.

Below a word the token may lack its dashes. GET, POST and HEAD count, whatever the query and the body say; the report is
made before the body is read, so that a slow one delays nothing. The answer is 200 once the ping is durable, 503 when it
may not be, and clients try again.
"""

import re
from collections.abc import Callable
from typing import Final, Protocol

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from tocsin.dialects.checkly import replies
from tocsin.dialects.checkly.call import DIALECT
from tocsin.domain import errors
from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.instant import Instant
from tocsin.domain.project import Project, Scope
from tocsin.http.endpoint import CLIENT_MAX
from tocsin.http.front import Busy
from tocsin.http.raw import CONTENT_TYPE, Answer, Endpoint, Request, length
from tocsin.http.tokens import ANY_TOKEN, ANY_UUID, TOKEN, UUID
from tocsin.service.check_ins import CheckIns, refusal_error
from tocsin.service.principal import Principal
from tocsin.service.tokens import Found

METHODS: Final = ("GET", "POST", "HEAD")
ALLOW: Final = "GET, POST"
BLOCKED: Final = (
    "twitterbot",
    "slackbot",
    "googlebot",
    "discordbot",
    "facebot",
    "telegrambot",
    "whatsapp",
    "linkedinbot",
)
"""Parts of user agents, in small letters, that look at every link somebody posts: none of them is a job."""
SOURCE_MAX: Final = 500  # characters of an origin or referrer
BODY_MAX: Final = 10 * 1024 * 1024  # bytes that are read to be let go; the connection of a longer one does not live on
# What stands before a token → the converter of it, and what it matches.
_PREFIXES: Final = {"": (TOKEN, UUID), "/ping": (ANY_TOKEN, ANY_UUID), "/heartbeats/ping": (ANY_TOKEN, ANY_UUID)}
_UNCACHED: Final = (b"cache-control", b"no-store")
_OK: Final = Answer(200, (_UNCACHED, length(b"OK"), (CONTENT_TYPE, b"text/plain; charset=utf-8")), b"OK")


class Finder(Protocol):
    async def find(self, token: str, received: Instant) -> Found | None:
        """Whose a token is (32 hex characters, small letters); None: nobody's. `received`: when its ping arrived."""


class Pings(Endpoint):
    def __init__(
        self,
        check_ins: CheckIns,
        tokens: Finder,
        project_of: Callable[[int], Project | None],
        failed: Callable[[str, str], None],
    ) -> None:
        """`failed(dialect, error reason)` is told of pings that were refused."""
        self._check_ins = check_ins
        self._tokens = tokens
        self._project_of = project_of
        self._failed = failed

    async def answer(self, request: Request) -> ASGIApp:
        answer = await self._answer(request)
        if request.has_body:
            await let_go(request)
        return answer

    async def _answer(self, request: Request) -> ASGIApp:
        if request.method not in METHODS:
            return replies.refused(405, f"a ping is a GET or a POST, not {request.method[:20]}", {"Allow": ALLOW})
        client = request.headers.get("user-agent")
        if is_blocked(client):
            self._failed(DIALECT, "AGENT_BLOCKED")
            return replies.refused(403, "this user agent looks at links and is no job; its pings do not count")
        try:
            await self._report(request, client)
        except errors.TocsinError as problem:
            self._failed(DIALECT, problem.reason)
            return of_error(problem)
        return _OK

    async def _report(self, request: Request, client: str) -> None:
        token = request.variables["token"].replace("-", "").lower()
        found = await self._tokens.find(token, request.received)  # no await from here until the report is queued
        project = self._project_of(found.project) if found is not None else None
        if found is None or project is None:
            raise errors.NotFound("no check has this ping URL", reason="PING_TOKEN_UNKNOWN", metadata={})
        report = Report(
            project=found.project,
            monitor_id=found.monitor_id,
            kind=ReportKind.OK,
            received=request.received,
            host=source_of(request)[:SOURCE_MAX],
            dialect=DIALECT,
            client=client[:CLIENT_MAX],
            pair=False,
        )
        receipt = await self._check_ins.report(Principal(project, Scope.INGEST), report)
        if receipt.refusal is not None and receipt.refusal.reason != "MONITOR_DISABLED":
            raise refusal_error(receipt.refusal)  # somebody switched it off: that is not the job's fault


def is_blocked(agent: str) -> bool:
    small = agent.lower()
    return any(part in small for part in BLOCKED)


def source_of(request: Request) -> str:
    headers = request.headers
    return headers.get("origin") or headers.get("referer")


async def let_go(request: Request) -> None:
    """Reads a body of any usual size, so that its client is not cut off. It says nothing."""
    total = 0
    try:
        while not request.over and total <= BODY_MAX:
            total += len(await request.piece())
    except ClientDisconnect:
        return


def of_error(problem: errors.TocsinError) -> Response:
    """Clients send again what was answered 429 or 5xx, and so they should: it was not recorded."""
    if isinstance(problem, errors.ResourceExhausted) and problem.retry_after_ms is not None:
        return replies.too_many(problem.message, problem.retry_after_ms)
    return replies.of_error(problem)


BUSY: Final = tuple(
    Busy(f"{prefix}/", DIALECT, of_error, re.compile(f"{prefix}/{regex}/?")) for prefix, (_, regex) in _PREFIXES.items()
)
"""To be asked before those of other protocols, which know only how a path begins."""


def routes(pings: Pings) -> list[BaseRoute]:
    """With and without a slash at the end: nobody follows a redirection from a shell.

    To be tried before those of other protocols: with a key alone below /ping, these can do nothing but refuse.
    """
    return [
        Route(f"{prefix}/{{token:{converter}}}{slash}", pings, name=f"checkly-ping{prefix}{slash}")
        for prefix, (converter, _) in _PREFIXES.items()
        for slash in ("", "/")
    ]
