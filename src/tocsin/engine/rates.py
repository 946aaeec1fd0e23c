"""How many check-ins an environment has sent in the minute at hand.

The minute is that in which a report was received, so working off a backlog trips nothing. Openings and endings are
counted apart; what keeps alive or ends a run known to be open is not even asked about. Counts are of two minutes, the
newest seen and the one before: requests come in order, but for those that were long on their way, and what is older
still counts as of the older one, so that a slow request is no way around the limit. Nothing outlives a restart: a limit
is a guard, not an account. Costs 24 bytes a slot of a track, up to the last one that was ever asked about.
"""

from array import array
from typing import Final

from tocsin.domain.instant import MINUTE, Instant

OPENING: Final = 0
ENDING: Final = 1
_MANY: Final = 0xFFFFFFFF


class Rates:
    def __init__(self) -> None:
        self._newest = 0  # minute
        self._minutes = array("I")  # what is counted, two a slot: of an even and of an odd minute
        self._counts = array("I")  # two for each of these

    @property
    def nbytes(self) -> int:
        return (len(self._minutes) + len(self._counts)) * self._counts.itemsize

    def admit(self, slot: int, side: int, limit: int, received: Instant) -> bool:
        """Counts one report of a track; False when its minute has seen `limit` of its side already."""
        minute = received // MINUTE
        self._newest = max(self._newest, minute)
        minute = max(minute, self._newest - 1)
        place = 2 * slot + (minute & 1)
        if place >= len(self._minutes):
            self._grow(slot)
        first = 2 * place
        if self._minutes[place] != minute:
            self._minutes[place] = minute
            self._counts[first + OPENING] = self._counts[first + ENDING] = 0
        if self._counts[first + side] >= min(limit, _MANY):
            return False
        self._counts[first + side] += 1
        return True

    def forget(self, slot: int) -> None:
        """The slot is of another track from now on."""
        if 2 * slot < len(self._minutes):
            self._minutes[2 * slot] = self._minutes[2 * slot + 1] = 0

    def _grow(self, slot: int) -> None:
        more = 2 * (slot + 1 + slot // 4) - len(self._minutes)
        self._minutes.extend(array("I", bytes(4 * more)))
        self._counts.extend(array("I", bytes(8 * more)))
