"""The oldest instant of a queue, known at any time though the instants are only nearly in order.

Kept are those instants that nothing behind them undercuts: they rise from front to back, so the first is the oldest.
One that joins at the back drives out all that are younger; one that is put back at the front is kept only when it is
the oldest. Each joins and leaves once: constant time each, on average.
"""

from collections import deque

from tocsin.domain.instant import Instant


class Oldest:
    def __init__(self) -> None:
        self._rising: deque[Instant] = deque()

    def join(self, at: Instant) -> None:
        """At the back."""
        rising = self._rising
        while rising and rising[-1] > at:
            rising.pop()
        rising.append(at)

    def leave(self, at: Instant) -> None:
        """The first of the queue, which was `at`, is taken."""
        if self._rising[0] == at:
            self._rising.popleft()

    def put_back(self, at: Instant) -> None:
        """At the front."""
        if not self._rising or at <= self._rising[0]:
            self._rising.appendleft(at)

    def get(self) -> Instant | None:
        """None when the queue is empty."""
        return self._rising[0] if self._rising else None
