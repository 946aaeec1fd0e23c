"""Wall time by `zoneinfo`, and the instants of a wall time by trying every offset of the days around it."""

import datetime as dt
import functools
import zoneinfo

UTC = dt.UTC


@functools.cache
def load(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name)


def offset_at(name: str, utc_s: int) -> int:
    moment = dt.datetime.fromtimestamp(utc_s, UTC).astimezone(load(name))
    return int(moment.utcoffset().total_seconds())


def instants(name: str, wall_s: int) -> list[int]:
    """Every instant at which the wall clock shows this time, ascending."""
    offsets = {offset_at(name, wall_s + hours * 3600) for hours in range(-30, 31)}
    return sorted(wall_s - offset for offset in offsets if offset_at(name, wall_s - offset) == offset)


@functools.cache
def transitions(name: str, first_year: int, last_year: int) -> list[int]:
    """The instants at which the offset changes, found by looking at every hour and then every second."""
    begin = int(dt.datetime(first_year, 1, 1, tzinfo=UTC).timestamp())
    end = int(dt.datetime(last_year + 1, 1, 1, tzinfo=UTC).timestamp())
    found = []
    for low in range(begin, end, 6 * 3600):
        high = low + 6 * 3600
        if offset_at(name, low) == offset_at(name, high):
            continue
        after = offset_at(name, high)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if offset_at(name, middle) == after else (middle, high)
        found.append(high)
    return found
