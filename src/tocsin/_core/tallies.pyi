# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""What counters want to know of many check-ins at once."""

from _typeshed import ReadableBuffer

from tocsin._core.recorded import Recorded

def durations(recorded: Recorded, bounds: ReadableBuffer) -> tuple[list[int], int]:
    """How many check-ins took at most so long (int64 ms, ascending), one more count for the rest, and the sum in ms.

    Each is in the first count that has room for it; those without a duration are in none.
    """

def minutes(recorded: Recorded) -> dict[int, int]:
    """How many check-ins came in each minute since 1970."""
