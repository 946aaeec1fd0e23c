"""Lid over the deadline heap: two leaves a track, in whole seconds, rounded up.

Leaf SLOT: the deadline of the slot waited for, or the end of a pause. Leaf RUN: the earliest time-out of an open run.
The heap ends in 2106; what lies beyond is parked at its last value and looked at again.
"""

from typing import Final

from tocsin._core.deadlines import DeadlineHeap
from tocsin._core.roster import TrackRoster
from tocsin.domain.instant import NEVER, SECOND, Instant

SLOT: Final = 0
RUN: Final = 1
_LAST: Final = 0xFFFFFFFE
_NONE: Final = 0xFFFFFFFF


class Deadlines:
    def __init__(self, tracks: TrackRoster | None = None) -> None:
        self.heap = DeadlineHeap(owner=tracks)  # for kernels

    @property
    def nbytes(self) -> int:
        return self.heap.nbytes

    def put(self, slot: int, leaf: int, deadline: Instant) -> None:
        """NEVER clears. An instant before 1970 is due at once."""
        if deadline == NEVER:
            self.heap.clear(slot, leaf)
        else:
            self.heap.set(slot, leaf, second_of(deadline))

    def due(self, now: Instant, limit: int) -> list[tuple[int, int]]:
        """(track slot, leaf) with a deadline strictly before `now`; at most `limit`; handed out once."""
        second = (now - 1) // SECOND
        if second < 0:
            return []
        return [(handle >> 1, handle & 1) for handle in self.heap.expire(min(second, _LAST), limit)]

    def next(self) -> Instant | None:
        """The earliest deadline; None when there is none."""
        second = self.heap.min()
        return None if second == _NONE else second * SECOND

    def counts(self) -> tuple[int, int]:
        """Entries: slots, runs."""
        return self.heap.count_by_leaf()

    def put_many(self, slots: "object", seconds: "object", *, leaf: int) -> None:
        """Bulk build at start: buffers of uint32 slots and uint32 seconds (see `second_of`)."""
        self.heap.set_many(slots, leaf, seconds)  # type: ignore[arg-type] # buffers


def second_of(deadline: Instant) -> int:
    """The heap's second for a deadline; its "none" for NEVER."""
    if deadline == NEVER:
        return _NONE
    return min(max(-(-deadline // SECOND), 0), _LAST)
