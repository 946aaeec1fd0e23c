"""The masks of a cron or calendar expression in English: when in the day, on which days, in which years.

    every 15 minutes from 09:00 to 17:45 | Monday to Friday | in 2030

Words are made from what matches, not from how it was written: every expression has some, equal ones have the same.
Values that step evenly through their whole range are "every n", a stretch is "a to b", anything else is counted out.
"""

import itertools
from collections.abc import Sequence

from tocsin._core.cron import Cron

_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_TIMES_MAX = 6  # as many times of day are written out
_LAST_YEAR = 2199  # of a calendar expression


def words(cron: Cron) -> str:
    """One line, never empty.

    >>> words(parse("30 2 * * MON-FRI"))
    'at 02:30 Monday to Friday'
    """
    masks = cron.masks()
    time = _time(_set(masks["second"]), _set(masks["minute"]), _set(masks["hour"]))
    days = _days(masks)
    if days == "every day" and time.startswith("every"):
        days = ""
    years = masks["years"]
    return " ".join(filter(None, (time, days, _years(years) if isinstance(years, tuple) else "")))


def joined(items: Sequence[str], last: str = "and") -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def every(count: int, unit: str) -> str:
    return f"every {unit}" if count == 1 else f"every {count} {unit}s"


def _set(mask: object) -> list[int]:
    assert isinstance(mask, int)
    return [value for value in range(64) if mask >> value & 1]


def _step(values: Sequence[int]) -> int:
    """The distance of values that lie evenly; 0 if they do not, or are fewer than three."""
    steps = {after - before for before, after in itertools.pairwise(values)}
    return steps.pop() if len(values) > 2 and len(steps) == 1 else 0


def _through(values: Sequence[int], size: int) -> int:
    """The step of values that go evenly through 0 to `size` - 1 and on into the next round; otherwise 0."""
    if len(values) == 2 and size == 2 * (values[1] - values[0]):
        return values[1] - values[0]
    step = _step(values)
    return step if step and len(values) * step == size else 0


def _counted(values: Sequence[int], unit: str) -> str:
    """Such as: minute 5; minutes 5 and 7; minutes 0 to 20; every 7th minute from 0 to 56."""
    step = _step(values)
    if len(values) == 1:
        return f"{unit} {values[0]}"
    if step == 1:
        return f"{unit}s {values[0]} to {values[-1]}"
    if step and len(values) > 4:
        return f"every {_ordinal(step)} {unit} from {values[0]} to {values[-1]}"
    return f"{unit}s {joined([str(value) for value in values])}"


def _ordinal(number: int) -> str:
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def _clock(hour: int, minute: int, second: int | None = None) -> str:
    return f"{hour:02}:{minute:02}" + ("" if second is None else f":{second:02}")


def _time(seconds: list[int], minutes: list[int], hours: list[int]) -> str:
    whole = seconds == [0]
    every_hour, every_minute = len(hours) == 24, len(minutes) == 60
    step = _through(minutes, 60)
    hour_step = _through(hours, 24)
    if whole and len(minutes) == 1 and hour_step and hours[0] == 0:
        return every(hour_step, "hour") + (f" at minute {minutes[0]}" if minutes[0] else "")
    if len(seconds) * len(minutes) * len(hours) <= _TIMES_MAX:
        shown = [_clock(h, m, None if whole else s) for h in hours for m in minutes for s in seconds]
        return f"at {joined(shown)}"
    if whole and every_hour:
        if step:
            return every(step, "minute") + (f" from minute {minutes[0]}" if minutes[0] else "")
        return f"every hour at {_counted(minutes, 'minute')}"
    if whole and (step or len(minutes) == 1) and (len(hours) == 1 or _step(hours) == 1):
        unit = every(step, "minute") if step else "every hour"
        return f"{unit} from {_clock(hours[0], minutes[0])} to {_clock(hours[-1], minutes[-1])}"
    if whole:
        what = every(step, "minute") if step else f"at {_counted(minutes, 'minute')}"
        return f"{what} past {_counted(hours, 'hour')}" if not step else f"{what} in {_counted(hours, 'hour')}"
    beat = _through(seconds, 60)
    offset = f" from second {seconds[0]}" if beat and seconds[0] else ""
    what = every(beat, "second") + offset if beat else f"at {_counted(seconds, 'second')}"
    if every_minute:
        what = what if beat else f"every minute {what}"
    else:
        what += f" in {every(step, 'minute') if step else _counted(minutes, 'minute')}"
        what += " of every hour" if every_hour else ""
    return what if every_hour else f"{what} {'of' if not every_minute else 'in'} {_counted(hours, 'hour')}"


def _dates(masks: dict[str, object]) -> str:
    """The days of the month, or "" when every one matches."""
    plain = _set(masks["dom"])
    if len(plain) == 31:
        return ""
    step = _step(plain)
    if step == 1:
        items = [f"{_ordinal(plain[0])} to {_ordinal(plain[-1])}"]
    elif step and len(plain) > 4:
        items = [f"{_ordinal(plain[0])} and every {_ordinal(step)} day after it to the {_ordinal(plain[-1])}"]
    else:
        items = [_ordinal(day) for day in plain]
    items += [f"weekday nearest the {_ordinal(day)}" for day in _set(masks["nearest"])]
    last = _set(masks["last"])
    if last[:2] == [0, 1] and len(last) == last[-1] + 1:
        items.append(f"last {len(last)} days")
        last = []
    items += [
        f"{_ordinal(count)} day before the last" if count > 1 else "last day but one" for count in last[::-1] if count
    ]
    items += ["last weekday"] * (masks["last_weekday"] is True)
    items += ["last day"] * (last[:1] == [0])
    return f"the {joined(items)}"


def _weekdays(masks: dict[str, object]) -> tuple[str, bool]:
    """The weekdays, or "" when every one matches; and whether they count within the month."""
    plain = [day % 7 for day in range(1, 8) if day % 7 in _set(masks["dow"])]  # Monday first
    if len(plain) == 7:
        return "", False
    names = [_WEEKDAYS[day] for day in plain]
    if len(names) > 2 and _step([day or 7 for day in plain]) == 1:
        names = [f"{names[0]} to {names[-1]}"]
    nth = _set(masks["nth"])
    counted = [f"the {'last' if bit >= 35 else _ordinal(bit // 7 + 1)} {_WEEKDAYS[bit % 7]}" for bit in nth]
    return joined(names + counted), bool(counted)


def _months(masks: dict[str, object]) -> str:
    """The months, or "" when every one matches."""
    months = _set(masks["month"])
    if len(months) == 12:
        return ""
    names = [_MONTHS[month - 1] for month in months]
    return f"{names[0]} to {names[-1]}" if _step(months) == 1 else joined(names)


def _days(masks: dict[str, object]) -> str:
    dates, (week, counted), months = _dates(masks), _weekdays(masks), _months(masks)
    if masks["either_day"] and not (dates and week):
        dates = week = ""
    within = f" in {months}" if months else ""
    of = f" of {months}" if months else " of the month"
    if not dates and not week:
        return f"every day{within}"
    if not dates:
        on = "" if " to " in week and not counted and "and" not in week else "on "
        return f"{on}{week}{of if counted else within}"
    if not week:
        return f"on {dates}{of}"
    if masks["either_day"]:
        return f"on {dates}{of} or on {week}{of if counted else within}"
    return f"on {dates}{of}, only if it is {_one_of(week)}"


def _one_of(week: str) -> str:
    return week.replace(" and ", " or ")


def _years(years: tuple[int, ...]) -> str:
    if not years:
        return "in no year"
    step = _step(years)
    if len(years) > 1 and years[-1] - years[0] == len(years) - 1:
        return f"from {years[0]} on" if years[-1] == _LAST_YEAR else f"in {years[0]} to {years[-1]}"
    if step and len(years) > 4:
        return f"in every {_ordinal(step)} year from {years[0]}" + (
            "" if years[-1] + step > _LAST_YEAR else f" to {years[-1]}"
        )
    return f"in {joined([str(year) for year in years])}"
