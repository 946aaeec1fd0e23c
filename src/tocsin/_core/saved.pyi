# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""Tracks on their way into the store: rows of the roster, copied, and in the forms that the databases take."""

from collections.abc import Iterable
from typing import Any, Final, final

from tocsin._core.roster import MonitorRoster, TrackRoster

SIZE: Final[int]
"""Bytes of a packed row."""
COLUMNS: Final[tuple[str, ...]]
"""Of the rows of `parameters` and `copied`. In the former NEVER stands for NULL."""

@final
class SavedTracks:
    """Rows of tracks, in the order of their slots as a rule."""

    def __new__(cls) -> SavedTracks: ...
    def __len__(self) -> int: ...
    def numbers(self) -> list[int]: ...
    def parameters(self) -> list[tuple[Any, ...]]:
        """A tuple for each row, for an UPDATE."""

    def copied(self) -> bytes:
        """PostgreSQL's binary COPY of all rows. Runs without the GIL."""

@final
class Mover:
    """Goes round the tracks that are marked as moved. Belongs to one thread at a time."""

    def __new__(cls, tracks: TrackRoster, monitors: MonitorRoster) -> Mover: ...
    def take(self, limit: int, applied: int) -> SavedTracks:
        """Up to `limit` of the marked tracks, whose marks are gone then; `applied`: the newest check-in in them."""

    def of(self, slots: Iterable[int], applied: int) -> SavedTracks:
        """These tracks, whose marks are gone then. IndexError: one is not open."""

    @property
    def passed(self) -> int:
        """How far it has come, ever. All that was marked at 60 has been taken at 60 + `round`."""

    @property
    def round(self) -> int: ...

def packed(row: tuple[int, ...], applied: int) -> bytearray:
    """The bytes of a row of `TrackRoster` with Monitor.number for the slot of the monitor. OverflowError: see there."""

def unpacked(data: bytes) -> tuple[tuple[int, ...], int] | None:
    """(row, applied) of packed bytes; None: they are of another layout."""
