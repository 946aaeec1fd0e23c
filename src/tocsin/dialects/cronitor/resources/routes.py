"""The table of calls, and the routes made of it."""

from collections.abc import Mapping

from starlette.routing import BaseRoute, Route

from tocsin.dialects.cronitor.resources.aggregates import FigureCalls
from tocsin.dialects.cronitor.resources.call import Endpoint, Handler
from tocsin.dialects.cronitor.resources.history import HistoryCalls
from tocsin.dialects.cronitor.resources.services import Services
from tocsin.service.principal import Principals


def routes(services: Services, principals: Principals) -> list[BaseRoute]:
    """With and without the last slash. Each request must carry `request.state.received`, the instant it arrived."""
    return [
        Route(f"{path}{slash}", Endpoint(handlers, principals), name=f"cronitor{path}")
        for path, handlers in _calls(services).items()
        for slash in ("", "/")
    ]


def _calls(services: Services) -> Mapping[str, Mapping[str, Handler]]:
    history, figures = HistoryCalls(services), FigureCalls(services)
    monitor = "/api/monitors/{key}"
    return {
        f"{monitor}/activity": {"GET": history.activity},
        f"{monitor}/pings": {"GET": history.pings},
        f"{monitor}/alerts": {"GET": history.alerts},
        "/api/aggregates": {"GET": figures.aggregates},
        "/api/metrics": {"GET": figures.metrics},
    }
