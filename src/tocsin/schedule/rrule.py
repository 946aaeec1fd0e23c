"""The fire times of an RFC 5545 rule in one zone, in any window, however far it lies from DTSTART.

`dateutil` evaluates; it can only walk forward from DTSTART and stops at the year 9999 or at a match, never in between.
So a rule is started anew just before the window:

    phase   DTSTART is moved on by whole INTERVALs of the frequency, which changes no later fire time. With COUNT, which
            counts from DTSTART, all times are found once and kept.
    label   the calendar repeats every 400 years; years are renamed so that the walk begins after 9590 and ends with
            9999, which bounds the search for a match that does not come.
    dates   below a day, the dates that BYMONTH, BYMONTHDAY, BYYEARDAY and BYDAY allow are a daily rule of their own,
            and the times of day are walked on those dates only. A rule of every hour, minute or second is a daily one
            that names them, if they are few.

Wall times become instants by `Zone.utc`: read with the offset before a gap, the first pass of a fold, each instant
once. A rule that has no match for 400 years is over.
"""

import datetime
import itertools
import math
from array import array
from collections.abc import Iterator
from typing import Final

from dateutil import rrule as library

from tocsin._core import civil
from tocsin._core.timetable import FIRST_MS, LAST_MS
from tocsin._core.zone import Zone
from tocsin.domain import errors
from tocsin.schedule import rrule_text
from tocsin.schedule.rrule_text import DAILY, HOURLY, MINUTELY, MONTHLY, SECONDLY, WEEKLY, RuleText

FIRST_S: Final = FIRST_MS // 1000 - 1  # before all of time: windows leave their low end out
LAST_S: Final = LAST_MS // 1000
_DAY: Final = 86_400
_ERA: Final = 146_097 * _DAY  # 400 years
_LABEL: Final = civil.to_days(9590, 1, 1) * _DAY
_EPOCH: Final = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - wall time
_EPOCH_DAY: Final = _EPOCH.toordinal()
_REACH: Final = 27 * 3600  # no wall clock is further from UTC
_STEP: Final = {WEEKLY: 7 * _DAY, DAILY: _DAY, HOURLY: 3600, MINUTELY: 60, SECONDLY: 1}
_NAMED: Final = 288  # times of a day
_HOPELESS: Final = 3_000  # dates without a time, one after the other: a rule whose interval never meets its dates
_COUNT_HARD: Final = 100  # where each time may take the library milliseconds
_MANY: Final = 256  # times of a window
# How far a window looks for more than one time: some ten milliseconds of walking. By frequency.
_HORIZON: Final = tuple(days * _DAY for days in (73_000, 36_500, 18_250, 3_650, 365, 31, 2))
_DATE_PARTS: Final = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY")


def compile(text: str, time_zone: str, zone: Zone, *, path: str = "schedule.rrule.rule") -> "Occurrences":  # noqa: A001
    """The occurrences of a rule as text; `InvalidArgument` about `path`."""
    rule = rrule_text.parse(text, time_zone, path=path)
    try:
        return Occurrences(rule, zone)
    except ValueError as error:
        raise errors.invalid(path, str(error), reason="SCHEDULE_INVALID") from error


class Occurrences:
    """The fire times of a rule. Instants are UTC seconds. ValueError: COUNT asks for more than can be found in time."""

    def __init__(self, rule: RuleText, zone: Zone) -> None:
        self._zone = zone
        self._rule = rule
        self._walker = _Walker(rule)
        self._horizon = _HORIZON[rule.freq]
        self._added = sorted({self._instant(moment.seconds, moment.utc) for moment in rule.added})
        self._removed = {self._instant(moment.seconds, moment.utc) for moment in rule.removed}
        self._counted: list[int] | None = None
        if rule.count is not None:
            self._counted = self._count(rule, rule.count)
        first = min([rule.start - _REACH, *self._added])
        self._first = max(first - 1, FIRST_S)  # nothing fires up to here

    def _count(self, rule: RuleText, count: int) -> list[int]:
        if rule.freq > DAILY and rule.interval > 1 and count > _COUNT_HARD and (rule.lists or rule.days):
            raise ValueError(f"COUNT: at most {_COUNT_HARD} with INTERVAL, BYxxx and a FREQ below a day, not {count}")
        last = rule.start + _ERA
        found = list(
            itertools.takewhile(lambda wall: wall < last, itertools.islice(self._walker.walk(rule.start), count))
        )
        if len(found) < count and next(self._walker.walk(last), None) is not None:
            raise ValueError(f"COUNT: {count} times take more than 400 years from DTSTART")
        return found

    def window(self, from_s: int, to_s: int) -> "array[int]":
        """All fire times t with from_s < t <= to_s, ascending."""
        found = self._window(from_s, to_s)
        assert found is not None
        return found

    def cover(self, around_s: int) -> "tuple[int, int, array[int]]":
        """A window (low, high] with low <= around < high, its fire times, some hundreds at most.

        Where nothing comes before or after it, the window reaches to the end of time: FIRST_S, LAST_S.
        """
        around_s = min(max(around_s, FIRST_S), LAST_S - 1)
        high, count = self._later(around_s)
        low = self._earlier(around_s, high - around_s if high < LAST_S else _ERA, max(count, 1))
        return low, high, self.window(low, high)

    def next_after(self, instant_s: int) -> int | None:
        """The first fire time after an instant; None if there is none."""
        high, _ = self._later(instant_s, most=1)
        return next(iter(self.window(instant_s, high)), None)

    def _later(self, around: int, most: int = _MANY) -> tuple[int, int]:
        """The end of a good window: so many times on, or fewer where they are rare, but at least one."""
        high, count = around, 0
        for wall in self._walls(self._reach(around, around)[0]):
            instant = self._zone.utc(wall)[0]
            if instant <= around or instant in self._removed:
                continue
            high = max(high, instant)
            count += 1
            if count == most or instant - around > self._horizon:
                return min(high, LAST_S), count
        return LAST_S, count

    def _earlier(self, around: int, span: int, count: int) -> int:
        """The beginning of a good window, about `span` before `around`; in the span after it there were `count`."""
        high, found = around, 0
        step = max(span // count * 16, 1)
        while high > self._first and found < _MANY // 2 and around - high < span:
            low = max(high - step, self._first)
            times = self._window(low, high, most=_MANY)
            if times is None:
                step = max(step // 2, 1)
                continue
            found, high, step = found + len(times), low, step * 2
        return FIRST_S if high <= self._first else high

    def _window(self, from_s: int, to_s: int, most: int | None = None) -> "array[int] | None":
        """None: more than `most`."""
        low, high = self._reach(from_s, to_s)
        found = {instant for instant in self._added if from_s < instant <= to_s}
        for wall in self._walls(low):
            if wall > high:
                break
            instant = self._zone.utc(wall)[0]
            if from_s < instant <= to_s:
                found.add(instant)
                if most is not None and len(found) > most:
                    return None
        return array("q", sorted(found - self._removed))

    def _walls(self, low: int) -> Iterator[int]:
        """Wall times of the rule from `low` on, ascending, up to UNTIL."""
        walls = self._walker.walk(low) if self._counted is None else (wall for wall in self._counted if wall >= low)
        until = self._rule.until
        for wall in walls:
            if until is not None:
                if wall - until.seconds > _REACH * until.utc:
                    return
                if until.utc and self._zone.utc(wall)[0] > until.seconds:
                    continue
            yield wall

    def _reach(self, from_s: int, to_s: int) -> tuple[int, int]:
        """The wall times that can become an instant between the two: with the offsets around."""
        offsets = []
        at = from_s - _REACH
        while True:
            _, end, offset = self._zone.segment(at)
            offsets.append(offset)
            if end is None or end > to_s + _REACH or len(offsets) > 4:
                break
            at = end
        if len(offsets) > 4:
            return from_s - _REACH, to_s + _REACH
        return from_s + min(offsets), to_s + max(offsets)

    def _instant(self, seconds: int, utc: bool) -> int:
        return seconds if utc else self._zone.utc(seconds)[0]


class _Walker:
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
        day = self._start // _DAY
        _, month, monthday = civil.to_date(day)
        if not self._dates.keys() - {"bymonth"} and "byweekno" not in self._parts:
            if self._freq == WEEKLY:
                self._dates["byweekday"] = (day + 3) % 7  # 1970-01-01 was a Thursday, Monday is 0
            elif self._freq < WEEKLY:
                self._dates["bymonthday"] = monthday
            if self._freq < MONTHLY:
                self._dates.setdefault("bymonth", month)
        second = self._start % _DAY
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
        for date in self._run(DAILY, 1, midnight, low - low % _DAY, start=self._start - self._start % _DAY):
            if date + _DAY <= free:
                continue
            fruitless += 1
            for time in self._run(self._freq, self._interval, self._parts, max(low, date)):
                free = time
                if time >= date + _DAY:
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
        while low <= LAST_S + _REACH:
            shift = (low - _LABEL) // _ERA * _ERA
            end = _LABEL + shift + _ERA
            begin = _EPOCH + datetime.timedelta(seconds=_phase(freq, interval, start, low) - shift)
            try:
                for moment in library.rrule(freq, begin, interval, **parts):
                    wall = (
                        (moment.toordinal() - _EPOCH_DAY) * _DAY
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
            if low - found > _ERA:
                return


def _phase(freq: int, interval: int, start: int, low: int) -> int:
    """DTSTART moved on by whole intervals, to one interval or more before `low`."""
    if freq in _STEP:
        step = _STEP[freq] * interval
        return start + max((low - start) // step - 1, 0) * step
    year, month, _ = civil.to_date(start // _DAY)
    low_year, low_month, _ = civil.to_date(low // _DAY)
    of_day = start % _DAY
    if freq == MONTHLY:
        months = year * 12 + month - 1
        months += ((low_year * 12 + low_month - 1 - months) // interval - 1) * interval
        moved = civil.to_days(months // 12, months % 12 + 1, 1) * _DAY + of_day
    else:
        moved = civil.to_days(year + ((low_year - year) // interval - 1) * interval, 1, 1) * _DAY + of_day
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
