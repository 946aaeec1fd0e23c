"""`/v1/check-groups` and `/v2/check-groups`: list, create, read, change, delete."""

from starlette.responses import Response

from tocsin.dialects.checkly import queries
from tocsin.dialects.checkly.call import Call, Calls
from tocsin.dialects.checkly.paging import page_reply, paging_of
from tocsin.dialects.checkly.replies import empty, reply
from tocsin.dialects.checkly.resources.groups import CheckGroups
from tocsin.domain.group import Group


class GroupCalls:
    def __init__(self, groups: CheckGroups, version: int) -> None:
        self._groups = groups
        self._version = version

    async def listed(self, call: Call) -> Response:
        """`tag[]`, `name[]`, `limit`, `page`."""
        paging = paging_of(call.query)
        rows, total = await self._groups.page(
            call.principal,
            tags=queries.many(call.query, "tag"),
            named=queries.many(call.query, "name"),
            size=paging.limit,
            offset=paging.offset,
        )
        return page_reply(await self._groups.show(call.principal, rows), paging, total)

    async def create(self, call: Call) -> Response:
        assign = queries.flag(call.query, "autoAssignAlerts", default=True)
        made = await self._groups.put(
            call.principal, await call.json(), call.received, version=self._version, assign=assign
        )
        return await self._answer(call, 201, made)

    async def one(self, call: Call) -> Response:
        return await self._answer(call, 200, await self._groups.get(call.principal, call.number()))

    async def update(self, call: Call) -> Response:
        queries.flag(call.query, "autoAssignAlerts")
        changed = await self._groups.put(
            call.principal, await call.json(), call.received, number=call.number(), version=self._version
        )
        return await self._answer(call, 200, changed)

    async def delete(self, call: Call) -> Response:
        await self._groups.delete(call.principal, call.number(), call.received)
        return empty()

    async def _answer(self, call: Call, status: int, group: Group) -> Response:
        return reply(status, (await self._groups.show(call.principal, [group]))[0])


def calls(groups: CheckGroups) -> Calls:
    first, second = GroupCalls(groups, 1), GroupCalls(groups, 2)
    return {
        "/v1/check-groups": {"GET": first.listed, "POST": first.create},
        "/v1/check-groups/{id}": {"GET": first.one, "PUT": first.update, "DELETE": first.delete},
        "/v2/check-groups": {"GET": second.listed, "POST": second.create},
        "/v2/check-groups/{id}": {"GET": second.one, "PUT": second.update, "DELETE": second.delete},
    }
