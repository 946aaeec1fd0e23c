"""The gRPC server: services from their descriptors, health, reflection, TLS, drain."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from tocsin.api.methods import Desk, Method, Methods, Read, parse
from tocsin.domain.errors import TocsinError, Unavailable
from tocsin.domain.instant import Instant
from tocsin.service.call import Call, is_in_bytes
from tocsin.service.principal import Principals
from tocsin.service.room import Room
from tocsin.wire.services import SERVICES

_INGEST: Final = ("tocsin.v1.CheckInService", "tocsin.v1.HeartbeatService")
MESSAGE_MAX: Final = 16 * 1024 * 1024
STREAMS_MAX: Final = 1_000  # concurrent calls of one connection; past it gRPC itself refuses, without a retry hint

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files. With `client_ca`, clients must present a certificate that it signed."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def credentials(self) -> grpc.ServerCredentials:
        authority = self.client_ca.read_bytes() if self.client_ca else None
        pair = (self.key.read_bytes(), self.certificate.read_bytes())
        return grpc.ssl_server_credentials([pair], authority, authority is not None)


class GrpcServer:
    def __init__(
        self,
        services: Mapping[str, object],
        principals: Principals,
        arrival: Callable[[], AbstractContextManager[Instant]],
        room: Room,
        failed: Callable[[str, str], None],
        address: str,
        tls: Tls | None = None,
    ) -> None:
        """`services`: full name → handlers. `failed(dialect, error reason)` is told of refused ingest calls."""
        self._desk = Desk(arrival, room)
        self._require_active = principals.require_active
        self._failed = failed
        self._draining = asyncio.Event()
        self._server = grpc.aio.server(
            maximum_concurrent_rpcs=2 * room.requests,  # those included that have not sent their message yet
            options=[
                ("grpc.max_receive_message_length", MESSAGE_MAX),
                ("grpc.max_send_message_length", MESSAGE_MAX),
                ("grpc.max_concurrent_streams", STREAMS_MAX),
                ("grpc.so_reuseport", 0),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                ("grpc.keepalive_permit_without_calls", 1),
            ],
        )
        methods = {
            f"/{name}/{method.name}": self._method(SERVICES[name], method, getattr(handlers, method.name))
            for name, handlers in services.items()
            for method in SERVICES[name].methods
        }
        self._server.add_generic_rpc_handlers((Methods(methods, principals, self._desk),))
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((*services, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self._names = ("", *services)
        if tls is None:
            self.port = self._server.add_insecure_port(address)
        else:
            self.port = self._server.add_secure_port(address, tls.credentials())

    async def start(self) -> None:
        await self._server.start()
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)

    async def drain(self, grace_s: float) -> None:
        """Tells balancers, ends streams, lets calls in flight end, then closes."""
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        self._draining.set()
        await self._server.stop(grace_s)

    async def _set_health(self, status: Any) -> None:
        for name in self._names:
            await self._health.set(name, status)

    def _method(self, service: ServiceDescriptor, method: MethodDescriptor, function: Callable[..., Any]) -> Method:
        read: Read = GetMessageClass(method.input_type).FromString
        write: Callable[[Any], bytes] | None = GetMessageClass(method.output_type).SerializeToString
        if is_in_bytes(function):
            read, write = bytes, None
        called = function
        if method.client_streaming:
            called = lambda requests, call: function(self._each(requests, read, call), call)  # noqa: E731
        elif method.server_streaming:
            called = lambda request, call: self._until_drain(function(parse(read, request), call))  # noqa: E731
        return Method(
            called,
            read,
            write,
            desk=self._desk,
            failed=self._count if service.full_name in _INGEST else _ignore,
            streams=(method.client_streaming, method.server_streaming),
        )

    def _count(self, error: TocsinError | None) -> None:
        self._failed("grpc", error.reason if error is not None else "INTERNAL")

    async def _each(self, requests: AsyncIterator[bytes], read: Read, call: Call) -> AsyncIterator[Message | bytes]:
        """The messages of a stream, for as long as its key is good.

        Ends with SHUTTING_DOWN between two of them, when those before are answered.
        """
        with self._desk.room.hold() as hold:
            async for request in self._until_drain(requests):
                self._require_active(call.principal)
                hold.set(len(request))
                yield parse(read, request)
                hold.set(0)

    async def _until_drain(self, items: AsyncIterator[T]) -> AsyncIterator[T]:
        """What would be waited for for ever does not hold up a stop."""
        draining = asyncio.ensure_future(self._draining.wait())
        iterator = aiter(items)
        try:
            while True:
                coming = asyncio.ensure_future(anext(iterator, None))
                try:
                    await asyncio.wait({coming, draining}, return_when=asyncio.FIRST_COMPLETED)
                    if not coming.done():
                        raise Unavailable("the server is shutting down", reason="SHUTTING_DOWN", retry_after_ms=1_000)
                finally:
                    await _end(coming)
                item = coming.result()
                if item is None:
                    return
                yield item
        finally:
            draining.cancel()


def _ignore(_error: TocsinError | None) -> None:
    """Of a call that brings no check-in."""


async def _end(task: "asyncio.Future[Any]") -> None:
    """Cancels what is not done, and waits until it is."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
