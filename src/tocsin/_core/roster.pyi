# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""The hot state of tracks and monitors: one row each, found by its slot.

A slot stays the same until it is closed and may then be given out again. A slot that is not open is an IndexError; a
value that does not fit its column is an OverflowError that names it, and the row stays as it was.

    TrackRoster      number w48 | monitor, environment, next_track u32 = NOWHERE | health, verdict u8 | flags, failures,
                     misses, recoveries, open_runs u16 | incident w48 | expected, deadline, run_deadline, last_check_in,
                     last_success, last_start w48 = NEVER | last_duration i32 = -1 | ok_count, error_count,
                     started_count, missed_count, timed_out_count, unknown_count u32 | last_lapse i64 |
                     last_lapse_slot w48 = NEVER
    MonitorRoster    number w48 | project, policy u32 = NOWHERE | flags u16 | digest u64 | first_track u32 = NOWHERE |
                     pause_until, mute_until w48 = 0: quiet while now < until; NEVER is without end

w48 is 0 to 2^48 - 2 (as milliseconds, until the year 10889) or NEVER, and int64 in buffers.
A new row holds 0 where nothing else is said.
"""

from collections.abc import Sequence
from typing import ClassVar, Final, final

from _typeshed import ReadableBuffer
from typing_extensions import disjoint_base

LAYOUT_VERSION: Final[int]
"""Of the bytes of the rows: `track_t` and `monitor_t` in roster.pxd, without gaps, little-endian."""

@disjoint_base
class Roster:
    """What both rosters share; not made by itself."""

    COLUMNS: ClassVar[tuple[str, ...]]

    def __len__(self) -> int:
        """Open slots."""

    @property
    def capacity(self) -> int: ...
    @property
    def bytes_per_slot(self) -> float: ...
    @property
    def nbytes(self) -> int: ...
    def reserve(self, rows: int) -> None:
        """Makes room for so many rows in all, and hardly more; `open` and `load` at least double what is too small."""

    def open(self) -> int:
        """A slot with a new row."""

    def close(self, slot: int) -> None: ...
    def is_open(self, slot: int) -> bool: ...
    def generation(self, slot: int) -> int:
        """How often the slot was closed, modulo 256, in a debug build; else 0."""

    def read(self, slot: int) -> tuple[int, ...]:
        """The row in the order of COLUMNS."""

    def write(self, slot: int, row: tuple[int, ...]) -> None:
        """The whole row in the order of COLUMNS."""

    def get(self, slot: int, column: str) -> int:
        """One value; KeyError for an unknown column."""

    def set(self, slot: int, column: str, value: int) -> None:
        """One value; KeyError for an unknown column."""

    def load(self, columns: Sequence[ReadableBuffer]) -> int:
        """Appends rows, all open, from one buffer for each column (`array` of its type); the slot of the first.

        The slots of the others follow. ValueError for a wrong type or unequal lengths, OverflowError for a value that
        does not fit, and nothing is appended. The GIL is not held; whoever reads or writes rows meanwhile gets a
        RuntimeError.
        """

    def column(self, name: str) -> memoryview:
        """A read-only copy of one column, closed slots included (their values mean nothing)."""

@final
class TrackRoster(Roster):
    """One row for each monitor in each environment."""

    def __new__(cls) -> TrackRoster: ...
    @property
    def moved_count(self) -> int:
        """Tracks that are marked as moved: changed since they were last written to the store."""

    def is_moved(self, slot: int) -> bool: ...
    def mark_moved(self, slot: int) -> None: ...
    def clear_moved(self, slot: int) -> None: ...
    def take_moved(self, limit: int) -> memoryview:
        """Up to `limit` marked slots (uint32), whose marks are gone then; goes round, so that each has its turn.

        A closed slot has no mark.
        """

@final
class MonitorRoster(Roster):
    """One row for each monitor."""

    def __new__(cls) -> MonitorRoster: ...
