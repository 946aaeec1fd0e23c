"""Maintenance windows: times in which nothing is due, or nobody is told. Runs are judged as ever."""

import msgspec

from tocsin.domain import errors
from tocsin.domain.group import check_group_key, check_tags
from tocsin.domain.instant import DAY, MINUTE, Instant, Millis
from tocsin.domain.project_settings import check_patterns
from tocsin.domain.schedule import Interval, Rolling, Schedule

LONGEST = 366 * DAY  # of an occurrence
NAME_MAX = 200
GROUPS_MAX = 1_000


class MaintenanceWindow(msgspec.Struct, frozen=True, omit_defaults=True):
    """Once, from `start_time` up to `end_time`; or `duration_ms` long from each time of `recurrence`.

    It covers the environments that one of its patterns fits; no pattern: all of them. Of monitors it covers those that
    one of its patterns fits, that are in one of its groups or have one of its tags; where it names none of these: all.
    """

    number: int  # identity inside the store; 0: of the server's settings
    project: int  # 0: every project
    id: str
    display_name: str = ""
    start_time: Instant | None = None
    end_time: Instant | None = None
    recurrence: Schedule | None = None
    duration_ms: Millis = 0
    monitors: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()  # keys
    tags: tuple[str, ...] = ()
    pause: bool = True  # nothing is due for those that it covers; False: it only silences
    silence_all: bool = False  # nobody is told of any monitor
    silence_tags: tuple[str, ...] = ()  # nobody is told of those that have one of these tags
    extras: dict[str, msgspec.Raw] = {}  # by dialect: what no field here can say, kept verbatim
    create_time: Instant = 0
    update_time: Instant = 0


FIELDS = (
    "display_name",
    "start_time",
    "end_time",
    "recurrence",
    "duration_ms",
    "monitors",
    "environments",
    "groups",
    "tags",
    "pause",
    "silence_all",
    "silence_tags",
    "extras",
)


def check(window: MaintenanceWindow, field: str = "maintenance_window") -> None:
    """InvalidArgument names what is wrong below `field`. Whether the recurrence compiles is for others to find."""
    if len(window.display_name) > NAME_MAX:
        raise errors.invalid(f"{field}.display_name", f"at most {NAME_MAX} characters, not {len(window.display_name)}")
    check_patterns(window.monitors, f"{field}.monitors")
    check_patterns(window.environments, f"{field}.environments")
    if len(window.groups) > GROUPS_MAX:
        raise errors.invalid(f"{field}.groups", f"at most {GROUPS_MAX} groups, not {len(window.groups)}")
    for index, key in enumerate(window.groups):
        check_group_key(key, f"{field}.groups[{index}]")
    check_tags(window.tags, f"{field}.tags")
    check_tags(window.silence_tags, f"{field}.silence_tags")
    if window.recurrence is None:
        _check_once(window, field)
    else:
        _check_recurrence(window, field)


def _check_once(window: MaintenanceWindow, field: str) -> None:
    if window.start_time is None or window.end_time is None:
        missing = "start_time" if window.start_time is None else "end_time"
        raise errors.invalid(f"{field}.{missing}", "required, unless there is a recurrence")
    if window.end_time <= window.start_time:
        raise errors.invalid(f"{field}.end_time", "must be later than start_time")
    if window.duration_ms:
        raise errors.invalid(f"{field}.duration", "belongs to a recurrence; a single window ends at end_time")


def _check_recurrence(window: MaintenanceWindow, field: str) -> None:
    for name in ("start_time", "end_time"):
        if getattr(window, name) is not None:
            raise errors.invalid(f"{field}.{name}", "belongs to a single window; a recurrence has a duration")
    if not MINUTE <= window.duration_ms <= LONGEST:
        raise errors.invalid(f"{field}.duration", "must be 1 minute to 366 days")
    if isinstance(window.recurrence, Interval | Rolling):
        raise errors.invalid(
            f"{field}.recurrence",
            "must be cron, daily, rrule or on_calendar: an interval has no place on the clock",
            reason="SCHEDULE_KIND_UNSUPPORTED",
        )
