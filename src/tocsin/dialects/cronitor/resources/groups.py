"""Groups: monitors put together under a name, paused together."""

import secrets
from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.cronitor import event_json, pausing, references
from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.mapping import DIALECT
from tocsin.dialects.cronitor.replies import empty, reply
from tocsin.dialects.cronitor.resources import group_json
from tocsin.dialects.cronitor.resources import query as queries
from tocsin.dialects.cronitor.resources.body import Body
from tocsin.dialects.cronitor.resources.query import wrong, wrong_by
from tocsin.dialects.cronitor.resources.services import Services
from tocsin.domain import names
from tocsin.domain.errors import AlreadyExists, InvalidArgument
from tocsin.domain.group import NAME_MAX, Group
from tocsin.domain.instant import NEVER
from tocsin.domain.monitor import Monitor
from tocsin.store.browse_port import IncidentSearch

_MADE_MAX: Final = 64  # characters of a key that is made of a name
_FIELDS: Final = {"display_name": "name", "group_id": "key"}  # of the noun → of a client


class GroupCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def list(self, call: Call) -> Response:
        """`page`, `pageSize`, `withStatus`."""
        paging = queries.paging(call.query)
        every = await self._services.groups.every(call.principal)
        rows = await self._shown(call, [row.group for row in paging.cut(every)])
        return reply(
            200,
            {
                "groups": rows,
                "page": paging.page,
                "page_size": paging.size,
                "count": len(rows),
                "total_count": len(every),
            },
        )

    async def retrieve(self, call: Call) -> Response:
        return await self._answer(call, 200, call.part("key"))

    async def create(self, call: Call) -> Response:
        """A key that is not said is made of the name, as far as its letters go."""
        body = await Body.of(call)
        name, key = body.text("name", NAME_MAX), body.text("key")
        made = key or names.slugify(name, _MADE_MAX) or (secrets.token_hex(4) if name else "")
        if not made:
            raise wrong("name", "required, to make a key of, unless there is a key")
        members = await self._members(call, body)
        values = {"display_name": name or made}
        try:
            await self._put(call, made, values, create=True)
        except AlreadyExists:
            if key:
                raise wrong("key", f"there is a group {key!r} already") from None
            made = f"{made}-{secrets.token_hex(3)}"
            await self._put(call, made, values, create=True)
        await self._fill(call, made, members)
        return await self._answer(call, 201, made)

    async def update(self, call: Call) -> Response:
        """`monitors` are all that are in it then."""
        body, key = await Body.of(call), call.part("key")
        body.same_key(key)
        members = await self._members(call, body)
        name = body.text("name", NAME_MAX)
        await self._put(call, key, {"display_name": name} if name else {}, create=False)
        await self._fill(call, key, members)
        return await self._answer(call, 200, key)

    async def delete(self, call: Call) -> Response:
        """Its monitors stay."""
        await self._services.groups.delete(call.principal, call.part("key"), call.received, origin=DIALECT)
        return empty(204)

    async def pause(self, call: Call) -> Response:
        """All that are in it now: for so many hours, without end, or, with 0, not any more."""
        until, key = pausing.until_of(call), call.part("key")
        await self._services.groups.mute(call.principal, key, until, call.received, origin=DIALECT)
        return await self._answer(call, 200, key)

    async def _put(self, call: Call, key: str, values: dict[str, Any], *, create: bool) -> None:
        try:
            await self._services.groups.put(
                call.principal, key, values, call.received, create=create, update=not create
            )
        except InvalidArgument as problem:
            raise wrong_by(problem, _FIELDS) from None

    async def _members(self, call: Call, body: Body) -> Sequence[str] | None:
        """The ids of the monitors that the body names; None when it says nothing of them."""
        return await references.ids_named(self._services, call, body.texts("monitors")) if "monitors" in body else None

    async def _fill(self, call: Call, key: str, members: Sequence[str] | None) -> None:
        if members is not None:
            await self._services.groups.set_members(call.principal, key, members, call.received, origin=DIALECT)

    async def _answer(self, call: Call, status: int, key: str) -> Response:
        found = await self._services.groups.get(call.principal, key)
        (row,) = await self._shown(call, [found.group])
        return reply(status, row)

    async def _shown(self, call: Call, groups: Sequence[Group]) -> Sequence[dict[str, Any]]:
        members = await self._services.groups.members(call.principal, [group.key for group in groups])
        rows = [group_json.group_json(group, members[group.key]) for group in groups]
        if not queries.flag(call.query, "withStatus"):
            return rows
        return [
            {**row, **await self._status(call, members[group.key])} for group, row in zip(groups, rows, strict=True)
        ]

    async def _status(self, call: Call, members: Sequence[Monitor]) -> dict[str, Any]:
        numbers = [monitor.number for monitor in members]
        if not numbers:
            return group_json.status_json(None, None)
        found = await self._services.browsing.find_exactly(call.principal, numbers=numbers)
        heard = [
            (track.last_check_in, row.monitor, track.number)
            for row in found
            for _, track in row.tracks
            if track.last_check_in != NEVER
        ]
        event = None
        if heard:
            last, monitor, track = max(heard, key=lambda one: one[0])
            reported = [(monitor.number, track, last)]
            newest = await self._services.browsing.newest(call.principal, reported, event_json.REPORTED)
            if track in newest:
                event = event_json.latest_json(newest[track], monitor.policy.kind)
        only = IncidentSearch(monitors=tuple(numbers))
        incidents = await self._services.browsing.incidents(call.principal, only, size=1, offset=0)
        return group_json.status_json(event, next(iter(incidents.rows), None))
