"""GroupService: named sets of monitors."""

from google.protobuf.empty_pb2 import Empty

from tocsin.api.monitors import page_size
from tocsin.domain import errors, names
from tocsin.domain.group import KEY_MAX, check_group_key
from tocsin.domain.instant import Instant
from tocsin.service.call import Call
from tocsin.service.groups import Groups
from tocsin.v1 import group_pb2
from tocsin.v1 import group_service_pb2 as pb
from tocsin.wire.group import from_group, to_muted_until, to_values


class GroupHandlers:
    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    async def CreateGroup(self, request: pb.CreateGroupRequest, call: Call) -> group_pb2.Group:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        key = request.group_id or names.slugify(request.group.display_name, KEY_MAX)
        if not key:
            raise errors.invalid("group_id", "name it here, or in group.display_name", reason="GROUP_KEY_INVALID")
        values = to_values(request.group)
        return from_group(*await self._groups.put(call.principal, key, values, call.received, update=False))

    async def GetGroup(self, request: pb.GetGroupRequest, call: Call) -> group_pb2.Group:
        return from_group(*await self._groups.get(call.principal, _group(request.name, call)))

    async def ListGroups(self, request: pb.ListGroupsRequest, call: Call) -> pb.ListGroupsResponse:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        page = await self._groups.page(call.principal, size=page_size(request.page_size), token=request.page_token)
        return pb.ListGroupsResponse(groups=[from_group(*row) for row in page.rows], next_page_token=page.next_token)

    async def UpdateGroup(self, request: pb.UpdateGroupRequest, call: Call) -> group_pb2.Group:
        key = _group(request.group.name, call, "group.name")
        if request.allow_missing:
            check_group_key(key, "group.name")
        values = to_values(request.group, request.update_mask.paths)
        found = await self._groups.put(call.principal, key, values, call.received, create=request.allow_missing)
        return from_group(*found)

    async def DeleteGroup(self, request: pb.DeleteGroupRequest, call: Call) -> Empty:
        key = _group(request.name, call)
        await self._groups.delete(
            call.principal, key, call.received, allow_missing=request.allow_missing, origin=call.dialect
        )
        return Empty()

    async def SetGroupMonitors(self, request: pb.SetGroupMonitorsRequest, call: Call) -> group_pb2.Group:
        key = _group(request.name, call)
        monitor_ids = []
        for index, name in enumerate(request.monitors):
            parsed = names.parse("monitor", name, f"monitors[{index}]")
            call.principal.require_project(parsed.project)
            monitor_ids.append(parsed.monitor)
        found = await self._groups.set_members(call.principal, key, monitor_ids, call.received, origin=call.dialect)
        return from_group(*found)

    async def MuteGroup(self, request: pb.MuteGroupRequest, call: Call) -> group_pb2.Group:
        return await self._mute(request.name, to_muted_until(request, call.received), call)

    async def UnmuteGroup(self, request: pb.UnmuteGroupRequest, call: Call) -> group_pb2.Group:
        return await self._mute(request.name, None, call)

    async def _mute(self, name: str, until: Instant | None, call: Call) -> group_pb2.Group:
        key = _group(name, call)
        return from_group(*await self._groups.mute(call.principal, key, until, call.received, origin=call.dialect))


def _group(name: str, call: Call, field: str = "name") -> str:
    parsed = names.parse("group", name, field)
    call.principal.require_project(parsed.project)
    return parsed.child
