"""AsyncBatcher: reports of many tasks, sent by one."""

import asyncio
import time
import uuid
from datetime import datetime
from typing import Self, Unpack

from tocsin.client.batch import RETRY, Batch, BatchOptions, Item, Outbox, heartbeat_report, prepare, unsent
from tocsin.client.errors import ClientError
from tocsin.client.methods import AsyncSender
from tocsin.client.report_calls import ReportFields, Status, report
from tocsin.v1.check_in_pb2 import CheckIn
from tocsin.v1.check_in_service_pb2 import CreateCheckInRequest


class AsyncBatcher:
    """As Batcher, for tasks of one loop: adding is awaited, and gives an asyncio.Future, which may be dropped.

    Close it, or use it in an `async with`: what still waits is then sent.
    """

    def __init__(self, sender: AsyncSender, **options: Unpack[BatchOptions]) -> None:
        self._sender = sender
        self._retry = options.pop("retry", RETRY)
        self._outbox: Outbox[asyncio.Future[CheckIn]] = Outbox(**options)  # type: ignore[misc] # mypy does not see the pop
        self._changed = asyncio.Condition()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    async def check_in(
        self, monitor: str, status: Status, *, check_in_id: str | uuid.UUID | None = None, **more: Unpack[ReportFields]
    ) -> asyncio.Future[CheckIn]:
        """As AsyncClient.check_in, except that an end without an id stands alone."""
        return await self.add(report(monitor, status, check_in_id=check_in_id, **more))

    async def heartbeat(
        self,
        monitor: str,
        *,
        environment: str | None = None,
        event_time: datetime | None = None,
        message: str | None = None,
    ) -> asyncio.Future[CheckIn]:
        """One signal of life."""
        made = heartbeat_report(monitor, environment=environment, event_time=event_time, message=message)
        return await self.add(made)

    async def add(self, request: CreateCheckInRequest) -> asyncio.Future[CheckIn]:
        """A report made by `report(…)`; waits while the queue is full."""
        future: asyncio.Future[CheckIn] = asyncio.get_running_loop().create_future()
        future.add_done_callback(_seen)
        item = Item(prepare(request), future, time.monotonic())
        async with self._changed:
            await self._changed.wait_for(lambda: self._closed or not self._outbox.full)
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._outbox.add(item)
            if self._worker is None:
                self._worker = asyncio.create_task(self._run(), name="tocsin-batcher")
            self._changed.notify_all()
        return future

    @property
    def waiting(self) -> int:
        """Reports that are not done yet."""
        return self._outbox.added - self._outbox.settled

    @property
    def failed(self) -> int:
        """Reports that nobody took."""
        return self._outbox.failed

    async def flush(self) -> None:
        """Waits until what was added so far is done, one way or the other; bound it with asyncio.timeout."""
        async with self._changed:
            mark = self._outbox.hurry = self._outbox.added
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self._outbox.settled >= mark)

    async def close(self) -> None:
        """Sends what waits and ends. When it is cancelled, what was not sent fails."""
        try:
            await self.flush()
        finally:
            self._closed = True
            self._outbox.abandon()
            worker, self._worker = self._worker, None
            if worker is not None:
                worker.cancel()
                await asyncio.wait({worker})
            async with self._changed:
                self._changed.notify_all()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _run(self) -> None:
        while True:
            batch = await self._next()
            count = len(batch.items)
            batch.items = [item for item in batch.items if not item.future.cancelled()]
            try:
                if batch.items:
                    await self._sender.send(batch.call(), self._retry)
            except ClientError as error:
                batch.fail(error)
            except asyncio.CancelledError as error:
                batch.fail(unsent(error))
                raise
            except Exception as error:  # nobody may wait for ever
                batch.fail(unsent(error))
            finally:
                self._outbox.settle(count, batch)
            async with self._changed:
                self._changed.notify_all()

    async def _next(self) -> Batch[asyncio.Future[CheckIn]]:
        async with self._changed:
            while True:
                wait = self._outbox.wait(time.monotonic())
                if wait is not None and wait <= 0:
                    return self._outbox.take()
                try:
                    async with asyncio.timeout(wait):
                        await self._changed.wait()
                except TimeoutError:
                    pass


def _seen(future: asyncio.Future[CheckIn]) -> None:
    """A failure that nobody asks for was logged; asyncio need not complain of it too."""
    if not future.cancelled():
        future.exception()
