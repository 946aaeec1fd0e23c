"""Sentry's `config` object → changes of a monitor. What an upsert would clamp is refused here, and named.

A key that is absent changes nothing, and neither does a value that is the one shown, which may be a rounded one: what
was read can be sent back. Any other null is the default of the project, and so is what a new monitor does not name.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET

from tocsin.dialects.sentry import config
from tocsin.dialects.sentry.management.config_json import CRONTAB, INTERVAL, config_json, schedule_of
from tocsin.dialects.sentry.management.form import Form
from tocsin.dialects.sentry.schema import SchemaError
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import MINUTE
from tocsin.domain.monitor import MAX_THRESHOLD, Monitor, MonitorChange, Policy
from tocsin.domain.project_settings import ProjectSettings
from tocsin.domain.schedule import Cron, Interval, Rolling, Schedule, in_zone

Check = Callable[[MonitorChange, str], None]  # InvalidArgument when a configuration cannot be used
_SCHEDULE: Final = "schedule"
_NUMBERS: Final = (
    # name, field of Tolerance and of ProjectSettings, what one is worth, least, most
    ("checkin_margin", "margin_ms", MINUTE, 0, config.MAX_MINUTES),
    ("max_runtime", "max_runtime_ms", MINUTE, 1, config.MAX_MINUTES),
    ("failure_issue_threshold", "failure_threshold", 1, 1, MAX_THRESHOLD),
    ("recovery_threshold", "recovery_threshold", 1, 1, MAX_THRESHOLD),
)
_STOCK: Final = Policy()  # what a monitor has that nobody says anything about


class Rules(NamedTuple):
    """What holds for the project of a form."""

    check: Check
    defaults: ProjectSettings  # all of them set


class Settings(NamedTuple):
    """What `MonitorChange` calls so: replacements for fields of `Policy` and of `Tolerance`."""

    policy: dict[str, object]
    tolerance: dict[str, object]


def read(form: Form, known: Monitor | None, rules: Rules) -> Settings:
    """Notes in the form what is wrong. `known` is the monitor that is changed, None for a new one."""
    shown = config_json(known.policy) if known is not None else {}
    tolerance = _tolerance(form, rules.defaults, shown)
    zone = _zone(form, rules)
    if known is not None and not _differs(form, known):
        plan = None  # as it is shown, so it stays as it is, though this API may not be able to say it
    else:
        plan = _schedule(form, rules.check)
    if plan is None and known is None and not form.problems.get(_SCHEDULE):
        form.wrong(_SCHEDULE, "required: a crontab such as '0 * * * *', or an interval such as [1, 'hour']")
    policy: dict[str, object] = {}
    if plan is not None:
        zoned = in_zone((plan,), zone or (_default_zone(rules) if known is None else config.KEPT_ZONE))
        policy = {"schedules": zoned, "round_to_minute": True}
        if known is None and rules.defaults.miss_while_running != _STOCK.miss_while_running:
            policy["miss_while_running"] = rules.defaults.miss_while_running
    elif zone not in (None, shown.get("timezone")) and known is not None and known.policy.schedules:
        policy = {"schedules": tuple(_moved(schedule, str(zone)) for schedule in known.policy.schedules)}
    return Settings(policy, tolerance)


def _tolerance(form: Form, defaults: ProjectSettings, shown: dict[str, Any]) -> dict[str, object]:
    """`shown`: the configuration of the monitor that is changed, as clients see it; empty for a new one."""
    found: dict[str, object] = {}
    for name, field, worth, least, most in _NUMBERS:
        value = form.value(name, int)
        usual = getattr(defaults, field)
        if shown and value == shown[name]:
            continue  # it stays as it is, though this API may not be able to say it
        if value is None or (not shown and value is UNSET and usual != getattr(_STOCK.tolerance, field)):
            found[field] = usual
        if value is None or value is UNSET:
            continue
        number = int(value)
        if not least <= number <= most:
            unit = " minutes" if worth == MINUTE else ""
            form.wrong(name, f"must be {max(least, 1)} to {most}{unit}, not {str(number)[:24]}")
        else:
            found[field] = max(number, 1) * worth
    return found


def _default_zone(rules: Rules) -> str:
    return rules.defaults.time_zone or "UTC"


def _zone(form: Form, rules: Rules) -> str | None:
    """None: not named, or wrong."""
    name = form.text("timezone", 100)
    if name is UNSET:
        return None
    zone = str(name or _default_zone(rules))
    try:
        rules.check(MonitorChange(policy={"schedules": (Cron("0 0 * * *", zone),)}), "config")
    except InvalidArgument as problem:
        form.wrong("timezone", _told(problem))
        return None
    return zone


def _differs(form: Form, known: Monitor) -> bool:
    """Whether the form names another schedule than the one that is shown."""
    kind, schedule = schedule_of(known.policy.schedules)
    named = form.raw("schedule_type")
    said = form.raw(_SCHEDULE)
    try:
        same_kind = not bytes(named) or msgspec.json.decode(named) == kind
        same = not bytes(said) or msgspec.json.decode(said) == schedule
    except (msgspec.DecodeError, RecursionError):
        return True
    return not (same_kind and same)


def _schedule(form: Form, check: Check) -> Schedule | None:
    """Its zone is open. None: not named, or wrong."""
    raw = form.raw(_SCHEDULE)
    kind = form.value("schedule_type", str)
    if isinstance(kind, str) and kind not in (CRONTAB, INTERVAL):
        form.wrong("schedule_type", f"{kind[:40]!r} is neither 'crontab' nor 'interval'")
        return None
    if not bytes(raw):
        if isinstance(kind, str):
            form.wrong(_SCHEDULE, f"required beside schedule_type {kind!r}")
        return None
    try:
        plan = _plan(raw, kind if isinstance(kind, str) else None)
        check(MonitorChange(policy={"schedules": in_zone((plan,), "UTC")}), "config")
    except SchemaError as problem:
        form.wrong(_SCHEDULE, str(problem))
        return None
    except InvalidArgument as problem:
        form.wrong(_SCHEDULE, _told(problem))
        return None
    return plan


def _plan(raw: msgspec.Raw, kind: str | None) -> Schedule:
    """'0 * * * *', [1, 'hour'], or the object that SDKs send. SchemaError."""
    try:
        said: Any = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise SchemaError("nested too deeply") from None
    if isinstance(said, dict):
        said, kind = _unpacked(said), kind or str(said.get("type"))[:40]
    if isinstance(said, str) and kind in (None, CRONTAB):
        return Cron(_bare(said), config.KEPT_ZONE)
    if isinstance(said, list) and kind in (None, INTERVAL):
        return _interval(said)
    wanted = "[1, 'hour'] for an interval" if kind == INTERVAL else "text such as '0 * * * *' for a crontab"
    raise SchemaError(f"must be {wanted}")


def _unpacked(said: dict[str, Any]) -> Any:
    """{"type": "interval", "value": 1, "unit": "hour"} → [1, "hour"]; {"type": "crontab", "value": "…"} → "…"."""
    if said.get("type") == INTERVAL:
        return [said.get("value"), said.get("unit")]
    return said.get("value")


def _bare(text: str) -> str:
    try:
        return config.crontab(text, "")
    except SchemaError as problem:
        raise SchemaError(str(problem).removeprefix(": ")) from None


def _interval(said: list[Any]) -> Interval:
    if len(said) != 2 or type(said[0]) is not int or not isinstance(said[1], str):
        raise SchemaError("an interval is a number and a unit, such as [1, 'hour']")
    count, unit = said
    if not 1 <= count <= config.MAX_COUNT:
        raise SchemaError(f"an interval counts 1 to {config.MAX_COUNT} units, not {str(count)[:24]}")
    if unit not in config.UNITS:
        raise SchemaError(f"the unit {unit[:40]!r} is none of {', '.join(config.UNITS)}")
    return Interval(count, config.UNITS[unit], config.KEPT_ZONE, truncate_to_minute=True)


def _moved(schedule: Schedule, zone: str) -> Schedule:
    return schedule if isinstance(schedule, Rolling) else msgspec.structs.replace(schedule, time_zone=zone)


def _told(problem: InvalidArgument) -> str:
    return "; ".join(violation.description for violation in problem.violations) or problem.message
