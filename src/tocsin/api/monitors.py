"""MonitorService: messages in, use cases, messages out."""

from collections.abc import AsyncIterator, Sequence

from google.protobuf import empty_pb2

from tocsin.api.previews import from_preview
from tocsin.domain import errors, names
from tocsin.domain.commands import PutMonitor
from tocsin.domain.group import check_group_key
from tocsin.domain.instant import Clock
from tocsin.domain.monitor import MonitorChange
from tocsin.service.call import Call
from tocsin.service.groups import Groups
from tocsin.service.monitors import Monitors
from tocsin.service.watching import Watching
from tocsin.store.port import MonitorWithHealth
from tocsin.v1 import monitor_pb2
from tocsin.v1 import monitor_service_pb2 as pb
from tocsin.wire.masks import to_change
from tocsin.wire.monitor import from_monitor, to_mute, to_pause
from tocsin.wire.schedule import to_schedules
from tocsin.wire.time import to_instant

PAGE_DEFAULT, PAGE_MAX = 50, 1_000


def page_size(asked: int, field: str = "page_size") -> int:
    """0 is the default; more than the maximum is the maximum; negative is refused."""
    if asked < 0:
        raise errors.invalid(field, f"must not be negative, got {asked}")
    return min(asked or PAGE_DEFAULT, PAGE_MAX)


class MonitorHandlers:
    def __init__(self, monitors: Monitors, watching: Watching, clock: Clock, groups: Groups) -> None:
        self._monitors = monitors
        self._watching = watching
        self._clock = clock
        self._groups = groups

    async def CreateMonitor(self, request: pb.CreateMonitorRequest, call: Call) -> monitor_pb2.Monitor:
        project = names.parse("project", request.parent, "parent").project
        call.principal.require_project(project)
        wanted = request.monitor_id or names.slugify(request.monitor.display_name, names.MONITOR_ID_MAX)
        if not wanted:
            raise errors.invalid(
                "monitor_id", "set it, or give the monitor a display name to make one of", reason="MONITOR_ID_INVALID"
            )
        command = PutMonitor(
            call.principal.project.number,
            names.check_monitor_id(wanted),
            to_change(request.monitor, origin=call.dialect, by_hand=True),
            update=False,
            validate_only=request.validate_only,
        )
        await self._check_groups(call, [(command, "monitor.group")])
        return self._message(await self._monitors.put(call.principal, command, call.received))

    async def GetMonitor(self, request: pb.GetMonitorRequest, call: Call) -> monitor_pb2.Monitor:
        return self._message(await self._monitors.get(call.principal, _monitor(request.name, call)))

    async def ListMonitors(self, request: pb.ListMonitorsRequest, call: Call) -> pb.ListMonitorsResponse:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        page = await self._monitors.page(
            call.principal,
            size=page_size(request.page_size),
            token=request.page_token,
            filter=request.filter,
            order_by=request.order_by,
        )
        return pb.ListMonitorsResponse(
            monitors=[self._message(row) for row in page.rows], next_page_token=page.next_token
        )

    async def UpdateMonitor(self, request: pb.UpdateMonitorRequest, call: Call) -> monitor_pb2.Monitor:
        command = _put(request, call)
        await self._check_groups(call, [(command, "monitor.group")])
        return self._message(await self._monitors.put(call.principal, command, call.received))

    async def DeleteMonitor(self, request: pb.DeleteMonitorRequest, call: Call) -> empty_pb2.Empty:
        await self._monitors.delete(
            call.principal,
            _monitor(request.name, call),
            call.received,
            etag=request.etag,
            allow_missing=request.allow_missing,
        )
        return empty_pb2.Empty()

    async def BatchUpdateMonitors(
        self, request: pb.BatchUpdateMonitorsRequest, call: Call
    ) -> pb.BatchUpdateMonitorsResponse:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        commands = [
            _put(one, call, field=f"requests[{index}].", validate_only=request.validate_only or one.validate_only)
            for index, one in enumerate(request.requests)
        ]
        await self._check_groups(
            call, [(command, f"requests[{index}].monitor.group") for index, command in enumerate(commands)]
        )
        kept = await self._monitors.put_many(call.principal, commands, call.received)
        return pb.BatchUpdateMonitorsResponse(monitors=[self._message(row) for row in kept])

    async def PauseMonitor(self, request: pb.PauseMonitorRequest, call: Call) -> monitor_pb2.Monitor:
        return await self._change(request.name, to_pause(request, call.received, origin=call.dialect), call)

    async def ResumeMonitor(self, request: pb.ResumeMonitorRequest, call: Call) -> monitor_pb2.Monitor:
        return await self._change(request.name, MonitorChange(paused_until=None, origin=call.dialect), call)

    async def MuteMonitor(self, request: pb.MuteMonitorRequest, call: Call) -> monitor_pb2.Monitor:
        return await self._change(request.name, to_mute(request, call.received, origin=call.dialect), call)

    async def UnmuteMonitor(self, request: pb.UnmuteMonitorRequest, call: Call) -> monitor_pb2.Monitor:
        return await self._change(request.name, MonitorChange(muted_until=None, origin=call.dialect), call)

    async def MuteEnvironment(self, request: pb.MuteEnvironmentRequest, call: Call) -> monitor_pb2.Monitor:
        return await self._mute_environment(request.name, request.environment, call, muted=True)

    async def UnmuteEnvironment(self, request: pb.UnmuteEnvironmentRequest, call: Call) -> monitor_pb2.Monitor:
        return await self._mute_environment(request.name, request.environment, call, muted=False)

    async def DeleteEnvironment(self, request: pb.DeleteEnvironmentRequest, call: Call) -> empty_pb2.Empty:
        await self._monitors.delete_environment(
            call.principal,
            _monitor(request.name, call),
            request.environment,
            call.received,
            allow_missing=request.allow_missing,
        )
        return empty_pb2.Empty()

    async def PreviewSchedule(self, request: pb.PreviewScheduleRequest, call: Call) -> pb.PreviewScheduleResponse:
        start = to_instant(request.start_time, "start_time") if request.HasField("start_time") else call.received
        found = self._monitors.preview(
            to_schedules(request.schedules),
            start,
            count=request.count,
            end=to_instant(request.end_time, "end_time") if request.HasField("end_time") else None,
            previous=request.previous_count,
        )
        return from_preview(found)

    async def WatchMonitors(
        self, request: pb.WatchMonitorsRequest, call: Call
    ) -> AsyncIterator[pb.WatchMonitorsResponse]:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        async for seen in self._watching.watch(call.principal, request.resume_token):
            response = pb.WatchMonitorsResponse(resume_token=seen.token)
            if seen.monitor is not None:
                response.monitor.CopyFrom(self._message(seen.monitor))
            elif seen.deleted:
                response.deleted_monitor = names.monitor_name(call.principal.project.number, seen.deleted)
            yield response

    async def _check_groups(self, call: Call, puts: Sequence[tuple[PutMonitor, str]]) -> None:
        """GROUP_UNKNOWN, with its field, when a monitor is to be in a group that does not exist."""
        wanted: dict[str, str] = {}
        for command, field in puts:
            if command.change.group:
                wanted.setdefault(check_group_key(command.change.group, field), field)
        await self._groups.require(call.principal, wanted)

    async def _change(self, name: str, change: MonitorChange, call: Call) -> monitor_pb2.Monitor:
        return self._message(await self._monitors.change(call.principal, _monitor(name, call), change, call.received))

    async def _mute_environment(self, name: str, environment: str, call: Call, *, muted: bool) -> monitor_pb2.Monitor:
        found = await self._monitors.change_environment(
            call.principal, _monitor(name, call), environment, call.received, muted=muted
        )
        return self._message(found)

    def _message(self, found: MonitorWithHealth) -> monitor_pb2.Monitor:
        return from_monitor(found.monitor, found.tracks, found.created, now=self._clock.now())


def _monitor(name: str, call: Call, field: str = "name") -> str:
    parsed = names.parse("monitor", name, field)
    call.principal.require_project(parsed.project)
    return parsed.monitor


def _put(
    request: pb.UpdateMonitorRequest, call: Call, *, field: str = "", validate_only: bool | None = None
) -> PutMonitor:
    monitor_id = _monitor(request.monitor.name, call, f"{field}monitor.name")
    return PutMonitor(
        call.principal.project.number,
        names.check_monitor_id(monitor_id, f"{field}monitor.name"),
        to_change(
            request.monitor,
            request.update_mask.paths,
            field=f"{field}monitor",
            mask_field=f"{field}update_mask",
            origin=call.dialect,
            by_hand=True,
        ),
        create=request.allow_missing,
        etag=request.monitor.etag,
        validate_only=request.validate_only if validate_only is None else validate_only,
    )
