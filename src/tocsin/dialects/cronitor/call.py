"""One request to Cronitor's REST API from arrival to answer: method, key, errors. The Host header does not matter."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tocsin.dialects.cronitor import replies
from tocsin.dialects.cronitor.problems import Invalid, Refused
from tocsin.domain.codes import Codes
from tocsin.domain.errors import TocsinError
from tocsin.domain.instant import Instant
from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.domain.project import Scope as KeyScope
from tocsin.http.auth import key_of
from tocsin.http.requests import read_capped
from tocsin.service.principal import Principal, Principals

BODY_MAX = 32 * 1024 * 1024  # bytes; ten thousand monitors are four million
CLIENT_MAX = 200  # characters of a user agent
_READS = frozenset({"GET", "HEAD"})
_log = structlog.get_logger("tocsin.cronitor")


@dataclass(frozen=True, slots=True)
class Door:
    """What every call needs to be let in and to name what it shows."""

    principals: Principals
    codes: Callable[[], Codes]  # known once the server has started, as the secret is
    secret: Callable[[], bytes]
    public_url: str = ""  # how clients reach this server; "": as the request says


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may be made: its key is good for the method. Use cases ask again: there are GETs that write."""

    request: Request
    principal: Principal
    received: Instant
    door: Door

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

    @property
    def codes(self) -> Codes:
        return self.door.codes()

    @property
    def client(self) -> str:
        """The user agent."""
        return self.request.headers.get("user-agent", "")[:CLIENT_MAX]

    @property
    def base(self) -> str:
        """The address of this server, without a slash at its end."""
        return (self.door.public_url or str(self.request.base_url)).rstrip("/")

    @property
    def environment(self) -> str:
        """Whose state is shown."""
        return self.query.get("env") or DEFAULT_ENVIRONMENT

    def part(self, name: str) -> str:
        """A variable of the path, decoded."""
        return str(self.request.path_params[name])

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("true", "1", "yes")

    async def body(self) -> bytes:
        """All of it. BODY_TOO_LARGE past the bound, Refused 415 when it is packed."""
        encoding = self.request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise Refused(415, f"content-encoding {encoding[:40]!r} is not taken here; send it plain")
        return await read_capped(self.request, BODY_MAX)


Handler = Callable[[Call], Awaitable[Response]]


class Endpoint:
    """An ASGI application around the handlers of one path, by method. Who goes away meanwhile is nobody's error."""

    def __init__(self, handlers: Mapping[str, Handler], door: Door, scope: KeyScope | None = None) -> None:
        """`scope`: what a key must have for any method; None: `read` to read, else `admin`."""
        self._handlers = dict(handlers)
        if "GET" in self._handlers:
            self._handlers.setdefault("HEAD", self._handlers["GET"])
        self._allow = ", ".join((*self._handlers, "OPTIONS"))
        self._door = door
        self._scope = scope

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self.answer(Request(scope, receive))
        except ClientDisconnect:
            return  # nobody is left to answer
        await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(b"", 200, {"Allow": self._allow})
        handler = self._handlers.get(request.method)
        if handler is None:
            return replies.refused(
                405, f"method {request.method[:20]} is not allowed; use {self._allow}", {"Allow": self._allow}
            )
        try:
            principal = self._door.principals.resolve(key_of(request))
            principal.require(self._scope or (KeyScope.READ if request.method in _READS else KeyScope.ADMIN))
            return await handler(Call(request, principal, request.state.received, self._door))
        except Invalid as problem:
            return replies.invalid(problem.problems)
        except Refused as problem:
            return replies.refused(problem.status, problem.text)
        except TocsinError as problem:
            return replies.of_error(problem)
        except ClientDisconnect:
            raise
        except Exception as error:  # clients read no other shape of an answer
            _log.error("a request failed", method=request.method, exc_info=error)
            return replies.refused(500, "internal error; the log of the server says more")
