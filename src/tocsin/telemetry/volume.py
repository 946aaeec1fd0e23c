"""How many check-ins come, beside the same minutes of the days before: a warning for people, never a verdict.

A fleet that goes quiet may be our network or their switch-off; counting cannot tell which. So nothing is withheld and
no outage is made of it: being deaf is known (`node/pulse.py`, the journal), never guessed.
"""

from typing import Final

from tocsin._core import tallies
from tocsin.domain.facts import CheckInRecorded
from tocsin.domain.instant import DAY, MINUTE, Instant
from tocsin.engine.delta import Delta

DAYS: Final = 7  # of history
WINDOW: Final = 5  # whole minutes that are compared
LEAST: Final = 50  # check-ins expected in a window; fewer say nothing
DROP: Final = 0.3  # of what was expected, and the volume is abnormal
_DAY: Final = DAY // MINUTE


class VolumeWatch:
    """Counts by the minute, in memory: the first judgement comes a day after the start."""

    def __init__(self, since: Instant) -> None:
        """`since`: when counting began."""
        self._first = -(-since // MINUTE)  # the first minute that is counted whole
        self._counts: dict[int, int] = {}
        self._newest = 0

    def observe(self, delta: Delta) -> None:
        """Called once for each committed delta."""
        for fact in delta.facts:
            if isinstance(fact, CheckInRecorded):
                self.count(fact.check_in.update_time)
        for columns in delta.columns:
            for minute, number in tallies.minutes(columns.reported).items():
                self.count(minute * MINUTE, number)

    def count(self, at: Instant, number: int = 1) -> None:
        """So many check-ins arrived at `at`."""
        minute = at // MINUTE
        self._counts[minute] = self._counts.get(minute, 0) + number
        if minute > self._newest:
            self._newest = minute
            oldest = minute - DAYS * _DAY - WINDOW
            for old in [known for known in self._counts if known < oldest] if len(self._counts) > DAYS * _DAY else ():
                del self._counts[old]

    def expected(self, now: Instant) -> float | None:
        """What came in the window before `now` on other days, on average; None: there is no such day yet."""
        end = now // MINUTE
        days = [day for day in range(1, DAYS + 1) if end - WINDOW - day * _DAY >= self._first]
        if not days:
            return None
        return sum(self._sum(end - day * _DAY) for day in days) / len(days)

    def abnormal(self, now: Instant) -> bool:
        """Whether the last whole minutes brought far fewer check-ins than they used to."""
        expected = self.expected(now)
        return expected is not None and expected >= LEAST and self._sum(now // MINUTE) <= (1 - DROP) * expected

    def _sum(self, end: int) -> int:
        return sum(self._counts.get(minute, 0) for minute in range(end - WINDOW, end))
