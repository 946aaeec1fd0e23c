"""The wall times of an RFC 5545 rule from any point on, however far it lies from DTSTART.

`dateutil` evaluates; it can only walk forward from DTSTART and stops at the year 9999 or at a match, never in between.
So a rule is started anew just before the point:

    phase   DTSTART is moved on by whole INTERVALs of the frequency, which changes no later time
    label   the calendar repeats every 400 years; years are renamed so that the walk begins after 9590 and ends with
            9999, which bounds the search for a match that does not come
    dates   the library finds dates only; `rrule_times` knows the times of each. From a day down, the parts that name
            dates are filters, and so a yearly rule of their own, which the library walks year by year

The library finds times too where BYSETPOS chooses among those of a week, a month or a year.
A rule that has no match for 400 years is over. Wall times are seconds, counted as if the wall clock showed UTC.
"""

import datetime
import math
from collections.abc import Iterator
from typing import Final

from dateutil import rrule as library

from tocsin._core import civil
from tocsin._core.timetable import LAST_MS
from tocsin.schedule.rrule_text import DAILY, MONTHLY, WEEKLY, YEARLY, RuleText
from tocsin.schedule.rrule_times import DAY, Times

ERA: Final = 146_097 * DAY  # 400 years
LAST_S: Final = LAST_MS // 1000
REACH: Final = 27 * 3600  # no wall clock is further from UTC
_LABEL: Final = civil.to_days(9590, 1, 1) * DAY
_EPOCH: Final = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - wall time
_EPOCH_DAY: Final = _EPOCH.toordinal()
_STEP: Final = {WEEKLY: 7 * DAY, DAILY: DAY}
_FEW: Final = 12  # days: longer steps are cheaper than all dates of a year
_WEEKS: Final = 5  # of a month, at most
_TIME_PARTS: Final = ("BYHOUR", "BYMINUTE", "BYSECOND")


class Walker:
    """Wall times from any point on: phases, labels and dates of the comment on top."""

    def __init__(self, rule: RuleText) -> None:
        self._start = rule.start
        self._midnight = rule.start - rule.start % DAY
        self._freq = rule.freq
        self._interval = rule.interval
        self._dates: dict[str, object] = {
            name.lower(): values for name, values in rule.lists.items() if name not in (*_TIME_PARTS, "BYSETPOS")
        }
        of_month = rule.freq == MONTHLY or "BYMONTH" in rule.lists
        days = [day for day in rule.days if not (of_month and abs(day[1]) > _WEEKS)]  # there the library has no end
        if rule.days:
            self._dates["byweekday"] = [library.weekday(day, nth or None) for day, nth in days]
        self._times = Times(rule)
        self._whole = "BYSETPOS" in rule.lists and rule.freq < DAILY  # the library finds times as well
        self._never = (
            _unreachable(rule) or len(days) < min(len(rule.days), 1) or (not self._whole and self._times.never)
        )
        self._over = LAST_S + REACH + 1  # no time from here on
        if self._freq < DAILY:
            self._imply()
        elif self._dates and not self._dates.keys() - {"bymonth"}:
            self._dates["bymonthday"] = tuple(range(1, 32))  # or the library would take it from DTSTART
        if self._whole:
            self._dates |= {name.lower(): rule.lists[name] for name in (*_TIME_PARTS, "BYSETPOS") if name in rule.lists}
            second = rule.start % DAY
            for name, value in (("byhour", second // 3600), ("byminute", second // 60 % 60), ("bysecond", second % 60)):
                self._dates.setdefault(name, value)
        else:
            self._dates |= {"byhour": 0, "byminute": 0, "bysecond": 0}
        self._dates["wkst"] = rule.week_start
        self._every_day = self._freq >= DAILY and len(self._dates) == 4

    def _imply(self) -> None:
        """Writes out what the library would take from DTSTART, which moves."""
        day = self._start // DAY
        _, month, monthday = civil.to_date(day)
        if not self._dates.keys() - {"bymonth"}:
            if self._freq == WEEKLY:
                self._dates["byweekday"] = (day + 3) % 7  # 1970-01-01 was a Thursday, Monday is 0
            else:
                self._dates["bymonthday"] = monthday
                if self._freq < MONTHLY:
                    self._dates.setdefault("bymonth", month)

    def walk(self, low: int) -> Iterator[int]:
        """Wall seconds from `low` and DTSTART on, ascending."""
        low = max(low, self._start)
        if self._never or low >= self._over:
            return
        found = low - 1
        for wall in self._walk(low):
            found = wall
            yield wall
        self._over = min(self._over, found + 1)

    def _walk(self, low: int) -> Iterator[int]:
        if self._whole:
            yield from self._run(self._freq, self._interval, low, self._start)
        elif self._every_day and (self._freq > DAILY or self._interval == 1):
            yield from self._times.on_all(low, LAST_S + REACH)
        else:
            for date in self._run_dates(low - low % DAY):
                yield from self._times.on(date, low)

    def _run_dates(self, low: int) -> Iterator[int]:
        """The dates that are allowed, as the seconds of their midnights."""
        if self._freq < DAILY or self._every_day or (self._freq == DAILY and self._interval > _FEW):
            yield from self._run(self._freq, self._interval, low, self._midnight)
            return
        step = self._interval * DAY if self._freq == DAILY else DAY
        found = low
        for date in self._run(YEARLY, 1, low, self._midnight):
            if (date - self._midnight) % step == 0:
                yield date
                found = date
            elif date - found > ERA:
                return

    def _run(self, freq: int, interval: int, low: int, start: int) -> Iterator[int]:
        """The library's walk, era by era."""
        found = low
        while low <= LAST_S + REACH:
            shift = (low - _LABEL) // ERA * ERA
            end = _LABEL + shift + ERA
            begin = _EPOCH + datetime.timedelta(seconds=_phase(freq, interval, start, low) - shift)
            try:
                for moment in library.rrule(freq, begin, interval, **self._dates):
                    wall = (
                        (moment.toordinal() - _EPOCH_DAY) * DAY
                        + moment.hour * 3600
                        + moment.minute * 60
                        + moment.second
                        + shift
                    )
                    if wall > LAST_S + REACH:
                        return
                    if wall >= end:
                        break
                    if wall >= low:
                        yield wall
                        found = wall
            except ValueError:  # a week reaches into the year 10000
                pass
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
    """What the library would look for until the year 9999: a place in a period that has fewer, a date of no month."""
    if rule.freq < DAILY and "BYSETPOS" in rule.lists:
        most = math.prod(len(rule.lists.get(name, (0,))) for name in _TIME_PARTS) * _dates_of_period(rule)
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


def _dates_of_period(rule: RuleText) -> int:
    """At most so many dates in a week, month or year."""
    if rule.freq == WEEKLY:
        return len({day for day, _ in rule.days}) or 1
    if rule.freq == MONTHLY:
        return 31 if rule.days else len(rule.lists.get("BYMONTHDAY", (0,)))
    return 366
