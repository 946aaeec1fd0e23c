# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""New check-ins in columns, as the two databases take many at once. A part is (check-ins, project, detail or "")."""

from collections.abc import Iterable
from typing import Final

from tocsin._core.recorded import Recorded

MOST: Final[int]
"""Rows of one list of `parameters`."""
COLUMNS: Final[tuple[str, ...]]
"""Of a row of `copied`."""
PARAMETERS: Final[tuple[str, ...]]
"""Of a row of `parameters`: int, and str for the detail. NEVER, a duration of -1 and a detail of "" stand for NULL."""

def parameters(parts: Iterable[tuple[Recorded, int, str]]) -> list[tuple[int, list[int | str]]]:
    """(rows, their values in one flat list) for each statement; rows are a power of two up to `MOST`."""

def copied(parts: Iterable[tuple[Recorded, int, str]]) -> bytes:
    """PostgreSQL's binary COPY of all rows, header and end included. Runs without the GIL."""
