"""Python values → messages: lengths, instants, ids, names; and the configuration of a monitor by keywords."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypedDict

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from tocsin.client.schedules import ScheduleLike, schedules
from tocsin.v1.monitor_pb2 import AlertPolicy, Escalation, Monitor, Tolerance

Length = float | timedelta  # seconds, or a timedelta
PROJECT: Final = "projects/-"  # the key's own
ALL: Final = f"{PROJECT}/monitors/-"
_LENGTHS: Final = ("margin", "max_runtime", "alert_delay", "early")
_COUNTS: Final = ("failure_threshold", "miss_threshold", "recovery_threshold")
_PLAIN: Final = (
    "display_name",
    "owner",
    "labels",
    "group",
    "tags",
    "disabled",
    "inactive",
    "miss_while_running",
    "round_to_minute",
    "check_ins_per_minute",
    "assertions",
    "separate_causes",
    "abandon_runs",
    "locks",
)
_KINDS: Final = {"job": Monitor.KIND_JOB, "heartbeat": Monitor.KIND_HEARTBEAT}
_EXPECT: Final = {"first_check_in": Monitor.EXPECT_FROM_FIRST_CHECK_IN, "creation": Monitor.EXPECT_FROM_CREATION}


class EscalationFields(TypedDict, total=False):
    """When people are told and how often; what is left out has its default."""

    failure_threshold: int  # after so many failures of an incident
    delay: Length  # not before it has lasted so long
    repeat_interval: Length  # from an alert to the next of the same incident; 0: told once
    repeat_limit: int  # alerts of one incident; 0: any number


class AlertFields(TypedDict, total=False):
    """Whom to tell and how often; what is left out has its default."""

    channels: Sequence[str]  # keys of notification lists, or destinations; none: the list "default"
    repeat_interval: Length  # from an alert to the next of the same incident; 0: told once
    repeat_limit: int  # alerts of one incident; 0: any number
    events: Sequence[Literal["run", "complete", "fail"]]  # reports that are told by themselves
    escalation: EscalationFields  # instead of the repeats here and of `alert_delay`
    project_escalation: bool  # the project's, instead of all of these


class MonitorFields(TypedDict, total=False):
    """What can be said of a monitor; what is left out is left as it is, or at the server's default."""

    schedule: ScheduleLike | Iterable[ScheduleLike]  # cron text, a timedelta, or Schedules; one or several
    time_zone: str  # IANA name, for schedules that name none
    margin: Length  # a slot is missed so long after it
    max_runtime: Length  # a run times out so long after its start; 0: never
    failure_threshold: int  # failures in a row that open an incident
    miss_threshold: int  # misses in a row that open an incident, when they are counted apart
    recovery_threshold: int  # good runs in a row that resolve it
    alert_delay: Length  # so long an open incident is kept to ourselves
    alert_policy: AlertFields
    early: Length  # so early a report counts for the coming slot
    display_name: str
    owner: str
    labels: Mapping[str, str]
    group: str  # key of a group that exists; "": none
    tags: Sequence[str]
    kind: Literal["job", "heartbeat"]
    expect_from: Literal["first_check_in", "creation"]  # from when silence counts
    miss_while_running: bool
    round_to_minute: bool
    check_ins_per_minute: int  # of one environment, openings and endings apart; 0: any number
    assertions: Sequence[str]  # "metric.duration < 5 min", "metric.rows > 0"
    separate_causes: bool  # misses, errors and time-outs arise and recover each for itself
    abandon_runs: bool  # a run that nobody ends is closed after a day or more, and counts for nothing
    disabled: bool
    inactive: bool
    locks: Sequence[str]  # fields that no report's configuration changes, such as "tolerance.margin"


def monitor_message(fields: Mapping[str, Any], name: str = "") -> Monitor:
    """The Monitor that the keywords describe. TypeError: no such keyword, or a value of the wrong type."""
    left = dict(fields)
    message = Monitor(name=name)
    zone = left.pop("time_zone", "")
    if "schedule" in left:
        message.schedules.extend(schedules(left.pop("schedule"), zone))
    elif zone:
        raise TypeError("time_zone belongs to a schedule, and none is given")
    tolerance: dict[str, Any] = {key: length(left.pop(key)) for key in _LENGTHS if key in left}
    tolerance |= {key: left.pop(key) for key in _COUNTS if key in left}
    if tolerance:
        message.tolerance.CopyFrom(Tolerance(**tolerance))
    if "alert_policy" in left:
        message.alert_policy.CopyFrom(_alert_policy(**left.pop("alert_policy")))
    message.MergeFrom(Monitor(**{key: left.pop(key) for key in _PLAIN if key in left}))
    for key, words in (("kind", _KINDS), ("expect_from", _EXPECT)):
        if key in left:
            word = left.pop(key)
            if word not in words:
                raise ValueError(f"{key}: {word!r} is none of {', '.join(words)}")
            setattr(message, key, words[word])
    if left:
        raise TypeError(f"a monitor has no {', '.join(left)}")
    return message


def escalation_message(
    failure_threshold: int = 0, delay: Length = 0, repeat_interval: Length = 0, repeat_limit: int = 0
) -> Escalation:
    """The message of `EscalationFields`."""
    return Escalation(
        failure_threshold=failure_threshold,
        delay=length(delay) if delay else None,
        repeat_interval=length(repeat_interval) if repeat_interval else None,
        repeat_limit=repeat_limit,
    )


def _alert_policy(
    channels: Sequence[str] = (),
    repeat_interval: Length = 0,
    repeat_limit: int = 0,
    events: Sequence[str] = (),
    escalation: EscalationFields | None = None,
    project_escalation: bool = False,
) -> AlertPolicy:
    return AlertPolicy(
        channels=channels,
        repeat_interval=length(repeat_interval) if repeat_interval else None,
        repeat_limit=repeat_limit,
        events=[f"EVENT_{event.upper()}" for event in events],
        escalation=None if escalation is None else escalation_message(**escalation),
        project_escalation=project_escalation,
    )


def monitor_name(monitor: str) -> str:
    """`backup` becomes "projects/-/monitors/backup"; a full name stays as it is."""
    return monitor if monitor.startswith("projects/") else f"{PROJECT}/monitors/{monitor}"


def check_in_id(given: str | uuid.UUID | None) -> str:
    """The id as the server wants it; a new one when None is given."""
    return (uuid.uuid4() if given is None else given).hex if not isinstance(given, str) else given


def length(given: Length) -> Duration:
    """Seconds or a timedelta as a Duration."""
    made = Duration()
    made.FromTimedelta(given if isinstance(given, timedelta) else timedelta(seconds=given))
    return made


def instant(given: datetime) -> Timestamp:
    """ValueError: a datetime without a time zone, which could mean anything."""
    if given.tzinfo is None:
        raise ValueError(f"{given!r} has no time zone; say datetime.now(UTC), not datetime.now()")
    made = Timestamp()
    made.FromDatetime(given)
    return made


def now() -> datetime:
    return datetime.now(UTC)
