"""The calendar by `datetime`, moved by whole cycles of 400 years where its years end."""

import calendar
import datetime as dt

EPOCH = dt.date(1970, 1, 1).toordinal()


def _near(year: int) -> tuple[int, int]:
    """A year `datetime` knows, and how many cycles away it is."""
    cycles = (year - 2000) // 400
    return year - 400 * cycles, cycles


def to_days(year: int, month: int, day: int) -> int:
    near, cycles = _near(year)
    return dt.date(near, month, day).toordinal() - EPOCH + cycles * 146097


def to_date(days: int) -> tuple[int, int, int]:
    cycles = days // 146097
    date = dt.date.fromordinal(days - cycles * 146097 + EPOCH)
    return date.year + 400 * cycles, date.month, date.day


def weekday(days: int) -> int:
    return (dt.date.fromordinal(days % 146097 + EPOCH).weekday() + 1) % 7


def month_length(year: int, month: int) -> int:
    return calendar.monthrange(_near(year)[0], month)[1]


def add_months(days: int, months: int) -> int:
    year, month, day = to_date(days)
    step = 1 if months > 0 else -1
    for _ in range(abs(months)):
        month += step
        if month in (0, 13):
            year, month = year + step, 12 if month == 0 else 1
    return to_days(year, month, min(day, month_length(year, month)))
