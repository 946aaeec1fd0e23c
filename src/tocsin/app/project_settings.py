"""The section `projects` of the settings: what holds in every project that does not decide otherwise."""

import math

import msgspec

from tocsin.domain.errors import InvalidArgument
from tocsin.domain.escalation import check as check_escalation
from tocsin.domain.monitor import Escalation
from tocsin.domain.project_settings import BOUNDS, PATTERNS, ProjectSettings, check_patterns


class Projects(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    margin_seconds: float = 60  # of a monitor made by a client's configuration that names none
    max_runtime_seconds: float = 1800  # likewise; 0: never times out
    failure_threshold: int = 1  # likewise
    recovery_threshold: int = 1  # likewise
    time_zone: str = "UTC"  # likewise
    miss_while_running: bool = True  # likewise
    create_from_check_in: bool = False  # a report without a configuration makes a monitor without a schedule
    upserts_override_locks: bool = False  # a client's configuration changes what was locked by hand
    ok_after_error: bool = False  # a run that ended badly may still end well, within its maximum runtime
    strict: bool = False  # where a protocol allows, a report that is not honoured is answered with an error
    allowed_monitors: tuple[str, ...] = ()  # patterns of what clients may make; none: all
    denied_monitors: tuple[str, ...] = ()
    allowed_environments: tuple[str, ...] = ()
    denied_environments: tuple[str, ...] = ()
    check_ins_per_minute: int = 0  # of one environment, openings and endings apart; 0: any number
    max_monitors: int = 0  # of one project; 0: any number
    max_environments: int = 0  # of one monitor; 0: any number
    idle_environment_days: int = 0  # an environment without a report goes after so long; 0: never
    broken_after_days: int = 14  # an incident so long open and failing is called broken; 0: never
    broken_mute_days: int = 14  # so long after that its environment is muted; 0: never
    escalation_failures: int = 1  # of monitors and groups that leave it to the project: told after so many failures
    escalation_delay_seconds: float = 0  # likewise: not before an incident has lasted so long
    escalation_repeat_seconds: float = 0  # likewise: from an alert to the next; 0: told once
    escalation_repeat_limit: int = 0  # likewise: alerts of one incident; 0: any number


_UNITS = {"margin_ms": ("margin_seconds", 1000), "max_runtime_ms": ("max_runtime_seconds", 1000)}
LISTS = PATTERNS  # of the section's settings: comma-separated in the environment


def to_domain(projects: Projects) -> ProjectSettings:
    """Every field set. ValueError names the setting that is out of bounds; zones are looked up by others."""
    found: dict[str, object] = {}
    for name in ProjectSettings.__struct_fields__:
        if name == "escalation":
            found[name] = _escalation(projects)
            continue
        key, unit = _UNITS.get(name, (name, 1))
        value = getattr(projects, key)
        if name in BOUNDS:
            least, most = BOUNDS[name]
            if not math.isfinite(value) or not least <= value * unit <= most:
                raise ValueError(f"projects.{key}: must be {least / unit:g} to {most / unit:g}, not {value}")
            value = round(value * unit)
        elif name in PATTERNS:
            try:
                check_patterns(value, f"projects.{key}")
            except InvalidArgument as error:
                raise ValueError(error.message) from None
        found[name] = value
    return ProjectSettings(**found)  # type: ignore[arg-type] # of the types that the section has


def _escalation(projects: Projects) -> Escalation:
    seconds = (projects.escalation_delay_seconds, projects.escalation_repeat_seconds)
    if not all(map(math.isfinite, seconds)):
        raise ValueError(f"projects.escalation_delay_seconds and _repeat_seconds: must be numbers, not {seconds}")
    delay, repeat = (round(value * 1000) for value in seconds)
    found = Escalation(projects.escalation_failures, delay, repeat, projects.escalation_repeat_limit)
    try:
        check_escalation(found, "projects.escalation")
    except InvalidArgument as error:
        raise ValueError(error.message) from None
    return found
