"""Fire times by looking at the wall clock of every minute (or second) and comparing its fields.

The daylight policies, said with the wall clock: going through time, the clock may jump over wall times (a gap) or show
some of them a second time (a fold).
    repeat   a wall time shown a second time fires again: both, croniter, and wildcard jobs of vixie
    move     if a wall time that was jumped over matches, the job fires once, at the first time after the gap:
             fixed jobs of vixie, and croniter unless every hour matches
"""

import calendar
import datetime as dt
import functools
from dataclasses import dataclass

from support.oracle import zone

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
DAY = 86400


def number(text: str, names: list[str], base: int) -> int:
    return names.index(text) + base if text in names else int(text)


def expand(text: str, low: int, high: int, names: list[str], base: int) -> set[int]:
    values = set()
    for item in text.split(","):
        body, _, step = item.partition("/")
        if body == "*":
            first, last = low, high
        elif "-" in body:
            first, last = (number(part, names, base) for part in body.split("-"))
        else:
            first = number(body, names, base)
            last = high if step else first
        values.update(range(first, last + 1, int(step or 1)))
    return values


@dataclass
class Expression:
    text: str
    years: frozenset[int] | None = None  # every year

    def __post_init__(self):
        fields = self.text.upper().split()
        self.step = 60 if len(fields) == 5 else 1
        if len(fields) == 5:
            fields = ["0", *fields]
        second, minute, hour, dom, month, dow = fields
        self.seconds = expand(second, 0, 59, [], 0)
        self.minutes = expand(minute, 0, 59, [], 0)
        self.hours = expand(hour, 0, 23, [], 0)
        self.months = expand(month, 1, 12, MONTHS, 1)
        self.both_days = dom[0] in "*?" or dow[0] in "*?"
        self.dom, self.dow = dom.replace("?", "*").split(","), dow.replace("?", "*").split(",")
        self.wildcard = minute.startswith("*") or hour.startswith("*")
        self.dates = functools.cache(self._date)

    def _date(self, date: dt.date) -> bool:
        if date.month not in self.months or (self.years is not None and date.year not in self.years):
            return False
        by_date = any(self._dom(item, date) for item in self.dom)
        by_week = any(self._dow(item, date) for item in self.dow)
        return by_date and by_week if self.both_days else by_date or by_week

    def _dom(self, item: str, date: dt.date) -> bool:
        last = calendar.monthrange(date.year, date.month)[1]
        if item == "L":
            return date.day == last
        if item.startswith("L-"):
            return date.day == last - int(item[2:])
        if item == "LW":
            working = [day for day in range(1, last + 1) if date.replace(day=day).weekday() < 5]
            return date.day == working[-1]
        if item.endswith("W"):
            target = int(item[:-1])
            if target > last or date.weekday() >= 5:
                return False
            working = [day for day in range(1, last + 1) if date.replace(day=day).weekday() < 5]
            # No two working days are equally near: a weekend has two days.
            return date.day == min(working, key=lambda day: abs(day - target))
        return date.day in expand(item, 1, 31, [], 0)

    def _dow(self, item: str, date: dt.date) -> bool:
        weekday = date.isoweekday() % 7
        last = calendar.monthrange(date.year, date.month)[1]
        if "#" in item and not item.endswith("#L"):
            day, count = item.split("#")
            return number(day, WEEKDAYS, 0) % 7 == weekday and (date.day - 1) // 7 + 1 == int(count)
        if item.endswith("L"):
            return number(item[:-1].rstrip("#"), WEEKDAYS, 0) % 7 == weekday and date.day + 7 > last
        return weekday in {value % 7 for value in expand(item, 0, 7, WEEKDAYS, 0)}

    def matches(self, wall: dt.datetime) -> bool:
        return (
            wall.second in self.seconds
            and wall.minute in self.minutes
            and wall.hour in self.hours
            and self.dates(wall.date())
        )


@functools.lru_cache(maxsize=4096)
def walls(name: str, day: int, step: int) -> list[dt.datetime]:
    """The wall clock at every step of one UTC day."""
    zoned = zone.load(name)
    return [
        dt.datetime.fromtimestamp(second, zone.UTC).astimezone(zoned).replace(tzinfo=None, fold=0)
        for second in range(day * DAY, (day + 1) * DAY, step)
    ]


def fire_times(
    text: str, name: str, policy: str, begin: int, end: int, years: frozenset[int] | None = None
) -> list[int]:
    """All fire times t with begin <= t < end, in seconds; `text` is a plain expression, no nickname."""
    expression = Expression(text, years)
    step = expression.step
    tick = dt.timedelta(seconds=step)
    repeat = policy in ("both", "croniter") or (policy == "vixie" and expression.wildcard)
    move = (policy == "croniter" and len(expression.hours) < 24) or (policy == "vixie" and not expression.wildcard)
    found = []
    before = highest = None
    for day in range(begin // DAY - (2 if step == 60 else 1), end // DAY + 1):
        around = [dt.date(1970, 1, 1) + dt.timedelta(days=day + i) for i in range(-2, 3)]
        if not any(expression.dates(date) for date in around):
            before = highest = None  # nothing near can match, so the wall clock need not be read
            continue
        for i, wall in enumerate(walls(name, day, step)):
            fires = expression.matches(wall) and (repeat or highest is None or wall > highest)
            if move and before is not None and wall - before > tick:
                missing = before + tick
                while missing < wall and not fires:
                    fires = expression.matches(missing) and (repeat or missing > highest)
                    missing += tick
            if fires and begin <= day * DAY + i * step < end:
                found.append(day * DAY + i * step)
            before = wall
            highest = wall if highest is None else max(highest, wall)
    return found
