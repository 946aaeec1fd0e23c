"""The application, from the routes it is given: the front and the framework. It knows no vendor and no service."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.http import addresses, problems
from tocsin.http.front import Busy, Front
from tocsin.service.room import Room

_log = structlog.get_logger("tocsin.http")


NotFound = Callable[[str], ASGIApp]  # what says that nothing is served → the answer


def application(
    routes: Sequence[BaseRoute],
    arrival: Callable[[], AbstractContextManager[Instant]],
    room: Room,
    failed: Callable[[str, str], None],
    *,
    prefix: str = "",
    worded: Sequence[tuple[str, NotFound]] = (),
    busy: Sequence[Busy] = (),
    endless: Sequence[str] = (),
) -> Front:
    """`worded`: beginnings of paths below which another protocol says that a path is unknown; the first one counts."""

    async def not_found(request: Request, _error: Exception) -> ASGIApp:
        return _not_found(request, worded)

    framework = Starlette(
        routes=list(routes),
        exception_handlers={404: not_found, 405: _wrong_method, errors.TocsinError: _expected, Exception: _unexpected},  # type: ignore[dict-item] # whatever answers a request does
    )
    trusted = os.environ.get(addresses.VARIABLE, addresses.TRUSTED)
    proxied = ProxyHeadersMiddleware(framework, trusted)  # type: ignore[arg-type] # its own names for ASGI
    return Front(proxied, routes, arrival, room, failed, prefix=prefix, busy=busy, endless=endless)  # type: ignore[arg-type]


def _not_found(request: Request, worded: Sequence[tuple[str, NotFound]]) -> ASGIApp:
    path = request.url.path
    served = path.removeprefix(request.scope.get("root_path", ""))
    for beginning, answer in worded:
        if served.startswith(beginning):
            return answer(f"nothing is served at {path[:200]}")
    return problems.nothing_at(f"nothing is served at {path[:200]}")


async def _wrong_method(request: Request, _error: Exception) -> Response:
    error = errors.Unimplemented(
        f"{request.method} is not served at this path", reason="METHOD_UNSUPPORTED", metadata={"method": request.method}
    )
    return problems.to_response(error, status=405)


async def _expected(_request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.TocsinError)
    return problems.to_response(error)


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("a request failed", method=request.method, exc_info=error)
    return problems.internal_response()
