"""Fire times around one transition, by reading the wall clock at every minute (or second), for many expressions.

The wall clock is read once for each position of a window. For each reading of each field ("the minute is 30") the
window keeps the set of positions that show it, as the bits of one number; an expression's matches are the positions
that are in the sets of all its fields. That is all the speed there is: nothing is searched, nothing is skipped.

The policies are those of `support.oracle.cron`: `repeat` lets a wall time fire that was shown before, `move` lets a
wall time that was jumped over fire at the first position after the jump.
"""

import datetime as dt
import itertools
import zoneinfo

from support.oracle.cron import Expression

LEAD_S = 30 * 3600  # longer than any fold: which wall times were shown before is known from here on
_AS_FLAGS = bytes.maketrans(b"01", b"\0\1")
POLICIES = ("vixie", "skip", "both", "croniter")


def flags(expression: Expression, policy: str) -> tuple[bool, bool]:
    """What a policy means for an expression: repeat, move."""
    repeat = policy in ("both", "croniter") or (policy == "vixie" and expression.wildcard)
    move = (policy == "vixie" and not expression.wildcard) or (policy == "croniter" and len(expression.hours) < 24)
    return repeat, move


class Readings:
    """A row of wall times; a set of positions is the bits of an int."""

    def __init__(self, walls: list[dt.datetime]):
        self.all = (1 << len(walls)) - 1
        self.second = _positions([wall.second for wall in walls])
        self.minute = _positions([wall.minute for wall in walls])
        self.hour = _positions([wall.hour for wall in walls])
        self.date = _positions([wall.date() for wall in walls])

    def matching(self, expression: Expression) -> int:
        times = (
            self._any(self.second, expression.seconds)
            & self._any(self.minute, expression.minutes)
            & self._any(self.hour, expression.hours)
        )
        return times & self._any(self.date, [date for date in self.date if expression.dates(date)])

    def _any(self, positions: dict, values) -> int:
        found = 0
        for value in values:
            found |= positions.get(value, 0)
        return found


def _positions(readings: list) -> dict:
    size = len(readings) // 8 + 1
    found: dict = {}
    for i, reading in enumerate(readings):
        bits = found.get(reading)
        if bits is None:
            bits = found[reading] = bytearray(size)
        bits[i >> 3] |= 1 << (i & 7)
    return {reading: int.from_bytes(bits, "little") for reading, bits in found.items()}


class Window:
    """The wall clock of a zone from `begin` until `end`, in UTC seconds, read every `step` seconds."""

    def __init__(self, zone: zoneinfo.ZoneInfo, begin: int, end: int, step: int, lead: int = LEAD_S):
        self.begin, self.end, self.step = begin, end, step
        self.origin = begin - lead
        walls = [
            dt.datetime.fromtimestamp(second, zone).replace(tzinfo=None, fold=0)
            for second in range(self.origin, end, step)
        ]
        self.readings = Readings(walls)
        self.gaps: list[
            tuple[int, Readings, int]
        ] = []  # position after the jump, what was jumped over, what of it is new
        tick = dt.timedelta(seconds=step)
        new = bytearray(len(walls) // 8 + 1)
        highest = before = None
        for i, wall in enumerate(walls):
            if before is not None and wall - before > tick:
                missing = [before + k * tick for k in range(1, (wall - before) // tick)]
                unseen = sum(1 << k for k, jumped in enumerate(missing) if jumped > highest)
                self.gaps.append((i, Readings(missing), unseen))
            if highest is None or wall > highest:
                new[i >> 3] |= 1 << (i & 7)
                highest = wall
            before = wall
        self.new = int.from_bytes(new, "little")
        self.minute_aligned = all(wall.second == 0 for wall in walls)

    def fires(self, expression: Expression, policy: str) -> int:
        """The positions at which it fires, as bits; `times` makes seconds of them."""
        repeat, move = flags(expression, policy)
        found = self.readings.matching(expression)
        if not repeat:
            found &= self.new
        if move:
            for position, missing, unseen in self.gaps:
                if missing.matching(expression) & (missing.all if repeat else unseen):
                    found |= 1 << position
        return found >> (self.begin - self.origin) // self.step

    def times(self, fires: int) -> list[int]:
        """The positions as UTC seconds, ascending."""
        shown = bin(fires)[:1:-1].encode().translate(_AS_FLAGS)  # one byte for each position, 0 or 1
        return list(itertools.compress(range(self.begin, self.end, self.step), shown))
