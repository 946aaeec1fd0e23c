"""A monitor's configuration as Sentry's `config` object. Pure.

What a crontab or an interval can say is said as one. The rest (several schedules, recurrence rules, calendar
expressions) is told in words where the crontab would stand: no crontab parser takes them for one.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from tocsin.domain.instant import DAY, HOUR, MINUTE, Millis
from tocsin.domain.monitor import Policy
from tocsin.domain.schedule import Cron, Daily, DaylightPolicy, Interval, Rolling, Schedule, Unit, zone_of
from tocsin.schedule import describe

CRONTAB: Final = "crontab"
INTERVAL: Final = "interval"
_TIME: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::00)?")

Said = tuple[str, str | list[Any]]  # schedule_type, schedule


def config_json(policy: Policy) -> dict[str, Any]:
    """Lengths are minutes, rounded up; `max_runtime` is null for a monitor whose runs are never timed out."""
    kind, schedule = schedule_of(policy.schedules)
    tolerance = policy.tolerance
    return {
        "schedule_type": kind,
        "schedule": schedule,
        "checkin_margin": _minutes(tolerance.margin_ms),
        "max_runtime": _minutes(tolerance.max_runtime_ms) if tolerance.max_runtime_ms else None,
        "timezone": zone_of(policy.schedules),
        "failure_issue_threshold": tolerance.failure_threshold,
        "recovery_threshold": tolerance.recovery_threshold,
        "alert_rule_id": None,
    }


def schedule_of(schedules: Sequence[Schedule]) -> Said:
    """What comes nearest: exact where it can be, in words where it cannot, "" for a monitor without a schedule."""
    if not schedules:
        return CRONTAB, ""
    if len(schedules) == 1:
        said = _one(schedules[0])
        if said is not None:
            return said
    return CRONTAB, describe(tuple(schedules))


def _one(schedule: Schedule) -> Said | None:
    match schedule:
        case Cron(expression, _, daylight) if daylight is DaylightPolicy.VIXIE:
            return _cron(expression)
        case Interval(count, unit):
            return _every(count, unit)
        case Rolling(period):
            return _period(period)
        case Daily(times, _, daylight) if daylight is DaylightPolicy.VIXIE:
            return _daily(times)
        case _:
            return None


def _cron(expression: str) -> Said | None:
    fields = expression.split()
    if len(fields) == 6 and fields[0] in ("0", "00"):  # seconds come first
        fields = fields[1:]
    return (CRONTAB, " ".join(fields)) if len(fields) in (1, 5) else None


def _every(count: int, unit: Unit) -> Said:
    if unit is Unit.SECOND:
        return _period(count * 1000)
    return INTERVAL, [count, unit.value]


def _period(millis: Millis) -> Said:
    """In the longest unit that says it exactly, otherwise in minutes, rounded up."""
    for length, unit in ((DAY, Unit.DAY), (HOUR, Unit.HOUR)):
        if millis % length == 0:
            return INTERVAL, [millis // length, unit.value]
    return INTERVAL, [_minutes(millis), Unit.MINUTE.value]


def _daily(times: Sequence[str]) -> Said | None:
    """Times that share their minute are one crontab."""
    found = [_TIME.fullmatch(time) for time in times]
    parts = [(int(match[1]), int(match[2])) for match in found if match is not None]
    if len(parts) != len(times) or len({minute for _, minute in parts}) != 1:
        return None
    hours = ",".join(str(hour) for hour in sorted({hour for hour, _ in parts}))
    return CRONTAB, f"{parts[0][1]} {hours} * * *"


def _minutes(millis: Millis) -> int:
    return -(-millis // MINUTE)
