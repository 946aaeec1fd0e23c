"""One request to Checkly's REST API from arrival to answer: method, key, account, rate, errors."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tocsin.dialects.checkly import bodies, ids, replies
from tocsin.dialects.checkly.limits import Limited, Limits
from tocsin.dialects.checkly.problems import Refused
from tocsin.domain.errors import TocsinError
from tocsin.domain.instant import Instant
from tocsin.domain.project import Scope as KeyScope
from tocsin.http.auth import key_of
from tocsin.service.browsing import uid_of
from tocsin.service.principal import Principal, Principals

DIALECT: Final = "checkly"
CLIENT_MAX: Final = 200  # characters of a user agent, or of a header about the client
ACCOUNT: Final = "x-checkly-account"
_TOLD: Final = ("x-checkly-source", "x-checkly-cli-version", "x-checkly-operator", "x-checkly-ci-name", "user-agent")
_READS: Final = frozenset({"GET", "HEAD"})
_log = structlog.get_logger("tocsin.checkly")


@dataclass(frozen=True, slots=True)
class Door:
    """What every call needs to be let in, and to name what it shows."""

    principals: Principals
    limits: Limits = field(default_factory=Limits)
    public_url: str = ""  # how clients reach this server; "": as the request says
    ping_url: str = ""  # what ping URLs begin with, without the slash at its end; "": the above and /ping


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may be made: its key is good for the method, and for the account that it names."""

    request: Request
    principal: Principal
    received: Instant
    door: Door

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

    @property
    def account(self) -> str:
        """The dashed UUID of the key's account."""
        return self.principal.project.account_id

    @property
    def client(self) -> str:
        """The user agent."""
        return self.request.headers.get("user-agent", "")[:CLIENT_MAX]

    @property
    def base(self) -> str:
        """The address of this server, without a slash at its end."""
        return (self.door.public_url or str(self.request.base_url)).rstrip("/")

    def ping_url(self, token: str) -> str:
        """Of a token of 32 hex characters."""
        return f"{self.door.ping_url.rstrip('/') or f'{self.base}/ping'}/{ids.dashed(token)}"

    def part(self, name: str) -> str:
        """A variable of the path, decoded."""
        return str(self.request.path_params[name])

    def uid(self, name: str = "id") -> str:
        """A UUID of the path as 32 hex characters; Refused 400."""
        return ids.uid_in_path(self.part(name), name)

    def number(self, name: str = "id") -> int:
        """A positive integer of the path; Refused 400."""
        return ids.number_in_path(self.part(name), name)

    async def body(self, most: int = bodies.BODY_MAX) -> bytes:
        """All of it, unpacked."""
        return await bodies.read(self.request, most)

    async def json(self) -> dict[str, Any]:
        """The body, which must be a JSON object; Refused."""
        return bodies.json_object(await self.body())


Handler = Callable[[Call], Awaitable[Response]]
Calls = Mapping[str, Mapping[str, Handler]]  # path → method → handler


class Endpoint:
    """An ASGI application around the handlers of one path, by method. Who goes away meanwhile is nobody's error."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        door: Door,
        scope: KeyScope | None = None,
        limit: Limited = Limited.REQUESTS,
    ) -> None:
        """`scope`: what a key must have for any method; None: `read` to read, else `admin`."""
        self._handlers = dict(handlers)
        if "GET" in self._handlers:
            self._handlers.setdefault("HEAD", self._handlers["GET"])
        self._allow = ", ".join((*self._handlers, "OPTIONS"))
        self._door = door
        self._scope = scope
        self._limit = limit

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
            text = f"method {request.method[:20]} is not allowed; use {self._allow}"
            return replies.refused(405, text, {"Allow": self._allow})
        try:
            return await self._let_in(request, handler)
        except Refused as problem:
            return replies.refused(problem.status, problem.text, **problem.more)
        except TocsinError as problem:
            return replies.of_error(problem)
        except ClientDisconnect:
            raise
        except Exception as error:  # clients read no other shape of an answer
            _log.error("a request failed", method=request.method, exc_info=error)
            return replies.refused(500, "internal error; the log of the server says more")

    async def _let_in(self, request: Request, handler: Handler) -> Response:
        principal = self._door.principals.resolve(_key_of(request))
        principal.require(self._scope or (KeyScope.READ if request.method in _READS else KeyScope.ADMIN))
        require_account(request.headers.get(ACCOUNT, ""), principal)
        received: Instant = request.state.received
        if wait := self._door.limits.take(self._limit, principal.key, received):
            return replies.too_many(f"too many requests of this key; wait {wait} ms", wait)
        response = await handler(Call(request, principal, received, self._door))
        if request.method not in _READS:
            about = {name.removeprefix("x-"): request.headers.get(name, "")[:CLIENT_MAX] for name in _TOLD}
            told = {name.replace("-", "_"): value for name, value in about.items() if value}
            _log.info(
                "a change", project=principal.project.slug, key=principal.key, status=response.status_code, **told
            )
        return response


def require_account(named: str, principal: Principal) -> None:
    """Refused 403 when an account is named, and it is not the key's."""
    if named.strip() and uid_of(named.strip()) != uid_of(principal.project.account_id):
        raise Refused(403, f"this key belongs to another account than {named[:64]!r}; see {ACCOUNT}")


def _key_of(request: Request) -> str | None:
    """Wherever our keys may be, and alone in the header, as the vendor's examples have it."""
    authorization = request.headers.get("authorization", "").strip()
    if authorization and " " not in authorization and authorization.lower() not in ("bearer", "basic"):
        return authorization
    return key_of(request)
