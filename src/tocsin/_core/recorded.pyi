# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""New check-ins of one project in columns: what `_core.apply` makes and the store writes in bulk."""

from typing import final

@final
class Recorded:
    """Rows in the order of their numbers. Belongs to one thread at a time."""

    def __new__(cls) -> Recorded: ...
    def __len__(self) -> int: ...
    def append(
        self,
        number: int,
        monitor: int,
        track: int,
        state: int,
        receive_time: int,
        update_time: int,
        end_time: int | None = None,
        duration: int | None = None,
        expected_time: int | None = None,
        policy: int = 0,
        environment: int = 0,
        slot: int = 0,
        row: int | None = None,
    ) -> None:
        """A check-in, in the order of `row`. ValueError: no such state, or a duration below zero."""

    def extend(self, other: Recorded, offset: int = 0) -> None:
        """All of another, behind what is here; `offset` is added to the rows of their reports."""

    def row(
        self, index: int
    ) -> tuple[int, int, int, int, int, int, int | None, int | None, int | None, int, int, int, int | None]:
        """One check-in, see there for the order. Times are in ms, None for none; the state is a stored number.

        Number, monitor, track, state, receive, update and end time, duration, expected time, policy, environment, slot
        of the track, row of the batch.
        """

    def numbers(self) -> memoryview:
        """Of all, as int64."""
