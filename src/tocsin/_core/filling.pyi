# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""A start: rosters, keys and links filled from packed rows, a chunk at a time."""

from collections.abc import Sequence
from typing import final

from _typeshed import ReadableBuffer

from tocsin._core.keys import KeyTable
from tocsin._core.roster import MonitorRoster, TrackRoster

def packed_monitor(
    number: int, project: int, policy: int, flags: int, paused_until: int, muted_until: int, monitor_id: str
) -> bytearray:
    """The bytes of a monitor; the two instants are 0 for none. OverflowError: one does not fit its column."""

def unpacked_monitor(data: bytes) -> tuple[int, int, int, int, int, int, str] | None:
    """What `packed_monitor` was given; None: the bytes are of another layout."""

@final
class Filling:
    """Fills the rosters of an engine that is loaded, and the keys of its monitors. Belongs to one thread."""

    def __new__(cls, monitors: MonitorRoster, tracks: TrackRoster, keys: KeyTable) -> Filling: ...
    def add_monitors(
        self, rows: Sequence[tuple[bytes | None]], clock: int, names: list[tuple[int, int, str]] | None = None
    ) -> int:
        """How many rows were None, and left out. A pause that is over at `clock` is none.

        (project, number, id) of each are appended to `names`. ValueError: a row of another layout; those before it
        are there.
        """

    def add_tracks(self, rows: Sequence[tuple[bytes | None]], watermark: int, applied: dict[int, int]) -> int:
        """As `add_monitors`. The newest check-in that a track contains, if it is after `watermark`, by slot."""

    def link(self) -> int:
        """Puts slots for the numbers of monitors, and lists of tracks, the newest first, for their monitors.

        Tracks whose monitor is not there are closed. Returns how many are not the first of their monitor. Before it
        `monitor` is the lower half of Monitor.number and `next_track` the upper.
        """

    def followed(self) -> list[int]:
        """Slots of the tracks that are not the first of their monitor."""

    def deadlines(self) -> tuple[memoryview, memoryview]:
        """Slots and seconds (uint32), rounded up, of the tracks that have a deadline."""

    def paused(self) -> list[tuple[int, int]]:
        """(monitor slot, end) of monitors whose pause ends."""

    def projects(self) -> dict[int, int]:
        """How many monitors each has."""

def waiting(
    tracks: TrackRoster, monitors: MonitorRoster, tables: ReadableBuffer, idle: bool
) -> tuple[memoryview, memoryview, memoryview]:
    """Of tracks that wait for a slot: their slots, timetables (uint32) and the millisecond before the slot (int64).

    `tables` is the timetable by the policy's number (uint32), NOWHERE for policies that are not asked for. `idle`: of
    tracks that wait for nothing instead; their instants mean nothing.
    """

def not_following(instants: ReadableBuffer, found: ReadableBuffer) -> list[int]:
    """Where `found` is not the millisecond after `instants` (int64). ValueError: they are not of one length."""
