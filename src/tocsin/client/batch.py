"""What batchers of threads and of tasks share: the queue, when a batch is due, and what came of each report."""

import logging
import uuid
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, Protocol, TypedDict, TypeVar

from grpc import StatusCode

from tocsin.client.calls import Call
from tocsin.client.errors import ClientError, from_status
from tocsin.client.fields import instant, now
from tocsin.client.report_calls import BATCH, batch_request, report
from tocsin.client.retry import Retry
from tocsin.v1.check_in_pb2 import CheckIn
from tocsin.v1.check_in_service_pb2 import BatchCreateCheckInsResponse, CreateCheckInRequest

SIZE_MAX: Final = 1_000  # reports of one call; the server's limit
BYTES_MAX: Final = 4 * 1024 * 1024  # of one call; a quarter of the server's limit
RETRY: Final = Retry(total=60.0)
_log = logging.getLogger("tocsin.client")


class BatchOptions(TypedDict, total=False):
    """How reports are collected."""

    size: int  # reports of one call, at most 1000
    linger: float  # seconds that a report waits for company
    limit: int  # reports that may wait; then whoever brings another waits too
    retry: Retry  # how long one batch is tried, a minute when not given; its reports then fail


class Promise(Protocol):
    """What the caller of `add` waits for: a Future of either kind."""

    def done(self) -> bool: ...
    def set_result(self, result: CheckIn, /) -> None: ...
    def set_exception(self, exception: ClientError, /) -> None: ...


F = TypeVar("F", bound=Promise)


@dataclass(slots=True)
class Item(Generic[F]):
    """A report, who waits for it, and since when (of the monotonic clock)."""

    request: CreateCheckInRequest
    future: F
    since: float


class Batch(Generic[F]):
    """Reports on their way. What fails for now is sent again by the same call, without those that are done."""

    def __init__(self, items: list[Item[F]]) -> None:
        self.items = items
        self.failed = 0

    def call(self) -> Call[None]:
        return Call(BATCH, lambda: batch_request([item.request for item in self.items]), self._read)

    def fail(self, error: ClientError) -> None:
        """Nobody took what is left."""
        for item in self.items:
            self._refuse(item, error)
        self.items = []

    def _read(self, answer: BatchCreateCheckInsResponse) -> None:
        """ClientError: some are worth another attempt."""
        again: list[Item[F]] = []
        problem: ClientError | None = None
        for index, item in enumerate(self.items):
            if index not in answer.failed_requests:
                if not item.future.done():
                    item.future.set_result(answer.check_ins[index])
                continue
            error = from_status(answer.failed_requests[index])
            if error.retryable:
                again.append(item)
                if problem is None or (error.retry_after or 0) > (problem.retry_after or 0):
                    problem = error
            else:
                self._refuse(item, error)
        self.items = again
        if problem is not None:
            raise problem

    def _refuse(self, item: Item[F], error: ClientError) -> None:
        if not self.failed:
            _log.warning("a report on %s was not accepted: %s", item.request.parent, error)
        self.failed += 1
        if not item.future.done():
            item.future.set_exception(error)


class Outbox(Generic[F]):
    """The queue, without locks and without a clock: whoever owns it brings both."""

    def __init__(self, *, size: int = SIZE_MAX, linger: float = 0.05, limit: int = 10_000) -> None:
        if not 1 <= size <= SIZE_MAX or linger < 0 or limit < 1:
            raise ValueError(f"size must be 1 to {SIZE_MAX}, linger not negative, limit at least 1")
        self._size, self._linger, self._limit = size, linger, limit
        self._items: deque[Item[F]] = deque()
        self.hurry = 0  # reports up to this one do not linger
        self.added = self.settled = self.failed = 0

    @property
    def full(self) -> bool:
        return self.added - self.settled >= self._limit

    def add(self, item: Item[F]) -> None:
        self._items.append(item)
        self.added += 1

    def wait(self, at: float) -> float | None:
        """Seconds until a batch is due, 0 or less when it is; None when nothing waits."""
        if not self._items:
            return None
        first = self.added - len(self._items)
        if len(self._items) >= self._size or first < self.hurry:
            return 0.0
        return self._items[0].since + self._linger - at

    def take(self) -> Batch[F]:
        """The oldest reports, as many as one call holds. At least one, however large it is."""
        taken: list[Item[F]] = []
        size = 0
        while self._items and len(taken) < self._size:
            size += self._items[0].request.ByteSize()
            if taken and size > BYTES_MAX:
                break
            taken.append(self._items.popleft())
        return Batch(taken)

    def settle(self, count: int, batch: Batch[F]) -> None:
        """`count` reports were taken, and now all of them are done."""
        self.settled += count
        self.failed += batch.failed

    def abandon(self) -> None:
        """Fails whatever was not taken."""
        left = Batch(list(self._items))
        self._items.clear()
        count = len(left.items)
        left.fail(ClientError(StatusCode.CANCELLED, "the batcher was closed before this was sent"))
        self.settle(count, left)


def prepare(request: CreateCheckInRequest) -> CreateCheckInRequest:
    """The report as it can wait and be repeated: with an id, and saying when it happened."""
    run = request.check_in
    if not request.check_in_id:
        request.check_in_id = uuid.uuid4().hex
        request.stand_alone = True
    if request.kind == CreateCheckInRequest.KIND_START:
        if not run.HasField("start_time"):
            run.start_time.CopyFrom(instant(now()))
    elif not run.HasField("end_time"):
        run.end_time.CopyFrom(instant(now()))
    return request


def heartbeat_report(
    monitor: str, *, environment: str | None = None, event_time: datetime | None = None, message: str | None = None
) -> CreateCheckInRequest:
    """A signal of life as a report: OK, and apart from any run."""
    return report(monitor, "ok", environment=environment, end_time=event_time, message=message, stand_alone=True)


def unsent(error: BaseException) -> ClientError:
    """What a report comes to when sending failed in a way that is no answer, such as a client that was closed first."""
    return ClientError(StatusCode.UNKNOWN, f"could not be sent: {error!r}")
