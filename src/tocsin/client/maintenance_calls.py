"""Calls of MaintenanceWindowService: times in which nothing is due."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from google.protobuf.empty_pb2 import Empty
from google.protobuf.field_mask_pb2 import FieldMask

from tocsin.client.calls import Call, Method, Pages, pages, unary
from tocsin.client.fields import PROJECT, instant, length
from tocsin.client.schedules import ScheduleLike, schedules
from tocsin.v1 import maintenance_window_pb2
from tocsin.v1 import maintenance_window_service_pb2 as pb

Window = maintenance_window_pb2.MaintenanceWindow
_SERVICE: Final = "MaintenanceWindowService"
_GET: Final = Method(_SERVICE, "GetMaintenanceWindow", pb.GetMaintenanceWindowRequest, Window)
_LIST: Final = Method(
    _SERVICE, "ListMaintenanceWindows", pb.ListMaintenanceWindowsRequest, pb.ListMaintenanceWindowsResponse
)
_UPDATE: Final = Method(_SERVICE, "UpdateMaintenanceWindow", pb.UpdateMaintenanceWindowRequest, Window)
_DELETE: Final = Method(_SERVICE, "DeleteMaintenanceWindow", pb.DeleteMaintenanceWindowRequest, Empty)


def put_maintenance_window(
    window: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    recurrence: ScheduleLike | None = None,
    time_zone: str = "",
    duration: float | timedelta | None = None,
    monitors: Sequence[str] = (),
    environments: Sequence[str] = (),
    groups: Sequence[str] = (),
    tags: Sequence[str] = (),
    pause: bool = True,
    silence_all: bool = False,
    silence_tags: Sequence[str] = (),
    display_name: str = "",
) -> Call[Window]:
    """Makes or replaces a window: `put_maintenance_window("patch-day", recurrence="0 22 * * TUE", duration=7200)`.

    Once from `start` to `end`, or so many seconds from each time of `recurrence`. `monitors` and `environments` are
    patterns; monitors of `groups` and with `tags` are covered too. None of these: all. `pause=False` only silences:
    with `silence_all` nobody is told of anything, with `silence_tags` of what has one. ClientError: SCHEDULE_INVALID …
    """
    message = Window(
        name=_name(window),
        display_name=display_name,
        start_time=None if start is None else instant(start),
        end_time=None if end is None else instant(end),
        recurrence=None if recurrence is None else schedules(recurrence, time_zone)[0],
        duration=None if duration is None else length(duration),
        monitors=monitors,
        environments=environments,
        groups=groups,
        tags=tags,
        pause=pause,
        silence_all=silence_all,
        silence_tags=silence_tags,
    )
    request = pb.UpdateMaintenanceWindowRequest(
        maintenance_window=message, update_mask=FieldMask(paths=["*"]), allow_missing=True
    )
    return unary(_UPDATE, request)


def get_maintenance_window(window: str) -> Call[Window]:
    """Reads a maintenance window. ClientError: MAINTENANCE_WINDOW_NOT_FOUND."""
    return unary(_GET, pb.GetMaintenanceWindowRequest(name=_name(window)))


def maintenance_windows(*, page_size: int = 1000) -> Pages[Window]:
    """Iterates over the project's maintenance windows, by id."""
    request = pb.ListMaintenanceWindowsRequest(parent=PROJECT, page_size=page_size)
    return pages(_LIST, request, lambda answer: answer.maintenance_windows)


def delete_maintenance_window(window: str, *, allow_missing: bool = False) -> Call[Empty]:
    """Deletes a maintenance window: slots that are waited for are due again."""
    request = pb.DeleteMaintenanceWindowRequest(name=_name(window), allow_missing=allow_missing)
    return unary(_DELETE, request, repeatable=allow_missing)


def _name(window: str) -> str:
    return window if window.startswith("projects/") else f"{PROJECT}/maintenanceWindows/{window}"
