"""A schedule in English: "every 5 minutes", "at 02:30 every day, Europe/Vienna".

Text that cannot be read, which no monitor has, is shown as it was written.
"""

from tocsin.domain.errors import InvalidArgument
from tocsin.domain.schedule import Cron, Daily, Interval, OnCalendar, Rolling, RRule, Schedule
from tocsin.schedule import cron_text, on_calendar
from tocsin.schedule.cron_words import every, joined, words

_SPANS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1000, "second"))


def describe(schedules: tuple[Schedule, ...]) -> str:
    """All schedules of a monitor, joined by "; or"."""
    return "; or ".join(describe_one(schedule) for schedule in schedules) or "no schedule"


def describe_one(schedule: Schedule) -> str:
    """One schedule.

    >>> describe_one(Cron("30 2 * * MON-FRI", "Europe/Vienna"))
    'at 02:30 Monday to Friday, Europe/Vienna'
    """
    match schedule:
        case Cron():
            return _cron(schedule.expression) + _zone(schedule.time_zone)
        case Interval():
            return every(schedule.count, schedule.unit.value)
        case Daily():
            return f"at {joined(schedule.times_of_day)} every day" + _zone(schedule.time_zone)
        case Rolling(period_ms):
            return f"within {_span(period_ms)} of the last signal"
        case RRule():
            return schedule.rule + _zone(schedule.time_zone)
        case OnCalendar():
            return _on_calendar(schedule)


def _cron(expression: str) -> str:
    try:
        return words(cron_text.parse(expression))
    except InvalidArgument:
        return expression.strip()


def _on_calendar(schedule: OnCalendar) -> str:
    try:
        cron, zone = on_calendar.parse(schedule.expression)
    except InvalidArgument:
        return schedule.expression.strip()
    return words(cron) + _zone(zone or schedule.time_zone or "UTC")


def _zone(name: str) -> str:
    return "" if name == "UTC" else f", {name}"


def _span(ms: int) -> str:
    for size, name in _SPANS:
        if ms % size == 0:
            count = ms // size
            return f"1 {name}" if count == 1 else f"{count} {name}s"
    return f"{ms} ms"
