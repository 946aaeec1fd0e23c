"""Issues: the incidents of monitors, listed, taken in hand, resolved."""

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from tocsin.dialects.cronitor import references
from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.problems import Refused
from tocsin.dialects.cronitor.replies import reply
from tocsin.dialects.cronitor.resources import issue_json
from tocsin.dialects.cronitor.resources import query as queries
from tocsin.dialects.cronitor.resources.body import Body
from tocsin.dialects.cronitor.resources.issue_json import RESOLVED, SEVERITIES, STATES
from tocsin.dialects.cronitor.resources.periods import period_of
from tocsin.dialects.cronitor.resources.query import wrong
from tocsin.dialects.cronitor.resources.services import Services
from tocsin.domain.errors import NotFound
from tocsin.domain.incident import Incident
from tocsin.domain.monitor import Monitor
from tocsin.store.browse_port import IncidentSearch

_UPDATE: Final = "update"  # says something about an issue, and changes no state
_ORDERS: Final = ("started", "-started", "relevance")
_MONITORS: Final = ("job", "monitor", "check", "heartbeat", "site")  # parameters that name one
_ACTIONS: Final = ("delete", "change_state", "assign_to")
_BULK_MAX: Final = 1_000
_KEPT: Final = "an issue of a monitor cannot be deleted; resolve it"


class IssueCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def list(self, call: Call) -> Response:
        """`state severity job group tag env search time orderBy`, `page`, `pageSize`."""
        paging = queries.paging(call.query)
        only = await self._search(call)
        found = await self._services.browsing.incidents(
            call.principal, only, size=paging.size, offset=(paging.page - 1) * paging.size
        )
        monitors = await self._monitors(call, found.rows)
        return reply(
            200,
            {
                "data": [issue_json.issue_json(row, monitors.get(row.monitor)) for row in found.rows],
                "page": paging.page,
                "page_size": paging.size,
                "total_count": found.total,
            },
        )

    async def retrieve(self, call: Call) -> Response:
        return await self._answer(call, await self._found(call, call.part("key")))

    async def update(self, call: Call) -> Response:
        """{state, assigned_to, message}; what else an issue says is the monitor's."""
        body = await Body.of(call)
        incident = await self._found(call, call.part("key"))
        state, person = body.word("state", (*STATES, _UPDATE)), body.text("assigned_to")
        await self._change(call, incident, state, person, body.text("message"))
        return await self._answer(call, await self._found(call, call.part("key")))

    async def delete(self, call: Call) -> Response:
        await self._found(call, call.part("key"))
        raise Refused(400, _KEPT)

    async def post(self, call: Call) -> Response:
        """To /api/issues/bulk, which is no issue."""
        if call.part("key") != "bulk":
            raise Refused(405, "POST is for /api/issues/bulk; an issue takes GET, PUT and DELETE")
        return await self._bulk(call)

    async def _bulk(self, call: Call) -> Response:
        """{action, issues, state, assign_to} → how many were changed, and which were not there."""
        body = await Body.of(call)
        action, keys = body.word("action", _ACTIONS), body.texts("issues")
        if not action:
            raise wrong("action", f"must be one of {', '.join(_ACTIONS)}")
        if len(keys) > _BULK_MAX:
            raise wrong("issues", f"at most {_BULK_MAX} keys")
        state, person = body.word("state", (*STATES, _UPDATE)), body.text("assign_to")
        if action == "change_state" and not state:
            raise wrong("state", "required to change it")
        if action == "delete":
            raise Refused(400, _KEPT)
        missing, changed = [], 0
        for key in keys:
            try:
                incident = await self._found(call, key)
            except Refused:
                missing.append(key)
                continue
            await self._change(call, incident, state if action == "change_state" else "", person, "")
            changed += 1
        return reply(
            200,
            {
                "action": action,
                "requested_count": len(keys),
                "updated_count": changed,
                "errors": {"missing": missing},
            },
        )

    async def _change(self, call: Call, incident: Incident, state: str, person: str, message: str) -> None:
        """An issue that was resolved stays as it is; one that is open is taken in hand by whatever is said of it."""
        incidents = self._services.incidents
        if state == RESOLVED:
            if incident.resolve_time is None:
                raise Refused(501, "issues cannot be resolved by hand yet")
        elif state not in ("", "unresolved") or person or message:
            by, note = person or incident.acknowledged_by, message or incident.note
            await incidents.acknowledge(call.principal, incident.number, by, note, call.received)

    async def _search(self, call: Call) -> IncidentSearch:
        query = call.query
        states = queries.one_of(query, "state", tuple(STATES))
        (order,) = queries.one_of(query, "orderBy", _ORDERS)[:1] or ("-started",)
        named = [value for name in _MONITORS for value in queries.many(query, name)]
        monitors = None
        if named:
            rows = await references.many(self._services, call, named)
            monitors = tuple(row.monitor.number for row in rows if row is not None)
        period = period_of(query, call.received) if query.get("time") or query.get("start") else None
        search = query.get("search", "").strip()
        return IncidentSearch(
            monitors=monitors,
            environments=queries.many(query, "env"),
            causes=issue_json.causes_of(queries.one_of(query, "severity", SEVERITIES)),
            stages=tuple(dict.fromkeys(STATES[state] for state in states)),
            since=period.since if period else None,
            until=period.until if period else None,
            words=(search,) if search else (),
            oldest_first=order == "started",
        )

    async def _found(self, call: Call, key: str) -> Incident:
        """Refused 404."""
        number = issue_json.number_of(key)
        if number is not None:
            try:
                return await self._services.incidents.get(call.principal, number)
            except NotFound:
                pass
        raise Refused(404, f"Not found: there is no issue {key[:64]!r}")

    async def _monitors(self, call: Call, rows: Sequence[Incident]) -> dict[int, Monitor]:
        numbers = sorted({row.monitor for row in rows})
        found = await self._services.browsing.find_exactly(call.principal, numbers=numbers)
        return {row.monitor.number: row.monitor for row in found}

    async def _answer(self, call: Call, incident: Incident) -> Response:
        monitors = await self._monitors(call, [incident])
        return reply(200, issue_json.issue_json(incident, monitors.get(incident.monitor)))
