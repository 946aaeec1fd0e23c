# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""Every n units; kernels, and the numbers of the units for `Timetables.add_interval`."""

from typing import Final

SECOND: Final[int]
MINUTE: Final[int]
HOUR: Final[int]
DAY: Final[int]
WEEK: Final[int]
MONTH: Final[int]
YEAR: Final[int]
