# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""Days since 1970-01-01 and year-month-day, in the proleptic Gregorian calendar; year 0 is the year before 1.

Days are valid within ±3 650 000 000, years within ±10 000 000; anything outside its range is a ValueError.
"""

def to_days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01: `to_days(2026, 3, 29)` is 20541."""

def to_date(days: int) -> tuple[int, int, int]:
    """Year, month 1-12 and day 1-31."""

def weekday(days: int) -> int:
    """0 for Sunday to 6 for Saturday."""

def month_length(year: int, month: int) -> int:
    """28 to 31."""

def add_months(days: int, months: int) -> int:
    """The same day of the month so many months later (or earlier), clamped: 31 January + 1 is 28 February."""
