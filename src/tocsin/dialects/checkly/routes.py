"""The routes of the REST API, made of tables of calls: each family of endpoints has its table in its own module."""

from collections.abc import Callable
from typing import Final

from starlette.convertors import register_url_convertor
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from tocsin.dialects import words
from tocsin.dialects.checkly import accounts
from tocsin.dialects.checkly.call import DIALECT, Calls, Door, Endpoint
from tocsin.dialects.checkly.checks import calls as checks
from tocsin.dialects.checkly.checks import statuses
from tocsin.dialects.checkly.limits import Limited
from tocsin.dialects.checkly.replies import not_found, of_error
from tocsin.dialects.checkly.services import Services
from tocsin.domain.project import Scope
from tocsin.http.front import Busy
from tocsin.http.problems import nothing_at, to_response

# Who says of a path that it is none, or that there is no room, by how it begins; the first that fits.
NOT_FOUND: Final[tuple[tuple[str, Callable[[str], ASGIApp]], ...]] = (
    *((beginning, not_found) for beginning in words.CHECKLY_WITHIN),
    *((beginning, nothing_at) for beginning in words.NATIVE),
    *((beginning, not_found) for beginning in words.CHECKLY),
)
ENDLESS: Final = ("/v1/check-statuses/?", "/accounts/[^/]+/(?:v2/)?prometheus/metrics/?")
"""Of an account of any size, streamed."""
BUSY: Final = (
    *(Busy(beginning, DIALECT, of_error) for beginning in words.CHECKLY_WITHIN),
    *(Busy(beginning, "native", to_response) for beginning in words.NATIVE),
    *(Busy(beginning, DIALECT, of_error) for beginning in words.CHECKLY),
)

register_url_convertor("checkly_id", words.ChecklyId())


def routes(services: Services, door: Door) -> list[BaseRoute]:
    """Every request must carry `request.state.received`, when it was accepted (ms)."""
    return [
        *made(accounts.calls(services), door),
        *made(checks.calls(services), door),
        *made(statuses.calls(services), door),
    ]


def made(calls: Calls, door: Door, *, scope: Scope | None = None, limit: Limited = Limited.REQUESTS) -> list[BaseRoute]:
    """The routes of a table, with and without the last slash. `scope`, `limit`: see `Endpoint`."""
    return [
        Route(f"{path}{slash}", Endpoint(handlers, door, scope, limit), name=f"checkly-{path}")
        for path, handlers in calls.items()
        for slash in ("", "/")
    ]
