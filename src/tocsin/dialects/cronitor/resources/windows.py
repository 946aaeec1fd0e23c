"""Maintenance windows: times in which nothing is due and nobody is told."""

import secrets
from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.cronitor import references
from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.replies import empty, reply
from tocsin.dialects.cronitor.resources import periods, shown, window_json
from tocsin.dialects.cronitor.resources import query as queries
from tocsin.dialects.cronitor.resources.body import Body
from tocsin.dialects.cronitor.resources.query import wrong, wrong_by
from tocsin.dialects.cronitor.resources.services import Services
from tocsin.dialects.cronitor.resources.window_json import STATES, Span
from tocsin.domain import names
from tocsin.domain.commands import PutMaintenanceWindow
from tocsin.domain.errors import AlreadyExists, InvalidArgument
from tocsin.domain.instant import MINUTE, Instant
from tocsin.domain.maintenance import NAME_MAX, MaintenanceWindow

_PAGE: Final = 1_000
_MADE_MAX: Final = 64  # characters of a key that is made of a name
_LONGEST: Final = 366 * 24 * 60  # minutes
# Fields of the noun → those of a client.
_FIELDS: Final = {
    "display_name": "name",
    "start_time": "start",
    "end_time": "end",
}


class WindowCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def list(self, call: Call) -> Response:
        """`past`, `ongoing`, `upcoming`: those that are asked for, all when none is; `env`, `page`, `pageSize`."""
        paging = queries.paging(call.query)
        states = [state for state in STATES if queries.flag(call.query, state)] or STATES
        environments = queries.many(call.query, "env")
        found = []
        for window in await self._every(call):
            span = self._span(window, call.received)
            covered = not environments or not window.environments or set(environments) & set(window.environments)
            if covered and window_json.state_of(span, call.received) in states:
                found.append((window, span))
        found.sort(key=lambda pair: pair[1].start or 0, reverse=True)
        rows = paging.cut(found)
        keys = await self._keys(call, [window for window, _ in rows])
        return reply(
            200,
            {
                "data": [window_json.window_json(window, span, call.received, keys) for window, span in rows],
                "page": paging.page,
                "page_size": paging.size,
                "total_count": len(found),
            },
        )

    async def retrieve(self, call: Call) -> Response:
        return await self._answer(call, 200, await self._services.windows.get(call.principal, call.part("key")))

    async def create(self, call: Call) -> Response:
        body = await Body.of(call)
        values = await self._values(call, body, None)
        if "start_time" not in values:
            raise wrong("start", "required")
        key = body.text("key", names.MONITOR_ID_MAX)
        made = key or names.slugify(str(values.get("display_name", "")), _MADE_MAX) or secrets.token_hex(4)
        try:
            found = await self._put(call, made, values, create=True)
        except AlreadyExists:
            if key:
                raise wrong("key", f"there is a maintenance window {key!r} already") from None
            found = await self._put(call, f"{made}-{secrets.token_hex(3)}", values, create=True)
        return await self._answer(call, 201, found)

    async def update(self, call: Call) -> Response:
        """What is not said stays. A window that comes again is given other times where it was made."""
        body = await Body.of(call)
        body.same_key(call.part("key"))
        known = await self._services.windows.get(call.principal, call.part("key"))
        values = await self._values(call, body, known)
        if known.recurrence is not None and {"start_time", "end_time"} & values.keys():
            raise wrong("start", "this window comes again by a schedule, which is changed by the native API")
        found = await self._put(call, known.id, values, create=False) if values else known
        return await self._answer(call, 200, found)

    async def delete(self, call: Call) -> Response:
        await self._services.windows.delete(call.principal, call.part("key"), call.received)
        return empty(204)

    async def _values(self, call: Call, body: Body, known: MaintenanceWindow | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if body.text("name", NAME_MAX):
            found["display_name"] = body.text("name", NAME_MAX)
        start, end = _instant(body, "start"), _instant(body, "end")
        if start is not None:
            found["start_time"] = start
        if end is not None:
            found["end_time"] = end
        elif (length := _minutes(body)) is not None:
            begins = start if start is not None else known.start_time if known else None
            if begins is None:
                raise wrong("start", "required")
            found["end_time"] = periods.instant_of(str((begins + length * MINUTE) / 1000), "end")
        elif start is not None and known is None:
            raise wrong("end", "required, or a duration in minutes")
        if "environments" in body:
            found["environments"] = tuple(body.texts("environments"))
        if "monitors" in body:
            found["monitors"] = await self._monitors(call, body)
        return found

    async def _monitors(self, call: Call, body: Body) -> tuple[str, ...]:
        """Their ids. Invalid for one that is not there."""
        named = body.texts("monitors")
        rows = await references.many(self._services, call, named)
        for reference, row in zip(named, rows, strict=True):
            if row is None:
                raise wrong("monitors", f"there is no monitor {reference[:255]!r}")
        return tuple(dict.fromkeys(row.monitor.id for row in rows if row is not None))

    async def _put(self, call: Call, key: str, values: dict[str, Any], *, create: bool) -> MaintenanceWindow:
        project = call.principal.project.number
        window = MaintenanceWindow(0, project, key, **values)
        command = PutMaintenanceWindow(project, key, window, tuple(values), create=create, update=not create)
        try:
            names.check_monitor_id(key, "key")
            return await self._services.windows.put(call.principal, command, call.received)
        except InvalidArgument as problem:
            raise wrong_by(problem, _FIELDS) from None

    def _span(self, window: MaintenanceWindow, now: Instant) -> Span:
        if window.recurrence is None:
            return Span(window.start_time, window.end_time)
        around = self._services.monitors.preview((window.recurrence,), now, count=1, previous=1)
        last = next((fire.at_ms for fire in around.previous), None)
        if last is not None and last + window.duration_ms > now:
            return Span(last, last + window.duration_ms)
        start = next((fire.at_ms for fire in around.times), last)
        return Span(start, None if start is None else start + window.duration_ms)

    async def _every(self, call: Call) -> Sequence[MaintenanceWindow]:
        rows: list[MaintenanceWindow] = []
        token = ""
        while True:
            page = await self._services.windows.page(call.principal, size=_PAGE, token=token)
            rows += page.rows
            token = page.next_token
            if not token:
                return rows

    async def _keys(self, call: Call, windows: Sequence[MaintenanceWindow]) -> dict[str, str]:
        """Of the monitors that the windows name, by their ids."""
        ids = sorted({name for window in windows for name in window.monitors})
        rows = await self._services.browsing.find_exactly(call.principal, ids=ids)
        return {row.monitor.id: shown.key_of(row.monitor) for row in rows}

    async def _answer(self, call: Call, status: int, window: MaintenanceWindow) -> Response:
        keys = await self._keys(call, [window])
        span = self._span(window, call.received)
        return reply(status, window_json.window_json(window, span, call.received, keys))


def _instant(body: Body, name: str) -> Instant | None:
    """Seconds since 1970, or ISO 8601."""
    value = body.fields.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise wrong(name, "must be an instant: seconds since 1970, or ISO 8601")
    return periods.instant_of(str(value), name)


def _minutes(body: Body) -> int | None:
    value = body.fields.get("duration")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LONGEST:
        raise wrong("duration", f"must be 1 to {_LONGEST} minutes")
    return value
