"""Checks of a group, with what the group says of them: a page, and one."""

from starlette.responses import Response

from tocsin.dialects.checkly.call import DIALECT, Call, Calls, Handler
from tocsin.dialects.checkly.checks import finding, showing
from tocsin.dialects.checkly.paging import page_reply, paging_of
from tocsin.dialects.checkly.replies import reply
from tocsin.dialects.checkly.resources.groups import CheckGroups
from tocsin.dialects.checkly.services import Services
from tocsin.domain.errors import NotFound
from tocsin.store.browse_port import Selection


class GroupChecks:
    def __init__(self, services: Services, groups: CheckGroups) -> None:
        self._services, self._groups = services, groups

    def listed(self, version: int) -> Handler:
        async def handle(call: Call) -> Response:
            paging = paging_of(call.query)
            group = await self._groups.get(call.principal, call.number())
            only = Selection(DIALECT, rolling=True, groups=(group.key,))
            found = await finding.page(self._services, call, only, paging)
            monitors = [row.monitor for row in found.rows]
            rows = await showing.shown(self._services, call, monitors, version=version, merged=True)
            return page_reply(rows, paging, found.total)

        return handle

    def one(self, version: int) -> Handler:
        async def handle(call: Call) -> Response:
            group = await self._groups.get(call.principal, call.number())
            row = await finding.one(self._services, call, "check")
            if row.monitor.group != group.key:
                raise NotFound(
                    f"the check is not in the group {group.number}",
                    reason="MONITOR_NOT_FOUND",
                    metadata={"monitor": row.monitor.id},
                )
            (found,) = await showing.shown(self._services, call, [row.monitor], version=version, merged=True)
            return reply(200, found)

        return handle


def calls(services: Services, groups: CheckGroups) -> Calls:
    checks = GroupChecks(services, groups)
    return {
        path: {"GET": handler}
        for version in (1, 2)
        for path, handler in (
            (f"/v{version}/check-groups/{{id}}/checks", checks.listed(version)),
            (f"/v{version}/check-groups/{{id}}/checks/{{check}}", checks.one(version)),
        )
    }
