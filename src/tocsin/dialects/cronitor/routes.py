"""The table of calls of the Monitor API, and the routes made of it."""

from collections.abc import Mapping
from typing import Final

from starlette.routing import BaseRoute, Route

from tocsin.dialects import words
from tocsin.dialects.cronitor.batches import Batches
from tocsin.dialects.cronitor.bulk import BulkCalls
from tocsin.dialects.cronitor.call import Door, Endpoint, Handler
from tocsin.dialects.cronitor.mapping import DIALECT
from tocsin.dialects.cronitor.monitors import MonitorCalls
from tocsin.dialects.cronitor.replies import not_found, of_error
from tocsin.dialects.cronitor.services import Services
from tocsin.http.front import Busy

# For paths below these that are none: beginning, and answer to what says so.
NOT_FOUND: Final = tuple((f"/api/{word}", not_found) for word in (*words.CRONITOR, *words.CRONITOR_LATER))
BUSY: Final = tuple(Busy(f"/api/{word}", DIALECT, of_error) for word in words.CRONITOR)


def routes(services: Services, door: Door) -> list[BaseRoute]:
    """With and without the last slash. Every request must carry `request.state.received`, when it was accepted (ms)."""
    return [
        Route(f"{path}{slash}", Endpoint(handlers, door), name=f"cronitor-{path}")
        for path, handlers in _calls(services).items()
        for slash in ("", "/")
    ]


def _calls(services: Services) -> Mapping[str, Mapping[str, Handler]]:
    one, many = MonitorCalls(services), BulkCalls(services, Batches(services.post))
    monitor = "/api/monitors/{key}"
    return {
        "/api/monitors": {"GET": one.listed, "POST": one.create, "PUT": many.put, "DELETE": many.delete},
        "/api/monitors.yaml": {"GET": one.export, "PUT": many.put_yaml},
        monitor: {"GET": one.retrieve, "PUT": one.update, "DELETE": one.delete, "POST": one.post},
        f"{monitor}/pause": {"GET": one.pause, "POST": one.pause},
        f"{monitor}/pause/{{hours}}": {"GET": one.pause, "POST": one.pause},
        "/api/search": {"GET": one.search},
    }
