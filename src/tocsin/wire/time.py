"""Timestamp and Duration ⇄ milliseconds, with their ranges checked and the field named when they are not kept."""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from tocsin.domain import errors
from tocsin.domain.instant import NEVER, Instant, Millis

LAST_INSTANT = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z, where Timestamp ends
MAX_DURATION_SECONDS = 315_576_000_000  # ten thousand years, where Duration ends
_NANOS = 1_000_000_000
_NANOS_PER_MILLI = 1_000_000


def to_instant(message: Timestamp, field: str) -> Instant:
    """Milliseconds since the epoch; what is finer is dropped, so that a time is never later than it was.

    InvalidArgument outside 1970 to 9999, and when `nanos` are not a fraction of a second.
    """
    if not 0 <= message.nanos < _NANOS:
        raise errors.invalid(field, f"nanos must be between 0 and 999999999, not {message.nanos}")
    instant = message.seconds * 1000 + message.nanos // _NANOS_PER_MILLI
    if not 0 <= instant <= LAST_INSTANT:
        raise errors.invalid(field, "must be a time between 1970-01-01T00:00:00Z and 9999-12-31T23:59:59Z")
    return instant


def from_instant(instant: Instant) -> Timestamp:
    """A Timestamp; instants past the year 9999 are its last millisecond."""
    seconds, millis = divmod(min(instant, LAST_INSTANT), 1000)
    return Timestamp(seconds=seconds, nanos=millis * _NANOS_PER_MILLI)


def from_optional(instant: Instant | None) -> Timestamp | None:
    """None for None and NEVER: the field stays unset."""
    return None if instant is None or instant == NEVER else from_instant(instant)


def to_millis(message: Duration, field: str, *, least: Millis = 0, most: Millis | None = None) -> Millis:
    """Milliseconds; what is finer is rounded up, so that one nanosecond is not the special value zero.

    InvalidArgument when it is not a valid Duration, under `least` or over `most`.
    """
    seconds, nanos = message.seconds, message.nanos
    if abs(seconds) > MAX_DURATION_SECONDS or abs(nanos) >= _NANOS or seconds * nanos < 0:
        raise errors.invalid(
            field, "is not a valid duration: seconds and nanos must agree in sign and be within ten thousand years"
        )
    millis = seconds * 1000 - (-nanos // _NANOS_PER_MILLI)
    if millis < least:
        raise errors.invalid(field, f"must be at least {duration_text(least)}, not {duration_text(millis)}")
    if most is not None and millis > most:
        raise errors.invalid(field, f"must be at most {duration_text(most)}, not {duration_text(millis)}")
    return millis


def from_millis(millis: Millis) -> Duration:
    """A Duration, negative ones included."""
    seconds, rest = divmod(abs(millis), 1000)
    sign = -1 if millis < 0 else 1
    return Duration(seconds=sign * seconds, nanos=sign * rest * _NANOS_PER_MILLI)


def duration_text(millis: Millis) -> str:
    """As JSON writes durations: 90500 → "90.5s"."""
    return f"{millis / 1000:.3f}".rstrip("0").rstrip(".") + "s"
