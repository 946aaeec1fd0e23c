"""MaintenanceWindow ⇄ the window of the domain. Structure and ranges only: what belongs together is the domain's."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from tocsin.domain import errors, names
from tocsin.domain.maintenance import LONGEST, MaintenanceWindow
from tocsin.v1 import maintenance_window_pb2 as pb
from tocsin.wire.schedule import from_schedule, to_schedule
from tocsin.wire.time import from_instant, from_millis, from_optional, to_instant, to_millis

_BLANK: Final = MaintenanceWindow(0, 0, "")
# field of the message → field of the domain, and how it is read at its path
_FIELDS: Final[dict[str, tuple[str, Callable[[Any, str], Any]]]] = {
    "display_name": ("display_name", lambda value, _path: value),
    "start_time": ("start_time", to_instant),
    "end_time": ("end_time", to_instant),
    "recurrence": ("recurrence", to_schedule),
    "duration": ("duration_ms", lambda value, path: to_millis(value, path, most=LONGEST)),
    "monitors": ("monitors", lambda value, _path: tuple(value)),
    "environments": ("environments", lambda value, _path: tuple(value)),
    "groups": ("groups", lambda value, _path: tuple(value)),
    "tags": ("tags", lambda value, _path: tuple(value)),
    "pause": ("pause", lambda value, _path: value),
    "silence_all": ("silence_all", lambda value, _path: value),
    "silence_tags": ("silence_tags", lambda value, _path: tuple(value)),
}


def to_window(
    message: pb.MaintenanceWindow, mask: Iterable[str] = (), *, field: str = "maintenance_window"
) -> tuple[MaintenanceWindow, tuple[str, ...]]:
    """The values that a request means, and which fields of the domain it writes; a named field not set is emptied."""
    values: dict[str, Any] = {}
    for path in _paths(message, list(mask)):
        name, read = _FIELDS[path]
        unset = message.DESCRIPTOR.fields_by_name[path].has_presence and not message.HasField(path)
        values[name] = getattr(_BLANK, name) if unset else read(getattr(message, path), f"{field}.{path}")
    return MaintenanceWindow(0, 0, "", **values), tuple(values)


def _paths(message: pb.MaintenanceWindow, mask: Sequence[str]) -> Iterable[str]:
    if not mask:
        return [descriptor.name for descriptor, _ in message.ListFields() if descriptor.name in _FIELDS]
    if "*" in mask:
        if len(mask) > 1:
            raise errors.invalid("update_mask", "'*' means all fields and stands alone")
        return _FIELDS
    for path in mask:
        if path in ("create_time", "update_time"):
            raise errors.invalid("update_mask", f"{path!r} is output only")
        if path != "name" and path not in _FIELDS:
            raise errors.invalid("update_mask", f"{path[:80]!r} is no field of MaintenanceWindow")
    return [path for path in mask if path != "name"]


def from_window(window: MaintenanceWindow) -> pb.MaintenanceWindow:
    """The resource as a client reads it."""
    return pb.MaintenanceWindow(
        name=names.maintenance_window_name(window.project, window.id),
        display_name=window.display_name,
        start_time=from_optional(window.start_time),
        end_time=from_optional(window.end_time),
        recurrence=None if window.recurrence is None else from_schedule(window.recurrence),
        duration=from_millis(window.duration_ms) if window.duration_ms else None,
        monitors=window.monitors,
        environments=window.environments,
        groups=window.groups,
        tags=window.tags,
        pause=window.pause,
        silence_all=window.silence_all,
        silence_tags=window.silence_tags,
        create_time=from_instant(window.create_time),
        update_time=from_instant(window.update_time),
    )
