"""What a project decides for all of its monitors. The server's settings are the base, a project's own win over it."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

import msgspec

from tocsin.domain import errors
from tocsin.domain.instant import Millis
from tocsin.domain.monitor import MAX_MARGIN, MAX_MAX_RUNTIME, MAX_THRESHOLD, Escalation

PATTERNS_MAX = 100
PATTERN_LENGTH_MAX = 200
_MANY = 1_000_000
_DAYS_MAX = 36_500


class ProjectSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """None: the server's setting holds; the server's own are all set, see `DEFAULTS`."""

    # for monitors that are made by what they send: used where it names no value
    margin_ms: Millis | None = None
    max_runtime_ms: Millis | None = None
    failure_threshold: int | None = None
    recovery_threshold: int | None = None
    time_zone: str | None = None
    miss_while_running: bool | None = None

    # what may be sent
    create_from_check_in: bool | None = None  # a report without a configuration makes a monitor without a schedule
    upserts_override_locks: bool | None = None  # a configuration that a client sends undoes what was set by hand
    ok_after_error: bool | None = None  # a run that ended badly may still end well, within its maximum runtime
    strict: bool | None = None  # where a protocol allows, a report that is not honoured is answered with an error
    allowed_monitors: tuple[str, ...] | None = None  # patterns such as "nightly-*"; none: all
    denied_monitors: tuple[str, ...] | None = None
    allowed_environments: tuple[str, ...] | None = None
    denied_environments: tuple[str, ...] | None = None

    # how much
    check_ins_per_minute: int | None = None  # in one environment, openings and endings apart; 0: any number
    max_monitors: int | None = None  # 0: any number
    max_environments: int | None = None  # of one monitor; 0: any number

    # what becomes of those that nobody looks after
    idle_environment_days: int | None = None  # an environment goes after so long without a report; 0: never
    broken_after_days: int | None = None  # an incident this old, still failing: its owner is told; 0: never
    broken_mute_days: int | None = None  # so long after that the environment is muted; 0: never

    # of monitors and groups that leave it to the project
    escalation: Escalation | None = None

    def over(self, base: "ProjectSettings") -> "ProjectSettings":
        """These where they are set, otherwise those of `base`."""
        own = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}
        return msgspec.structs.replace(base, **own)

    def admits_monitor(self, monitor_id: str) -> bool:
        """Whether a client may make a monitor of this id."""
        return _admits(self.allowed_monitors, self.denied_monitors, monitor_id)

    def admits_environment(self, environment: str) -> bool:
        """Whether a client may make an environment of this name."""
        return _admits(self.allowed_environments, self.denied_environments, environment)


BOUNDS = {  # of the numbers among them: least, most
    "margin_ms": (0, MAX_MARGIN),
    "max_runtime_ms": (0, MAX_MAX_RUNTIME),
    "failure_threshold": (1, MAX_THRESHOLD),
    "recovery_threshold": (1, MAX_THRESHOLD),
    "check_ins_per_minute": (0, _MANY),
    "max_monitors": (0, 1_000 * _MANY),
    "max_environments": (0, _MANY),
    "idle_environment_days": (0, _DAYS_MAX),
    "broken_after_days": (0, _DAYS_MAX),
    "broken_mute_days": (0, _DAYS_MAX),
}
PATTERNS = ("allowed_monitors", "denied_monitors", "allowed_environments", "denied_environments")


def check_patterns(patterns: Iterable[str], field: str) -> tuple[str, ...]:
    """At most 100 patterns of 1 to 200 characters; InvalidArgument names the wrong one below `field`."""
    found = tuple(patterns)
    if len(found) > PATTERNS_MAX:
        raise errors.invalid(field, f"at most {PATTERNS_MAX} patterns, not {len(found)}")
    for index, pattern in enumerate(found):
        if not 0 < len(pattern) <= PATTERN_LENGTH_MAX:
            raise errors.invalid(f"{field}[{index}]", f"a pattern has 1 to {PATTERN_LENGTH_MAX} characters")
    return found


DEFAULTS = ProjectSettings(
    margin_ms=60_000,
    max_runtime_ms=30 * 60_000,
    failure_threshold=1,
    recovery_threshold=1,
    time_zone="UTC",
    miss_while_running=True,
    create_from_check_in=False,
    upserts_override_locks=False,
    ok_after_error=False,
    strict=False,
    allowed_monitors=(),
    denied_monitors=(),
    allowed_environments=(),
    denied_environments=(),
    check_ins_per_minute=0,
    max_monitors=0,
    max_environments=0,
    idle_environment_days=0,
    broken_after_days=14,
    broken_mute_days=14,
    escalation=Escalation(),
)


def _admits(allowed: tuple[str, ...] | None, denied: tuple[str, ...] | None, name: str) -> bool:
    if any(fnmatchcase(name, pattern) for pattern in denied or ()):
        return False
    return not allowed or any(fnmatchcase(name, pattern) for pattern in allowed)
