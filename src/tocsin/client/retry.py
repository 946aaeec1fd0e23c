"""When to send again: a policy, and the bookkeeping of one call. Reads the clock, sleeps never."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tocsin.client.errors import ClientError

_LEAST: Final = 0.05  # seconds; an attempt with less time left is not worth starting


@dataclass(frozen=True, slots=True)
class Retry:
    """How long to try; all in seconds.

    `total` bounds the call with all its attempts and waits, `attempt` a single one. Between attempts: half to the whole
    of `first`, then doubled each time up to `most`; longer when the server asks for it. `total=0` is one attempt.
    """

    total: float = 30.0
    attempt: float = 10.0
    first: float = 0.1
    most: float = 5.0

    def __post_init__(self) -> None:
        if self.total < 0 or self.attempt <= 0 or self.first <= 0 or self.most <= 0:
            raise ValueError("Retry: `total` must not be negative, and the others must be more than zero")


class Attempts:
    """The attempts of one call."""

    def __init__(
        self,
        retry: Retry,
        *,
        repeatable: bool = True,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`repeatable`: sending the request twice has the effect of sending it once."""
        self._retry = retry
        self._repeatable = repeatable
        self._clock = clock
        self._jitter = jitter
        self._end = clock() + retry.total
        self._next = retry.first

    def timeout(self) -> float:
        """Seconds that the coming attempt may take. One that cannot be repeated has all the time there is."""
        left = self._end - self._clock()
        if self._retry.total == 0:
            return self._retry.attempt
        return max(left if not self._repeatable else min(self._retry.attempt, left), _LEAST)

    def after(self, error: ClientError) -> float | None:
        """Seconds to wait before the next attempt; None when there should not be one."""
        if not error.retryable or not (self._repeatable or error.nothing_kept):
            return None
        wait = self._next * (0.5 + self._jitter() / 2)
        self._next = min(self._next * 2, self._retry.most)
        wait = max(wait, error.retry_after or 0.0)
        return wait if self._clock() + wait + _LEAST <= self._end else None
