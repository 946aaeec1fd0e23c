"""The table of calls, and the routes made of it."""

from collections.abc import Mapping

from starlette.routing import BaseRoute, Route

from tocsin.dialects.cronitor.call import Door, Endpoint, Handler
from tocsin.dialects.cronitor.resources.aggregates import FigureCalls
from tocsin.dialects.cronitor.resources.badge import Badges
from tocsin.dialects.cronitor.resources.history import HistoryCalls
from tocsin.dialects.cronitor.resources.issues import IssueCalls
from tocsin.dialects.cronitor.resources.services import Services
from tocsin.dialects.cronitor.resources.uploads import PATH, LogCalls, Tokens, Uploads


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
    monitor = "/api/monitors/{key}"
    return {
        f"{monitor}/activity": {"GET": history.activity},
        f"{monitor}/pings": {"GET": history.pings},
        f"{monitor}/alerts": {"GET": history.alerts},
        "/api/aggregates": {"GET": figures.aggregates},
        "/api/metrics": {"GET": figures.metrics},
        "/api/issues": {"GET": issues.list},
        "/api/issues/{key}": {
            "GET": issues.retrieve,
            "PUT": issues.update,
            "DELETE": issues.delete,
            "POST": issues.post,
        },
        "/api/logs/presign": {"POST": LogCalls(tokens).presign},
    }
