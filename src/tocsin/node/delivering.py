"""Delivers notices: one request at a time to each destination, many notices in one where many wait.

A destination that does not answer holds up only itself, and a notice that it does not take holds up only what is told
of the same incident: that arrives in order. It is tried until it is taken or given up. A destination that says when to
come again is left alone until then. While others wait for their turn, a destination that did not take what it was
sent, or that was sent its share, comes behind them. What was being sent when the server died is sent again, under the
same key.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from tocsin.domain.instant import HOUR, SECOND, Clock, Instant, Millis
from tocsin.domain.notice import Notice, NoticeState
from tocsin.notify import routing
from tocsin.notify.webhook import Outcome
from tocsin.store.outbox import Queue, Settled, SqlOutbox
from tocsin.store.port import StoreTrouble

GROUP_MAX: Final = 1_000  # notices a request
SLICE: Final = 200  # of them that are written down at once: check-ins share the writer and must not wait
SHARE: Final = 10  # requests to one destination while others wait
BACKOFF_FACTOR: Final = 6

Send = Callable[[int, str, Sequence[Notice]], Awaitable[Outcome]]  # project, destination, notices
_log = structlog.get_logger("tocsin.delivering")


@dataclass(frozen=True, slots=True)
class Delivery:
    """How hard it is tried."""

    retries: int = 3  # after the first try
    backoff_ms: Millis = 10 * SECOND  # before the first of them; each next one waits six times as long
    backoff_max_ms: Millis = HOUR  # but no longer, whatever a receiver asks for
    group_from: int = 10  # so many that wait for one destination go in one request
    concurrency: int = 16  # requests at once, to different destinations


class Watcher(Protocol):
    """Counts what comes of it."""

    def sent(self, kind: str, count: int) -> None: ...
    def failed(self, kind: str, count: int, *, dead: bool) -> None: ...
    def waiting(self, count: int) -> None: ...


class Delivering:
    def __init__(
        self,
        outbox: SqlOutbox,
        send: Send,
        clock: Clock,
        delivery: Delivery,
        watcher: Watcher,
        wake: Callable[[], None],
    ) -> None:
        """`wake()` is called when there is room again."""
        self._outbox, self._send, self._clock = outbox, send, clock
        self._delivery, self._watcher, self._wake = delivery, watcher, wake
        self._busy: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._held: dict[tuple[int, str], Instant] = {}  # until when a destination asked to be left alone
        self._turns = 0  # of destinations
        self._served: dict[tuple[int, str], int] = {}  # the last turn of each that something waits for
        self._most: dict[tuple[int, str], int] = {}  # notices that its next request may take, where that is known
        self._crowded = False  # others wait for their turn

    async def turn(self) -> Instant | None:
        """Begins what is to be delivered now; when there will be more, if nothing happens before."""
        now = self._clock.now()
        queues = await asyncio.to_thread(self._outbox.queues, now)
        self._watcher.waiting(sum(queue.waiting for queue in queues))
        later: list[Instant] = []
        self._forget({(queue.project, queue.destination) for queue in queues})
        self._crowded = False
        for queue in sorted(queues, key=self._last_turn):
            where = (queue.project, queue.destination)
            if where in self._busy:
                continue
            if (next_time := self.next_time(queue)) > now:
                later.append(next_time)
            elif len(self._busy) < self._delivery.concurrency:
                self._turns += 1
                self._served[where] = self._turns
                task = asyncio.create_task(self._serve(queue))
                self._busy[where] = task
                task.add_done_callback(lambda _, where=where: self._ended(where))  # type: ignore[misc] # the default binds it
            else:
                self._crowded = True
        return min(later, default=None)

    def next_time(self, queue: Queue) -> Instant:
        """When something is to be sent to a destination."""
        where = (queue.project, queue.destination)
        until = self._held.get(where, 0)
        if until and until <= self._clock.now():
            del self._held[where]
        return max(queue.next_time, until)

    def _last_turn(self, queue: Queue) -> int:
        return self._served.get((queue.project, queue.destination), 0)

    def _forget(self, waiting: Collection[tuple[int, str]]) -> None:
        """Destinations that nothing waits for."""
        for known in (self._served, self._most):
            for where in [where for where in known if where not in waiting]:
                del known[where]

    async def idle(self) -> None:
        """Until what was begun has ended."""
        while self._busy:
            await asyncio.wait(set(self._busy.values()))

    async def close(self) -> None:
        """What is being sent stays pending."""
        for task in self._busy.values():
            task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    def _ended(self, where: tuple[int, str]) -> None:
        task = self._busy.pop(where)
        if not task.cancelled():
            self._wake()

    async def _serve(self, queue: Queue) -> None:
        """Until nothing is to be sent to this destination now, or it is the turn of another."""
        where = (queue.project, queue.destination)
        most = self._most.pop(where, GROUP_MAX)
        requests = 0
        try:
            while True:
                now = self._clock.now()
                if self.next_time(queue) > now:
                    return
                waiting = await asyncio.to_thread(self._outbox.waiting, *where, most, now)
                if not waiting:
                    return
                some = waiting if len(waiting) >= self._delivery.group_from else waiting[:1]
                outcome = await self._try(queue, some)
                if outcome is None:
                    most = 1
                    continue
                if outcome.taken:
                    some, most = some[: outcome.taken], outcome.taken
                if outcome.after_ms and not outcome.sent:
                    self._held[where] = self._clock.now() + min(outcome.after_ms, self._delivery.backoff_max_ms)
                settled = self._settled(some, outcome)
                for first in range(0, len(settled), SLICE):
                    await asyncio.to_thread(self._outbox.settle, settled[first : first + SLICE])
                self._count(queue.destination, some, outcome)
                requests += 1
                if self._crowded and (requests >= SHARE or not outcome.sent):
                    if outcome.taken:
                        self._most[where] = most
                    return
        except StoreTrouble as trouble:  # what was sent is sent again, under the same key
            _log.warning("notices wait for the database", trouble=str(trouble))
            await asyncio.sleep(1)

    async def _try(self, queue: Queue, some: Sequence[Notice]) -> Outcome | None:
        """None: one of these cannot be sent, and must not take the others with it: they go one by one."""
        try:
            return await self._send(queue.project, queue.destination, some)
        except StoreTrouble:
            raise
        except Exception as error:  # one that cannot be sent must not stop the others
            _log.exception("a notice cannot be sent", notice=some[0].number, notices=len(some))
            if len(some) > 1:
                return None
            return Outcome(sent=False, again=True, error=f"internal: {type(error).__name__}")

    def _settled(self, some: Sequence[Notice], outcome: Outcome) -> list[Settled]:
        now = self._clock.now()
        if outcome.sent:
            return [Settled(one.number, NoticeState.SENT, now, now, "") for one in some]
        return [self._put_off(one, outcome, now) for one in some]

    def _put_off(self, one: Notice, outcome: Outcome, now: Instant) -> Settled:
        if self._is_last(one, outcome):
            return Settled(one.number, NoticeState.DEAD, now, now, outcome.error)
        own = outcome.pace
        usual = own.pause_ms if own is not None else self._delivery.backoff_ms * BACKOFF_FACTOR**one.attempts
        pause = min(max(usual, outcome.after_ms), self._delivery.backoff_max_ms)
        return Settled(one.number, NoticeState.PENDING, now + pause, None, outcome.error)

    def _is_last(self, one: Notice, outcome: Outcome) -> bool:
        retries = self._delivery.retries if outcome.pace is None else outcome.pace.retries
        return not outcome.again or one.attempts >= retries

    def _count(self, destination: str, some: Sequence[Notice], outcome: Outcome) -> None:
        kind = routing.kind_of(destination)
        if outcome.sent:
            self._watcher.sent(kind, len(some))
            return
        dead = sum(self._is_last(one, outcome) for one in some)
        if dead:
            _log.error("notices are given up", destination=kind, error=outcome.error, notices=dead)
            self._watcher.failed(kind, dead, dead=True)
        if dead < len(some):
            _log.warning("notices wait for their destination", destination=kind, error=outcome.error)
            self._watcher.failed(kind, len(some) - dead, dead=False)
