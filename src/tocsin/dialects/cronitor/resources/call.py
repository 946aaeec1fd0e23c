"""One request from arrival to answer: method, key, scope, errors."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tocsin.dialects.cronitor.resources import replies
from tocsin.dialects.cronitor.resources.replies import Refused
from tocsin.domain.codes import Codes
from tocsin.domain.errors import TocsinError
from tocsin.domain.instant import Instant
from tocsin.http.auth import key_of
from tocsin.http.requests import read_capped
from tocsin.service.principal import Principal, Principals

_BODY_MAX: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Door:
    """What every call needs to be let in and to name what it shows."""

    principals: Principals
    codes: Callable[[], Codes]  # known once the server has started, as the secret is
    secret: Callable[[], bytes]
    public_url: str = ""  # how clients reach this server; "": as the request says


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may be made: its key is known. What it may do, the use cases decide."""

    request: Request
    principal: Principal
    received: Instant
    door: Door

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

    @property
    def base(self) -> str:
        """The address of this server, without a slash at its end."""
        return (self.door.public_url or str(self.request.base_url)).rstrip("/")

    def part(self, name: str) -> str:
        """A variable of the path, decoded."""
        return str(self.request.path_params[name])

    async def fields(self) -> dict[str, Any]:
        """The body: a JSON object of at most 1 MiB. Refused 400, 413."""
        try:
            found = msgspec.json.decode(await read_capped(self.request, _BODY_MAX) or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Refused(400, "the body must be JSON") from None
        if not isinstance(found, dict):
            raise Refused(400, "the body must be a JSON object")
        return found


Handler = Callable[[Call], Awaitable[Response]]


class Endpoint:
    """An ASGI application around the handlers of one path, by method."""

    def __init__(self, handlers: Mapping[str, Handler], door: Door) -> None:
        self._handlers = dict(handlers)
        if "GET" in self._handlers:
            self._handlers.setdefault("HEAD", self._handlers["GET"])
        self._allow = ", ".join(self._handlers)
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(Request(scope, receive))
        except ClientDisconnect:
            return  # nobody is left to answer
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        handler = self._handlers.get(request.method)
        if handler is None:
            problem = Refused(405, f"method {request.method[:20]} is not allowed; use {self._allow}")
            return replies.refusal(problem, {"Allow": self._allow})
        try:
            principal = self._door.principals.resolve(key_of(request))
            return await handler(Call(request, principal, request.state.received, self._door))
        except Refused as problem:
            return replies.refusal(problem)
        except TocsinError as problem:
            return replies.of_error(problem)
