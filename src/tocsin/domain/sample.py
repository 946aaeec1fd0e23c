"""A sample: how often each value came, and its quantiles, in bounded memory.

While few values differ each one is kept, and a quantile is exact. Beyond that they go into bins whose widths grow with
the values, and a quantile is the middle of a bin: within half a percent of the value that it stands for.
"""

import bisect
import itertools
import math
from typing import Final

EXACT: Final = 1_000
"""So many different values are kept as they are."""
ERROR: Final = 0.005
"""Of a quantile beyond that, as a share of the value."""
_BASE: Final = (1 + ERROR) / (1 - ERROR)  # each bin ends where the next begins, this much farther from zero
_LOG: Final = math.log(_BASE)
_LEAST: Final = 1e-9  # what is nearer to zero counts as zero
_MOST: Final = 1e18  # what is farther counts as that far


class Sample:
    __slots__ = ("_bins", "_exact", "number")

    def __init__(self) -> None:
        self.number = 0
        self._exact: dict[float, int] | None = {}
        self._bins: dict[int, int] = {}

    def add(self, value: float, times: int = 1) -> None:
        """`value` is finite."""
        self.number += times
        if self._exact is None:
            self._put(value, times)
            return
        self._exact[value] = self._exact.get(value, 0) + times
        if len(self._exact) > EXACT:
            exact, self._exact = self._exact, None
            for kept, often in exact.items():
                self._put(kept, often)

    def quantiles(self, fractions: tuple[float, ...]) -> tuple[float, ...]:
        """For each fraction the least value that so large a part of all is not above. ValueError: there are none."""
        if not self.number:
            raise ValueError("no values")
        ranked = sorted(self._bins.items() if self._exact is None else self._exact.items())
        ends = list(itertools.accumulate(times for _, times in ranked))
        found = [ranked[bisect.bisect_left(ends, max(math.ceil(part * self.number), 1))][0] for part in fractions]
        return tuple(found) if self._exact is not None else tuple(_middle(int(place)) for place in found)

    def _put(self, value: float, times: int) -> None:
        place = _bin(value)
        self._bins[place] = self._bins.get(place, 0) + times


_OFFSET: Final = math.ceil(-math.log(_LEAST) / _LOG) + 1  # so that the bin next to zero is 1


def _bin(value: float) -> int:
    """Bins have the order of the values; 0 is zero's."""
    size = min(abs(value), _MOST)
    if size < _LEAST:
        return 0
    place = math.ceil(math.log(size) / _LOG) + _OFFSET
    return place if value > 0 else -place


def _middle(place: int) -> float:
    if place == 0:
        return 0.0
    size = 2 * math.exp((abs(place) - _OFFSET) * _LOG) / (_BASE + 1)
    return math.copysign(size, place)
