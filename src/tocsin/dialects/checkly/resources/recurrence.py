"""A maintenance window that comes again: Checkly's interval and unit, and a rule of RFC 5545.

The first time is `startsAt`; times that follow keep its wall time in the zone, over daylight-saving changes too. A
window on a day that some months lack is on the last day of those.
"""

from typing import Final, NamedTuple

from tocsin._core import civil
from tocsin.domain.instant import SECOND, Instant
from tocsin.domain.schedule import RRule

UNITS: Final = ("DAY", "WEEK", "MONTH")
INTERVAL_MAX: Final = 365
_FREQUENCIES: Final = {"DAY": "DAILY", "WEEK": "WEEKLY", "MONTH": "MONTHLY"}
_DAY: Final = 86_400  # seconds
_EVERY_MONTH: Final = 28  # days that every month has


class Repeat(NamedTuple):
    unit: str  # of UNITS
    interval: int
    ends: Instant | None  # no time begins later than this


def rule_of(repeat: Repeat, wall_s: int, zone: str) -> RRule:
    """`wall_s`: the first time as wall time in the zone, in seconds as if the wall clock showed UTC."""
    days, seconds = divmod(wall_s, _DAY)
    year, month, day = civil.to_date(days)
    hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
    start = f"DTSTART:{year:04d}{month:02d}{day:02d}T{hour:02d}{minute:02d}{second:02d}"
    parts = [f"FREQ={_FREQUENCIES[repeat.unit]}", f"INTERVAL={repeat.interval}"]
    if repeat.unit == "MONTH" and day > _EVERY_MONTH:
        wanted = ",".join(str(number) for number in range(_EVERY_MONTH, day + 1))
        parts += [f"BYMONTHDAY={wanted}", "BYSETPOS=-1"]
    if repeat.ends is not None:
        parts.append(f"UNTIL={_utc(repeat.ends)}")
    return RRule(f"{start}\nRRULE:{';'.join(parts)}", zone)


def _utc(at: Instant) -> str:
    days, seconds = divmod(at // SECOND, _DAY)
    year, month, day = civil.to_date(days)
    return f"{year:04d}{month:02d}{day:02d}T{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}Z"
