"""`alertSettings` of checks and groups: read, completed, and what they come to as an escalation. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from tocsin.dialects.checkly.checks import values
from tocsin.dialects.checkly.problems import Problems
from tocsin.domain.instant import MINUTE
from tocsin.domain.monitor import Escalation

RUN_BASED: Final = "RUN_BASED"
TIME_BASED: Final = "TIME_BASED"
TYPES: Final = (RUN_BASED, TIME_BASED)
RUNS: Final = (1, 2, 3, 4, 5)
MINUTES: Final = (5, 10, 15, 30)
NO_LIMIT: Final = 100_000  # reminders
AMOUNTS: Final = (0, 1, 2, 3, 4, 5, NO_LIMIT)
INTERVALS: Final = (1, 2, 3, 4, 5, 10, 15, 30)  # minutes between reminders
PERCENTAGES: Final = tuple(range(10, 101, 10))

Settings = dict[str, Any]
"""Complete, as it is shown."""


def read(value: Any, name: str, problems: Problems) -> Settings | None:
    """What is said replaces all of it: parts that are missing or empty have their defaults. None: null was said."""
    if value is None:
        return None
    parts = values.members(value, name, problems)
    if parts is None:
        return None
    kind = values.choice(parts.get("escalationType"), f"{name}.escalationType", problems, TYPES) or RUN_BASED
    runs = _part(parts, "runBasedEscalation", name, problems)
    time = _part(parts, "timeBasedEscalation", name, problems)
    reminders = _part(parts, "reminders", name, problems)
    parallel = _part(parts, "parallelRunFailureThreshold", name, problems)
    found: Settings = {
        "escalationType": kind,
        "runBasedEscalation": {"failedRunThreshold": _of(runs, "failedRunThreshold", problems, RUNS, 1)},
        "reminders": {
            "amount": _of(reminders, "amount", problems, AMOUNTS, 0),
            "interval": _of(reminders, "interval", problems, INTERVALS, 5),
        },
        "parallelRunFailureThreshold": {
            "enabled": values.flag(parallel[1].get("enabled"), f"{parallel[0]}.enabled", problems) or False,
            "percentage": _of(parallel, "percentage", problems, PERCENTAGES, 10),
        },
    }
    if time[1] or kind == TIME_BASED:
        minutes = _of(time, "minutesFailingThreshold", problems, MINUTES, 5)
        found["timeBasedEscalation"] = {"minutesFailingThreshold": minutes}
    if isinstance(certificates := parts.get("sslCertificates"), Mapping) and certificates:
        found["sslCertificates"] = _certificates(certificates)
    return found


def defaults() -> Settings:
    found = read({}, "", Problems())
    assert found is not None
    return found


def escalation_of(settings: Settings) -> Escalation:
    reminders = settings["reminders"]
    amount: int = reminders["amount"]
    timed = settings["escalationType"] == TIME_BASED
    return Escalation(
        failures=1 if timed else settings["runBasedEscalation"]["failedRunThreshold"],
        delay_ms=settings["timeBasedEscalation"]["minutesFailingThreshold"] * MINUTE if timed else 0,
        repeat_interval_ms=reminders["interval"] * MINUTE if amount else 0,
        repeat_limit=0 if amount in (0, NO_LIMIT) else amount + 1,  # the first alert is no reminder
    )


def shown(kept: Settings | None, escalation: Escalation | None) -> Settings:
    """What was said, as long as that is what holds; what another protocol wrote in the nearest words there are."""
    if escalation is None:
        return kept or defaults()
    if kept is not None and escalation_of(kept) == escalation:
        return kept
    found = defaults()
    found["runBasedEscalation"]["failedRunThreshold"] = _nearest(escalation.failures, RUNS)
    if escalation.delay_ms:
        found["escalationType"] = TIME_BASED
        minutes = _nearest(escalation.delay_ms // MINUTE, MINUTES)
        found["timeBasedEscalation"] = {"minutesFailingThreshold": minutes}
    if escalation.repeat_interval_ms:
        limit = escalation.repeat_limit
        amount = NO_LIMIT if not limit else min(limit - 1, 5)
        interval = _nearest(escalation.repeat_interval_ms // MINUTE, INTERVALS)
        found["reminders"] = {"amount": amount, "interval": interval}
    return found


Part = tuple[str, Mapping[str, Any]]


def _part(parts: Mapping[str, Any], member: str, name: str, problems: Problems) -> Part:
    """Where a member stands, and what it has; nothing where it is not there, or null."""
    where = f"{name}.{member}"
    value = parts.get(member)
    return where, {} if value is None else values.members(value, where, problems) or {}


def _of(part: Part, member: str, problems: Problems, known: tuple[int, ...], default: int) -> int:
    where, found = part
    value = found.get(member)
    return default if value is None else values.one_of(value, f"{where}.{member}", problems, known) or default


def _certificates(said: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing acts on these; only what they may be is kept."""
    found: dict[str, Any] = {}
    if isinstance(said.get("enabled"), bool):
        found["enabled"] = said["enabled"]
    if isinstance(said.get("alertThreshold"), int):
        found["alertThreshold"] = said["alertThreshold"]
    return found


def _nearest(value: int, known: tuple[int, ...]) -> int:
    return min(known, key=lambda one: (abs(one - value), one))
