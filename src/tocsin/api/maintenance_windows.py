"""MaintenanceWindowService: times in which nothing is due."""

from google.protobuf.empty_pb2 import Empty

from tocsin.api.monitors import page_size
from tocsin.domain import errors, names
from tocsin.domain.commands import PutMaintenanceWindow
from tocsin.service.call import Call
from tocsin.service.maintenance_windows import MaintenanceWindows
from tocsin.v1 import maintenance_window_pb2
from tocsin.v1 import maintenance_window_service_pb2 as pb
from tocsin.wire.maintenance_window import from_window, to_window


class MaintenanceWindowHandlers:
    def __init__(self, windows: MaintenanceWindows) -> None:
        self._windows = windows

    async def CreateMaintenanceWindow(
        self, request: pb.CreateMaintenanceWindowRequest, call: Call
    ) -> maintenance_window_pb2.MaintenanceWindow:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        window, fields = to_window(request.maintenance_window)
        command = PutMaintenanceWindow(
            call.principal.project.number, _new_id(request, "maintenance_window_id"), window, fields, update=False
        )
        return from_window(await self._windows.put(call.principal, command, call.received))

    async def GetMaintenanceWindow(
        self, request: pb.GetMaintenanceWindowRequest, call: Call
    ) -> maintenance_window_pb2.MaintenanceWindow:
        return from_window(await self._windows.get(call.principal, _window(request.name, call)))

    async def ListMaintenanceWindows(
        self, request: pb.ListMaintenanceWindowsRequest, call: Call
    ) -> pb.ListMaintenanceWindowsResponse:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        page = await self._windows.page(call.principal, size=page_size(request.page_size), token=request.page_token)
        return pb.ListMaintenanceWindowsResponse(
            maintenance_windows=[from_window(row) for row in page.rows], next_page_token=page.next_token
        )

    async def UpdateMaintenanceWindow(
        self, request: pb.UpdateMaintenanceWindowRequest, call: Call
    ) -> maintenance_window_pb2.MaintenanceWindow:
        field = "maintenance_window.name"
        window_id = _window(request.maintenance_window.name, call, field)
        window, fields = to_window(request.maintenance_window, request.update_mask.paths)
        command = PutMaintenanceWindow(
            call.principal.project.number,
            names.check_monitor_id(window_id, field) if request.allow_missing else window_id,
            window,
            fields,
            create=request.allow_missing,
        )
        return from_window(await self._windows.put(call.principal, command, call.received))

    async def DeleteMaintenanceWindow(self, request: pb.DeleteMaintenanceWindowRequest, call: Call) -> Empty:
        window_id = _window(request.name, call)
        await self._windows.delete(call.principal, window_id, call.received, allow_missing=request.allow_missing)
        return Empty()


def _window(name: str, call: Call, field: str = "name") -> str:
    parsed = names.parse("maintenance_window", name, field)
    call.principal.require_project(parsed.project)
    return parsed.child


def _new_id(request: pb.CreateMaintenanceWindowRequest, field: str) -> str:
    """The id asked for, or one made of the display name."""
    if request.maintenance_window_id:
        return names.check_monitor_id(request.maintenance_window_id, field)
    made = names.slugify(request.maintenance_window.display_name, names.MONITOR_ID_MAX)
    if not made:
        raise errors.invalid(field, "name it here, or in maintenance_window.display_name", reason="NAME_INVALID")
    return made
