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
from tocsin.domain.errors import TocsinError
from tocsin.domain.instant import Instant
from tocsin.domain.project import Scope as KeyScope
from tocsin.http.auth import key_of
from tocsin.http.requests import read_capped
from tocsin.service.principal import Principal, Principals

_BODY_MAX: Final = 1024 * 1024
_READS: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may be made: its key is good for the method."""

    request: Request
    principal: Principal
    received: Instant

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

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

    def __init__(self, handlers: Mapping[str, Handler], principals: Principals) -> None:
        self._handlers = dict(handlers)
        if "GET" in self._handlers:
            self._handlers.setdefault("HEAD", self._handlers["GET"])
        self._allow = ", ".join(self._handlers)
        self._principals = principals

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
            return await handler(self._admit(request))
        except Refused as problem:
            return replies.refusal(problem)
        except TocsinError as problem:
            return replies.of_error(problem)

    def _admit(self, request: Request) -> Call:
        found = self._principals.resolve(key_of(request))
        found.require(KeyScope.READ if request.method in _READS else KeyScope.ADMIN)
        return Call(request, found, request.state.received)
