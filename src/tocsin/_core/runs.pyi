# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""Runs that are still open: found by id, and by track from the newest (the highest number) to the oldest.

A row is the index of a run; it stays the same until the run is removed and may then be given out again, so the caller
can keep what it likes in a list beside. Timeouts are ms, NEVER for none.
"""

from typing import Final, final

from _typeshed import ReadableBuffer, WriteableBuffer

from tocsin._core.roster import Roster

NOWHERE: Final[int]  # 0xffffffff

@final
class OpenRuns:
    """Belongs to one thread at a time."""

    def __new__(cls, secret: bytes, owner: Roster | None = None) -> OpenRuns:
        """`secret` has 16 bytes. `owner`: the roster of the tracks, by which debug builds catch stale slots."""

    def __len__(self) -> int: ...
    @property
    def capacity(self) -> int:
        """Rows there is room for."""

    @property
    def nbytes(self) -> int: ...
    def reserve(self, runs: int) -> None:
        """Makes room for so many runs in all."""

    def put(self, key: bytes, track: int, number: int, timeout: int) -> int:
        """Adds a run or moves the time-out of the one with this id; its row.

        ValueError when that run has another number or track.
        """

    def put_many(
        self,
        keys: list[bytes],
        tracks: ReadableBuffer,
        numbers: ReadableBuffer,
        timeouts: ReadableBuffer,
        rows: WriteableBuffer,
    ) -> None:
        """`put` for a list and arrays of the same length, uint32, int64, int64; rows go into a uint32 array."""

    def find(self, key: bytes) -> int:
        """The row, or NOWHERE."""

    def remove(self, key: bytes) -> int:
        """The row that is free now, or NOWHERE."""

    def drop(self, track: int) -> list[int]:
        """Removes all runs of a track; their rows, newest first."""

    def of(self, track: int) -> list[int]:
        """The rows of a track's runs, newest first."""

    def newest(self, track: int) -> int:
        """The row of the newest run, or NOWHERE."""

    def older(self, row: int) -> int:
        """The row of the next older run of the same track, or NOWHERE; IndexError for a row without a run."""

    def summary(self, track: int) -> tuple[int, int]:
        """How many runs a track has, and the earliest time-out or NEVER."""

    def tracks(self) -> list[int]:
        """Every track that has runs, once, in no order."""
