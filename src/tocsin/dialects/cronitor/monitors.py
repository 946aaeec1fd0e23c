"""One monitor: retrieve, create, update, delete, clone, pause. And lists of them: pages, search."""

from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.cronitor import bodies, exporting, pausing, queries, reading, references, schema, showing, writing
from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.mapping import DIALECT
from tocsin.dialects.cronitor.problems import Problems, Refused
from tocsin.dialects.cronitor.queries import Paging
from tocsin.dialects.cronitor.replies import empty, reply, yaml
from tocsin.dialects.cronitor.services import Services
from tocsin.dialects.cronitor.writing import Wish
from tocsin.domain.monitor import MonitorChange
from tocsin.store.browse_port import Numbered, Selection
from tocsin.store.port import MonitorWithHealth

VERSION: Final = "2020-10-01"
_ALL: Final = 1_000  # rows that are read at once where no page is asked for


class MonitorCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def listed(self, call: Call) -> Response:
        only = queries.selection_of(call.query)
        if call.query.get("format", "").lower() == "yaml":
            return await self._export(call, only, all_pages="page" not in call.query)
        return await self._page(call, only)

    async def search(self, call: Call) -> Response:
        return await self._page(call, queries.search_of(call.query))

    async def export(self, call: Call) -> Response:
        return await self._export(call, queries.selection_of(call.query), all_pages="page" not in call.query)

    async def retrieve(self, call: Call) -> Response:
        found = await references.one(self._services, call, call.part("key"))
        return reply(200, await showing.one(self._services, call, found))

    async def create(self, call: Call) -> Response:
        """An existing key is updated in place."""
        body = bodies.single(await call.body())
        wish = writing.wish_of(body, 0)
        if not wish.reference:
            wish = Wish(writing.generated_key(), wish.said, wish.paused, wish.problems)
        return await self._saved(call, wish, 201)

    async def update(self, call: Call) -> Response:
        key = call.part("key")
        found = await references.one(self._services, call, key)
        body = bodies.single(await call.body())
        wish = writing.wish_of(body, 0, key=key)
        if body.get("key") and body["key"] not in _names(call, found, key):
            wish.problems.wrong("key", f"a monitor keeps its key, {reading.key_of(found.monitor)!r}")
        return await self._saved(call, Wish(key, wish.said, wish.paused, wish.problems), 200, create=False)

    async def delete(self, call: Call) -> Response:
        found = await references.one(self._services, call, call.part("key"))
        await self._services.monitors.delete(call.principal, found.monitor.id, call.received)
        return empty(204)

    async def post(self, call: Call) -> Response:
        """There is one path below the monitors that is none of them."""
        if call.part("key") != "clone":
            raise Refused(405, "method POST is not allowed; use GET, PUT, DELETE")
        return await self._clone(call)

    async def _clone(self, call: Call) -> Response:
        """What is configured; a new key, and nothing of what was reported."""
        body = bodies.single(await call.body())
        problems = Problems("clone")
        key = schema.key_of(body, problems) or schema.key_of(body, problems, "monitor_key")
        name = body.get("name")
        if not key and not problems.found:
            problems.wrong("key", "required: the monitor to clone")
        if name is not None and (not isinstance(name, str) or len(name) > schema.NAME_MAX):
            problems.wrong("name", f"must be text of at most {schema.NAME_MAX} characters")
        problems.done()
        source = (await references.one(self._services, call, key)).monitor
        said, _ = reading.said_of(source, self._services.zone(call))
        shown = said.get("name") or said.get("defaultName") or said["key"]
        said = {attribute: value for attribute, value in said.items() if attribute != "key"}
        said["name"] = name or f"{shown[: schema.NAME_MAX - 7]} (copy)"
        wish = Wish(writing.generated_key(), said, None, Problems(), source.alert_policy.channels)
        return await self._saved(call, wish, 201)

    async def pause(self, call: Call) -> Response:
        """For so many hours, without end, or, with 0, not any more. By GET, as the clients do."""
        found = await references.one(self._services, call, call.part("key"))
        until = pausing.until_of(call)
        change = MonitorChange(muted_until=until, origin=DIALECT, by_hand=True)
        row = await self._services.monitors.change(call.principal, found.monitor.id, change, call.received)
        return reply(200, await showing.one(self._services, call, row))

    async def _saved(self, call: Call, wish: Wish, status: int, *, create: bool = True) -> Response:
        (written,) = await writing.save(self._services, call, [wish], create=create)
        return reply(status, await showing.one(self._services, call, written.found))

    async def _page(self, call: Call, only: Selection) -> Response:
        paging = queries.paging_of(call.query)
        found = await self._rows(call, only, paging)
        shown = await showing.shown(self._services, call, found.rows)
        return reply(200, _envelope(shown, paging, found.total))

    async def _export(self, call: Call, only: Selection, *, all_pages: bool) -> Response:
        if not all_pages:
            rows = (await self._rows(call, only, queries.paging_of(call.query))).rows
        else:
            rows = await self._all(call, only)
        zone = self._services.zone(call)
        return yaml(200, await exporting.yaml_later([row.monitor for row in rows], zone, call.received))

    async def _all(self, call: Call, only: Selection) -> list[MonitorWithHealth]:
        rows: list[MonitorWithHealth] = []
        page = 1
        while True:
            found = await self._rows(call, only, Paging(page, _ALL))
            rows += found.rows
            page += 1
            if len(found.rows) < _ALL:
                return rows

    async def _rows(self, call: Call, only: Selection, paging: Paging) -> Numbered[MonitorWithHealth]:
        return await self._services.browsing.numbered(
            call.principal, only, now=call.received, size=paging.size, offset=paging.offset
        )


def _names(call: Call, found: MonitorWithHealth, key: str) -> set[str]:
    """As a body may call the monitor of its path."""
    return {key, reading.key_of(found.monitor), found.monitor.id, call.codes.code_of(found.monitor.number)}


def _envelope(shown: list[dict[str, Any]], paging: Paging, total: int) -> dict[str, Any]:
    """Of all versions of the API at once."""
    return {
        "monitors": shown,
        "page": paging.page,
        "page_size": paging.size,
        "count": len(shown),
        "total_monitor_count": total,
        "version": VERSION,
        "page_info": {"page": paging.page, "pageSize": paging.size, "totalMonitorCount": total},
    }
