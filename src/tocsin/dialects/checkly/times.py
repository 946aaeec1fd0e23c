"""Times as Checkly writes them, and as its clients send them."""

from datetime import UTC, datetime
from typing import Final

from tocsin.domain.instant import SECOND, Instant

LAST: Final = 253_402_300_799_999  # the end of the year 9999
_MILLIS_FROM: Final = 100_000_000_000  # a number from here on is milliseconds: as seconds it lies past the year 5000


def iso(at: Instant) -> str:
    """1769907600000 → "2026-02-01T01:00:00.000Z"."""
    moment = datetime.fromtimestamp(min(at, LAST) // SECOND, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % SECOND:03d}Z"


def iso_or_none(at: Instant | None) -> str | None:
    return None if at is None else iso(at)


def parse_time(text: str) -> Instant | None:
    """Unix seconds, milliseconds, or ISO 8601 (without a zone: UTC), from 1970 to 9999; None for anything else."""
    try:
        number = float(text)
    except ValueError:
        return _parse_iso(text)
    if not 0 <= number <= LAST:  # nor NaN
        return None
    return int(number if number >= _MILLIS_FROM else number * SECOND)


def _parse_iso(text: str) -> Instant | None:
    try:
        moment = datetime.fromisoformat(
            text.strip().replace(" ", "+")
        )  # a plus sign of a query may have become a blank
    except ValueError:
        return None
    try:
        at = round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * SECOND)
    except (OverflowError, ValueError):
        return None
    return at if 0 <= at <= LAST else None
