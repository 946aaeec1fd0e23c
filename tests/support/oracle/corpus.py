"""All zones of the `tzdata` package, so that every machine judges the same: bytes, zoneinfo, and their transitions."""

import datetime as dt
import functools
import importlib.resources
import io
import zoneinfo

UTC = dt.UTC
STEP_S = 3 * 3600
DAY = dt.timedelta(days=1)


def second_of(year: int) -> int:
    return int(dt.datetime(year, 1, 1, tzinfo=UTC).timestamp())


def date_of(second: int) -> dt.date:
    return dt.datetime.fromtimestamp(second, UTC).date()


def read(name: str) -> bytes:
    return importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


@functools.cache
def names() -> tuple[str, ...]:
    """Every name, links and legacy names included."""
    return tuple(sorted((importlib.resources.files("tzdata") / "zones").read_text(encoding="ascii").split()))


@functools.cache
def distinct() -> tuple[str, ...]:
    """One name for each different content."""
    first: dict[bytes, str] = {}
    for name in names():
        first.setdefault(read(name), name)
    return tuple(sorted(first.values()))


@functools.cache
def load(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo.from_file(io.BytesIO(read(name)), key=name)


def offset_at(zone: zoneinfo.ZoneInfo, second: int) -> int:
    return round(dt.datetime.fromtimestamp(second, zone).utcoffset().total_seconds())


@functools.cache
def transitions(name: str, first_year: int = 1850, end_year: int = 2101) -> tuple[tuple[int, int, int], ...]:
    """Where an offset changes: instant, offset before, offset after. Each must last three hours to be seen."""
    zone = load(name)
    instants = range(second_of(first_year), second_of(end_year), STEP_S)
    offsets = [dt.datetime.fromtimestamp(second, zone).utcoffset() for second in instants]
    found = []
    for high, before, after in zip(instants[1:], offsets, offsets[1:], strict=False):
        if before == after:
            continue
        low, top = high - STEP_S, high
        while top - low > 1:
            middle = (low + top) // 2
            same = dt.datetime.fromtimestamp(middle, zone).utcoffset() == after
            low, top = (low, middle) if same else (middle, top)
        found.append((top, round(before.total_seconds()), round(after.total_seconds())))
    return tuple(found)
