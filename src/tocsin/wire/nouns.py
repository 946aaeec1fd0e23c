"""What the messages of small nouns share: which fields a request writes, and when a mute is over."""

from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.wire.time import to_instant


def paths(message: Any, mask: Iterable[str], writable: Sequence[str]) -> list[str]:
    """The writable fields that a mask names; without a mask, those that are set. InvalidArgument names a wrong path."""
    wanted = list(mask)
    if not wanted:
        return [descriptor.name for descriptor, _ in message.ListFields() if descriptor.name in writable]
    if "*" in wanted:
        if len(wanted) > 1:
            raise errors.invalid("update_mask", "'*' means all fields and stands alone")
        return list(writable)
    for path in wanted:
        if path == "name" or path in writable:
            continue
        if path in message.DESCRIPTOR.fields_by_name:
            raise errors.invalid("update_mask", f"{path!r} is output only")
        raise errors.invalid("update_mask", f"{path[:80]!r} is no field of {message.DESCRIPTOR.name}")
    return [path for path in wanted if path != "name"]


def expiry(message: Timestamp, now: Instant, field: str = "expire_time") -> Instant:
    """A time in the future."""
    until = to_instant(message, field)
    if until <= now:
        raise errors.invalid(field, "must be in the future; leave it unset to last until further notice")
    return until
