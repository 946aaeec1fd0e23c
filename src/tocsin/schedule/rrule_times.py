"""The times of day of an RFC 5545 rule, by arithmetic: the units that INTERVAL reaches, less those BYxxx leaves out.

A unit is the step of the frequency: a day, hour, minute or second. On a day the allowed units are a few spans; in each
unit fire the same times: what the BYxxx parts shorter than it name, or of these what BYSETPOS chooses. A rule of every
second that names seconds is one of every minute. Wall times are seconds, counted as if the wall clock showed UTC.
"""

import bisect
import itertools
import math
from collections.abc import Iterator
from typing import Final

from tocsin.schedule.rrule_text import DAILY, HOURLY, MINUTELY, SECONDLY, RuleText

DAY: Final = 86_400
_UNIT: Final = {DAILY: DAY, HOURLY: 3_600, MINUTELY: 60, SECONDLY: 1}
_RARE: Final = 3_600  # seconds: units so far apart are tried one by one


class Times:
    """Times on one day, and on all days. From a day up, INTERVAL is left to the dates."""

    def __init__(self, rule: RuleText) -> None:
        freq = max(rule.freq, DAILY)
        interval = rule.interval if rule.freq > DAILY else 1
        positions = rule.lists.get("BYSETPOS") if rule.freq >= DAILY else None
        if freq == SECONDLY and positions and {-1, 1} & set(positions):
            positions = None  # of one
        if freq == SECONDLY and interval == 1 and "BYSECOND" in rule.lists and positions is None:
            freq = MINUTELY
        self._size = _UNIT[freq]
        self._step = interval
        self._start = rule.start // self._size
        self._a_day = DAY // self._size
        self._inside = _inside(rule, freq, positions)
        self._spans = _spans(rule, freq)
        self._ends = [end for _, end in self._spans]
        self._every = self._spans == [(0, self._a_day)]
        common = math.gcd(interval, self._a_day)
        reached = any((self._start - begin) % common < end - begin for begin, end in self._spans)
        self.never = not self._inside or not reached

    def on(self, date: int, low: int) -> Iterator[int]:
        """The times of a date, given as the seconds of its midnight, from `low` on."""
        size, step, inside = self._size, self._step, self._inside
        midnight = date // size
        first = max(low // size, self._start, midnight)
        for begin, end in itertools.islice(self._spans, bisect.bisect_right(self._ends, first - midnight), None):
            unit = max(first, midnight + begin)
            for reached in range(unit + (self._start - unit) % step, midnight + end, step):
                at = reached * size
                for offset in inside:
                    if at + offset >= low:
                        yield at + offset

    def on_all(self, low: int, last: int) -> Iterator[int]:
        """The times of all days from `low` to the day of `last`."""
        if self._step * self._size < _RARE:
            for date in range(low - low % DAY, last, DAY):
                yield from self.on(date, low)
            return
        first = max(low // self._size, self._start)
        allowed = bytearray(self._a_day)
        for begin, end in self._spans:
            allowed[begin:end] = b"\1" * (end - begin)
        for unit in range(first + (self._start - first) % self._step, last // self._size, self._step):
            if self._every or allowed[unit % self._a_day]:
                for offset in self._inside:
                    if unit * self._size + offset >= low:
                        yield unit * self._size + offset


def _inside(rule: RuleText, freq: int, positions: tuple[int, ...] | None) -> list[int]:
    """The seconds of a unit."""
    of_day = rule.start % DAY
    hours = rule.lists.get("BYHOUR", (of_day // 3600,)) if freq < HOURLY else (0,)
    minutes = rule.lists.get("BYMINUTE", (of_day // 60 % 60,)) if freq < MINUTELY else (0,)
    seconds = rule.lists.get("BYSECOND", (of_day % 60,)) if freq < SECONDLY else (0,)
    found = [h * 3600 + m * 60 + s for h in hours for m in minutes for s in seconds]
    if positions is None:
        return found
    size = len(found)
    return sorted({found[place - 1 if place > 0 else place] for place in positions if abs(place) <= size})


def _spans(rule: RuleText, freq: int) -> list[tuple[int, int]]:
    """The units of a day that are allowed: begin, end; ascending, apart."""
    parts = (("BYHOUR", 24), ("BYMINUTE", 60), ("BYSECOND", 60))[: freq - DAILY]
    while parts and parts[-1][0] not in rule.lists:
        parts = parts[:-1]
    units, count = [0], 1
    for name, size in parts:
        count *= size
        units = [unit * size + number for unit in units for number in rule.lists.get(name, range(size))]
    length = DAY // count // _UNIT[freq]
    return [(begin * length, end * length) for begin, end in _joined(units)]


def _joined(units: list[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for unit in units:
        if found and found[-1][1] == unit:
            found[-1] = (found[-1][0], unit + 1)
        else:
            found.append((unit, unit + 1))
    return found
