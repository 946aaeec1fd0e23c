"""Much is written in turns: whoever waits for the one writer, check-ins above all, comes between two of them."""

import time
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from tocsin.store.port import chunks

_PAUSE_S: Final = 0.002  # a lock that is free at once again would go to who had it
T = TypeVar("T")


def turns(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """For one transaction each. Blocks between them, so it is not for an event loop."""
    for number, some in enumerate(chunks(rows, size)):
        if number:
            time.sleep(_PAUSE_S)
        yield some
