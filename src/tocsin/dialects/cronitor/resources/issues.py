"""Issues: the incidents of monitors, listed, taken in hand, resolved."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.cronitor import references
from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.problems import Refused
from tocsin.dialects.cronitor.replies import empty, reply
from tocsin.dialects.cronitor.resources import issue_json
from tocsin.dialects.cronitor.resources import query as queries
from tocsin.dialects.cronitor.resources.body import Body
from tocsin.dialects.cronitor.resources.issue_json import MONITOR_WORDS, RESOLVED, SEVERITIES, STATES, UPDATE
from tocsin.dialects.cronitor.resources.manual_issues import ManualIssues, manual_json
from tocsin.dialects.cronitor.resources.periods import Period, period_of
from tocsin.dialects.cronitor.resources.query import wrong
from tocsin.dialects.cronitor.resources.services import Services
from tocsin.domain.errors import NotFound
from tocsin.domain.incident import Incident
from tocsin.domain.manual_incident import ManualIncident
from tocsin.domain.monitor import Monitor
from tocsin.store.browse_port import IncidentSearch

_ORDERS: Final = ("started", "-started", "relevance")
_ACTIONS: Final = ("delete", "change_state", "assign_to")
_BULK_MAX: Final = 1_000
_KEPT: Final = "an issue of a monitor cannot be deleted; resolve it"


class IssueCalls:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._manual = ManualIssues(services)

    async def list(self, call: Call) -> Response:
        """`state severity job group tag env search time orderBy`, `page`, `pageSize`."""
        paging = queries.paging(call.query)
        about = await self._about(call)
        only = _search(call, None if about is None else tuple(one.number for one in about))
        manual = await self._manual.found(
            call, period_asked(call), None if about is None else [one.id for one in about]
        )
        if only.oldest_first:
            manual = manual[::-1]
        # Each manual one before an incident moves it on by one place, so that many more of those are looked at.
        offset = (paging.page - 1) * paging.size
        first = max(offset - len(manual), 0)
        found = await self._services.browsing.incidents(
            call.principal, only, size=paging.size + len(manual), offset=first
        )
        merged = _merged(found.rows, manual, oldest_first=only.oldest_first)
        rows = merged[offset - first :][: paging.size]
        monitors = await self._monitors(call, [row for row in rows if isinstance(row, Incident)])
        return reply(
            200,
            {
                "data": [_json(row, monitors) for row in rows],
                "page": paging.page,
                "page_size": paging.size,
                "total_count": found.total + len(manual),
            },
        )

    async def retrieve(self, call: Call) -> Response:
        return await self._answer(call, 200, await self._found(call, call.part("key")))

    async def create(self, call: Call) -> Response:
        """{name, state, severity, environment, started, assigned_to, message}: one of no monitor."""
        return await self._answer(call, 201, await self._manual.create(call, await Body.of(call)))

    async def update(self, call: Call) -> Response:
        """{state, assigned_to, message}; of one that was opened by hand also what else it says."""
        body, key = await Body.of(call), call.part("key")
        body.same_key(key)
        found = await self._found(call, key)
        if isinstance(found, ManualIncident):
            return await self._answer(call, 200, await self._manual.update(call, key, body))
        state, person = body.word("state", (*STATES, UPDATE)), body.text("assigned_to")
        await self._change(call, found, state, person, body.text("message"))
        return await self._answer(call, 200, await self._found(call, key))

    async def delete(self, call: Call) -> Response:
        found = await self._found(call, call.part("key"))
        if not isinstance(found, ManualIncident):
            raise Refused(400, _KEPT)
        await self._manual.delete(call, found.key)
        return empty(204)

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
        state, person = body.word("state", (*STATES, UPDATE)), body.text("assign_to")
        if action == "change_state" and not state:
            raise wrong("state", "required to change it")
        missing, kept, changed = [], [], 0
        for key in keys:
            try:
                found = await self._found(call, key)
            except Refused:
                missing.append(key)
                continue
            if action == "delete" and isinstance(found, Incident):
                kept.append(key)
                continue
            if action == "delete":
                await self._manual.delete(call, key)
            elif isinstance(found, ManualIncident):
                await self._manual.update(call, key, body)
            else:
                await self._change(call, found, state if action == "change_state" else "", person, "")
            changed += 1
        return reply(
            200,
            {
                "action": action,
                "requested_count": len(keys),
                "updated_count": changed,
                "errors": {"missing": missing, "kept": kept},
            },
        )

    async def _change(self, call: Call, incident: Incident, state: str, person: str, message: str) -> None:
        """An issue that was resolved stays as it is; one that is open is taken in hand by whatever is said of it."""
        incidents = self._services.incidents
        if state == RESOLVED:
            if incident.resolve_time is None:
                await incidents.resolve(
                    call.principal, incident.number, person, message or incident.note, call.received
                )
        elif state not in ("", "unresolved") or person or message:
            by, note = person or incident.acknowledged_by, message or incident.note
            await incidents.acknowledge(call.principal, incident.number, by, note, call.received)

    async def _about(self, call: Call) -> Sequence[Monitor] | None:
        """The monitors that the query names, as far as they are there; None: it names none."""
        named = [value for name in MONITOR_WORDS for value in queries.many(call.query, name)]
        if not named:
            return None
        return [row.monitor for row in await references.many(self._services, call, named) if row is not None]

    async def _found(self, call: Call, key: str) -> Incident | ManualIncident:
        """Refused 404."""
        number = issue_json.number_of(key)
        if number is not None:
            with contextlib.suppress(NotFound):
                return await self._services.incidents.get(call.principal, number)
        try:
            return await self._manual.get(call, key)
        except NotFound:
            raise Refused(404, f"Not found: there is no issue {key[:64]!r}") from None

    async def _monitors(self, call: Call, rows: Sequence[Incident]) -> dict[int, Monitor]:
        numbers = sorted({row.monitor for row in rows})
        found = await self._services.browsing.find_exactly(call.principal, numbers=numbers)
        return {row.monitor.number: row.monitor for row in found}

    async def _answer(self, call: Call, status: int, found: Incident | ManualIncident) -> Response:
        monitors = await self._monitors(call, [found] if isinstance(found, Incident) else [])
        return reply(status, _json(found, monitors))


def _search(call: Call, monitors: tuple[int, ...] | None) -> IncidentSearch:
    query = call.query
    states = queries.one_of(query, "state", tuple(STATES))
    (order,) = queries.one_of(query, "orderBy", _ORDERS)[:1] or ("-started",)
    period = period_asked(call)
    search = query.get("search", "").strip()
    return IncidentSearch(
        monitors=monitors,
        environments=queries.many(query, "env"),
        groups=queries.many(query, "group"),
        tags=queries.many(query, "tag"),
        causes=issue_json.causes_of(queries.one_of(query, "severity", SEVERITIES)),
        stages=tuple(dict.fromkeys(STATES[state] for state in states)),
        since=period.since if period else None,
        until=period.until if period else None,
        words=(search,) if search else (),
        oldest_first=order == "started",
    )


def period_asked(call: Call) -> Period | None:
    """None when no time is said."""
    return period_of(call.query, call.received) if call.query.get("time") or call.query.get("start") else None


def _merged(
    rows: Sequence[Incident], manual: Sequence[ManualIncident], *, oldest_first: bool
) -> Sequence[Incident | ManualIncident]:
    """In the order of their times; of two at the same time the manual one comes first."""
    sign = 1 if oldest_first else -1
    return sorted([*manual, *rows], key=lambda row: sign * row.open_time)


def _json(found: Incident | ManualIncident, monitors: Mapping[int, Monitor]) -> dict[str, Any]:
    if isinstance(found, ManualIncident):
        return manual_json(found)
    return issue_json.issue_json(found, monitors.get(found.monitor))
