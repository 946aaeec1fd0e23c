"""A Monitor message and a field mask → MonitorChange: which fields a client wants written, and with what.

A path that the mask names and the message does not set goes back to the default. Without a mask, the fields that the
message sets are written, and inside `tolerance` the single ones. Output-only fields of a message are passed over, so
that a monitor can be read, edited and sent back; a mask that names one is refused.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from tocsin.domain import errors
from tocsin.domain.instant import DAY, Millis
from tocsin.domain.monitor import (
    EVENTS,
    FIELDS,
    MAX_MARGIN,
    MAX_MAX_RUNTIME,
    MAX_REPEATS,
    MAX_THRESHOLD,
    AlertPolicy,
    Monitor,
    MonitorChange,
    Policy,
    Tolerance,
)
from tocsin.domain.project_settings import BOUNDS
from tocsin.v1 import monitor_pb2 as pb
from tocsin.wire.escalation import to_escalation
from tocsin.wire.monitor import EXPECT_FROM, KINDS
from tocsin.wire.schedule import to_schedules
from tocsin.wire.time import to_millis

MAX_TEXT = 200
MAX_LABELS = 64
MAX_LABEL = 256
MAX_LIST = 100
MAX_WAIT = 366 * DAY

Reader = Callable[[Any, str], object]  # (value of the field, its path) → value of the domain


def to_change(
    message: pb.Monitor,
    mask: Iterable[str] = (),
    *,
    field: str = "monitor",
    mask_field: str = "update_mask",
    origin: str = "native",
    by_hand: bool = False,
) -> MonitorChange:
    """The partial write that a request means. `field` and `mask_field` are their paths in the request.

    `to_change(Monitor(tolerance=Tolerance(margin="90s")))` changes the margin only; with the mask ["tolerance"] it sets
    the margin and all other tolerances back to their defaults. InvalidArgument names the wrong field or path.
    """
    own: dict[str, Any] = {}
    policy: dict[str, object] = {}
    tolerance: dict[str, object] = {}
    for path in _paths(message, list(mask), mask_field):
        head, _, leaf = path.partition(".")
        if leaf:
            key, read = _TOLERANCE[leaf]
            tolerance[key] = _value(message.tolerance, leaf, f"{field}.{path}", read, getattr(Tolerance(), key))
        elif head in _POLICY:
            policy[head] = _value(message, head, f"{field}.{head}", _POLICY[head], getattr(Policy(), head))
        else:
            own[head] = _value(message, head, f"{field}.{head}", _OWN[head], _OWN_DEFAULTS[head])
    return MonitorChange(policy=policy, tolerance=tolerance, origin=origin, by_hand=by_hand, **own)


def _value(message: Any, name: str, path: str, read: Reader, default: object) -> object:
    if message.DESCRIPTOR.fields_by_name[name].has_presence and not message.HasField(name):
        return default
    return read(getattr(message, name), path)


def _paths(message: pb.Monitor, mask: Sequence[str], mask_field: str) -> Iterator[str]:
    """Writable leaves: fields of Monitor, and "tolerance.<field>"."""
    if not mask:
        mask = [descriptor.name for descriptor, _ in message.ListFields() if descriptor.name in _WRITABLE]
        if "tolerance" in mask:
            mask.remove("tolerance")
            mask += [f"tolerance.{descriptor.name}" for descriptor, _ in message.tolerance.ListFields()]
    elif "*" in mask:
        if len(mask) > 1:
            raise errors.invalid(mask_field, "'*' means all fields and stands alone")
        mask = sorted(_WRITABLE)
    for path in mask:
        yield from _leaves(path, mask_field)


def _leaves(path: str, mask_field: str) -> Iterable[str]:
    head, _, leaf = path.partition(".")
    if path == "tolerance":
        return [f"tolerance.{name}" for name in _TOLERANCE]
    if path in _WRITABLE or (head == "tolerance" and leaf in _TOLERANCE):
        return [path]
    if path in ("name", "etag"):
        return []  # they say which monitor is meant, and are in masks that cover whole resources
    if head in ("schedules", "assertions", "alert_policy", "labels", "tags", "locks") and leaf:
        raise errors.invalid(mask_field, f"{path!r}: {head} is replaced as a whole; name {head!r}")
    if head in pb.Monitor.DESCRIPTOR.fields_by_name and head not in _WRITABLE:
        raise errors.invalid(mask_field, f"{path!r} is output only{_INSTEAD.get(head, '')}")
    raise errors.invalid(mask_field, f"{path[:80]!r} is no field of Monitor")


def _text(value: str, path: str) -> str:
    if len(value) > MAX_TEXT:
        raise errors.invalid(path, f"at most {MAX_TEXT} characters, not {len(value)}")
    return value


def _texts(values: Sequence[str], path: str) -> tuple[str, ...]:
    if len(values) > MAX_LIST:
        raise errors.invalid(path, f"at most {MAX_LIST}, not {len(values)}")
    for index, value in enumerate(values):
        _text(value, f"{path}[{index}]")
    return tuple(values)


def _locks(values: Sequence[str], path: str) -> tuple[str, ...]:
    for index, value in enumerate(values):
        if value not in FIELDS:
            raise errors.invalid(f"{path}[{index}]", f"{value[:80]!r} is none of {', '.join(sorted(FIELDS))}")
    return tuple(sorted(set(values)))


def _labels(values: Mapping[str, str], path: str) -> dict[str, str]:
    if len(values) > MAX_LABELS:
        raise errors.invalid(path, f"at most {MAX_LABELS} labels, not {len(values)}")
    for key, value in values.items():
        if not key or len(key) > MAX_LABEL or len(value) > MAX_LABEL:
            raise errors.invalid(
                f"{path}[{key[:64]!r}]", f"name and value are at most {MAX_LABEL} characters, and the name is not empty"
            )
    return dict(values)


def _plain(value: str, _path: str) -> str:
    return value


def _alert_policy(message: pb.AlertPolicy, path: str) -> AlertPolicy:
    repeat = to_millis(message.repeat_interval, f"{path}.repeat_interval", most=MAX_WAIT)
    return AlertPolicy(
        _texts(message.channels, f"{path}.channels"),
        repeat,
        _between(0, MAX_REPEATS)(message.repeat_limit, f"{path}.repeat_limit"),
        _events(message.events, f"{path}.events"),
        to_escalation(message.escalation, f"{path}.escalation") if message.HasField("escalation") else None,
        message.project_escalation,
    )


def _events(numbers: Sequence[int], path: str) -> tuple[str, ...]:
    """Each once, in the order of the contract."""
    for index, number in enumerate(numbers):
        if not 1 <= number <= len(EVENTS):
            raise errors.invalid(f"{path}[{index}]", "must be one of EVENT_RUN, EVENT_COMPLETE, EVENT_FAIL")
    return tuple(EVENTS[number - 1] for number in sorted(set(numbers)))


def _whole(value: bool, _path: str) -> bool:
    return value


def _between(least: int, most: int) -> Callable[[int, str], int]:
    def read(value: int, path: str) -> int:
        if not least <= value <= most:
            raise errors.invalid(path, f"must be between {least} and {most}, not {value}")
        return value

    return read


def _length(most: Millis) -> Reader:
    return lambda value, path: to_millis(value, path, most=most)


_TOLERANCE: Final[Mapping[str, tuple[str, Reader]]] = {
    "margin": ("margin_ms", _length(MAX_MARGIN)),
    "max_runtime": ("max_runtime_ms", _length(MAX_MAX_RUNTIME)),
    "failure_threshold": ("failure_threshold", _between(1, MAX_THRESHOLD)),
    "miss_threshold": ("miss_threshold", _between(0, MAX_THRESHOLD)),
    "recovery_threshold": ("recovery_threshold", _between(1, MAX_THRESHOLD)),
    "alert_delay": ("alert_delay_ms", _length(MAX_WAIT)),
    "early": ("early_ms", _length(MAX_WAIT)),
}
_POLICY: Final[Mapping[str, Reader]] = {
    "schedules": to_schedules,
    "kind": KINDS.to_domain,
    "expect_from": EXPECT_FROM.to_domain,
    "miss_while_running": _whole,
    "round_to_minute": _whole,
    "assertions": _texts,
    "separate_causes": _whole,
    "abandon_runs": _whole,
    "check_ins_per_minute": _between(0, BOUNDS["check_ins_per_minute"][1]),
}
_OWN: Final[Mapping[str, Reader]] = {
    "display_name": _text,
    "alert_policy": _alert_policy,
    "labels": _labels,
    "group": _plain,
    "tags": lambda values, _path: tuple(values),
    "owner": _text,
    "disabled": _whole,
    "inactive": _whole,
    "locks": _locks,
}
_NEW = Monitor(number=0, project=0, id="", uid="")
_OWN_DEFAULTS: Final = {name: getattr(_NEW, name) for name in _OWN}
_WRITABLE: Final = frozenset({*_POLICY, *_OWN, "tolerance"})
_INSTEAD: Final = {
    "paused": "; use PauseMonitor and ResumeMonitor",
    "pause_expire_time": "; use PauseMonitor and ResumeMonitor",
    "muted": "; use MuteMonitor and UnmuteMonitor",
    "mute_expire_time": "; use MuteMonitor and UnmuteMonitor",
}
