"""A recurrence rule as dateutil reads and walks it from the true DTSTART, and zoneinfo for the instants. No seeking."""

import datetime
import itertools
import zoneinfo
from unittest import mock

from dateutil.rrule import rrulestr

DEFAULT_START = datetime.datetime(2001, 1, 1)


def fire_times(text: str, zone: str, from_s: int, to_s: int, removed: frozenset[int] = frozenset()) -> list[int]:
    """All t with from_s < t <= to_s. `text` has no UNTIL in UTC, which dateutil refuses beside a naive DTSTART."""
    tz = zoneinfo.ZoneInfo(zone)
    last = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=to_s + 27 * 3600)
    # dateutil looks for a match until the last year of the calendar, or for ever as it were: let that year be near.
    with mock.patch.object(datetime, "MAXYEAR", last.year + 1):
        walls = itertools.takewhile(lambda wall: wall <= last, rrulestr(text, dtstart=DEFAULT_START))
        found = {round(wall.replace(tzinfo=tz).timestamp()) for wall in walls}
    return sorted(instant for instant in found - removed if from_s < instant <= to_s)
