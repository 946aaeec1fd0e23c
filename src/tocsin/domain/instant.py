"""Instants: integers of milliseconds since the Unix epoch, UTC; and the port through which time enters.

Only edges turn them into text or `datetime`; a `datetime` costs twenty times the arithmetic it carries.
"""

from datetime import UTC, datetime
from typing import Final, Protocol

Instant = int  # milliseconds since 1970-01-01T00:00:00Z
Millis = int  # a length of time

NEVER: Final = 2**63 - 1  # the core's "no instant"; sorts after every real one
SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


class Clock(Protocol):
    """Where an edge takes the time from. `now` never runs backwards within a process."""

    def now(self) -> Instant: ...


def to_rfc3339(instant: Instant) -> str:
    """1769907600000 → "2026-02-01T01:00:00Z"; milliseconds only when there are any."""
    moment = datetime.fromtimestamp(instant / 1000, UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{instant % 1000:03d}Z" if instant % 1000 else f"{text}Z"


def ceil_second(instant: Instant) -> Instant:
    """The first whole second at or after `instant`: deadlines are never early."""
    return -(-instant // SECOND) * SECOND
