"""Identities: check-in ids, keys of the core's tables, partitions.

A check-in has a `number` (63 bits: 42 of milliseconds, 21 of sequence), so that ids made by us sort by time, and a
public id of 32 lower-case hex characters. The public id of a check-in whose client did not choose one is its number in
a fixed frame (version 8 UUID), so no index is needed to find it again.
"""

import re
import uuid

from tocsin.domain import errors
from tocsin.domain.instant import Instant

LATEST = "0" * 32  # the all-zero id: "the newest open run", never an idempotency key
_HEX_32 = re.compile(r"[0-9a-f]{32}")
_SEQUENCE_BITS = 21
_SEQUENCE_MASK = (1 << _SEQUENCE_BITS) - 1


def check_in_number(at: Instant, sequence: int) -> int:
    """The number of the `sequence`-th check-in of a millisecond; sequences past 2^21 roll into the next millisecond."""
    return (max(at, 0) << _SEQUENCE_BITS) + sequence


def first_number_from(at: Instant) -> int:
    """What no check-in made at `at` or later has a smaller number than. Numbers end in 2109, instants do not."""
    return min(check_in_number(at, 0), 2**63 - 1)


def instant_of(number: int) -> Instant:
    return number >> _SEQUENCE_BITS


def public_id(number: int) -> str:
    """The id of a check-in that we named: 64 bits of number inside a version 8, variant 1 UUID."""
    digits = f"{number:016x}"
    return f"70c5{digits[0:8]}8{digits[8:11]}8{digits[11:14]}{digits[14:16]}0000000000"


def number_of(identifier: str) -> int | None:
    """The number inside an id that we made; None for an id that a client chose."""
    if len(identifier) == 32 and identifier.startswith("70c5") and identifier[12] == "8" and identifier[16] == "8":
        digits = identifier[4:12] + identifier[13:16] + identifier[17:20] + identifier[20:22]
        if public_id(int(digits, 16)) == identifier:
            return int(digits, 16)
    return None


def normal_id(text: str, field: str = "check_in_id") -> str:
    """32 hex characters or a dashed UUID, any case → 32 lower-case hex characters."""
    plain = text.replace("-", "").lower() if len(text) == 36 else text.lower()
    if not _HEX_32.fullmatch(plain):
        raise errors.invalid(
            field, f"{text[:64]!r} is not a UUID; send 32 hex characters, dashes optional", reason="CHECK_IN_ID_INVALID"
        )
    return plain


def new_id() -> str:
    return uuid.uuid4().hex


def monitor_key(project: int, monitor_id: str) -> bytes:
    """Key of a monitor in the core's key table."""
    return b"m%d\x00%s" % (project, monitor_id.encode())


def track_key(monitor_number: int, environment: str) -> bytes:
    """Key of a monitor in one environment in the core's key table."""
    return b"t%d\x00%s" % (monitor_number, environment.encode())


def run_key(project: int, identifier: str) -> bytes:
    """Key of an open run in the core's table of runs."""
    return b"r%d\x00%s" % (project, identifier.encode())


def partition_of(project: int) -> int:  # noqa: ARG001 - the port is fixed before it has a second adapter
    """The partition that owns a project; one process owns everything until there is a distributed journal."""
    return 0
