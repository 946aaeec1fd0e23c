"""tocsin.v1.Schedule ⇄ the schedules of the domain. Structure only: `tocsin.schedule` reads the text."""

from collections.abc import Iterable, Sequence

from tocsin.domain import errors
from tocsin.domain.schedule import (
    Anchor,
    Cron,
    Daily,
    DaylightPolicy,
    Interval,
    OnCalendar,
    Rolling,
    RRule,
    Schedule,
    Unit,
)
from tocsin.v1 import schedule_pb2 as pb
from tocsin.wire.enums import Names
from tocsin.wire.time import from_millis, to_millis

MAX_SCHEDULES = 32  # as `tocsin.schedule.timetables` compiles at most
MAX_PERIOD = 366 * 86_400_000
MAX_TEXT = 4096

_DAYLIGHT = Names(
    pb.Schedule.DaylightPolicy,
    {
        pb.Schedule.DAYLIGHT_POLICY_UNSPECIFIED: DaylightPolicy.VIXIE,
        pb.Schedule.DAYLIGHT_POLICY_VIXIE: DaylightPolicy.VIXIE,
        pb.Schedule.DAYLIGHT_POLICY_SKIP: DaylightPolicy.SKIP,
        pb.Schedule.DAYLIGHT_POLICY_BOTH: DaylightPolicy.BOTH,
        pb.Schedule.DAYLIGHT_POLICY_CRONITER: DaylightPolicy.CRONITER,
    },
)
_UNITS = Names(
    pb.IntervalSchedule.Unit,
    {
        pb.IntervalSchedule.UNIT_SECOND: Unit.SECOND,
        pb.IntervalSchedule.UNIT_MINUTE: Unit.MINUTE,
        pb.IntervalSchedule.UNIT_HOUR: Unit.HOUR,
        pb.IntervalSchedule.UNIT_DAY: Unit.DAY,
        pb.IntervalSchedule.UNIT_WEEK: Unit.WEEK,
        pb.IntervalSchedule.UNIT_MONTH: Unit.MONTH,
        pb.IntervalSchedule.UNIT_YEAR: Unit.YEAR,
    },
)
_ANCHORS = Names(
    pb.IntervalSchedule.Anchor,
    {
        pb.IntervalSchedule.ANCHOR_UNSPECIFIED: Anchor.ANY_REPORT,
        pb.IntervalSchedule.ANCHOR_ANY_REPORT: Anchor.ANY_REPORT,
        pb.IntervalSchedule.ANCHOR_RUN_START: Anchor.RUN_START,
    },
)


def to_schedules(messages: Sequence[pb.Schedule], field: str = "schedules") -> tuple[Schedule, ...]:
    """All schedules of a monitor, in order. InvalidArgument names the one that is wrong: "schedules[2].cron"."""
    if len(messages) > MAX_SCHEDULES:
        raise errors.invalid(
            field, f"at most {MAX_SCHEDULES} schedules, not {len(messages)}", reason="SCHEDULE_INVALID"
        )
    return tuple(to_schedule(message, f"{field}[{index}]") for index, message in enumerate(messages))


def to_schedule(message: pb.Schedule, field: str = "schedule") -> Schedule:
    """One schedule; SCHEDULE_INVALID when no rule is set or a required part of it is not."""
    zone = _text(message.time_zone, f"{field}.time_zone") or "UTC"
    daylight = _DAYLIGHT.to_domain(message.daylight_policy, f"{field}.daylight_policy")
    match message.WhichOneof("spec"):
        case "cron":
            return Cron(_required(message.cron.expression, f"{field}.cron.expression"), zone, daylight)
        case "interval":
            return _to_interval(message.interval, zone, f"{field}.interval")
        case "daily":
            return Daily(_times_of_day(message.daily.times_of_day, f"{field}.daily.times_of_day"), zone, daylight)
        case "rolling":
            return Rolling(to_millis(message.rolling.period, f"{field}.rolling.period", least=1000, most=MAX_PERIOD))
        case "rrule":
            return RRule(_required(message.rrule.rule, f"{field}.rrule.rule"), zone)
        case "on_calendar":
            return OnCalendar(_required(message.on_calendar.expression, f"{field}.on_calendar.expression"), zone)
    raise errors.invalid(
        field, "set one of cron, interval, daily, rolling, rrule and on_calendar", reason="SCHEDULE_INVALID"
    )


def from_schedules(schedules: Iterable[Schedule]) -> list[pb.Schedule]:
    return [from_schedule(schedule) for schedule in schedules]


def from_schedule(schedule: Schedule) -> pb.Schedule:
    """The message, with every default written out."""
    match schedule:
        case Cron(expression, zone, daylight):
            return pb.Schedule(
                cron=pb.CronSchedule(expression=expression),
                time_zone=zone,
                daylight_policy=_DAYLIGHT.from_domain(daylight),
            )
        case Interval(count, unit, zone, anchor, truncate):
            interval = pb.IntervalSchedule(
                count=count,
                unit=_UNITS.from_domain(unit),
                anchor=_ANCHORS.from_domain(anchor),
                truncate_to_minute=truncate,
            )
            return pb.Schedule(interval=interval, time_zone=zone)
        case Daily(times, zone, daylight):
            return pb.Schedule(
                daily=pb.DailySchedule(times_of_day=times),
                time_zone=zone,
                daylight_policy=_DAYLIGHT.from_domain(daylight),
            )
        case Rolling(period_ms):
            return pb.Schedule(rolling=pb.RollingSchedule(period=from_millis(period_ms)))
        case RRule(rule, zone):
            return pb.Schedule(rrule=pb.RRuleSchedule(rule=rule), time_zone=zone)
        case OnCalendar(expression, zone):
            return pb.Schedule(on_calendar=pb.OnCalendarSchedule(expression=expression), time_zone=zone)


def _to_interval(message: pb.IntervalSchedule, zone: str, field: str) -> Interval:
    if message.count < 1:
        raise errors.invalid(f"{field}.count", f"must be at least 1, not {message.count}", reason="SCHEDULE_INVALID")
    return Interval(
        message.count,
        _UNITS.to_domain(message.unit, f"{field}.unit", reason="SCHEDULE_INVALID"),
        zone,
        _ANCHORS.to_domain(message.anchor, f"{field}.anchor"),
        message.truncate_to_minute,
    )


def _times_of_day(times: Sequence[str], field: str) -> tuple[str, ...]:
    if not times:
        raise errors.invalid(field, "at least one time of day, such as 14:30", reason="SCHEDULE_INVALID")
    return tuple(_required(text, f"{field}[{index}]") for index, text in enumerate(times))


def _required(text: str, field: str) -> str:
    if not text.strip():
        raise errors.invalid(field, "must not be empty", reason="SCHEDULE_INVALID")
    return _text(text, field)


def _text(text: str, field: str) -> str:
    if len(text) > MAX_TEXT:
        raise errors.invalid(field, f"at most {MAX_TEXT} characters, not {len(text)}", reason="SCHEDULE_INVALID")
    return text
