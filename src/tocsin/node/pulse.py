"""Notices when this process could not listen: suspended, stopped, starved, or its wall clock jumped.

The pulse beats a few times a second. When much more wall time than a beat has passed since the last one, requests that
came in between sit unread in sockets or were never sent, so the gap is deaf time. A jump of the wall clock forward
looks the same and is treated the same; a jump back fires nothing, because the clock stands still.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from tocsin.domain.instant import Clock, Instant

BEAT_S: Final = 0.25
DEAF_AFTER_MS: Final = 2_000  # a loop that pauses for less is slow, not deaf


class Pulse:
    def __init__(
        self, clock: Clock, deaf: Callable[[Instant, Instant, str], None], monotonic: Callable[[], float]
    ) -> None:
        """`deaf(since, until, reason)` is told of each gap. `monotonic` is in seconds and stops during a suspend."""
        self._clock = clock
        self._deaf = deaf
        self._monotonic = monotonic
        self._last = clock.now()
        self._last_monotonic = monotonic()

    def beat(self) -> None:
        now, monotonic = self._clock.now(), self._monotonic()
        gap = now - self._last
        if gap > DEAF_AFTER_MS:
            ran = (monotonic - self._last_monotonic) * 1000
            reason = "stall" if ran > gap / 2 else "clock_jump"
            self._deaf(self._last, now, reason)
        self._last, self._last_monotonic = now, monotonic

    async def run(self) -> None:
        """From now on; what came before, nobody was expected to listen to."""
        self._last, self._last_monotonic = self._clock.now(), self._monotonic()
        while True:
            await asyncio.sleep(BEAT_S)
            self.beat()
