"""What templates may take: steps, characters that they write, and time of the processor.

Steps are what decides, so that the same template always ends the same way. The time is for what nobody thought of.
"""

import math
import time
from collections.abc import Callable
from typing import Final

OUTPUT_MAX: Final = 262_144  # characters
STEPS_MAX: Final = 50_000
HANDLED_MAX: Final = 2_000_000  # characters in one step
_COSTLY: Final = 500  # characters that a step may handle; longer texts count as more
_LOOK_EACH: Final = 64  # steps between two looks at the clock


class TooMuch(Exception):
    """More steps, more time, or a longer text, than templates may ask for."""


class Budget:
    """Of one template, or of several together."""

    def __init__(self, seconds: float = math.inf, clock: Callable[[], float] = time.thread_time) -> None:
        """The time is that of the thread that makes it, and only that one may use it."""
        self._steps, self._room = STEPS_MAX, OUTPUT_MAX
        self._clock, self._seconds, self._until = clock, seconds, clock() + seconds

    def step(self, size: int = 0) -> None:
        """One, that handles so many characters."""
        self._steps -= 1 + size // _COSTLY
        if self._steps < 0 or size > HANDLED_MAX:
            self._steps = -1
            raise TooMuch(f"templates may take {STEPS_MAX} steps")
        if self._steps % _LOOK_EACH == 0 or size > _COSTLY:
            self.look()

    def write(self, count: int) -> None:
        """So many characters more."""
        if count > self._room:
            raise TooMuch(f"templates may become {OUTPUT_MAX} characters")
        self._room -= count

    def look(self) -> None:
        """At the clock."""
        if self._clock() > self._until:
            self._steps = -1
            raise TooMuch(f"templates may take {self._seconds} seconds")
