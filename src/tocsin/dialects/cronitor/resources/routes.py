"""The table of calls, and the routes made of it."""

from collections.abc import Mapping
from typing import Final

from starlette.routing import BaseRoute, Route

from tocsin.dialects.cronitor.call import Door, Endpoint, Handler
from tocsin.dialects.cronitor.resources.aggregates import FigureCalls
from tocsin.dialects.cronitor.resources.badge import Badges
from tocsin.dialects.cronitor.resources.history import HistoryCalls
from tocsin.dialects.cronitor.resources.issues import IssueCalls
from tocsin.dialects.cronitor.resources.lists import ListCalls
from tocsin.dialects.cronitor.resources.services import Services
from tocsin.dialects.cronitor.resources.uploads import PATH, LogCalls, Tokens, Uploads
from tocsin.dialects.cronitor.resources.windows import WindowCalls

# Under each of these names clients look for the same.
_LISTS: Final = ("/api/notifications", "/api/templates", "/v1/templates", "/v1/notifications")


def routes(services: Services, door: Door) -> list[BaseRoute]:
    """With and without the last slash. Each request must carry `request.state.received`, the instant it arrived."""
    tokens = Tokens(door.secret)
    called = [
        Route(f"{path}{slash}", Endpoint(handlers, door), name=f"cronitor{path}")
        for path, handlers in _calls(services, tokens).items()
        for slash in ("", "/")
    ]
    badges = Badges(services.browsing, door.codes, door.secret)
    return [
        *called,
        Route(PATH, Uploads(tokens), name="cronitor-upload"),
        Route("/badges/{code}/{env}/{digest}.svg", badges.show, methods=["GET"], name="cronitor-badge"),
    ]


def _calls(services: Services, tokens: Tokens) -> Mapping[str, Mapping[str, Handler]]:
    history, figures, issues = HistoryCalls(services), FigureCalls(services), IssueCalls(services)
    monitor, issue, window = "/api/monitors/{key}", "/api/issues/{key}", "/api/maintenance_windows/{key}"
    windows = WindowCalls(services)
    return {
        f"{monitor}/activity": {"GET": history.activity},
        f"{monitor}/pings": {"GET": history.pings},
        f"{monitor}/alerts": {"GET": history.alerts},
        "/api/aggregates": {"GET": figures.aggregates},
        "/api/metrics": {"GET": figures.metrics},
        "/api/issues": {"GET": issues.list},
        issue: {"GET": issues.retrieve, "PUT": issues.update, "DELETE": issues.delete, "POST": issues.post},
        **_lists(ListCalls(services)),
        "/api/maintenance_windows": {"GET": windows.list, "POST": windows.create},
        window: {"GET": windows.retrieve, "PUT": windows.update, "DELETE": windows.delete},
        "/api/logs/presign": {"POST": LogCalls(tokens).presign},
    }


def _lists(calls: ListCalls) -> Mapping[str, Mapping[str, Handler]]:
    found: dict[str, Mapping[str, Handler]] = {}
    for path in _LISTS:
        found[path] = {"GET": calls.list, "POST": calls.create}
        found[f"{path}/{{key}}"] = {"GET": calls.retrieve, "PUT": calls.update, "DELETE": calls.delete}
    return found
