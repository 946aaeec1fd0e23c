"""Deaf times that wait to be passed over, oldest first.

To pass over one looks at every track. While requests are refused for want of room there is a new gap with every turn of
the loop, so those of an overload that lie close together are one, up to a bound: what was accepted between them is
stepped after the gap, as what was accepted within one always was.
"""

from bisect import insort
from typing import Final

from tocsin.domain.commands import Deaf
from tocsin.domain.instant import SECOND, Instant, Millis

OVERLOAD: Final = "overload"
_APART: Final[Millis] = SECOND  # gaps of an overload that are closer are one
_LONGEST: Final[Millis] = 2 * SECOND  # that is made of several


class Gaps:
    def __init__(self) -> None:
        self._gaps: list[Deaf] = []

    def __bool__(self) -> bool:
        return bool(self._gaps)

    def add(self, since: Instant, until: Instant, reason: str) -> None:
        for place, gap in enumerate(self._gaps):
            close = gap.since <= since <= gap.until + _APART and until - gap.since <= _LONGEST
            if reason == gap.reason == OVERLOAD and close:
                self._gaps[place] = Deaf(gap.since, max(until, gap.until), reason)
                return
        insort(self._gaps, Deaf(since, until, reason), key=_since)

    @property
    def first(self) -> Instant:
        """When the oldest began. There must be one."""
        return self._gaps[0].since

    def pop(self) -> Deaf:
        return self._gaps.pop(0)


def _since(gap: Deaf) -> Instant:
    return gap.since
