"""The gRPC server: services from their descriptors, health, reflection, TLS, drain."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import structlog
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from tocsin.api.errors import grpc_code, status_of, trailers
from tocsin.domain.errors import TocsinError
from tocsin.domain.instant import Instant
from tocsin.service.call import Call
from tocsin.service.principal import Principals
from tocsin.v1 import check_in_service_pb2, heartbeat_service_pb2, incident_service_pb2, monitor_service_pb2

SERVICES: Final = {
    service.full_name: service
    for module in (monitor_service_pb2, check_in_service_pb2, heartbeat_service_pb2, incident_service_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
}
_INGEST: Final = ("tocsin.v1.CheckInService", "tocsin.v1.HeartbeatService")
MESSAGE_MAX: Final = 16 * 1024 * 1024
STREAMS_MAX: Final = 1_000  # concurrent calls of one connection

_log = structlog.get_logger("tocsin.grpc")


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
        failed: Callable[[str, str], None],
        address: str,
        tls: Tls | None = None,
    ) -> None:
        """`services`: full name → handlers. `failed(dialect, error reason)` is told of refused ingest calls."""
        self._principals = principals
        self._arrival = arrival
        self._failed = failed
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", MESSAGE_MAX),
                ("grpc.max_send_message_length", MESSAGE_MAX),
                ("grpc.max_concurrent_streams", STREAMS_MAX),
                ("grpc.so_reuseport", 0),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                ("grpc.keepalive_permit_without_calls", 1),
            ]
        )
        for name, handlers in services.items():
            self._server.add_generic_rpc_handlers((self._handler(SERVICES[name], handlers),))
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
        """Tells balancers, lets calls in flight end, then closes."""
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        await self._server.stop(grace_s)

    async def _set_health(self, status: Any) -> None:
        for name in self._names:
            await self._health.set(name, status)

    def _handler(self, service: ServiceDescriptor, handlers: object) -> grpc.GenericRpcHandler:
        methods = {
            method.name: self._method(service, method, getattr(handlers, method.name)) for method in service.methods
        }
        return grpc.method_handlers_generic_handler(service.full_name, methods)

    def _method(self, service: ServiceDescriptor, method: MethodDescriptor, function: Callable[..., Any]) -> Any:
        codec: dict[str, Any] = {
            "request_deserializer": GetMessageClass(method.input_type).FromString,
            "response_serializer": GetMessageClass(method.output_type).SerializeToString,
        }
        if method.client_streaming:
            return grpc.stream_stream_rpc_method_handler(self._stream(function), **codec)
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(self._stream(function), **codec)
        return grpc.unary_unary_rpc_method_handler(self._unary(function, ingest=service.full_name in _INGEST), **codec)

    def _unary(self, function: Callable[..., Any], *, ingest: bool) -> Callable[..., Any]:
        async def call(request: Message, context: Any) -> Message:
            with self._arrival() as received:
                try:
                    answer: Message = await function(request, self._call(context, received))
                except Exception as error:
                    if ingest:
                        self._failed("grpc", error.reason if isinstance(error, TocsinError) else "INTERNAL")
                    await _abort(context, error)
                    raise
                return answer

        return call

    def _stream(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def call(request: Message | AsyncIterator[Message], context: Any) -> AsyncIterator[Message]:
            with self._arrival() as received:
                pass  # a stream must not hold the clock; its messages are stamped one by one
            try:
                async for answer in function(request, self._call(context, received)):
                    yield answer
            except Exception as error:
                await _abort(context, error)
                raise

        return call

    def _call(self, context: Any, received: Instant) -> Call:
        metadata = dict(context.invocation_metadata() or ())
        scheme, _, key = metadata.get("authorization", "").partition(" ")
        key = key.strip() if scheme.lower() == "bearer" else metadata.get("x-api-key", "")
        return Call(self._principals.resolve(key), received, "grpc", metadata.get("user-agent", "")[:200])


async def _abort(context: Any, error: Exception) -> None:
    """Ends the call with the error's status; raises what grpc raises to end a call."""
    if isinstance(error, asyncio.CancelledError | grpc.aio.AbortError):
        return
    if not isinstance(error, TocsinError):
        _log.exception("a call failed")
    status = status_of(error)
    await context.abort(grpc_code(status), status.message, trailers(status))
