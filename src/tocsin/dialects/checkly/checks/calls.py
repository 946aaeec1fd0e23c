"""Checks: create and change, in the form for heartbeats and in that for all types; read in three versions; delete."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from tocsin.dialects.checkly import queries
from tocsin.dialects.checkly.call import Call, Calls, Handler
from tocsin.dialects.checkly.checks import finding, schema, showing
from tocsin.dialects.checkly.checks.schema import Said
from tocsin.dialects.checkly.checks.writing import Checks
from tocsin.dialects.checkly.paging import page_reply, paging_of
from tocsin.dialects.checkly.problems import Problems, Refused, wrong
from tocsin.dialects.checkly.replies import empty, reply
from tocsin.dialects.checkly.services import Services
from tocsin.service.browsing import uid_of
from tocsin.store.port import MonitorWithHealth


class CheckCalls:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._checks = Checks(services)

    async def create(self, call: Call) -> Response:
        row = await self._created(call, await call.json())
        return reply(201, await showing.written(self._services, call, row.monitor))

    async def create_any(self, call: Call) -> Response:
        """The old form for checks of all types."""
        body = await call.json()
        problems = Problems()
        schema.require_type(body, problems)
        problems.done()
        row = await self._created(call, body)
        (found,) = await showing.shown(self._services, call, [row.monitor])
        return reply(201, found)

    async def create_typed(self, call: Call) -> Response:
        """The vendor's forms for other types, such as `/v1/checks/api`."""
        kind = call.part("id")
        if uid_of(kind) is not None:
            raise Refused(405, "use GET, PUT or DELETE for a check that there is")
        text = f"checks of the type {kind[:40]} are not run here; this server runs {schema.HEARTBEAT} checks only"
        raise wrong("checkType", text)

    async def update(self, call: Call) -> Response:
        row = await self._updated(call)
        return reply(200, await showing.written(self._services, call, row.monitor))

    async def update_any(self, call: Call) -> Response:
        row = await self._updated(call)
        (found,) = await showing.shown(self._services, call, [row.monitor])
        return reply(200, found)

    async def delete(self, call: Call) -> Response:
        row = await finding.one(self._services, call)
        await self._services.monitors.delete(call.principal, row.monitor.id, call.received)
        return empty()

    def listed(self, version: int) -> Handler:
        async def handle(call: Call) -> Response:
            merged = queries.flag(call.query, "applyGroupSettings")
            paging = paging_of(call.query)
            found = await finding.page(self._services, call, finding.selection_of(call.query), paging)
            monitors = [row.monitor for row in found.rows]
            rows = await showing.shown(self._services, call, monitors, version=version, merged=merged)
            return page_reply(rows, paging, found.total)

        return handle

    def one(self, version: int) -> Handler:
        async def handle(call: Call) -> Response:
            queries.flag(call.query, "includeDependencies")  # a heartbeat has none
            merged = queries.flag(call.query, "applyGroupSettings")
            row = await finding.one(self._services, call)
            (found,) = await showing.shown(self._services, call, [row.monitor], version=version, merged=merged)
            return reply(200, found)

        return handle

    async def _created(self, call: Call, body: Mapping[str, Any]) -> MonitorWithHealth:
        assign = queries.flag(call.query, "autoAssignAlerts", default=True)
        problems = Problems()
        schema.require_new(body, problems)
        said = schema.read(body, problems)
        problems.done()
        if assign and "alertChannelSubscriptions" not in said:
            said = await self._assigned(call, said)
        return await self._checks.create(call.principal, said, call.received)

    async def _assigned(self, call: Call, said: Said) -> Said:
        """Nobody has said who is told: everybody is."""
        numbers = sorted(channel.number for channel in await self._services.channels.every(call.principal))
        return {**said, "alertChannelSubscriptions": tuple((number, True) for number in numbers)}

    async def _updated(self, call: Call) -> MonitorWithHealth:
        queries.flag(call.query, "autoAssignAlerts")  # of new checks only
        row = await finding.one(self._services, call)
        problems = Problems()
        said = schema.read(await call.json(), problems)
        problems.done()
        return await self._checks.update(call.principal, row.monitor, said, call.received)


def calls(services: Services) -> Calls:
    checks = CheckCalls(services)
    one = "/v1/checks/{id:checkly_id}"
    return {
        "/v1/checks": {"GET": checks.listed(1), "POST": checks.create_any},
        one: {"GET": checks.one(1), "PUT": checks.update_any, "DELETE": checks.delete, "POST": checks.create_typed},
        "/v2/checks": {"GET": checks.listed(2)},
        "/v2/checks/{id}": {"GET": checks.one(2)},
        "/v3/checks": {"GET": checks.listed(3)},
        "/v3/checks/{id}": {"GET": checks.one(3)},
        "/v1/checks/heartbeat": {"POST": checks.create},
        "/v1/checks/heartbeat/{id}": {"PUT": checks.update},
    }
