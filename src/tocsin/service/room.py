"""Room for requests that are being read or answered: so many at once, holding so much memory together.

What waits for the database is bounded by the journal; this bounds what comes before it. A request that finds no room is
told to come back, and the time is deaf time: nothing that falls due in it is called missed.
"""

from collections.abc import Callable
from typing import Final, Self

from tocsin.domain.errors import Unavailable

FREE: Final = 16 * 1024  # bytes of a request that are not counted: the number of requests bounds them
_RETRY_AFTER_MS: Final = 1_000


class Room:
    def __init__(self, requests: int, size: int, refused: Callable[[], None] = lambda: None) -> None:
        """For `requests` of each door, and for `size` bytes of all of them. `refused` is told of each without room."""
        self.requests = requests
        self._size = size
        self._refused = refused
        self.held = 0  # bytes

    def admit(self, requests: int) -> None:
        """One more at a door where there are so many. Unavailable when that is enough."""
        if requests >= self.requests:
            raise self._full(f"{requests} requests are being answered; try again")

    def hold(self) -> "Hold":
        """For one request; leave it when the request is over."""
        return Hold(self)

    def move(self, by: int) -> None:
        """So many bytes more, or fewer. Unavailable, and nothing is held of them, when there is no room."""
        if by > 0 and self.held + by > self._size:
            raise self._full("too much is being read at once; try again")
        self.held += by

    def _full(self, message: str) -> Unavailable:
        self._refused()
        return Unavailable(message, reason="QUEUE_FULL", retry_after_ms=_RETRY_AFTER_MS)


class Hold:
    """What one request holds; a context manager."""

    __slots__ = ("_held", "_room")

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._held:
            self._room.move(-self._held)
            self._held = 0

    def set(self, size: int) -> None:
        """It holds so many bytes now, in all. Unavailable when there is no room for what is more."""
        counted = size if size > FREE else 0
        if counted != self._held:
            self._room.move(counted - self._held)
            self._held = counted
