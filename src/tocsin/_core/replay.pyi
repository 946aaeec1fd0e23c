# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""Check-ins after the watermark in columns: applied again to tracks as the store had them."""

from typing import final

from tocsin._core.apply import Applier
from tocsin._core.timetable import Timetables

@final
class Replay:
    """The tracks as a start has loaded and linked them, and one chunk of check-ins at a time."""

    def __new__(cls, applier: Applier, timetables: Timetables, applied: dict[int, int]) -> Replay:
        """`applied`: by slot, the newest check-in that a track's row contained. No track may be closed from here on."""

    def read(self, chunk: list[tuple[int, int, int, int | None]]) -> None:
        """Takes up a chunk: number, track's number, instant and duration in ms. ValueError: a duration below 0."""

    def step(self, first: int) -> tuple[int, int]:
        """Applies the chunk's rows from `first` on. The first that it cannot do, or their count; how many were applied.

        Left out is what is contained already, and what has no track any more. Tracks are marked as moved, deadlines of
        slots are set. It cannot do a row for which a timetable must reach farther first, or that the roster has no
        room for. The GIL is not held; RuntimeError when a part is in use meanwhile.
        """

    def slot(self, row: int) -> int:
        """Of a row's track; NOWHERE when there is none."""
