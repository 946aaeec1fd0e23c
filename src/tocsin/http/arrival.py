"""ASGI middleware: stamps each request on arrival and holds the judging clock while its report is on the way."""

from collections.abc import Callable
from contextlib import AbstractContextManager

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
        with self._arrival() as received:
            state["received"] = received
            if not _endless(scope["path"].removeprefix(scope.get("root_path", ""))):
                await self._app(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _endless(path: str) -> bool:
    """Reads that may go on for as long as they like, and must not hold the clock meanwhile."""
    return path.endswith(":watch") or path.startswith("/metrics")
