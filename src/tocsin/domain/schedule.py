"""What was asked for: when a job should run. Text is kept as written; `tocsin.schedule` compiles it.

A monitor may have several schedules; it is due whenever any of them is. Kinds:

    Cron        "*/5 9-17 * * MON-FRI", five fields, or six with seconds first; nicknames such as @daily
    Interval    every n units, counted from the last report (see `Anchor`)
    Daily       at these wall-clock times every day: "14:30", "02:00:30"
    Rolling     each signal re-arms the timer: due `period` after the last one
    RRule       RFC 5545 recurrence rule: "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9", with DTSTART or without
    OnCalendar  systemd calendar expression: "Mon..Fri *-*-* 08:00", a time zone at its end or not
"""

import enum

import msgspec

PROJECT_ZONE = "-"  # in a configuration that a client sends: the project's time zone


class Unit(enum.Enum):
    """Units of an interval. Seconds to hours are real time; days and longer are wall time in the schedule's zone."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class DaylightPolicy(enum.Enum):
    """What a daylight-saving transition does to a cron or daily schedule."""

    VIXIE = "vixie"  # Debian cron: wildcard jobs follow real time, fixed-time jobs fire once, moved to the end of a gap
    SKIP = "skip"  # times inside a gap do not fire; a repeated hour fires in its first pass only
    BOTH = "both"  # times inside a gap do not fire; a repeated hour fires in both passes
    CRONITER = "croniter"  # as croniter 7: moved to the end of a gap, both passes of a repeated hour


class Anchor(enum.Enum):
    """Which report an interval is counted from."""

    ANY_REPORT = "any_report"  # the last report of any kind (Sentry)
    RUN_START = "run_start"  # the last start of a run, or lone report


class Cron(msgspec.Struct, frozen=True, tag="cron"):
    expression: str
    time_zone: str = "UTC"
    daylight: DaylightPolicy = DaylightPolicy.VIXIE


class Interval(msgspec.Struct, frozen=True, tag="interval"):
    count: int
    unit: Unit
    time_zone: str = "UTC"
    anchor: Anchor = Anchor.ANY_REPORT
    truncate_to_minute: bool = False  # Sentry drops the seconds of the next expected time


class Daily(msgspec.Struct, frozen=True, tag="daily"):
    times_of_day: tuple[str, ...]
    time_zone: str = "UTC"
    daylight: DaylightPolicy = DaylightPolicy.VIXIE


class Rolling(msgspec.Struct, frozen=True, tag="rolling"):
    period_ms: int


class RRule(msgspec.Struct, frozen=True, tag="rrule"):
    rule: str
    time_zone: str = "UTC"


class OnCalendar(msgspec.Struct, frozen=True, tag="on_calendar"):
    expression: str
    time_zone: str = "UTC"


Schedule = Cron | Interval | Daily | Rolling | RRule | OnCalendar


def in_zone(schedules: tuple[Schedule, ...], default: str) -> tuple[Schedule, ...]:
    """The schedules with `default` wherever a zone was left open (`time_zone` is "")."""
    return tuple(
        schedule
        if isinstance(schedule, Rolling) or schedule.time_zone
        else msgspec.structs.replace(schedule, time_zone=default)
        for schedule in schedules
    )


def placed(schedules: tuple[Schedule, ...], zone: str, *, open_too: bool = False) -> tuple[Schedule, ...]:
    """The schedules with `zone` wherever the project's was asked for; `open_too`: and wherever it was left open."""
    asked = (PROJECT_ZONE, "") if open_too else (PROJECT_ZONE,)
    return tuple(
        msgspec.structs.replace(schedule, time_zone=zone)
        if not isinstance(schedule, Rolling) and schedule.time_zone in asked
        else schedule
        for schedule in schedules
    )


def zone_of(schedules: tuple[Schedule, ...]) -> str:
    """The zone of the first schedule that has one; UTC when none has."""
    zones = (schedule.time_zone for schedule in schedules if not isinstance(schedule, Rolling))
    return next((zone for zone in zones if zone), "UTC")
