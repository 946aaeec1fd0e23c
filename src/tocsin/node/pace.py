"""How many tracks a slice of judging has, so that it takes about as long as a check-in may wait for it.

How long a track takes depends on the machine, the database and what is due; only trying tells. A slice that took half
the time makes the next one twice as large, and the other way round; one step never changes it by more.
"""

from typing import Final

LEAST: Final = 256
MOST: Final = 65_536


class Pace:
    def __init__(self, size: int, aim_s: float = 0.04) -> None:
        """`size` is that of the first slice; each later one is to take `aim_s`, its commit included."""
        self.size = size
        self._aim = aim_s

    def took(self, seconds: float) -> None:
        """A slice of the present size did."""
        factor = min(max(self._aim / seconds, 0.5), 2.0) if seconds > 0 else 2.0
        self.size = min(max(int(self.size * factor), LEAST), MOST)
