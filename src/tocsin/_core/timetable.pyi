# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""Every kind of schedule by number: what comes next, what came before, where to go on after a miss.

Instants are int64 milliseconds UTC within the years 1 to 9999, or NEVER. Slots of grids are whole seconds.
"""

from collections.abc import Iterable
from typing import Final, final

from _typeshed import ReadableBuffer, WriteableBuffer

from tocsin._core.cron import Cron
from tocsin._core.zone import Zone

NEVER: Final[int]  # the largest int64: no such instant
FIRST_MS: Final[int]  # 0001-01-01T00:00:00.000Z
LAST_MS: Final[int]  # 9999-12-31T23:59:59.999Z
VIXIE: Final[int]
SKIP: Final[int]
BOTH: Final[int]
CRONITER: Final[int]
MEMBERS_MAX: Final[int]  # of a union, or times of a day
CENTURY_MS: Final[int]  # the longest rolling period
UNITS_IN_CENTURY: Final[tuple[int, ...]]  # the largest count of an interval, by unit

@final
class Timetables:
    """A registry that only grows. Number 0 is there from the start and never due.

    An unknown number is an IndexError, an instant out of range a ValueError. Equal rows are not found again: whoever
    adds them remembers their numbers (`tocsin.schedule.timetables.Compiler`).
    """

    def __new__(cls) -> Timetables: ...
    def __len__(self) -> int:
        """Numbers given out, 0 included."""

    def add_zone(self, zone: Zone) -> int:
        """A number for a zone, counted from 0 and apart from timetables."""

    def add_cron(self, zone: int, cron: Cron, policy: int = 0) -> int:
        """A cron expression in a zone, under VIXIE, SKIP, BOTH or CRONITER. What matches no date at all is accepted."""

    def add_daily(self, zone: int, seconds_of_day: Iterable[int], policy: int = 0) -> int:
        """Every day at these seconds of the day, 0 to 86399."""

    def add_interval(self, zone: int, count: int, unit: int, truncate_to_minute: bool = False) -> int:
        """Every `count` units of `tocsin._core.interval`, at most 100 years."""

    def add_rolling(self, period_ms: int) -> int:
        """A period after each signal, 1 ms to 100 years."""

    def add_union(self, numbers: Iterable[int]) -> int:
        """Due whenever any of these is; unions among them are taken apart."""

    def is_grid(self, number: int) -> bool:
        """Whether slots are fixed in time: cron, daily, number 0, and unions of nothing else."""

    def next_after(self, number: int, instant: int) -> int:
        """The next slot strictly after an instant, or NEVER. Interval and rolling: one step from the instant itself."""

    def prev_before(self, number: int, instant: int) -> int:
        """The last slot strictly before an instant, or NEVER if there is none. Interval and rolling: one step back."""

    def rearm(self, number: int, expected: int, judged: int) -> int:
        """After the slot `expected` was judged at `judged`: the first slot after the one and not before the other.

        Grids: the next slot. Interval and rolling: expected + k steps, k >= 1.
        """

    def distance(self, number: int, slot: int) -> int:
        """Milliseconds from the slot before it; NEVER if there is none."""

    def upcoming(self, number: int, instant: int, count: int) -> list[int]:
        """Up to `count` slots strictly after an instant, each counted from the one before."""

    def next_many(self, numbers: ReadableBuffer, instants: ReadableBuffer, out: WriteableBuffer) -> None:
        """`next_after` for whole arrays, without the GIL: uint32 numbers, int64 instants, int64 results."""
