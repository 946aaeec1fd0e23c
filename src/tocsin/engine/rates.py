"""How many check-ins an environment has sent in the minute at hand.

The minute is that of the entries' time, so working off a backlog trips nothing. Openings and endings are counted
apart; what keeps alive or ends a run known to be open is not even asked about. Only tracks that have sent something in
the newest minute are remembered, and nothing of it outlives a restart: a limit is a guard, not an account.
"""

from typing import Final

from tocsin.domain.instant import MINUTE, Instant

OPENING: Final = 0
ENDING: Final = 1


class Rates:
    def __init__(self) -> None:
        self._minute = -1
        self._counts: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def admit(self, track: int, side: int, limit: int, at: Instant) -> bool:
        """Counts one report of a track's number; False when the minute has seen `limit` of its side already."""
        minute = at // MINUTE
        if minute > self._minute:
            self._minute = minute
            self._counts.clear()
        seen = self._counts.get((track, side), 0)
        if seen >= limit:
            return False
        self._counts[track, side] = seen + 1
        return True
