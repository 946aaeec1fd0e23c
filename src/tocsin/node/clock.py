"""The one clock of the process: wall time in milliseconds that never runs backwards."""

import time


class SystemClock:
    """When the wall clock is set back, `now` stands still until it has caught up."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        self._last = max(self._last, time.time_ns() // 1_000_000)
        return self._last
