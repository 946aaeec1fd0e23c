"""An HTTP request → the request message of a method: from the body, then the query, then the path."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from starlette.requests import Request
from starlette.types import Scope

from tocsin.domain import errors
from tocsin.http import problems
from tocsin.http.bindings import Binding
from tocsin.http.messages import get_field, read_binary, read_json, set_field
from tocsin.wire.batches import text_of

# Query parameters that are not fields: the key, which whoever checks it reads.
CREDENTIALS: Final = frozenset({"key"})


def raw_path(scope: Scope) -> str:
    """The path as it was sent, below where the application is mounted."""
    raw: bytes | None = scope.get("raw_path")
    path = quote(scope["path"], safe="/:%*@!$&'()+,;=~") if raw is None else raw.partition(b"?")[0].decode("latin-1")
    return path.removeprefix(scope.get("root_path", ""))


def _is_protobuf(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in problems.PROTOBUF_TYPES


async def read_message(request: Request, binding: Binding, limit: int) -> Message:
    """The request message: from the body, then the query, then the path, which has the last word."""
    message = _new(binding)
    if binding.body:
        await _read_body(request, message, binding.body, limit)
    _read_query(request, message)
    for name, value in _variables(request, binding).items():
        _set_by_path(message, name, value, get_field(message, name))
    return message


async def read_wire(request: Request, binding: Binding, limit: int) -> bytes:
    """The same in wire bytes. A body in protobuf is passed on as it came, and what else is said stands behind it."""
    if binding.body != "*" or not _is_protobuf(request.headers.get("content-type", "")):
        return (await read_message(request, binding, limit)).SerializeToString()
    body = await _body(request, limit)
    message = _new(binding)
    _read_query(request, message)
    for name, value in _variables(request, binding).items():
        said = get_field(message, name) or text_of(body, binding.method.input_type.fields_by_name[name].number)
        _set_by_path(message, name, value, said)
    return body + message.SerializeToString()  # messages that follow each other are one message


def _new(binding: Binding) -> Message:
    message: Message = GetMessageClass(binding.method.input_type)()
    return message


def _read_query(request: Request, message: Message) -> None:
    query: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name not in CREDENTIALS:
            query.setdefault(name, []).append(value)
    for name, values in query.items():
        set_field(message, name, values)


def _variables(request: Request, binding: Binding) -> Mapping[str, str]:
    try:
        return binding.template.match(raw_path(request.scope)) or {}
    except UnicodeDecodeError:
        raise errors.invalid("name", "the path is not UTF-8", reason="NAME_INVALID") from None


def _set_by_path(message: Message, name: str, value: str, said: str) -> None:
    if said and said != value:
        raise errors.invalid(name, f"{said[:200]!r} is not what the path says: {value[:200]!r}")
    set_field(message, name, [value])


async def _read_body(request: Request, message: Message, body: str, limit: int) -> None:
    data = await _body(request, limit)
    if not data:
        return
    target = message if body == "*" else get_field(message, body)
    if _is_protobuf(request.headers.get("content-type", "")):
        read_binary(data, target)
    else:
        read_json(data, target, "" if body == "*" else body)
    if body != "*":
        target.SetInParent()


async def _body(request: Request, limit: int) -> bytes:
    if (encoding := request.headers.get("content-encoding", "identity")) != "identity":
        raise errors.invalid(
            "body", f"content-encoding {encoding[:40]!r} is not taken here; send it plain", reason="BODY_MALFORMED"
        )
    return await read_capped(request, limit)


async def read_capped(request: Request, limit: int) -> bytes:
    """The whole body. BODY_TOO_LARGE as soon as it is known to be over `limit` bytes, at once if it says so."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > limit:
        raise _too_large(limit)
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit:
            raise _too_large(limit)
    return bytes(data)


def _too_large(limit: int) -> errors.ResourceExhausted:
    return errors.ResourceExhausted(
        f"the body is over {limit} bytes; send less at a time",
        reason="BODY_TOO_LARGE",
        metadata={"limit_bytes": str(limit)},
    )
