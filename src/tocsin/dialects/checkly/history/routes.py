"""The routes of what became of checks; results and analytics are counted apart from other requests."""

from starlette.routing import BaseRoute

from tocsin.dialects.checkly import routes
from tocsin.dialects.checkly.call import Door
from tocsin.dialects.checkly.history import analytics, events, reporting, results
from tocsin.dialects.checkly.limits import Limited
from tocsin.dialects.checkly.services import Services
from tocsin.domain.project import Scope


def made(services: Services, door: Door) -> list[BaseRoute]:
    return [
        *routes.made(events.calls(services), door),
        *routes.made(results.calls(services), door, limit=Limited.RESULTS),
        *routes.made(analytics.calls(services), door, limit=Limited.ANALYTICS),
        *routes.made(analytics.many_calls(services), door, scope=Scope.READ, limit=Limited.ANALYTICS),
        *routes.made(reporting.calls(services), door),
    ]
