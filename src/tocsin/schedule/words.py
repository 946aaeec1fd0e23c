"""A schedule in English: "every 5 minutes", "at 02:30 every day, Europe/Vienna".

An expression for which there are no short words is shown as it was written.
"""

from tocsin.domain.schedule import Cron, Daily, Interval, OnCalendar, Rolling, RRule, Schedule
from tocsin.schedule import cron_text

_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
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
            return _every(schedule.count, schedule.unit.value)
        case Daily():
            return f"at {_joined(schedule.times_of_day)} every day" + _zone(schedule.time_zone)
        case Rolling(period_ms):
            return f"within {_span(period_ms)} of the last signal"
        case RRule():
            return schedule.rule + _zone(schedule.time_zone)
        case OnCalendar():
            return schedule.expression + _zone(schedule.time_zone)


def _zone(name: str) -> str:
    return "" if name == "UTC" else f", {name}"


def _every(count: int, unit: str) -> str:
    return f"every {unit}" if count == 1 else f"every {count} {unit}s"


def _span(ms: int) -> str:
    for size, name in _SPANS:
        if ms % size == 0:
            count = ms // size
            return f"1 {name}" if count == 1 else f"{count} {name}s"
    return f"{ms} ms"


def _joined(items: tuple[str, ...]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _ordinal(number: int) -> str:
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def _cron(expression: str) -> str:
    """The common shapes; an expression with a shape of its own is shown as written."""
    fields = cron_text.normalise(expression).split(" ")
    if len(fields) != 5:
        return expression.strip()
    minute, hour, dom, month, dow = fields
    time = _time(minute, hour)
    days = _days(dom, month, dow)
    if time is None or days is None:
        return expression.strip()
    if time.startswith("every") and days == "every day":
        return time
    return f"{time} {days}"


def _time(minute: str, hour: str) -> str | None:
    if hour == "*":
        if minute == "*":
            return "every minute"
        if minute.startswith("*/") and minute[2:].isdigit() and int(minute[2:]) and 60 % int(minute[2:]) == 0:
            return _every(int(minute[2:]), "minute")
        if minute.isdigit():
            return "every hour" if int(minute) == 0 else f"every hour at minute {int(minute)}"
    elif minute.isdigit():
        if hour.startswith("*/") and hour[2:].isdigit() and int(hour[2:]) and 24 % int(hour[2:]) == 0:
            at = f" at minute {int(minute)}" if int(minute) else ""
            return _every(int(hour[2:]), "hour") + at
        hours = hour.split(",")
        if all(one.isdigit() for one in hours):
            return "at " + _joined(tuple(f"{int(one):02}:{int(minute):02}" for one in hours))
    return None


def _days(dom: str, month: str, dow: str) -> str | None:
    if month != "*" and not (month.isdigit() and dow == "*" and dom.isdigit()):
        return None
    if dom == "*" and dow == "*":
        return "every day"
    if dom == "*":
        first, dash, last = dow.partition("-")
        names = {name: _WEEKDAYS[i] for name, i in cron_text.WEEKDAYS.items()} | {
            str(i): _WEEKDAYS[i % 7] for i in range(8)
        }
        if dash:
            return f"{names[first]} to {names[last]}" if first in names and last in names else None
        days = dow.split(",")
        return f"on {_joined(tuple(names[day] for day in days))}" if all(day in names for day in days) else None
    if dow != "*":
        return None
    if dom == "L":
        return "on the last day of the month"
    if dom.isdigit():
        of = "every month" if month == "*" else f"of {_MONTHS[int(month) - 1]}"
        return f"on the {_ordinal(int(dom))} {of}"
    return None
