"""monitor_config → MonitorChange: minutes become milliseconds, words become schedules, bounds are those of Sentry.

A key that is absent changes nothing, null is the default of the project, a value out of bounds spoils the configuration
(never the run it came with). A configuration always replaces the schedule, to which our time zone belongs; one that
names no zone leaves it open, which keeps the zone that is stored.
"""

import contextlib
import re
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from tocsin.dialects.sentry import hints, schema
from tocsin.dialects.sentry.schema import SchemaError
from tocsin.domain.instant import MINUTE
from tocsin.domain.monitor import MAX_THRESHOLD, Kind, MonitorChange
from tocsin.domain.schedule import PROJECT_ZONE, Cron, Interval, Schedule, Unit

MAX_MINUTES: Final = 40_320  # 28 days; more is clamped
KEPT_ZONE: Final = ""  # the zone of the schedule that is replaced
MAX_COUNT: Final = 2**31 - 1  # of an interval; what a timetable can count
MAX_OWNER: Final = 256  # characters
_PATH: Final = "$.monitor_config"
UNITS: Final = {unit.value: unit for unit in Unit if unit is not Unit.SECOND}
_FOREIGN: Final = re.compile(  # ours, and not cronsim's
    r"\?|\bL-[0-9]+|\b[0-9]+W\b|\b(?:SUN|MON|TUE|WED|THU|FRI|SAT)L\b", re.IGNORECASE
)
_NICKNAMES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_OWNER: Final = re.compile(r"(user|team):\S.*", re.DOTALL)

_REMEMBERED_MAX: Final = 1_024  # bytes of a configuration
Fields = dict[str, msgspec.Raw]


class Reading(NamedTuple):
    """`change` is None exactly when `error` says why. `remarks` are about what was left out of a good change."""

    change: MonitorChange | None
    error: str = ""
    bad_owner: str = ""  # why the owner was left out
    misplaced: str = ""  # which keys were ignored, and where they belong


def read(raw: msgspec.Raw) -> Reading:
    """Never raises: what is wrong is in the answer, with its JSON path. Nobody may change what is in it."""
    return _remembered(bytes(raw)) if len(raw) <= _REMEMBERED_MAX else _read(raw)


@lru_cache(1_024)
def _remembered(raw: bytes) -> Reading:
    """A client sends its configuration with every check-in, and it is the same every time."""
    return _read(raw)


def _read(raw: msgspec.Raw | bytes) -> Reading:
    try:
        fields = schema.decode_object(raw, _PATH)
    except SchemaError as problem:
        return Reading(None, str(problem))
    misplaced = _misplaced(fields)
    try:
        plan = _schedule(fields)
        tolerance = _tolerance(fields)
    except SchemaError as problem:
        return Reading(None, f"{problem}; {misplaced}" if misplaced else str(problem))
    owner, bad_owner = _owner(fields)
    change = MonitorChange(
        policy={"schedules": (plan,), "kind": Kind.JOB, "round_to_minute": True},
        tolerance=tolerance,
        owner=owner or msgspec.UNSET,
        origin="sentry",
    )
    return Reading(change, "", bad_owner, misplaced)


def _misplaced(fields: Fields) -> str:
    found = hints.ignored(fields.keys() - hints.CONFIG_KEYS, _PATH)
    with contextlib.suppress(SchemaError):
        schedule = schema.decode_object(fields.get("schedule", msgspec.Raw(b"{}")), f"{_PATH}.schedule")
        found += hints.ignored(schedule.keys() - hints.SCHEDULE_KEYS, f"{_PATH}.schedule")
    return f"ignored unknown keys: {', '.join(found)}" if found else ""


def _schedule(fields: Fields) -> Schedule:
    path = f"{_PATH}.schedule"
    raw = fields.get("schedule")
    if raw is None or schema.is_absent(raw):
        raise SchemaError(f"{path}: required; send {{'type': 'crontab', 'value': '0 * * * *'}}")
    schedule = schema.decode_object(raw, path)
    zone = _zone(fields)
    kind = _required(schedule, "type", str, path)
    if kind == "crontab":
        return Cron(crontab(_required(schedule, "value", str, path), f"{path}.value"), zone)
    if kind == "interval":
        return _interval(schedule, path, zone)
    raise SchemaError(f"{path}.type: {kind[:40]!r} is neither 'crontab' nor 'interval'")


def crontab(text: str, path: str) -> str:
    """The expression as it is stored. Its fields are judged where schedules are compiled."""
    expression = " ".join(text.split())
    if expression.startswith("@"):
        try:
            return _NICKNAMES[expression.lower()]
        except KeyError:
            known = ", ".join(_NICKNAMES)
            raise SchemaError(f"{path}: unknown nickname {expression[:40]!r}; known are {known}") from None
    count = len(expression.split())
    if count != 5:
        raise SchemaError(
            f"{path}: a crontab has five fields (minute hour day month weekday), {expression[:100]!r} has {count}"
        )
    if foreign := _FOREIGN.search(expression):
        shown = f"{foreign[0]!r} in {expression[:100]!r}"
        raise SchemaError(f"{path}: {shown} is no crontab of Sentry's; other protocols of this server take it")
    return expression


def _interval(schedule: Fields, path: str, zone: str) -> Interval:
    count = _required(schedule, "value", int, path)
    if not 1 <= count <= MAX_COUNT:
        raise SchemaError(f"{path}.value: must be 1 to {MAX_COUNT}, got {str(count)[:24]}")
    unit = _required(schedule, "unit", str, path)
    if unit not in UNITS:
        raise SchemaError(f"{path}.unit: {unit[:40]!r} is none of {', '.join(UNITS)}")
    return Interval(count, UNITS[unit], zone, truncate_to_minute=True)


def _zone(fields: Fields) -> str:
    raw = fields.get("timezone")
    if raw is None:
        return KEPT_ZONE
    if schema.is_absent(raw):
        return PROJECT_ZONE
    return schema.decode_value(raw, str, f"{_PATH}.timezone") or PROJECT_ZONE


def _tolerance(fields: Fields) -> dict[str, object]:
    found: dict[str, object] = {}
    if "checkin_margin" in fields:
        margin = _whole(fields, "checkin_margin", least=0)
        found["margin_ms"] = None if margin is None else min(max(margin, 1), MAX_MINUTES) * MINUTE
    if "max_runtime" in fields:
        runtime = _whole(fields, "max_runtime")
        found["max_runtime_ms"] = None if runtime is None else min(runtime, MAX_MINUTES) * MINUTE
    for key, name in (("failure_issue_threshold", "failure_threshold"), ("recovery_threshold", "recovery_threshold")):
        if key in fields:
            threshold = _whole(fields, key)
            if threshold is not None and threshold > MAX_THRESHOLD:
                raise SchemaError(f"{_PATH}.{key}: must be at most {MAX_THRESHOLD}, got {str(threshold)[:24]}")
            found[name] = threshold
    return found


def _whole(fields: Fields, key: str, *, least: int = 1) -> int | None:
    """None: null, which is the project's default."""
    if schema.is_absent(fields[key]):
        return None
    value = schema.decode_value(fields[key], int, f"{_PATH}.{key}")
    if value < least:
        raise SchemaError(f"{_PATH}.{key}: must be at least {least}, got {str(value)[:24]}")
    return value


def _owner(fields: Fields) -> tuple[str, str]:
    """The owner to set, "" for none; and why a given one was left out. Absence never clears an owner."""
    raw = fields.get("owner")
    if raw is None or schema.is_absent(raw):
        return "", ""
    try:
        owner = schema.decode_value(raw, str, f"{_PATH}.owner").strip()
    except SchemaError as problem:
        return "", str(problem)
    if not owner:
        return "", ""
    if len(owner) > MAX_OWNER or not _OWNER.fullmatch(owner):
        return "", f"{_PATH}.owner: {owner[:40]!r} is not of the form 'user:NAME' or 'team:NAME'"
    return owner, ""


def _required(fields: Fields, key: str, wanted: type[schema.T], path: str) -> schema.T:
    raw = fields.get(key)
    if raw is None or schema.is_absent(raw):
        raise SchemaError(f"{path}.{key}: required")
    return schema.decode_value(raw, wanted, f"{path}.{key}")
