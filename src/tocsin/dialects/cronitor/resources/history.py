"""The history of a monitor: what was sent, what was told, and both together; newest first, of bounded length."""

from collections.abc import Iterable
from typing import Final

from starlette.responses import Response

from tocsin.dialects.cronitor import references
from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.replies import reply
from tocsin.dialects.cronitor.resources import events
from tocsin.dialects.cronitor.resources import query as queries
from tocsin.dialects.cronitor.resources.events import Event
from tocsin.dialects.cronitor.resources.services import Services
from tocsin.domain.monitor import Monitor
from tocsin.store.browse_port import Turn
from tocsin.store.port import CheckInFilter

MOST: Final = 1_000
"""Events of one answer, made of as many check-ins and as many incidents at most."""


class HistoryCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def activity(self, call: Call) -> Response:
        return await self._answer(call, pings=True, alerts=True)

    async def pings(self, call: Call) -> Response:
        return await self._answer(call, pings=True)

    async def alerts(self, call: Call) -> Response:
        return await self._answer(call, alerts=True)

    async def _answer(self, call: Call, *, pings: bool = False, alerts: bool = False) -> Response:
        """`env`, `limit`."""
        found = await references.one(self._services, call, call.part("key"))
        limit = queries.number(call.query, "limit", MOST, most=MOST)
        environments = queries.many(call.query, "env")
        known: list[Event] = []
        if alerts:
            known += await self._alerts(call, found.monitor, environments, limit)
        if pings:
            known += await self._pings(call, found.monitor, environments, limit)
        code = call.codes.code_of(found.monitor.number)
        return reply(200, [events.event_json(row, found.monitor, code) for row in events.newest(known, limit)])

    async def _pings(self, call: Call, monitor: Monitor, environments: tuple[str, ...], limit: int) -> Iterable[Event]:
        """Oldest first."""
        leaf = await self._services.browsing.check_ins(
            call.principal, CheckInFilter(monitor.number), environments, size=limit, turn=Turn()
        )
        kind = monitor.policy.kind
        return [event for row in reversed(leaf.rows) for event in events.of_check_in(row, kind)]

    async def _alerts(self, call: Call, monitor: Monitor, environments: tuple[str, ...], limit: int) -> Iterable[Event]:
        """Oldest first."""
        page = await self._services.incidents.page(
            call.principal, monitor_id=monitor.id, open_only=False, size=limit, token=""
        )
        rows = [row for row in reversed(page.rows) if not environments or row.environment in environments]
        return [event for row in rows for event in events.of_incident(row)]
