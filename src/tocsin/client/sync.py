"""Client: calls over a grpc.Channel. Threads may share one; it holds one connection."""

import copy
import threading
from collections.abc import Iterator
from typing import Self, TypeVar, Unpack

import grpc

from tocsin.client.batch import BatchOptions
from tocsin.client.calls import Call, Stream, stream_ended
from tocsin.client.errors import ClientError, from_rpc
from tocsin.client.methods import Methods, SyncSender
from tocsin.client.monitoring import Monitored, MonitorOptions
from tocsin.client.options import Tls, resolve
from tocsin.client.retry import Attempts, Retry
from tocsin.client.sync_batch import Batcher

R = TypeVar("R")


class Client(Methods, SyncSender):
    """`Client()` speaks to TOCSIN_GRPC (127.0.0.1:50051 when it is not set) with the key in TOCSIN_KEY.

    Connects when it is first used. Close it, or use it in a `with`. Calls raise ClientError; see Retry for how long
    they try. A process that forks makes its client afterwards.
    """

    def __init__(
        self,
        target: str | None = None,
        key: str | None = None,
        *,
        tls: Tls | bool | None = None,
        retry: Retry | None = None,
    ) -> None:
        options = resolve(target, key, tls)
        self.retry = retry or Retry()
        self._metadata = options.metadata
        self._closed = threading.Event()
        if options.credentials is None:
            self._channel = grpc.insecure_channel(options.target, options.channel)
        else:
            self._channel = grpc.secure_channel(options.target, options.credentials, options.channel)

    def with_retry(self, retry: Retry) -> Self:
        """The same client and connection, with another patience: `client.with_retry(Retry(total=2)).ok("backup")`."""
        other = copy.copy(self)
        other.retry = retry
        return other

    def monitor(self, monitor: str, **options: Unpack[MonitorOptions]) -> Monitored:
        """A decorator and a context manager that report a run; see Monitored."""
        return Monitored(lambda: self, monitor, options)

    def batch(self, **options: Unpack[BatchOptions]) -> Batcher:
        """Reports of many threads in few calls; see Batcher."""
        return Batcher(self, **options)

    def send(self, call: Call[R], retry: Retry | None = None) -> R:
        """The answer to a call, after as many attempts as it takes. ClientError: the last one's."""
        attempts = Attempts(retry or self.retry, repeatable=call.repeatable)
        method = self._channel.unary_unary(call.method.path, **call.method.codec)
        while True:
            try:
                answer = method(
                    call.request(),
                    timeout=attempts.timeout(),
                    metadata=self._metadata,
                    wait_for_ready=not call.repeatable,
                )
                return call.read(answer)
            except grpc.RpcError as problem:
                self._pause(attempts, from_rpc(problem))
            except ClientError as problem:  # `read` found something to send again
                self._pause(attempts, problem)

    def stream(self, stream: Stream[R]) -> Iterator[R]:
        """The answers, without end; opened again when it breaks. ClientError: it stayed broken."""
        attempts = Attempts(self.retry)
        while True:
            call = stream.call()
            method = self._channel.unary_stream(call.method.path, **call.method.codec)
            answers = method(call.request(), metadata=self._metadata)
            try:
                for answer in answers:
                    attempts = Attempts(self.retry)
                    yield call.read(answer)
                problem = stream_ended()
            except grpc.RpcError as error:
                problem = stream_ended() if error.code() is grpc.StatusCode.CANCELLED else from_rpc(error)
            finally:
                answers.cancel()
            self._pause(attempts, problem)

    def close(self) -> None:
        """Ends the connection, and whatever waits for another attempt."""
        self._closed.set()
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pause(self, attempts: Attempts, problem: ClientError) -> None:
        """Waits for the next attempt, or raises the problem."""
        wait = attempts.after(problem)
        if wait is None or self._closed.wait(wait):
            raise problem from None
