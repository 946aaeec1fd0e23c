"""The table of calls, and the routes made of it."""

from collections.abc import Mapping
from typing import Final

from starlette.routing import BaseRoute, Route

from tocsin.dialects.sentry.management import server_info
from tocsin.dialects.sentry.management.bulk import BulkCalls
from tocsin.dialects.sentry.management.call import Door, Endpoint, Handler
from tocsin.dialects.sentry.management.monitors import MonitorCalls
from tocsin.dialects.sentry.management.muting import EnvironmentCalls
from tocsin.dialects.sentry.management.processing_errors import ProcessingErrorCalls
from tocsin.dialects.sentry.management.replies import of_error, reply
from tocsin.dialects.sentry.management.runs import RunCalls
from tocsin.dialects.sentry.management.services import Services
from tocsin.dialects.sentry.refusals import DIALECT
from tocsin.http.front import Busy

BASE: Final = "/api/0"
# For paths below it that are none: beginning, and answer to what says so.
NOT_FOUND: Final = ((f"{BASE}/", lambda detail: reply(404, {"detail": detail})),)
BUSY: Final = Busy(f"{BASE}/", DIALECT, of_error)
# Every call below an organisation has a twin below a project of it.
_SCOPES: Final = ("/organizations/{org}", "/projects/{org}/{project}")


def routes(services: Services, door: Door, *, path_prefix: str = "") -> list[BaseRoute]:
    """The routes below `path_prefix`, with and without the last slash.

    Every request must carry `request.state.received`, the instant (ms) at which it was accepted.
    """
    table = {f"{scope}{path}": handlers for scope in _SCOPES for path, handlers in _calls(services).items()}
    table |= _server()
    base = f"{path_prefix.rstrip('/')}{BASE}"
    return [
        Route(f"{base}{path}{slash}", Endpoint(handlers, door), name=f"sentry-management{path}")
        for path, handlers in table.items()
        for slash in ("/", "")
    ]


def _calls(services: Services) -> Mapping[str, Mapping[str, Handler]]:
    monitors, runs = MonitorCalls(services), RunCalls(services)
    errors, environments = ProcessingErrorCalls(services), EnvironmentCalls(services)
    monitor = "/monitors/{monitor}"
    return {
        "/monitors": {"GET": monitors.list, "POST": monitors.create, "PUT": BulkCalls(services).update},
        monitor: {"GET": monitors.retrieve, "PUT": monitors.update, "DELETE": monitors.delete},
        f"{monitor}/checkins": {"GET": runs.check_ins},
        f"{monitor}/stats": {"GET": runs.stats},
        f"{monitor}/environments/{{environment}}": {"PUT": environments.mute, "DELETE": environments.delete},
        f"{monitor}/processing-errors": {"GET": errors.of_monitor, "DELETE": errors.forget_of_monitor},
        "/monitors-stats": {"GET": runs.many_stats},
        "/processing-errors": {"GET": errors.of_project, "DELETE": errors.forget_of_project},
        "/processing-errors/{error}": {"DELETE": errors.forget},
    }


def _server() -> Mapping[str, Mapping[str, Handler]]:
    return {
        "": {"GET": server_info.root},
        "/organizations": {"GET": server_info.organizations},
        "/organizations/{org}": {"GET": server_info.organization},
        "/organizations/{org}/projects": {"GET": server_info.projects},
        "/projects": {"GET": server_info.projects},
        "/projects/{org}/{project}": {"GET": server_info.project},
    }
