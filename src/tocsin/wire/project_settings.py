"""ProjectSettings ⇄ the settings of the domain, with their bounds; lengths are durations on the wire."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from tocsin.domain import errors, names
from tocsin.domain.instant import DAY
from tocsin.domain.project_settings import BOUNDS, ProjectSettings, check_patterns
from tocsin.v1 import project_settings_pb2 as pb
from tocsin.wire.escalation import from_escalation, to_escalation
from tocsin.wire.time import from_millis, to_millis

_ZONE_MAX: Final = 100


class _Field(NamedTuple):
    """How one field is called in the domain, is read at its path, and is written."""

    name: str
    read: Callable[[Any, str], Any]
    write: Callable[[Any], Any]


def _length(name: str) -> _Field:
    least, most = BOUNDS[name]
    return _Field(name, lambda value, path: to_millis(value, path, least=least, most=most), from_millis)


def _days(name: str) -> _Field:
    def read(value: Any, path: str) -> int:
        millis = to_millis(value, path, most=BOUNDS[name][1] * DAY)
        if millis % DAY:
            raise errors.invalid(path, "must be whole days, such as 86400s")
        return millis // DAY

    return _Field(name, read, lambda days: from_millis(days * DAY))


def _count(name: str) -> _Field:
    least, most = BOUNDS[name]

    def read(value: int, path: str) -> int:
        if not least <= value <= most:
            raise errors.invalid(path, f"must be between {least} and {most}, not {value}")
        return value

    return _Field(name, read, int)


def _switch(name: str) -> _Field:
    return _Field(name, lambda value, _path: bool(value), bool)


def _patterns(name: str) -> _Field:
    return _Field(
        name,
        lambda value, path: check_patterns(value.patterns, f"{path}.patterns"),
        lambda patterns: pb.NamePatterns(patterns=patterns),
    )


def _zone(value: str, path: str) -> str:
    if not 0 < len(value) <= _ZONE_MAX:
        raise errors.invalid(path, "must be the name of a time zone, such as Europe/Vienna", reason="TIME_ZONE_UNKNOWN")
    return value


FIELDS: Final[dict[str, _Field]] = {
    "margin": _length("margin_ms"),
    "max_runtime": _length("max_runtime_ms"),
    "failure_threshold": _count("failure_threshold"),
    "recovery_threshold": _count("recovery_threshold"),
    "time_zone": _Field("time_zone", _zone, str),
    "miss_while_running": _switch("miss_while_running"),
    "create_from_check_in": _switch("create_from_check_in"),
    "upserts_override_locks": _switch("upserts_override_locks"),
    "ok_after_error": _switch("ok_after_error"),
    "strict": _switch("strict"),
    "allowed_monitors": _patterns("allowed_monitors"),
    "denied_monitors": _patterns("denied_monitors"),
    "allowed_environments": _patterns("allowed_environments"),
    "denied_environments": _patterns("denied_environments"),
    "check_ins_per_minute": _count("check_ins_per_minute"),
    "max_monitors": _count("max_monitors"),
    "max_environments": _count("max_environments"),
    "idle_environment_expiry": _days("idle_environment_days"),
    "broken_delay": _days("broken_after_days"),
    "broken_mute_delay": _days("broken_mute_days"),
    "escalation": _Field("escalation", to_escalation, from_escalation),
}


def to_settings(
    message: pb.ProjectSettings, mask: Iterable[str] = (), *, field: str = "project_settings"
) -> tuple[ProjectSettings, tuple[str, ...]]:
    """The values that a request means, and which fields of the domain it writes; a named field not set is None.

    InvalidArgument names the wrong field or path.
    """
    values: dict[str, Any] = {}
    for path in _paths(message, list(mask)):
        name, read, _ = FIELDS[path]
        values[name] = read(getattr(message, path), f"{field}.{path}") if message.HasField(path) else None
    return ProjectSettings(**values), tuple(values)


def _paths(message: pb.ProjectSettings, mask: Sequence[str]) -> Iterable[str]:
    if not mask:
        return [descriptor.name for descriptor, _ in message.ListFields() if descriptor.name in FIELDS]
    if "*" in mask:
        if len(mask) > 1:
            raise errors.invalid("update_mask", "'*' means all fields and stands alone")
        return FIELDS
    for path in mask:
        if path == "effective" or path.startswith("effective."):
            raise errors.invalid("update_mask", f"{path!r} is output only")
        if path != "name" and path not in FIELDS:
            raise errors.invalid("update_mask", f"{path[:80]!r} is no field of ProjectSettings")
    return [path for path in mask if path != "name"]


def from_settings(project: int, own: ProjectSettings, effective: ProjectSettings) -> pb.ProjectSettings:
    """The resource: what the project decides, and what holds."""
    message = _message(own)
    message.name = names.settings_name(project)
    message.effective.CopyFrom(_message(effective))
    return message


def _message(settings: ProjectSettings) -> pb.ProjectSettings:
    return pb.ProjectSettings(
        **{
            path: write(value)
            for path, (name, _, write) in FIELDS.items()
            if (value := getattr(settings, name)) is not None
        }
    )
