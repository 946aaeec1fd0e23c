"""Short ways to write a Schedule: cron(), every(), daily(), rolling(); and what may stand where one is wanted."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal, get_args

from google.protobuf.duration_pb2 import Duration

from tocsin.v1 import schedule_pb2 as pb

Unit = Literal["second", "minute", "hour", "day", "week", "month", "year"]
ScheduleLike = str | timedelta | pb.Schedule  # a cron expression, a step after the last report, or anything at all
_UNITS = frozenset(get_args(Unit))


def cron(expression: str, time_zone: str = "") -> pb.Schedule:
    """`cron("30 2 * * MON-FRI", "Europe/Berlin")`. Five fields, six with seconds first, or "@daily"; "" is UTC."""
    return pb.Schedule(cron=pb.CronSchedule(expression=expression), time_zone=time_zone)


def every(count: int, unit: Unit, time_zone: str = "") -> pb.Schedule:
    """`every(5, "minute")`: so long after the last report. ValueError: no such unit."""
    if unit not in _UNITS:
        raise ValueError(f"unit: {unit!r} is none of {', '.join(get_args(Unit))}")
    return pb.Schedule(interval=pb.IntervalSchedule(count=count, unit=f"UNIT_{unit.upper()}"), time_zone=time_zone)


def daily(*times_of_day: str, time_zone: str = "") -> pb.Schedule:
    """`daily("02:30", "14:30", time_zone="Asia/Tokyo")`: times of day, "HH:MM" or "HH:MM:SS"."""
    return pb.Schedule(daily=pb.DailySchedule(times_of_day=times_of_day), time_zone=time_zone)


def rolling(period: timedelta) -> pb.Schedule:
    """A timer that every signal sets anew: due `period` after the last one."""
    length = Duration()
    length.FromTimedelta(period)
    return pb.Schedule(rolling=pb.RollingSchedule(period=length))


def schedules(given: ScheduleLike | Iterable[ScheduleLike], time_zone: str = "") -> list[pb.Schedule]:
    """One or several. Text is cron, a timedelta of whole seconds an interval; `time_zone` is for those that name none.

    ValueError: a timedelta that is no whole number of seconds. TypeError: something else altogether.
    """
    several = [given] if isinstance(given, str | timedelta | pb.Schedule) else list(given)
    return [_one(each, time_zone) for each in several]


def _one(given: object, time_zone: str) -> pb.Schedule:
    if isinstance(given, str):
        return cron(given, time_zone)
    if isinstance(given, timedelta):
        if given <= timedelta() or given % timedelta(seconds=1):
            raise ValueError(f"schedule: {given!r} is not a whole number of seconds, one or more")
        return every(given // timedelta(seconds=1), "second", time_zone)
    if not isinstance(given, pb.Schedule):
        raise TypeError(f"schedule: {given!r} is no cron expression, timedelta or Schedule")
    if not time_zone or given.time_zone:
        return given
    placed = pb.Schedule()
    placed.CopyFrom(given)
    placed.time_zone = time_zone
    return placed
