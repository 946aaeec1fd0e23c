"""NotificationListService: named sets of destinations."""

from google.protobuf.empty_pb2 import Empty

from tocsin.api.keys import child, new_key
from tocsin.api.monitors import page_size
from tocsin.domain import names
from tocsin.service.call import Call
from tocsin.service.notification import NotificationLists
from tocsin.v1 import notification_list_pb2
from tocsin.v1 import notification_list_service_pb2 as pb
from tocsin.wire.notification import from_list, to_list_values


class NotificationListHandlers:
    def __init__(self, notification_lists: NotificationLists) -> None:
        self._notification_lists = notification_lists

    async def CreateNotificationList(
        self, request: pb.CreateNotificationListRequest, call: Call
    ) -> notification_list_pb2.NotificationList:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        key = new_key(request.notification_list_id, request.notification_list.display_name, "notification_list")
        values = to_list_values(request.notification_list)
        made = await self._notification_lists.put(call.principal, key, values, call.received, update=False)
        return from_list(made)

    async def GetNotificationList(
        self, request: pb.GetNotificationListRequest, call: Call
    ) -> notification_list_pb2.NotificationList:
        return from_list(
            await self._notification_lists.get(call.principal, child("notification_list", request.name, call))
        )

    async def ListNotificationLists(
        self, request: pb.ListNotificationListsRequest, call: Call
    ) -> pb.ListNotificationListsResponse:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        page = await self._notification_lists.page(
            call.principal, size=page_size(request.page_size), token=request.page_token
        )
        return pb.ListNotificationListsResponse(
            notification_lists=[from_list(row) for row in page.rows], next_page_token=page.next_token
        )

    async def UpdateNotificationList(
        self, request: pb.UpdateNotificationListRequest, call: Call
    ) -> notification_list_pb2.NotificationList:
        field = "notification_list.name"
        key = child("notification_list", request.notification_list.name, call, field)
        if request.allow_missing:
            names.check_monitor_id(key, field)
        values = to_list_values(request.notification_list, request.update_mask.paths)
        kept = await self._notification_lists.put(
            call.principal, key, values, call.received, create=request.allow_missing
        )
        return from_list(kept)

    async def DeleteNotificationList(self, request: pb.DeleteNotificationListRequest, call: Call) -> Empty:
        key = child("notification_list", request.name, call)
        await self._notification_lists.delete(call.principal, key, allow_missing=request.allow_missing)
        return Empty()
