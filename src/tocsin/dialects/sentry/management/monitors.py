"""List, create, retrieve, update, delete."""

import secrets

from starlette.responses import Response

from tocsin.dialects.sentry.management import muting
from tocsin.dialects.sentry.management.call import Call
from tocsin.dialects.sentry.management.monitor_form import SLUG_MAX, alteration, creation, slug_from
from tocsin.dialects.sentry.management.monitor_json import monitor_json
from tocsin.dialects.sentry.management.paging import links, size_of, turn_of
from tocsin.dialects.sentry.management.replies import Invalid, empty, reply
from tocsin.dialects.sentry.management.search import check_projects, environments_of, named_environments_of, search_of
from tocsin.dialects.sentry.management.services import Services
from tocsin.domain.commands import PutMonitor
from tocsin.domain.errors import AlreadyExists
from tocsin.domain.monitor import MonitorChange
from tocsin.store.port import MonitorWithHealth

_ATTEMPTS = 4  # at a slug that nobody chose


class MonitorCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def list(self, call: Call) -> Response:
        check_projects(call.query, call.principal)
        search = search_of(call.query)
        leaf = await self._services.browsing.monitors(
            call.principal, search, now=call.received, size=size_of(call.query), turn=turn_of(call.query)
        )
        rows = [monitor_json(row, call.principal.project, call.received, search.environments) for row in leaf.rows]
        return reply(200, rows, links(call, leaf))

    async def create(self, call: Call) -> Response:
        form = await call.form()
        wish = creation(form, call.principal.project, self._services.rules(call))
        slug = wish.slug or slug_from(str(wish.change.display_name))
        for _ in range(1 if wish.slug else _ATTEMPTS):
            try:
                return reply(201, self._json(call, await self._make(call, slug, wish.change)))
            except AlreadyExists:
                taken, slug = slug, f"{slug[: SLUG_MAX - 7]}-{secrets.token_hex(3)}"
        raise Invalid({"slug": [f"the slug {taken!r} is taken by another monitor of this project"]})

    async def retrieve(self, call: Call) -> Response:
        found = await self._services.named(call)
        return reply(200, self._json(call, found, environments_of(call.query)))

    async def update(self, call: Call) -> Response:
        found = await self._services.named(call)
        form = await call.form()
        change = alteration(form, found.monitor, call.principal.project, self._services.rules(call))
        found = await self._services.monitors.change(call.principal, found.monitor.id, change, call.received)
        if change.muted_until is None:
            found = await muting.unmute_environments(self._services, call, found)
        return reply(200, self._json(call, found))

    async def delete(self, call: Call) -> Response:
        """The whole monitor, or with `environment` just these of its environments."""
        environments = named_environments_of(call.query)
        found = await self._services.named(call)
        if environments:
            await muting.delete_environments(self._services, call, found, environments)
        else:
            await self._services.monitors.delete(call.principal, found.monitor.id, call.received)
        return empty(202)

    async def _make(self, call: Call, slug: str, change: MonitorChange) -> MonitorWithHealth:
        command = PutMonitor(call.principal.project.number, slug, change, update=False)
        return await self._services.monitors.put(call.principal, command, call.received)

    def _json(self, call: Call, found: MonitorWithHealth, environments: tuple[str, ...] = ()) -> object:
        return monitor_json(found, call.principal.project, call.received, environments)
