# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""Every kind of schedule by number: what comes next, what came before, where to go on after a miss.

Instants are int64 milliseconds UTC within the years 1 to 9999, or NEVER. Slots of grids are whole seconds.
"""

from collections.abc import Callable, Iterable
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
TABLE_MAX: Final[int]  # times in one answer of a table's function
CENTURY_MS: Final[int]  # the longest rolling period
UNITS_IN_CENTURY: Final[tuple[int, ...]]  # the largest count of an interval, by unit

@final
class Timetables:
    """A registry that only grows. Number 0 is there from the start and never due.

    An unknown number is an IndexError, an instant out of range a ValueError, here and in batches. Equal rows are not
    found again: whoever adds them remembers their numbers (`tocsin.schedule.timetables.Compiler`).

    Batches (`*_many`) take whole arrays, uint32 numbers and int64 instants, and write int64 results; they run without
    the GIL, and other threads may ask and add meanwhile. Results need an array of their own. If a row is refused, those
    before it have been answered.
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

    def add_table(self, cover: Callable[[int], tuple[int, int, ReadableBuffer]]) -> int:
        """Fire times that a function knows, for schedules that no kernel computes.

        `cover(utc_s)` answers (low_s, high_s, times): int64 seconds, ascending, all there are with low_s < t <= high_s,
        where low_s <= utc_s < high_s; a table that reaches to the ends of time says FIRST_MS // 1000 - 1 and
        LAST_MS // 1000. It is called when an answer lies beyond what it said last; what it raises is passed on, a
        table that breaks these rules is a ValueError.
        """

    def is_grid(self, number: int) -> bool:
        """Whether slots are fixed in time: cron, daily, tables, number 0, and unions of nothing else."""

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

    def upcoming(self, number: int, instant: int, count: int, until: int = ...) -> list[int]:
        """Up to `count` slots strictly after an instant and not after `until`, each counted from the one before."""

    def next_many(self, numbers: ReadableBuffer, instants: ReadableBuffer, out: WriteableBuffer) -> None:
        """`next_after` of every row."""

    def prev_many(self, numbers: ReadableBuffer, instants: ReadableBuffer, out: WriteableBuffer) -> None:
        """`prev_before` of every row."""

    def rearm_many(
        self, numbers: ReadableBuffer, expected: ReadableBuffer, judged: ReadableBuffer, out: WriteableBuffer
    ) -> None:
        """`rearm` of every row."""
