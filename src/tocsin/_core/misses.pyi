# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""First misses in columns."""

from collections.abc import Sequence
from typing import Final

from _typeshed import ReadableBuffer

from tocsin._core.apply import Applier
from tocsin._core.opened import Opened
from tocsin._core.recorded import Recorded
from tocsin._core.timetable import Timetables

CELLS: Final[int]
"""Of the table: healths x 2."""

def step(
    parts: Applier,
    due: ReadableBuffer,
    first: int,
    horizon: int,
    timetables: Timetables,
    number: int,
    incident: int,
    table: bytes,
    recorded: Recorded,
    opened: Opened,
    held: Sequence[int] = (),
) -> tuple[int, int, int]:
    """Judges what is plain of the deadlines `due` (uint32, as the heap hands them out) from `first` on.

    Returns the first that is not, and the numbers of check-in and incident given out last, which `number` and
    `incident` were before. `table`: see `engine.rules.misses`. Adds a row to `recorded` and to `opened` for each.
    """

def by_project(recorded: Recorded, opened: Opened) -> dict[int, Recorded]:
    """The check-ins of misses, apart for each project. ValueError: they are not of the same misses."""
