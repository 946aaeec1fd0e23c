"""ASGI middleware: stamps each request on arrival and holds the judging clock while its report is on the way."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from starlette._utils import get_route_path
from starlette.types import ASGIApp, Receive, Scope, Send

from tocsin.domain.instant import Instant


class Arrival:
    """`request.state.received` is the instant of arrival."""

    def __init__(self, app: ASGIApp, arrival: Callable[[], AbstractContextManager[Instant]]) -> None:
        self._app = app
        self._arrival = arrival

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        if scope["method"] in ("GET", "HEAD") and get_route_path(scope).startswith("/v1/"):
            with self._arrival() as received:
                state["received"] = received  # a read, perhaps an endless one, must not hold the clock
            await self._app(scope, receive, send)
            return
        with self._arrival() as received:
            state["received"] = received
            await self._app(scope, receive, send)
