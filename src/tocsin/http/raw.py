"""A request and its answer without a framework, for the few paths that machines ask all day.

The names are those of the framework's own request where something reads either: `headers`, `method`, `stream`.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from typing import Final, Protocol
from urllib.parse import parse_qsl

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from tocsin.domain.instant import Instant
from tocsin.http import problems
from tocsin.service.room import Hold

_log = structlog.get_logger("tocsin.http")
RawHeaders = Sequence[tuple[bytes, bytes]]  # names in small letters


class Fields(Protocol):
    """Headers by name in small letters: ours or the framework's."""

    def get(self, key: str, default: str, /) -> str: ...

    def getlist(self, key: str, /) -> list[str]: ...

    def __contains__(self, key: object, /) -> bool: ...


class Sent(Protocol):
    """What reads a body needs to know of a request: ours or the framework's."""

    @property
    def headers(self) -> Fields: ...

    def stream(self) -> AsyncGenerator[bytes, None]:
        """The body as it arrives, then an empty piece. ClientDisconnect; RuntimeError when it was read to its end."""
        ...


class Headers:
    """Of a header that came more than once `get` knows the first."""

    __slots__ = ("_all", "_first")

    def __init__(self, raw: RawHeaders) -> None:
        self._all = raw
        self._first = dict(reversed(raw))

    def get(self, key: str, default: str = "", /) -> str:
        value = self._first.get(key.encode("latin-1"))
        return default if value is None else value.decode("latin-1")

    def getlist(self, key: str, /) -> list[str]:
        name = key.encode("latin-1")
        if name not in self._first:
            return []
        return [value.decode("latin-1") for other, value in self._all if other == name]

    def __contains__(self, key: object, /) -> bool:
        return isinstance(key, str) and key.encode("latin-1") in self._first


class Request:
    """`variables` are those of the path, `received` is the instant of arrival, `hold` what it takes of the memory."""

    __slots__ = ("_over", "_receive", "headers", "hold", "method", "query_pairs", "received", "scope", "variables")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.headers = Headers(scope["headers"])
        self.variables: dict[str, str] = scope["path_params"]
        self.received: Instant = scope["state"]["received"]
        self.hold: Hold = scope["state"]["hold"]
        query: bytes = scope["query_string"]
        self.query_pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else []
        self._receive = receive
        self._over = False

    @property
    def has_body(self) -> bool:
        """False: its headers announce none, and nobody waits to be told to send one."""
        headers = self.headers
        return "content-length" in headers or "transfer-encoding" in headers or "expect" in headers

    def query(self) -> dict[str, str]:
        """Of a name that came more than once, the last value."""
        return dict(self.query_pairs)

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body as it arrives, then an empty piece. ClientDisconnect; RuntimeError when it was read to its end."""
        if self._over:
            raise RuntimeError("the body was read")
        while not self._over:
            if piece := await self.piece():
                yield piece
        yield b""

    async def piece(self) -> bytes:
        """The next piece of the body, perhaps empty; `over` says whether it was the last."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._over = not message.get("more_body", False)
        found: bytes = message.get("body", b"")
        return found

    @property
    def over(self) -> bool:
        return self._over


class Answer:
    """Status, headers and body, whole and encoded. An ASGI application, like every answer of the framework."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: RawHeaders, body: bytes = b"") -> None:
        self.status = status
        self.headers = headers
        self.body = body

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def length(body: bytes) -> tuple[bytes, bytes]:
    """The header that announces a body."""
    return CONTENT_LENGTH, b"%d" % len(body)


CONTENT_LENGTH: Final = b"content-length"
CONTENT_TYPE: Final = b"content-type"


class Endpoint(ABC):
    """An ASGI application that answers one request. A client that goes away meanwhile is nobody's error.

    The scope holds `path_params` and, in its state, `received` and `hold`.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self.answer(Request(scope, receive))
        except ClientDisconnect:
            return  # nobody is left to answer
        except Exception as error:
            _log.error("a request failed", method=scope["method"], exc_info=error)
            await problems.internal_response()(scope, receive, send)
            raise
        await answer(scope, receive, send)

    @abstractmethod
    async def answer(self, request: Request) -> ASGIApp:
        """The whole way from arrival to answer; errors are answers too."""
