# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""New check-ins of one project in columns: what `_core.apply` makes and the store writes in bulk."""

from typing import final

@final
class Recorded:
    """Rows in the order of their numbers. Belongs to one thread at a time."""

    def __new__(cls) -> Recorded: ...
    def __len__(self) -> int: ...
    def row(
        self, index: int
    ) -> tuple[int, int, int, int, int, int, int | None, int | None, int | None, int, int, int, int | None]:
        """One check-in, see there for the order. Times are in ms, None for none; the state is a stored number.

        Number, monitor, track, state, receive, update and end time, duration, expected time, policy, environment, slot
        of the track, row of the batch.
        """

    def numbers(self) -> memoryview:
        """Of all, as int64."""
