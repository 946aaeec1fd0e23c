"""How many a second, by name: an address, a key, a monitor. Edges decide what is counted and what a refusal says.

Each name has the time at which its bucket will be full again; an event moves it on by one interval, and is refused when
that would be more than the burst away. So a name is one number, and one that has been quiet needs none.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from tocsin.domain.instant import SECOND, Instant, Millis

NAMES_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Rate:
    per_second: float = 0.0  # 0: any number
    burst: int = 1


class Buckets:
    def __init__(self, rate: Rate, names_max: int = NAMES_MAX) -> None:
        self._interval = SECOND / rate.per_second if rate.per_second else 0.0
        self._ahead = (rate.burst - 1) * self._interval
        self._full: dict[Hashable, float] = {}
        self._names_max = names_max

    def take(self, name: Hashable, at: Instant) -> Millis:
        """How long to wait; 0: one was taken."""
        if not self._interval:
            return 0
        full = max(self._full.get(name, at), at)
        if full - at > self._ahead:
            return math.ceil(full - at - self._ahead)
        if name not in self._full and len(self._full) >= self._names_max:
            self._make_room(at)
        self._full[name] = full + self._interval
        return 0

    def _make_room(self, at: Instant) -> None:
        """Those that are quiet go; when nobody is, those that came first."""
        self._full = {name: full for name, full in self._full.items() if full > at}
        for name in list(self._full)[: len(self._full) - self._names_max + 1]:
            del self._full[name]
