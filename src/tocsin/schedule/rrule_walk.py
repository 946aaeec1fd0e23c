"""The wall times of an RFC 5545 rule from any point on, however far it lies from DTSTART.

`dateutil` evaluates; it can only walk forward from DTSTART and stops at the year 9999 or at a match, never in between.
So a rule is started anew just before the point:

    phase   DTSTART is moved on by whole INTERVALs of the frequency, which changes no later time
    label   the calendar repeats every 400 years; years are renamed so that the walk begins after 9590 and ends with
            9999, which bounds the search for a match that does not come
    dates   below a day, the dates that BYMONTH, BYMONTHDAY, BYYEARDAY and BYDAY allow are a daily rule of their own,
            and the times of day are walked on those dates only; a rule of every hour, minute or second is a daily or
            an hourly one that names them

A rule that has no match for 400 years is over. Wall times are seconds, counted as if the wall clock showed UTC.
"""

import datetime
import math
from collections.abc import Iterator
from typing import Final

from dateutil import rrule as library

from tocsin._core import civil
from tocsin._core.timetable import LAST_MS
from tocsin.schedule.rrule_text import DAILY, HOURLY, MINUTELY, MONTHLY, SECONDLY, WEEKLY, RuleText

DAY: Final = 86_400
ERA: Final = 146_097 * DAY  # 400 years
LAST_S: Final = LAST_MS // 1000
REACH: Final = 27 * 3600  # no wall clock is further from UTC
_LABEL: Final = civil.to_days(9590, 1, 1) * DAY
_EPOCH: Final = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - wall time
_EPOCH_DAY: Final = _EPOCH.toordinal()
_STEP: Final = {WEEKLY: 7 * DAY, DAILY: DAY, HOURLY: 3600, MINUTELY: 60, SECONDLY: 1}
_NAMED: Final = 288  # times of a day
_HOPELESS: Final = 3_000  # dates without a time, one after the other: a rule whose interval never meets its dates
_DATE_PARTS: Final = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY")


class Walker:
    """Wall times from any point on: phases, labels and dates of the comment on top."""

    def __init__(self, rule: RuleText) -> None:
        self._start = rule.start
        self._freq = rule.freq
        self._interval = rule.interval
        self._parts: dict[str, object] = {
            name.lower(): values for name, values in rule.lists.items() if name not in _DATE_PARTS
        }
        self._dates: dict[str, object] = {
            name.lower(): values for name, values in rule.lists.items() if name in _DATE_PARTS
        }
        if rule.days:
            self._dates["byweekday"] = [library.weekday(day, nth or None) for day, nth in rule.days]
        self._never = _unreachable(rule)
        if self._freq > DAILY:
            self._rewrite(rule)
        self._parts["wkst"] = rule.week_start
        self._imply()

    def _rewrite(self, rule: RuleText) -> None:
        """Every hour, minute or second, less those filtered out: a daily rule when that names few times, or hourly.

        The library tries every step of a day that a filter leaves out; named times cost it nothing.
        """
        if rule.interval != 1 or "BYSETPOS" in rule.lists:
            return
        if self._freq > HOURLY and not rule.lists.keys() & {"BYHOUR", "BYMINUTE", "BYSECOND"}:
            return
        units = (("byhour", 24), ("byminute", 60), ("bysecond", 60))[: self._freq - DAILY]
        named = {name: rule.lists.get(name.upper(), tuple(range(size))) for name, size in units}
        if math.prod(map(len, named.values())) * len(rule.lists.get("BYSECOND", (0,))) <= _NAMED:
            self._parts = named | self._parts
            self._freq = DAILY
        else:
            del named["byhour"]
            self._parts = named | self._parts
            self._freq = HOURLY

    def _imply(self) -> None:
        """Writes out what the library would take from DTSTART, which moves."""
        day = self._start // DAY
        _, month, monthday = civil.to_date(day)
        if not self._dates.keys() - {"bymonth"} and "byweekno" not in self._parts:
            if self._freq == WEEKLY:
                self._dates["byweekday"] = (day + 3) % 7  # 1970-01-01 was a Thursday, Monday is 0
            elif self._freq < WEEKLY:
                self._dates["bymonthday"] = monthday
            if self._freq < MONTHLY:
                self._dates.setdefault("bymonth", month)
        second = self._start % DAY
        for name, unit, value in (
            ("byhour", HOURLY, second // 3600),
            ("byminute", MINUTELY, second // 60 % 60),
            ("bysecond", SECONDLY, second % 60),
        ):
            if self._freq < unit:
                self._parts.setdefault(name, value)

    def walk(self, low: int) -> Iterator[int]:
        """Wall seconds from `low` and DTSTART on, ascending."""
        low = max(low, self._start)
        if self._never:
            return iter(())
        if self._freq <= DAILY:
            return self._run(self._freq, self._interval, {**self._parts, **self._dates}, low)
        if not self._dates:
            return self._run(self._freq, self._interval, self._parts, low)
        return self._times_on_dates(low)

    def _times_on_dates(self, low: int) -> Iterator[int]:
        """Below a day: the times of the dates that are allowed."""
        midnight = {"byhour": 0, "byminute": 0, "bysecond": 0, **self._dates}
        fruitless, free = 0, low  # up to `free` there is no time
        for date in self._run(DAILY, 1, midnight, low - low % DAY, start=self._start - self._start % DAY):
            if date + DAY <= free:
                continue
            fruitless += 1
            for time in self._run(self._freq, self._interval, self._parts, max(low, date)):
                free = time
                if time >= date + DAY:
                    break
                fruitless = 0
                yield time
            else:
                return
            if fruitless > _HOPELESS:
                return

    def _run(
        self, freq: int, interval: int, parts: dict[str, object], low: int, start: int | None = None
    ) -> Iterator[int]:
        """The library's walk, era by era."""
        start = self._start if start is None else start
        found = low
        while low <= LAST_S + REACH:
            shift = (low - _LABEL) // ERA * ERA
            end = _LABEL + shift + ERA
            begin = _EPOCH + datetime.timedelta(seconds=_phase(freq, interval, start, low) - shift)
            try:
                for moment in library.rrule(freq, begin, interval, **parts):
                    wall = (
                        (moment.toordinal() - _EPOCH_DAY) * DAY
                        + moment.hour * 3600
                        + moment.minute * 60
                        + moment.second
                        + shift
                    )
                    if wall >= end:
                        break
                    if wall >= low:
                        yield wall
                        found = wall
            except ValueError:  # an interval never meets the times of day, or a week reaches into the year 10000
                if freq > DAILY:
                    return
            low = end
            if low - found > ERA:
                return


def _phase(freq: int, interval: int, start: int, low: int) -> int:
    """DTSTART moved on by whole intervals, to one interval or more before `low`."""
    if freq in _STEP:
        step = _STEP[freq] * interval
        return start + max((low - start) // step - 1, 0) * step
    year, month, _ = civil.to_date(start // DAY)
    low_year, low_month, _ = civil.to_date(low // DAY)
    of_day = start % DAY
    if freq == MONTHLY:
        months = year * 12 + month - 1
        months += ((low_year * 12 + low_month - 1 - months) // interval - 1) * interval
        moved = civil.to_days(months // 12, months % 12 + 1, 1) * DAY + of_day
    else:
        moved = civil.to_days(year + ((low_year - year) // interval - 1) * interval, 1, 1) * DAY + of_day
    return max(moved, start)


def _unreachable(rule: RuleText) -> bool:
    """What the library would look for until the year 9999: a place in a set that has fewer, a date of no month."""
    sizes = [len(rule.lists.get(name, (0,))) for name in ("BYHOUR", "BYMINUTE", "BYSECOND")]
    if rule.freq >= WEEKLY and "BYSETPOS" in rule.lists:
        most = 7 if rule.freq == WEEKLY else 1
        for unit, size in zip((HOURLY, MINUTELY, SECONDLY), sizes, strict=True):
            most *= size if rule.freq < unit else 1
        if min(abs(place) for place in rule.lists["BYSETPOS"]) > most:
            return True
    days = rule.lists.get("BYMONTHDAY")
    if not days:
        return False
    longest = max(
        31 if month in (1, 3, 5, 7, 8, 10, 12) else 29 if month == 2 else 30  # of a month that is allowed
        for month in rule.lists.get("BYMONTH", (1,))
    )
    return min(abs(day) for day in days) > longest
