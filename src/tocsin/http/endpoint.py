"""One path of a vendor's REST API: its handlers by method, and what is the same whoever's API it is.

A dialect says who is let in (`let_in`) and how errors are worded (`worded`, `refused`); nothing else gets out, because
clients read no other shape of an answer.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import structlog
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tocsin.domain.instant import Instant
from tocsin.domain.project import Scope as KeyScope
from tocsin.service.principal import Principal

CLIENT_MAX: Final = 200  # characters of a user agent, or of another header about the client
READS: Final = frozenset({"GET", "HEAD"})
_log = structlog.get_logger("tocsin.http")


def needed(method: str) -> KeyScope:
    """What a key must have for a method, where a path wants nothing else."""
    return KeyScope.READ if method in READS else KeyScope.ADMIN


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that may be made: its key is good for it. Use cases ask again."""

    request: Request
    principal: Principal
    received: Instant

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

    @property
    def client(self) -> str:
        """The user agent."""
        return self.request.headers.get("user-agent", "")[:CLIENT_MAX]

    def part(self, name: str) -> str:
        """A variable of the path, decoded."""
        return str(self.request.path_params[name])

    def base_of(self, public_url: str) -> str:
        """How clients reach this server, without a slash at its end: as it was told, or as the request says."""
        return (public_url or str(self.request.base_url)).rstrip("/")


C = TypeVar("C", bound=Asked)


class Endpoint(ABC, Generic[C]):
    """An ASGI application. HEAD is GET; who goes away meanwhile is nobody's error."""

    def __init__(self, handlers: Mapping[str, Callable[[C], Awaitable[Response]]]) -> None:
        self._handlers = dict(handlers)
        if "GET" in self._handlers:
            self._handlers.setdefault("HEAD", self._handlers["GET"])
        self._allow = ", ".join((*self._handlers, "OPTIONS"))

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
            return self.refused(405, text, {"Allow": self._allow})
        try:
            return await self.let_in(request, handler)
        except ClientDisconnect:
            raise
        except Exception as error:
            response = self.worded(error)
            if response is not None:
                return response
            _log.error("a request failed", method=request.method, exc_info=error)
            return self.refused(500, "internal error; the log of the server says more")

    @abstractmethod
    async def let_in(self, request: Request, handler: Callable[[C], Awaitable[Response]]) -> Response:
        """Asks whether the call may be made, and makes it."""

    @abstractmethod
    def worded(self, error: Exception) -> Response | None:
        """The answer to an error that says what was wrong with the request; None: it is ours."""

    @abstractmethod
    def refused(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
        """An error that is no exception."""
