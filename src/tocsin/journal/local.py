"""The journal inside this process: a bounded queue. `append` answers when the loop has committed, so it is durable.

Arrivals: a request is stamped when it arrives, and until its report is queued no deadline after the stamp is judged.
`horizon()` is how far judging may go. A client that trickles its body cannot hold the clock longer than `hold_ms`; what
we ourselves need before a report can be queued (`hold`) holds it until that is done, because it is no fault of a job.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from tocsin.domain.commands import Command, Entry
from tocsin.domain.errors import TocsinError, Unavailable
from tocsin.domain.instant import Clock, Instant
from tocsin.domain.receipt import Receipt
from tocsin.journal.oldest import Oldest
from tocsin.journal.patience import Patience
from tocsin.journal.weight import rows, weight

_RETRY_AFTER_MS = 1_000


class Waiting:
    """An entry and the caller who waits for it."""

    __slots__ = ("_answer", "entry", "rows", "size")

    def __init__(self, entry: Entry, size: int, answer: "asyncio.Future[Any]", rows: int = 1) -> None:
        """`size` is what the entry weighs in the queue, in bytes; `rows` as how many entries it counts."""
        self.entry = entry
        self.size = size
        self.rows = rows
        self._answer = answer

    def resolve(self, receipt: Receipt) -> None:
        if not self._answer.done():  # who waited may have gone
            self._answer.set_result(receipt)

    def fail(self, error: TocsinError) -> None:
        """The caller is told by the receipt, so that one bad entry of a batch does not hide the others."""
        self.resolve(Receipt(error=error))


class Group:
    """The receipts of a caller with several entries: one future for all of them."""

    __slots__ = ("answer", "left", "receipts")

    def __init__(self, size: int, answer: "asyncio.Future[Any]") -> None:
        self.left = size
        self.receipts: list[Receipt] = [Receipt()] * size
        self.answer = answer


class Member(Waiting):
    """One entry of a group."""

    __slots__ = ("_group", "_place")

    def __init__(self, entry: Entry, size: int, group: Group, place: int) -> None:
        super().__init__(entry, size, group.answer)
        self._group = group
        self._place = place

    def resolve(self, receipt: Receipt) -> None:
        group = self._group
        group.receipts[self._place] = receipt
        group.left -= 1
        if not group.left and not group.answer.done():
            group.answer.set_result(group.receipts)


class Arrival:
    """Holds the clock at the moment of arrival until the report is queued or the request is over."""

    __slots__ = ("_clock", "_open")

    def __init__(self, clock: Clock, still_open: "dict[Arrival, Instant]") -> None:
        self._clock = clock
        self._open = still_open

    def __enter__(self) -> Instant:
        at = self._open[self] = self._clock.now()
        return at

    def __exit__(self, *_: object) -> None:
        del self._open[self]


class Held:
    """Holds the clock at the arrival of a request that waits for us. Unavailable: it was turned away."""

    __slots__ = ("_at", "_held", "_refused")

    def __init__(self, at: Instant, held: "dict[Held, Instant]", refused: Callable[[Instant], None]) -> None:
        self._at = at
        self._held = held
        self._refused = refused

    def __enter__(self) -> None:
        self._held[self] = self._at

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        del self._held[self]
        if isinstance(error, Unavailable):
            self._refused(self._at)


class LocalJournal:
    def __init__(
        self,
        clock: Clock,
        *,
        limit: int = 50_000,
        limit_bytes: int = 128 * 1024 * 1024,
        hold_ms: int = 500,
        answer_within_ms: int = 15_000,
    ) -> None:
        """`limit` entries may wait, of `limit_bytes` together; beyond either `append` refuses.

        Where none waits a command is taken whatever its size: to come again later would not make it smaller.
        A caller waits at most `answer_within_ms`.
        """
        self._clock = clock
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._hold_ms = hold_ms
        self._patience = Patience(answer_within_ms / 1000)
        self._queue: deque[Waiting] = deque()
        self._oldest = Oldest()  # of the queue
        self._bytes = self._rows = 0  # of the queue
        self._open: dict[Arrival, Instant] = {}  # in the order of arrival
        self._held: dict[Held, Instant] = {}
        self._taker: asyncio.Future[None] | None = None  # who waits for an entry
        self._closed = False
        self._listened_until: Instant | None = None
        self.refused_since: Instant | None = None
        self.refused_until: Instant = 0
        self.refused_count = 0

    def __len__(self) -> int:
        """Entries that wait, each report of a batch counted."""
        return self._rows

    @property
    def waiting_bytes(self) -> int:
        return self._bytes

    def arrival(self) -> Arrival:
        return Arrival(self._clock, self._open)

    def hold(self, at: Instant) -> Held:
        """While it is open no deadline after `at`, a request's arrival, is judged. Only for what ends in bounded time.

        It must wait for nothing that the client does. When it ends with Unavailable, it is as if `append` had refused.
        """
        return Held(at, self._held, self._refused)

    async def append(self, at: Instant, command: Command) -> Receipt:
        """Queues a command and waits until its batch is committed. Unavailable: try again, safely with an id."""
        size, count = weight(command), rows(command)
        self._admit(at, count, size)
        answer: asyncio.Future[Receipt | None] = asyncio.get_running_loop().create_future()
        self._queue.append(Waiting(Entry(at, command), size, answer, count))
        self._oldest.join(at)
        self.wake()
        self._patience.watch(answer)
        receipt = await answer
        if receipt is None:
            raise _too_late()
        return receipt

    async def append_many(self, at: Instant, commands: Sequence[Command]) -> list[Receipt]:
        """Queues all or none, and waits until all are committed."""
        sizes = [weight(command) for command in commands]
        self._admit(at, len(commands), sum(sizes))
        if not commands:
            return []
        answer: asyncio.Future[list[Receipt] | None] = asyncio.get_running_loop().create_future()
        group = Group(len(commands), answer)
        for place, (command, size) in enumerate(zip(commands, sizes, strict=True)):
            self._queue.append(Member(Entry(at, command), size, group, place))
            self._oldest.join(at)
        self.wake()
        self._patience.watch(answer)
        receipts = await answer
        if receipts is None:
            raise _too_late()
        return receipts

    def _admit(self, at: Instant, count: int, size: int) -> None:
        """Makes room for entries, or raises Unavailable."""
        if self._closed:
            raise _shutting_down()
        if self._queue and count and (self._rows + count > self._limit or self._bytes + size > self._limit_bytes):
            self._refused(at)
            raise Unavailable(
                f"{self._rows} entries wait to be written; try again",
                reason="QUEUE_FULL",
                retry_after_ms=_RETRY_AFTER_MS,
            )
        self._bytes += size
        self._rows += count

    def overloaded(self) -> None:
        """A report was refused before it came here."""
        self._refused(self._clock.now())

    def _refused(self, at: Instant) -> None:
        """What falls due while reports are refused must not be called missed."""
        self.refused_since = at if self.refused_since is None else min(self.refused_since, at)
        self.refused_until = max(self.refused_until, self._clock.now())
        self.refused_count += 1

    def take_refused(self) -> tuple[Instant, Instant] | None:
        """The time in which reports were refused, once; None when none were."""
        if self.refused_since is None:
            return None
        since, self.refused_since = self.refused_since, None
        return since, self.refused_until

    async def take(self, *, limit: int, wait: float) -> list[Waiting]:
        """Up to `limit` entries in order, or one that counts as more; none after `wait` seconds of silence."""
        if not self._queue and wait > 0:
            await self._arrival_within(wait)
        batch: list[Waiting] = []
        while self._queue and (not batch or self._queue[0].rows <= limit):
            waiting = self._queue.popleft()
            self._left(waiting)
            limit -= waiting.rows
            batch.append(waiting)
        return batch

    def _left(self, waiting: Waiting) -> None:
        self._oldest.leave(waiting.entry.at)
        self._bytes -= waiting.size
        self._rows -= waiting.rows

    async def _arrival_within(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._taker = loop.create_future()
        timer = loop.call_later(seconds, self.wake)
        try:
            await self._taker
        finally:
            timer.cancel()
            self._taker = None

    def put_back(self, batch: Sequence[Waiting]) -> None:
        """To be taken again, before all others."""
        self._queue.extendleft(reversed(batch))
        for waiting in reversed(batch):
            self._oldest.put_back(waiting.entry.at)
            self._bytes += waiting.size
            self._rows += waiting.rows

    def wake(self) -> None:
        """Ends a `take` that waits."""
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)

    def horizon(self) -> Instant:
        """Up to here every request that arrived has been stepped, once the batch just taken is."""
        now = self._clock.now() if self._listened_until is None else self._listened_until
        queued, arrived = self._oldest.get(), next(iter(self._open.values()), now)
        held = min(self._held.values(), default=now)
        return min(now if queued is None else queued, now, held, max(arrived, now - self._hold_ms))

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
            waiting = self._queue.popleft()
            self._left(waiting)
            waiting.fail(_shutting_down())


def _shutting_down() -> Unavailable:
    return Unavailable("the server is shutting down", reason="SHUTTING_DOWN", retry_after_ms=_RETRY_AFTER_MS)


def _too_late() -> Unavailable:
    return Unavailable(
        "the database did not answer in time; what was sent may still be recorded",
        reason="STORE_UNAVAILABLE",
        retry_after_ms=_RETRY_AFTER_MS,
    )
