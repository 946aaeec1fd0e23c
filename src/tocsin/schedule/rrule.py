"""The fire times of an RFC 5545 rule in one zone, in any window.

`rrule_walk` finds wall times with the library; here they become instants by `Zone.utc`: read with the offset before a
gap, the first pass of a fold, each instant once. With COUNT, which counts from DTSTART, all are found once and kept.
Added and removed dates, and an UNTIL in UTC, are instants too.
"""

import itertools
from array import array
from collections.abc import Iterator
from typing import Final

from tocsin._core.timetable import FIRST_MS
from tocsin._core.zone import Zone
from tocsin.domain import errors
from tocsin.schedule import rrule_text
from tocsin.schedule.rrule_text import DAILY, RuleText
from tocsin.schedule.rrule_times import DAY
from tocsin.schedule.rrule_walk import ERA, LAST_S, REACH, Walker

FIRST_S: Final = FIRST_MS // 1000 - 1  # before all of time: windows leave their low end out
_COUNT_HARD: Final = 100  # where each time may take the library milliseconds
_MANY: Final = 256  # times of a window
# How far a window looks for more than one time: some ten milliseconds of walking. By frequency.
_HORIZON: Final = tuple(days * DAY for days in (18_250, 18_250, 18_250, 3_650, 365, 31, 2))


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
        self._walker = Walker(rule)
        self._horizon = _HORIZON[rule.freq]
        self._added = sorted({self._instant(moment.seconds, moment.utc) for moment in rule.added})
        self._removed = {self._instant(moment.seconds, moment.utc) for moment in rule.removed}
        self._counted: list[int] | None = None
        if rule.count is not None:
            self._counted = self._count(rule, rule.count)
        first = min([rule.start - REACH, *self._added])
        self._first = max(first - 1, FIRST_S)  # nothing fires up to here

    def _count(self, rule: RuleText, count: int) -> list[int]:
        if rule.freq > DAILY and rule.interval > 1 and count > _COUNT_HARD and (rule.lists or rule.days):
            raise ValueError(f"COUNT: at most {_COUNT_HARD} with INTERVAL, BYxxx and a FREQ below a day, not {count}")
        last = rule.start + ERA
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
        low = self._earlier(around_s, high - around_s if high < LAST_S else ERA, max(count, 1))
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
        high, found, below = around, 0, self._first - 1  # from `below` on there were too many
        step = max(span // count * 16, 1)
        if self._rule.until is not None:
            end = max([self._rule.until.seconds + REACH, *self._added])
            if end < around:  # nothing in between
                high, step = end, min(step, self._horizon)
        while high > self._first and found < _MANY // 2 and around - high < span:
            low = max(high - step, self._first)
            times = self._window(low, high, most=_MANY)
            if times is None:
                below = low
                step = max(step // 4, 1)
                continue
            found, high, step = found + len(times), low, step * 2
            if below >= self._first:  # halves what is left
                step = max(min(step, (high - below) // 2), 1)
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
                if wall - until.seconds > REACH * until.utc:
                    return
                if until.utc and self._zone.utc(wall)[0] > until.seconds:
                    continue
            yield wall

    def _reach(self, from_s: int, to_s: int) -> tuple[int, int]:
        """The wall times that can become an instant between the two: with the offsets around."""
        offsets = []
        at = from_s - REACH
        while True:
            _, end, offset = self._zone.segment(at)
            offsets.append(offset)
            if end is None or end > to_s + REACH or len(offsets) > 4:
                break
            at = end
        if len(offsets) > 4:
            return from_s - REACH, to_s + REACH
        return from_s + min(offsets), to_s + max(offsets)

    def _instant(self, seconds: int, utc: bool) -> int:
        return seconds if utc else self._zone.utc(seconds)[0]
