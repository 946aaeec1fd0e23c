# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""One time zone as two sorted arrays. Seconds are UTC; wall seconds are counted as if the wall clock showed UTC."""

from typing import Final, final

from _typeshed import ReadableBuffer, WriteableBuffer

NORMAL: Final[int]
GAP: Final[int]
FOLD: Final[int]

@final
class Zone:
    """Immutable. Made from the arrays of `tocsin.schedule.tzif.parse`."""

    def __new__(cls, transitions_s: ReadableBuffer, offsets_s: ReadableBuffer) -> Zone:
        """`transitions_s` int64, ascending; `offsets_s` int32, seconds east, one more: the first holds before them all.

        If the table holds a transition exactly 400 years before its last, with the same offsets, those years repeat
        for ever. ValueError for a wrong length or order, or an offset of 26 hours or more.
        """

    def __len__(self) -> int:
        """Transitions kept; those that change no offset are not."""

    @property
    def repeats(self) -> bool:
        """Whether the last 400 years of the table repeat for ever; otherwise the last offset holds."""

    def offset_at(self, utc_s: int) -> int:
        """Seconds east at an instant."""

    def wall(self, utc_s: int) -> int:
        """The wall time at an instant."""

    def utc(self, wall_s: int) -> tuple[int, int, int]:
        """The instants of a wall time: first, second, kind.

        NORMAL: both are the same. FOLD: first and last pass. GAP, where the wall time does not exist: read with the
        offset before the gap (an instant after it), and with the offset after it (an instant before it).
        """

    def wall_many(self, utc_s: ReadableBuffer, out: WriteableBuffer) -> None:
        """`wall` of whole arrays of int64, without the GIL."""

    def utc_many(
        self, wall_s: ReadableBuffer, first: WriteableBuffer, second: WriteableBuffer, kinds: WriteableBuffer
    ) -> None:
        """`utc` of whole arrays, without the GIL: int64 wall times and instants, uint8 kinds."""

    def segment(self, utc_s: int) -> tuple[int | None, int | None, int]:
        """The stretch around an instant in which the offset is the same: begin, end (exclusive), offset."""
