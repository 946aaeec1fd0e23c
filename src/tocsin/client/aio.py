"""AsyncClient: the same calls over a grpc.aio.Channel. Tasks of one loop may share one; it holds one connection."""

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Self, TypeVar, Unpack

import grpc

from tocsin.client.aio_batch import AsyncBatcher
from tocsin.client.batch import BatchOptions
from tocsin.client.calls import Call, Stream, stream_ended
from tocsin.client.errors import ClientError, from_rpc
from tocsin.client.methods import AsyncSender, Methods
from tocsin.client.monitoring import AsyncMonitored, MonitorOptions
from tocsin.client.options import Options, Tls, resolve
from tocsin.client.retry import Attempts, Retry

R = TypeVar("R")


class _Connection:
    """The channel, made inside the loop that uses it: a client may be made before there is one."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._channel: grpc.aio.Channel | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def channel(self) -> grpc.aio.Channel:
        loop = asyncio.get_running_loop()
        if self._channel is None or self._loop is not loop:
            options = self.options
            if options.credentials is None:
                self._channel = grpc.aio.insecure_channel(options.target, options.channel)
            else:
                self._channel = grpc.aio.secure_channel(options.target, options.credentials, options.channel)
            self._loop = loop
        return self._channel

    async def close(self) -> None:
        if self._channel is not None and self._loop is asyncio.get_running_loop():
            await self._channel.close()
        self._channel = None


class AsyncClient(Methods, AsyncSender):
    """As Client, for asyncio: calls are awaited, lists and watches iterated over with `async for`."""

    def __init__(
        self,
        target: str | None = None,
        key: str | None = None,
        *,
        tls: Tls | bool | None = None,
        retry: Retry | None = None,
    ) -> None:
        self.retry = retry or Retry()
        self._connection = _Connection(resolve(target, key, tls))
        self._metadata = self._connection.options.metadata

    def with_retry(self, retry: Retry) -> Self:
        """The same client and connection, with another patience."""
        other = copy.copy(self)
        other.retry = retry
        return other

    def monitor(self, monitor: str, **options: Unpack[MonitorOptions]) -> AsyncMonitored:
        """A decorator of coroutine functions and an `async with` that report a run; see AsyncMonitored."""
        return AsyncMonitored(self, monitor, options)

    def batch(self, **options: Unpack[BatchOptions]) -> AsyncBatcher:
        """Reports of many tasks in few calls; see AsyncBatcher."""
        return AsyncBatcher(self, **options)

    async def send(self, call: Call[R], retry: Retry | None = None) -> R:
        """The answer to a call, after as many attempts as it takes. ClientError: the last one's."""
        attempts = Attempts(retry or self.retry, repeatable=call.repeatable)
        while True:
            method = self._connection.channel().unary_unary(call.method.path, **call.method.codec)
            try:
                answer = await method(
                    call.request(),
                    timeout=attempts.timeout(),
                    metadata=self._metadata,
                    wait_for_ready=not call.repeatable,
                )
                return call.read(answer)
            except grpc.aio.AioRpcError as problem:
                await _pause(attempts, from_rpc(problem))
            except ClientError as problem:  # `read` found something to send again
                await _pause(attempts, problem)

    async def stream(self, stream: Stream[R]) -> AsyncIterator[R]:
        """The answers, without end; opened again when it breaks. ClientError: it stayed broken."""
        attempts = Attempts(self.retry)
        while True:
            call = stream.call()
            method = self._connection.channel().unary_stream(call.method.path, **call.method.codec)
            answers = method(call.request(), metadata=self._metadata)
            try:
                async for answer in answers:
                    attempts = Attempts(self.retry)
                    yield call.read(answer)
                problem = stream_ended()
            except grpc.aio.AioRpcError as error:
                problem = stream_ended() if error.code() is grpc.StatusCode.CANCELLED else from_rpc(error)
            finally:
                answers.cancel()
            await _pause(attempts, problem)

    async def close(self) -> None:
        """Ends the connection."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _pause(attempts: Attempts, problem: ClientError) -> None:
    """Waits for the next attempt, or raises the problem."""
    wait = attempts.after(problem)
    if wait is None:
        raise problem from None
    await asyncio.sleep(wait)
