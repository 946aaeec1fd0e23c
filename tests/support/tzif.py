"""Writes TZif files for tests: a zone of whatever rules a test needs."""

import struct
from collections.abc import Callable, Mapping, Sequence


def tzif(footer: str, transitions: Sequence[tuple[int, int]] = (), first: int = 0) -> bytes:
    """Version 2. `transitions` are (UTC seconds, seconds east from then on), `first` holds before them all."""
    offsets = [first, *(offset for _, offset in transitions)]
    types = b"".join(struct.pack(">lBB", offset, 0, 0) for offset in offsets)
    body = b"".join(struct.pack(">q", instant) for instant, _ in transitions)
    body += bytes(range(1, len(transitions) + 1)) + types + b"LMT\0"
    header = struct.Struct(">4sc15x6l")
    empty = header.pack(b"TZif", b"2", 0, 0, 0, 0, 1, 4) + struct.pack(">lBB", first, 0, 0) + b"LMT\0"
    counts = header.pack(b"TZif", b"2", 0, 0, 0, len(transitions), len(offsets), 4)
    return empty + counts + body + b"\n" + footer.encode() + b"\n"


def reader(zones: Mapping[str, bytes]) -> Callable[[str], bytes | None]:
    """What `Zones` reads from."""
    return zones.get
