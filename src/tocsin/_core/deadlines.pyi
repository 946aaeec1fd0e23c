# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""Which deadline falls due first, among millions: an implicit 16-ary min-tournament.

Seconds are uint32 since 1970 (until 2106); NONE means no deadline. A leaf id is 2 * slot + leaf, leaf 0 or 1. A slot or
leaf out of range is an IndexError, a second out of 0..0xfffffffe a ValueError.
"""

from typing import Final, final

from _typeshed import ReadableBuffer, WriteableBuffer

from tocsin._core.roster import Roster

NONE: Final[int]  # 0xffffffff
SLOTS_MAX: Final[int]
VECTOR: Final[str]
"""The instructions that this processor lets us use: "avx2" or "plain"."""

@final
class DeadlineHeap:
    """Two deadlines for each slot. Belongs to one thread at a time.

    `set_many`, the two `expire` and growth work without the GIL; who changes the heap meanwhile gets a RuntimeError.
    Looking (`get`, `min`, the counts) is safe at any time and may see a part of the batch.
    """

    def __new__(cls, slots: int = 8, owner: Roster | None = None, vector: bool = True) -> DeadlineHeap:
        """`owner`: the roster of the slots, by which debug builds catch stale ones. `vector`: use `VECTOR`."""

    def __len__(self) -> int:
        """Deadlines that are set."""

    @property
    def capacity(self) -> int:
        """Slots there is room for; setting a slot beyond at least doubles it."""

    @property
    def nbytes(self) -> int: ...
    def reserve(self, slots: int) -> None:
        """Makes room for slots 0 to `slots` - 1 at once."""

    def set(self, slot: int, leaf: int, second: int) -> None:
        """Sets or moves a deadline."""

    def clear(self, slot: int, leaf: int) -> None: ...
    def get(self, slot: int, leaf: int) -> int:
        """The second, or NONE; also for a slot beyond the capacity."""

    def min(self) -> int:
        """The earliest second, or NONE."""

    def count_by_leaf(self) -> tuple[int, int]:
        """How many deadlines are set in leaf 0 and in leaf 1."""

    def expire(self, now_s: int, limit: int) -> list[int]:
        """Up to `limit` leaf ids with second <= now_s, in leaf order; they are cleared as they are handed out.

        After a MemoryError they are all set, to now_s if not as before.
        """

    def expire_into(self, now_s: int, out: WriteableBuffer) -> int:
        """As `expire`, written into a uint32 array, whose length is the limit; says how many."""

    def set_many(self, slots: ReadableBuffer, leaf: int, seconds: ReadableBuffer) -> None:
        """One leaf of many slots at once, uint32 both; NONE clears. Of a slot named twice the last second stays."""
