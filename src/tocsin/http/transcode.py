"""The native REST API: google.api.http annotations → routes. No endpoint is written by hand.

A service is an object with a coroutine `Method(request, call)` for each unary method and an async generator for each
server stream; the gRPC servicers call the same objects, so that both doors lead to one room. `call` is whatever the
`context` function makes of the HTTP request: who asks, when it arrived. It runs before the body is read, so that a
stranger cannot make us read one.

JSON in and out, with names in camel case; or protobuf, by Content-Type and Accept. A handler that is marked `in_bytes`
gets a protobuf body as it came. A server stream is one JSON object a line; an error after the first is a last line that
holds `error`.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from io import BytesIO
from typing import Any, Final

import msgspec
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.proto import serialize_length_prefixed
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from tocsin.domain import errors
from tocsin.http import problems
from tocsin.http.bindings import Binding, bindings
from tocsin.http.json_out import to_json
from tocsin.http.requests import raw_path, read_message, read_wire
from tocsin.http.templates import parse
from tocsin.service.call import is_in_bytes
from tocsin.wire.services import SERVICES
from tocsin.wire.status import to_status

BODY_LIMIT: Final = 4 * 1024 * 1024
NDJSON: Final = "application/x-ndjson"
FIRST_MESSAGE_SECONDS: Final = 1.0

Context = Callable[[Request, MethodDescriptor], Awaitable[Any]]


def routes(
    services: Mapping[str, object], context: Context, *, body_limit: int = BODY_LIMIT
) -> list["TranscodedRoute"]:
    """One route for each path of the services, in the order in which they must be tried.

    `services` maps a service's full name ("tocsin.v1.MonitorService") to its handler. TypeError when a handler lacks a
    method of its service. Bodies over `body_limit` bytes are refused with 413.
    """
    by_shape: dict[str, dict[str, tuple[Binding, Callable[..., Any]]]] = {}
    for name, handler in services.items():
        for binding in bindings(SERVICES[name]):
            function = getattr(handler, binding.method.name, None)
            if function is None:
                raise TypeError(f"{type(handler).__name__} has no {binding.method.name}, which {name} needs")
            by_shape.setdefault(binding.template.shape, {})[binding.verb] = (binding, function)
    made = [TranscodedRoute(shape, verbs, context, body_limit) for shape, verbs in by_shape.items()]
    return sorted(made, key=lambda route: route.rank)


class TranscodedRoute(BaseRoute):
    """One path and the methods that it is bound to, by verb. `path` is the template without its variables."""

    def __init__(
        self, shape: str, verbs: Mapping[str, tuple[Binding, Callable[..., Any]]], context: Context, body_limit: int
    ) -> None:
        self.path = shape
        self.rank = parse(shape).rank
        self.allow = ", ".join(sorted({*verbs, *(["HEAD"] if "GET" in verbs else []), "OPTIONS"}))
        self._pattern = parse(shape).pattern
        self._verbs = dict(verbs)
        self._context = context
        self._body_limit = body_limit

    @property
    def bindings(self) -> tuple[Binding, ...]:
        return tuple(binding for binding, _ in self._verbs.values())

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or self._pattern.fullmatch(raw_path(scope)) is None:
            return Match.NONE, {}
        known = scope["method"] == "OPTIONS" or self._bound(scope["method"]) is not None
        return Match.FULL if known else Match.PARTIAL, {"endpoint": self, "route": self}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        kind = _protobuf_wanted(request)
        try:
            response = await self._respond(request, binary=bool(kind))
        except errors.TocsinError as error:
            response = problems.to_response(error, binary=bool(kind))
        except ClientDisconnect:
            return  # nobody is there to be answered
        if kind and response.headers.get("content-type") == problems.PROTOBUF:
            response.headers["content-type"] = kind
        await response(scope, receive, send)

    def _bound(self, verb: str) -> tuple[Binding, Callable[..., Any]] | None:
        return self._verbs.get("GET" if verb == "HEAD" else verb)

    async def _respond(self, request: Request, *, binary: bool) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": self.allow})
        bound = self._bound(request.method)
        if bound is None:
            error = errors.Unimplemented(
                f"{request.method} is not among the methods of this path: {self.allow}",
                reason="METHOD_UNSUPPORTED",
                metadata={"method": request.method},
            )
            return problems.to_response(error, status=405, headers={"allow": self.allow}, binary=binary)
        binding, function = bound
        call = await self._context(request, binding.method)
        if is_in_bytes(function):
            content: bytes = await function(await read_wire(request, binding, self._body_limit), call)
            if binary:
                return Response(content, 200, {"cache-control": "no-store"}, problems.PROTOBUF)
            return _answer(GetMessageClass(binding.method.output_type).FromString(content), binary=False)
        message = await read_message(request, binding, self._body_limit)
        if not binding.method.server_streaming:
            return _answer(await function(message, call), binary=binary)
        if request.method == "HEAD":
            return Response(media_type=NDJSON, headers={"cache-control": "no-store"})
        return await _stream(function(message, call), binary=binary)


def _protobuf_wanted(request: Request) -> str:
    """The type of the answer when it is to be protobuf. Who sends that and does not ask for anything gets it too."""
    wanted = request.headers.get("accept", "").strip()
    if wanted in ("", "*/*"):
        wanted = request.headers.get("content-type", "")
    return next((kind for kind in problems.PROTOBUF_TYPES if kind in wanted.lower()), "")


def _answer(message: Message, *, binary: bool) -> Response:
    content = message.SerializeToString() if binary else to_json(message)
    return Response(content, 200, {"cache-control": "no-store"}, problems.PROTOBUF if binary else problems.JSON)


async def _stream(messages: AsyncGenerator[Message, None], *, binary: bool) -> Response:
    """Waits a moment for the first message, so that a refusal still has a status of its own."""
    first = asyncio.ensure_future(anext(messages, None))
    try:
        await asyncio.wait({first}, timeout=FIRST_MESSAGE_SECONDS)
    except asyncio.CancelledError:
        first.cancel()
        raise
    if first.done() and (error := first.exception()) is not None:
        raise error
    media_type = problems.PROTOBUF if binary else NDJSON
    # a proxy that waits for more before it passes a line on would make a quiet stream look dead
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_chunks(messages, first, binary=binary), 200, headers, media_type)


async def _chunks(
    messages: AsyncGenerator[Message, None], first: asyncio.Future[Message | None], *, binary: bool
) -> AsyncIterator[bytes]:
    def frame(message: Message) -> bytes:
        return _delimited(message) if binary else to_json(message) + b"\n"

    async with aclosing(messages):
        try:
            if (message := await first) is not None:
                yield frame(message)
            async for message in messages:
                yield frame(message)
        except errors.TocsinError as error:
            if not binary:
                yield msgspec.json.encode(problems.body(to_status(error), problems.http_status(error))) + b"\n"


def _delimited(message: Message) -> bytes:
    """Length, then message: what protobuf libraries call delimited."""
    buffer = BytesIO()
    serialize_length_prefixed(message, buffer)
    return buffer.getvalue()
