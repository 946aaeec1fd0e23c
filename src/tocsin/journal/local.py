"""The journal inside this process: a bounded queue. `append` answers when the loop has committed, so it is durable.

Arrivals: a request is stamped when it arrives, and until its report is queued no deadline after the stamp is judged.
`horizon()` is how far judging may go. A client that trickles its body cannot hold the clock longer than `hold_ms`.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from tocsin.domain.commands import Command, Entry
from tocsin.domain.errors import TocsinError, Unavailable
from tocsin.domain.instant import Clock, Instant
from tocsin.domain.receipt import Receipt

_RETRY_AFTER_MS = 1_000


class Answerable(Protocol):
    """Somebody who waits for the receipts of several entries, by place."""

    def resolve(self, place: int, receipt: Receipt) -> None: ...


class Group:
    """The entries of one caller: one future for all of them, because a task for each would cost more than the entry."""

    __slots__ = ("_left", "_receipts", "answer")

    def __init__(self, size: int, answer: "asyncio.Future[list[Receipt]]") -> None:
        self._left = size
        self._receipts: list[Receipt] = [Receipt()] * size
        self.answer = answer

    def resolve(self, place: int, receipt: Receipt) -> None:
        self._receipts[place] = receipt
        self._left -= 1
        if not self._left and not self.answer.done():
            self.answer.set_result(self._receipts)


@dataclass(slots=True, eq=False)
class Waiting:
    """An entry and the caller who waits for it."""

    entry: Entry
    group: Answerable
    place: int

    def resolve(self, receipt: Receipt) -> None:
        self.group.resolve(self.place, receipt)

    def fail(self, error: TocsinError) -> None:
        """The caller is told by the receipt, so that one bad entry of a batch does not hide the others."""
        self.group.resolve(self.place, Receipt(error=error))


class LocalJournal:
    def __init__(
        self, clock: Clock, *, limit: int = 50_000, hold_ms: int = 500, answer_within_ms: int = 15_000
    ) -> None:
        """`limit` entries may wait; beyond it `append` refuses. A caller waits at most `answer_within_ms`."""
        self._clock = clock
        self._limit = limit
        self._hold_ms = hold_ms
        self._answer_within = answer_within_ms / 1000
        self._queue: deque[Waiting] = deque()
        self._in_flight: dict[object, Instant] = {}
        self._arrived = asyncio.Event()
        self._closed = False
        self._listened_until: Instant | None = None
        self.refused_since: Instant | None = None
        self.refused_until: Instant = 0
        self.refused_count = 0

    def __len__(self) -> int:
        return len(self._queue)

    @contextmanager
    def arrival(self) -> Iterator[Instant]:
        """Holds the clock at the moment of arrival until the report is queued or the request is over."""
        ticket = object()
        at = self._in_flight[ticket] = self._clock.now()
        try:
            yield at
        finally:
            self._in_flight.pop(ticket, None)

    async def append(self, at: Instant, command: Command) -> Receipt:
        """Queues a command and waits until its batch is committed. Unavailable: try again, safely with an id."""
        return (await self.append_many(at, (command,)))[0]

    async def append_many(self, at: Instant, commands: Sequence[Command]) -> list[Receipt]:
        """Queues all or none, and waits until all are committed."""
        if self._closed:
            raise Unavailable("the server is shutting down", reason="SHUTTING_DOWN", retry_after_ms=_RETRY_AFTER_MS)
        if not commands:
            return []
        if len(self._queue) + len(commands) > self._limit:
            self._refused(at)
            raise Unavailable(
                f"{len(self._queue)} entries wait to be written; try again",
                reason="QUEUE_FULL",
                retry_after_ms=_RETRY_AFTER_MS,
            )
        group = Group(len(commands), asyncio.get_running_loop().create_future())
        self._queue.extend(Waiting(Entry(at, command), group, place) for place, command in enumerate(commands))
        self._arrived.set()
        try:
            async with asyncio.timeout(self._answer_within):
                return await group.answer
        except TimeoutError:
            raise Unavailable(
                "the database did not answer in time; what was sent may still be recorded",
                reason="STORE_UNAVAILABLE",
                retry_after_ms=_RETRY_AFTER_MS,
            ) from None

    def _refused(self, at: Instant) -> None:
        """What falls due while reports are refused must not be called missed."""
        self.refused_since = at if self.refused_since is None else self.refused_since
        self.refused_until = max(self.refused_until, self._clock.now())
        self.refused_count += 1

    def take_refused(self) -> tuple[Instant, Instant] | None:
        """The time in which reports were refused, once; None when none were."""
        if self.refused_since is None:
            return None
        since, self.refused_since = self.refused_since, None
        return since, self.refused_until

    async def take(self, *, limit: int, wait: float) -> list[Waiting]:
        """Up to `limit` entries in order; none after `wait` seconds of silence."""
        if not self._queue and wait > 0:
            self._arrived.clear()
            try:
                async with asyncio.timeout(wait):
                    await self._arrived.wait()
            except TimeoutError:
                pass
        count = min(limit, len(self._queue))
        return [self._queue.popleft() for _ in range(count)]

    def put_back(self, batch: Sequence[Waiting]) -> None:
        """To be taken again, before all others."""
        self._queue.extendleft(reversed(batch))

    def wake(self) -> None:
        """Ends a `take` that waits."""
        self._arrived.set()

    def horizon(self) -> Instant:
        """Up to here every request that arrived has been stepped, once the batch just taken is."""
        now = self._clock.now() if self._listened_until is None else self._listened_until
        oldest = now
        if self._queue:
            oldest = min(oldest, *(waiting.entry.at for waiting in self._queue))
        if self._in_flight:
            oldest = min(oldest, max(min(self._in_flight.values()), now - self._hold_ms))
        return oldest

    def lag_ms(self) -> int:
        """Age of the oldest entry that waits. Any thread may ask."""
        try:
            oldest = self._queue[0].entry.at
        except IndexError:  # empty, perhaps since this instant
            return 0
        return max(self._clock.now() - oldest, 0)

    def stop_listening(self) -> None:
        """New requests are turned away from now on: what falls due later is for the next start to pass over."""
        self._listened_until = self._clock.now()

    def close(self) -> None:
        """Accepts no more; what is queued can still be taken."""
        self._closed = True
        self.wake()

    def abandon(self) -> None:
        """Tells everybody who still waits that nobody will answer."""
        while self._queue:
            self._queue.popleft().fail(
                Unavailable("the server is shutting down", reason="SHUTTING_DOWN", retry_after_ms=_RETRY_AFTER_MS)
            )
