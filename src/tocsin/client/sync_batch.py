"""Batcher: reports of many threads, sent by one."""

import atexit
import threading
import time
import uuid
from concurrent.futures import Future
from datetime import datetime
from typing import Self, Unpack

from tocsin.client.batch import RETRY, Batch, BatchOptions, Item, Outbox, heartbeat_report, prepare, unsent
from tocsin.client.errors import ClientError
from tocsin.client.methods import SyncSender
from tocsin.client.report_calls import ReportFields, Status, report
from tocsin.v1.check_in_pb2 import CheckIn
from tocsin.v1.check_in_service_pb2 import CreateCheckInRequest


class Batcher:
    """Collects reports and sends up to `size` in one call, as soon as there are so many or one lingers too long.

    Each report has an id from the moment it is added, and its own time, so that it may be sent again and counts once.
    When `limit` reports wait, adding another waits too. What comes of a report is in its Future, which may be dropped;
    failures are logged by `tocsin.client` as well. Reports are sent in the order in which they were added.

    Close it, or use it in a `with`: what still waits is then sent.
    """

    def __init__(self, sender: SyncSender, **options: Unpack[BatchOptions]) -> None:
        self._sender = sender
        self._retry = options.pop("retry", RETRY)
        self._outbox: Outbox[Future[CheckIn]] = Outbox(**options)  # type: ignore[misc] # mypy does not see the pop
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None
        self._closed = False

    def check_in(
        self, monitor: str, status: Status, *, check_in_id: str | uuid.UUID | None = None, **more: Unpack[ReportFields]
    ) -> Future[CheckIn]:
        """As Client.check_in, except that an end without an id stands alone."""
        return self.add(report(monitor, status, check_in_id=check_in_id, **more))

    def heartbeat(
        self,
        monitor: str,
        *,
        environment: str | None = None,
        event_time: datetime | None = None,
        message: str | None = None,
    ) -> Future[CheckIn]:
        """One signal of life."""
        return self.add(heartbeat_report(monitor, environment=environment, event_time=event_time, message=message))

    def add(self, request: CreateCheckInRequest, timeout: float | None = None) -> Future[CheckIn]:
        """A report made by `report(…)`. TimeoutError: the queue stayed full for `timeout` seconds."""
        item = Item(prepare(request), Future[CheckIn](), time.monotonic())
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or not self._outbox.full, timeout):
                raise TimeoutError("the queue of reports is full, and the server does not keep up")
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._outbox.add(item)
            self._start()
            self._changed.notify_all()
        return item.future

    @property
    def waiting(self) -> int:
        """Reports that are not done yet."""
        return self._outbox.added - self._outbox.settled

    @property
    def failed(self) -> int:
        """Reports that nobody took."""
        return self._outbox.failed

    def flush(self, timeout: float | None = None) -> None:
        """Waits until what was added so far is done, one way or the other. TimeoutError: it is not."""
        with self._changed:
            mark = self._outbox.hurry = self._outbox.added
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._outbox.settled >= mark, timeout):
                raise TimeoutError(f"{self.waiting} reports are still on their way")

    def close(self, timeout: float | None = None) -> None:
        """Sends what waits and ends. What is not sent after `timeout` seconds fails."""
        try:
            self.flush(timeout)
        except TimeoutError:
            with self._changed:
                self._outbox.abandon()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            worker, self._worker = self._worker, None
        if worker is not None:
            atexit.unregister(self._last_call)
            worker.join(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        if self._worker is None:
            self._worker = threading.Thread(target=self._run, name="tocsin-batcher", daemon=True)
            self._worker.start()
            atexit.register(self._last_call)

    def _last_call(self) -> None:
        """The program ends and forgot to close: a few seconds for what waits."""
        self.close(5.0)

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            count = len(batch.items)
            batch.items = [item for item in batch.items if item.future.set_running_or_notify_cancel()]
            try:
                if batch.items:
                    self._sender.send(batch.call(), self._retry)
            except ClientError as error:
                batch.fail(error)
            except Exception as error:  # such as a client that was closed first: nobody may wait for ever
                batch.fail(unsent(error))
            with self._changed:
                self._outbox.settle(count, batch)
                self._changed.notify_all()

    def _next(self) -> Batch[Future[CheckIn]] | None:
        """Waits for the next batch; None when closed."""
        with self._changed:
            while True:
                wait = self._outbox.wait(time.monotonic())
                if wait is not None and (wait <= 0 or self._closed):
                    return self._outbox.take()
                if self._closed:
                    return None
                self._changed.wait(wait)
