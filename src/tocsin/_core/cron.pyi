# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""A cron expression as bit masks. When it matches is asked of `tocsin._core.timetable.Timetables`."""

from collections.abc import Iterable
from typing import final

@final
class Cron:
    """What a cron or calendar expression says, without zone or daylight policy. Equal content is equal and hashes so.

    Made by `tocsin._core.cron_text.parse` from text and by `of` from masks; never changes. `Cron()` is empty, and
    refused wherever a Cron is taken.
    """

    @staticmethod
    def of(
        *,
        minute: int,
        hour: int,
        dom: int,
        month: int,
        dow: int,
        second: int = 1,
        last: int = 0,
        nearest: int = 0,
        nth: int = 0,
        last_weekday: bool = False,
        either_day: bool = False,
        wildcard: bool = False,
        years: Iterable[int] | None = None,
    ) -> Cron:
        """Masks: bit n stands for the value n (Sunday is bit 0 of `dow`); ValueError for a bit that means nothing.

        `last`: days counted back from the last of the month, which is bit 0 (L-3 is bit 3). `nearest`: the days of
        15W. `nth`: six groups of seven weekdays, first to fifth, then last of the month. `either_day`: date or weekday
        is enough; otherwise both must match. `wildcard`: the minute or the hour began with `*`, which the policy VIXIE
        asks. `years`: 1970 to 2225, None is every year. Time-of-day masks and months must not be empty. Masks that
        match no date at all are accepted; they are never due.
        """

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def masks(self) -> dict[str, object]:
        """The keyword arguments of `of`, for tests and people."""
