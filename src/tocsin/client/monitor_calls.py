"""Calls of MonitorService: put, read, silence, try and watch monitors."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final, Unpack

from google.protobuf.empty_pb2 import Empty
from google.protobuf.field_mask_pb2 import FieldMask

from tocsin.client.calls import Call, Method, Pages, Stream, pages, unary
from tocsin.client.fields import PROJECT, MonitorFields, length, monitor_message, monitor_name
from tocsin.client.schedules import ScheduleLike, schedules
from tocsin.v1 import monitor_pb2
from tocsin.v1 import monitor_service_pb2 as pb

Monitor = monitor_pb2.Monitor
_SERVICE: Final = "MonitorService"
_GET: Final = Method(_SERVICE, "GetMonitor", pb.GetMonitorRequest, Monitor)
_LIST: Final = Method(_SERVICE, "ListMonitors", pb.ListMonitorsRequest, pb.ListMonitorsResponse)
_UPDATE: Final = Method(_SERVICE, "UpdateMonitor", pb.UpdateMonitorRequest, Monitor)
_BATCH: Final = Method(_SERVICE, "BatchUpdateMonitors", pb.BatchUpdateMonitorsRequest, pb.BatchUpdateMonitorsResponse)
_DELETE: Final = Method(_SERVICE, "DeleteMonitor", pb.DeleteMonitorRequest, Empty)
_PAUSE: Final = Method(_SERVICE, "PauseMonitor", pb.PauseMonitorRequest, Monitor)
_RESUME: Final = Method(_SERVICE, "ResumeMonitor", pb.ResumeMonitorRequest, Monitor)
_MUTE: Final = Method(_SERVICE, "MuteMonitor", pb.MuteMonitorRequest, Monitor)
_UNMUTE: Final = Method(_SERVICE, "UnmuteMonitor", pb.UnmuteMonitorRequest, Monitor)
_MUTE_ENVIRONMENT: Final = Method(_SERVICE, "MuteEnvironment", pb.MuteEnvironmentRequest, Monitor)
_UNMUTE_ENVIRONMENT: Final = Method(_SERVICE, "UnmuteEnvironment", pb.UnmuteEnvironmentRequest, Monitor)
_DELETE_ENVIRONMENT: Final = Method(_SERVICE, "DeleteEnvironment", pb.DeleteEnvironmentRequest, Empty)
_PREVIEW: Final = Method(_SERVICE, "PreviewSchedule", pb.PreviewScheduleRequest, pb.PreviewScheduleResponse)
_WATCH: Final = Method(_SERVICE, "WatchMonitors", pb.WatchMonitorsRequest, pb.WatchMonitorsResponse)


def put_monitor(
    monitor: str,
    *,
    update_mask: Sequence[str] = (),
    etag: str = "",
    validate_only: bool = False,
    **fields: Unpack[MonitorFields],
) -> Call[Monitor]:
    """Creates `monitor`, or changes what is given: `put_monitor("backup", schedule="30 2 * * *", margin=600)`.

    `update_mask` names fields by their paths in Monitor ("tolerance.margin"); one that is named and not given goes back
    to its default. With `etag`, ETAG_MISMATCH when somebody else was first. ClientError: SCHEDULE_INVALID …
    """
    message = monitor_message(fields, monitor_name(monitor))
    message.etag = etag
    mask = FieldMask(paths=update_mask) if update_mask else None
    request = pb.UpdateMonitorRequest(
        monitor=message, update_mask=mask, allow_missing=not etag, validate_only=validate_only
    )
    return unary(_UPDATE, request, repeatable=not etag)


def put_monitors(monitors: Iterable[Monitor], *, validate_only: bool = False) -> Call[pb.BatchUpdateMonitorsResponse]:
    """Creates or changes up to 1000 monitors, all or none. Make them with `monitor_message({...}, "projects/-/…")`."""
    changes = [pb.UpdateMonitorRequest(monitor=monitor, allow_missing=True) for monitor in monitors]
    return unary(_BATCH, pb.BatchUpdateMonitorsRequest(parent=PROJECT, requests=changes, validate_only=validate_only))


def get_monitor(monitor: str) -> Call[Monitor]:
    """Reads a monitor with its health in every environment. ClientError: MONITOR_NOT_FOUND."""
    return unary(_GET, pb.GetMonitorRequest(name=monitor_name(monitor)))


def monitors(*, filter: str = "", order_by: str = "", page_size: int = 1000) -> Pages[Monitor]:
    """Iterates over the project's monitors: `monitors(filter="labels.team = data AND state = missed")`."""
    request = pb.ListMonitorsRequest(parent=PROJECT, page_size=page_size, filter=filter, order_by=order_by)
    return pages(_LIST, request, lambda answer: answer.monitors)


def delete_monitor(monitor: str, *, etag: str = "", allow_missing: bool = False) -> Call[Empty]:
    """Deletes a monitor with its check-ins and incidents. There is no way back."""
    request = pb.DeleteMonitorRequest(name=monitor_name(monitor), etag=etag, allow_missing=allow_missing)
    return unary(_DELETE, request, repeatable=allow_missing)


def pause(monitor: str, duration: float | timedelta | None = None) -> Call[Monitor]:
    """Records and does not judge, for so many seconds or until `resume`."""
    wait = None if duration is None else length(duration)
    return unary(_PAUSE, pb.PauseMonitorRequest(name=monitor_name(monitor), pause_duration=wait))


def resume(monitor: str) -> Call[Monitor]:
    """Judges again, from the next slot."""
    return unary(_RESUME, pb.ResumeMonitorRequest(name=monitor_name(monitor)))


def mute(monitor: str, duration: float | timedelta | None = None) -> Call[Monitor]:
    """Judges and tells nobody, for so many seconds or until `unmute`."""
    wait = None if duration is None else length(duration)
    return unary(_MUTE, pb.MuteMonitorRequest(name=monitor_name(monitor), mute_duration=wait))


def unmute(monitor: str) -> Call[Monitor]:
    """Tells people again."""
    return unary(_UNMUTE, pb.UnmuteMonitorRequest(name=monitor_name(monitor)))


def mute_environment(monitor: str, environment: str) -> Call[Monitor]:
    """Judges one environment and tells nobody, until `unmute_environment`. ClientError: ENVIRONMENT_NOT_FOUND."""
    return unary(_MUTE_ENVIRONMENT, pb.MuteEnvironmentRequest(name=monitor_name(monitor), environment=environment))


def unmute_environment(monitor: str, environment: str) -> Call[Monitor]:
    """Tells people of one environment again. ClientError: ENVIRONMENT_NOT_FOUND."""
    return unary(_UNMUTE_ENVIRONMENT, pb.UnmuteEnvironmentRequest(name=monitor_name(monitor), environment=environment))


def delete_environment(monitor: str, environment: str, *, allow_missing: bool = False) -> Call[Empty]:
    """Deletes one environment with its check-ins and incidents. ClientError: ENVIRONMENT_NOT_FOUND."""
    request = pb.DeleteEnvironmentRequest(
        name=monitor_name(monitor), environment=environment, allow_missing=allow_missing
    )
    return unary(_DELETE_ENVIRONMENT, request, repeatable=allow_missing)


def preview(
    schedule: ScheduleLike | Iterable[ScheduleLike], *, time_zone: str = "", count: int = 5
) -> Call[pb.PreviewScheduleResponse]:
    """The next `count` times of a schedule, and what it says in English. Stores nothing."""
    return unary(_PREVIEW, pb.PreviewScheduleRequest(schedules=schedules(schedule, time_zone), count=count))


def watch(resume_token: str = "") -> Stream[pb.WatchMonitorsResponse]:
    """Iterates over changes, without end: each is a monitor as it is now, the name of a deleted one, or a bookmark.

    Without a token it begins with every monitor. A broken connection is taken up where it was; `resume_token` of the
    last answer takes up where an earlier watch was. ClientError PAGE_TOKEN_INVALID: too old, begin without.
    """
    token, whole = resume_token, bool(resume_token)

    def call() -> Call[pb.WatchMonitorsResponse]:
        return Call(_WATCH, lambda: pb.WatchMonitorsRequest(parent=PROJECT, resume_token=token), read)

    def read(answer: pb.WatchMonitorsResponse) -> pb.WatchMonitorsResponse:
        nonlocal token, whole
        # until the first bookmark the watch is still listing; a list that is broken off begins anew
        whole = whole or answer.WhichOneof("event") is None
        token = answer.resume_token if whole else ""
        return answer

    return Stream(call)
