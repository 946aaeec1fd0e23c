# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""What a burst of misses came to, in rows: tracks that were judged, and the incidents that were opened of some."""

from collections.abc import Container
from typing import final

@final
class Opened:
    """A row for each miss, in the order of judging. Belongs to one thread at a time."""

    def __new__(cls) -> Opened: ...
    def __len__(self) -> int: ...
    def row(self, index: int) -> tuple[int, int, int, int, int, int, int, int, int, bool]:
        """One miss.

        Numbers of track, monitor, incident (0: none) and check-in; deadline in ms; numbers of project and environment;
        slot of the track; failures in a row; whether it is muted.
        """

    def slots(self) -> list[int]:
        """Of the tracks."""

    def changed(self) -> dict[tuple[int, int, str], str]:
        """(project, monitor, "incident" or "health") of what people can see, in order; nothing as values."""

    def shown(self) -> list[tuple[int, int]]:
        """(number of the track, health << 3 | verdict)."""

    def incidents(self) -> list[int]:
        """Rows with an incident."""

    def spare(self, monitors: Container[int], tracks: Container[int]) -> Opened:
        """A copy without these monitors and tracks (numbers)."""

    def find(self, incident: int) -> int | None:
        """The row of an incident that nobody has taken out."""

    def take_out(self, incident: int) -> None: ...
    def bounds(self) -> tuple[int, int, int]:
        """The first and last number of its incidents, and how many there are; zeros when there are none."""
