"""Which method a call is of, and who calls: asked before its message is read, so that a stranger cannot send us one.

gRPC asks `Methods` when the headers of a call have come. What it gets is a handler for this one call, which knows the
principal already; a call that may not be made gets one that ends it without ever reading.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

import grpc
import structlog
from google.protobuf.message import DecodeError, Message

from tocsin.api.errors import grpc_code, status_of, trailers
from tocsin.domain import errors
from tocsin.domain.errors import TocsinError
from tocsin.domain.instant import Instant
from tocsin.service.call import Call
from tocsin.service.principal import Principal, Principals
from tocsin.service.room import Room

CLIENT_MAX: Final = 200  # characters of a user agent
Read = Callable[[bytes], Message | bytes]
Arrival = Callable[[], AbstractContextManager[Instant]]
Failed = Callable[[TocsinError | None], None]  # None: a fault of ours

_log = structlog.get_logger("tocsin.grpc")


class Desk:
    """What all calls share: the stamp of arrival, room, and how many are being answered."""

    def __init__(self, arrival: Arrival, room: Room) -> None:
        self.arrival = arrival
        self.room = room
        self.calls = 0


class Method:
    """One method of the contract: its function, and how bytes become its request and its answer bytes."""

    def __init__(
        self,
        function: Callable[..., Any],
        read: Read,
        write: Callable[[Any], bytes] | None,
        *,
        desk: Desk,
        failed: Failed,
        streams: tuple[bool, bool] = (False, False),
    ) -> None:
        """`streams`: whether requests and answers are streams; a function with a stream is an async generator.

        The function of a client's stream gets the bytes of its messages. `failed` is told of each call that did not end
        well.
        """
        self.function = function
        self.read = read
        self.write = write
        self.desk = desk
        self.failed = failed
        self.streams = streams

    def handler(self, principal: Principal, client: str) -> Any:
        return (_Streams if any(self.streams) else _Unary)(self, principal, client)


class Methods(grpc.GenericRpcHandler):
    def __init__(self, methods: Mapping[str, Method], principals: Principals, desk: Desk) -> None:
        """`methods` by path: "/tocsin.v1.CheckInService/CreateCheckIn"."""
        self._methods = dict(methods)
        self._resolve = principals.resolve
        self._desk = desk

    def service(self, handler_call_details: Any) -> Any:
        """None: a method of somebody else's."""
        method = self._methods.get(handler_call_details.method)
        if method is None:
            return None
        key = client = header = ""
        for name, value in handler_call_details.invocation_metadata:
            if name == "authorization":
                header = value
            elif name == "user-agent":
                client = value
            elif name == "x-api-key":
                key = value
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "bearer":
            key = rest.strip()
        try:
            principal = self._resolve(key)
            self._desk.room.admit(self._desk.calls)
        except TocsinError as error:
            method.failed(error)
            return _Refusal(error)
        return method.handler(principal, client[:CLIENT_MAX])


class _Unary:
    """What gRPC wants to know of a method with one request and one answer, for one call."""

    __slots__ = ("_client", "_method", "_principal", "response_serializer")
    request_streaming = response_streaming = False
    request_deserializer = None  # parsed below: bytes that are no message are refused with a status like any other

    def __init__(self, method: Method, principal: Principal, client: str) -> None:
        self._method = method
        self._principal = principal
        self._client = client
        self.response_serializer = method.write

    async def unary_unary(self, request: bytes, context: Any) -> Any:
        method, desk = self._method, self._method.desk
        desk.calls += 1
        with desk.arrival() as received, desk.room.hold() as hold:
            try:
                hold.set(len(request))
                call = Call(self._principal, received, "grpc", self._client)
                return await method.function(parse(method.read, request), call)
            except Exception as error:
                method.failed(error if isinstance(error, TocsinError) else None)
                await abort(context, error)
                raise
            finally:
                desk.calls -= 1


class _Streams:
    """The same of one that streams requests, answers or both."""

    __slots__ = ("_client", "_method", "_principal", "response_serializer")
    request_deserializer = None
    response_streaming = True

    def __init__(self, method: Method, principal: Principal, client: str) -> None:
        self._method = method
        self._principal = principal
        self._client = client
        self.response_serializer = method.write

    @property
    def request_streaming(self) -> bool:
        return self._method.streams[0]

    async def stream_stream(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        method, desk = self._method, self._method.desk
        desk.calls += 1
        try:
            with desk.arrival() as received:
                pass  # a stream must not hold the clock; its messages are stamped one by one
            async for answer in method.function(requests, Call(self._principal, received, "grpc", self._client)):
                yield answer
        except Exception as error:
            method.failed(error if isinstance(error, TocsinError) else None)
            await abort(context, error)
            raise
        finally:
            desk.calls -= 1

    unary_stream = stream_stream  # the function knows which of the two its requests are


class _Refusal:
    """A call that ends before its message is read: to gRPC a stream whose reader never asks."""

    __slots__ = ("_error",)
    request_streaming = response_streaming = True
    request_deserializer = response_serializer = None

    def __init__(self, error: TocsinError) -> None:
        self._error = error

    async def stream_stream(self, _requests: Any, context: Any) -> None:
        await abort(context, self._error)


def parse(read: Read, request: bytes) -> Message | bytes:
    try:
        return read(request)
    except DecodeError as error:
        raise errors.invalid("body", f"is no such message: {error}", reason="BODY_MALFORMED") from None


async def abort(context: Any, error: Exception) -> None:
    """Ends the call with the error's status; raises what gRPC raises to end a call."""
    if isinstance(error, grpc.aio.AbortError):
        return
    if not isinstance(error, TocsinError):
        _log.exception("a call failed")
    status = status_of(error)
    ended: Awaitable[None] = context.abort(grpc_code(status), status.message, trailers(status))
    await ended
