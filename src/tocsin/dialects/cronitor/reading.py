"""A monitor of the domain → the attributes that say the same. Pure.

What was said in Cronitor's words is read back in these words, as long as it still says what holds; where somebody wrote
by another protocol, the monitor as it is now is put into words.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from tocsin.dialects.cronitor.mapping import DIALECT, Meaning, meaning_of
from tocsin.dialects.cronitor.problems import Problems
from tocsin.dialects.cronitor.schema import CHECK, HEARTBEAT, JOB, LIFECYCLE, Said
from tocsin.domain.instant import SECOND
from tocsin.domain.monitor import AlertPolicy, Kind, Monitor
from tocsin.domain.schedule import Cron, Daily, Interval, Rolling, RRule, Schedule
from tocsin.domain.schedule import zone_of as zone_of_schedules
from tocsin.schedule import describe


def key_of(monitor: Monitor) -> str:
    key = kept_of(monitor).get("key")
    return key if isinstance(key, str) else monitor.id


def type_of(monitor: Monitor) -> str:
    if kept_of(monitor).get("type") == CHECK and monitor.inactive:
        return CHECK
    return JOB if monitor.policy.kind is Kind.JOB else HEARTBEAT


def kept_of(monitor: Monitor) -> Said:
    """What the extras hold; nothing, for a monitor that no client of Cronitor's ever wrote."""
    raw = monitor.extras.get(DIALECT)
    found = msgspec.json.decode(raw) if raw is not None else None
    return found if isinstance(found, dict) else {}


def is_known(monitor: Monitor) -> bool:
    """Whether it was written in Cronitor's words before."""
    return DIALECT in monitor.extras


def zone_of(monitor: Monitor, zone: str) -> str:
    """Its schedules' time zone; `zone` where it has none."""
    return zone_of_schedules(monitor.policy.schedules) if monitor.policy.schedules else zone


def said_of(monitor: Monitor, zone: str) -> tuple[Said, Meaning]:
    """The attributes, and what they come to; `zone` is that of a monitor that has none."""
    said: Said = {"key": monitor.id, **kept_of(monitor), "type": type_of(monitor)}
    here = zone_of(monitor, zone)
    found = meaning_of(said, here, Problems(), anchor=monitor.create_time)
    corrections = _corrections(monitor, said, found)
    if not corrections:
        return said, found
    said = {name: value for name, value in {**said, **corrections}.items() if value is not None}
    return said, meaning_of(said, here, Problems(), anchor=monitor.create_time)


def _corrections(monitor: Monitor, said: Said, found: Meaning) -> Said:
    """Attributes that say something else than the monitor; None: it is as if they were not said."""
    changed: dict[str, Any] = {}
    policy, tolerance = monitor.policy, monitor.policy.tolerance
    if found.display_name != monitor.display_name:
        changed |= {"name": monitor.display_name or None, "defaultName": None}
    if said["type"] != CHECK:
        if found.schedules != policy.schedules:
            changed["schedules"] = _words(policy.schedules) or None
            changed["timezone"] = zone_of_schedules(policy.schedules) if policy.schedules else said.get("timezone")
        if found.assertions != policy.assertions:
            changed["assertions"] = list(policy.assertions) or None
    waits = max(found.margin_ms, SECOND), found.alert_delay_ms  # a second more or less says nothing else
    if waits != (max(tolerance.margin_ms, SECOND), tolerance.alert_delay_ms):
        changed["grace_seconds"] = max(tolerance.margin_ms, tolerance.alert_delay_ms) // SECOND
    if found.miss_threshold != tolerance.miss_threshold:
        changed["schedule_tolerance"] = max((tolerance.miss_threshold or tolerance.failure_threshold) - 1, 0) or None
    if found.failure_threshold != tolerance.failure_threshold:
        changed["failure_tolerance"] = (tolerance.failure_threshold - 1) or None
    if found.alert_policy != monitor.alert_policy:
        changed |= _alerts(found.alert_policy, monitor.alert_policy)
    if found.group != monitor.group:
        changed["group"] = monitor.group or None
    if found.tags != monitor.tags:
        changed["tags"] = list(monitor.tags) or None
    return changed


def _alerts(found: AlertPolicy, now: AlertPolicy) -> Said:
    changed: Said = {}
    if (found.channels, found.events) != (now.channels, now.events):
        events = dict.fromkeys(LIFECYCLE, False) | dict.fromkeys(now.events, True)
        changed["notify"] = {"alerts": list(now.channels), "events": events} if now.events else list(now.channels)
        changed["notify"] = changed["notify"] or None
    if found.repeat_interval_ms != now.repeat_interval_ms and now.repeat_interval_ms:
        changed["realert_interval"] = _every(now.repeat_interval_ms)
    if found.repeat_limit != now.repeat_limit and now.repeat_limit:
        changed["consecutive_alert_threshold"] = now.repeat_limit
    return changed


def _words(schedules: Sequence[Schedule]) -> list[str]:
    """Phrases where there are some; what no phrase says is told in words, which no reader of phrases takes for one."""
    found: list[str] = []
    for schedule in schedules:
        match schedule:
            case Cron(expression):
                found.append(expression)
            case Interval(1, unit):
                found.append(f"every {unit.value}")
            case Interval(count, unit):
                found.append(f"every {count} {unit.value}s")
            case Daily(times):
                found += [f"at {time}" for time in times]
            case Rolling(period):
                found.append(_every(period))
            case RRule(rule):
                found.append(rule.partition("\n")[2] if rule.startswith("DTSTART") and "\n" in rule else rule)
            case _:
                found.append(describe((schedule,)))
    return found


def _every(millis: int) -> str:
    """In the largest unit that it is a multiple of."""
    for size, unit in ((3_600_000, "hour"), (60_000, "minute"), (SECOND, "second")):
        if millis % size == 0:
            count = millis // size
            return f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return f"every {millis / SECOND:g} seconds"
