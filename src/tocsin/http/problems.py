"""TocsinError → an HTTP response whose body is google.rpc.Status, as JSON or as protobuf.

    {"error": {"code": 404, "status": "NOT_FOUND", "message": "…",
               "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "MONITOR_NOT_FOUND", …}]}}

In JSON `code` is the HTTP status and `status` the canonical code; in protobuf `code` is the canonical number.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from google.protobuf.json_format import MessageToDict
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status
from starlette.responses import Response

from tocsin.domain.errors import NotFound, TocsinError
from tocsin.wire.status import internal_status, to_status

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
PROTOBUF_TYPES = (PROTOBUF, "application/protobuf")

_HTTP = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "UNAUTHENTICATED": 401,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
}
# Where HTTP can say it more exactly than the canonical code does.
_HTTP_BY_REASON = {"BODY_TOO_LARGE": 413}


def http_status(error: TocsinError) -> int:
    """The HTTP status of an error: by its reason where there is a closer one, otherwise by its code."""
    return _HTTP_BY_REASON.get(error.reason) or _HTTP[error.code]


def body(status: Status, code: int) -> dict[str, Any]:
    """The JSON object, as one answer or as one line of a stream."""
    plain = MessageToDict(status)
    error = {
        "code": code,
        "status": Code.Name(status.code),
        "message": status.message,
        "details": plain.get("details", []),
    }
    return {"error": error}


def to_response(
    error: TocsinError, *, status: int | None = None, headers: Mapping[str, str] | None = None, binary: bool = False
) -> Response:
    """The response to an expected error.

    `status` overrides the HTTP status (405 for a path that knows other methods). Adds Retry-After, in whole seconds
    rounded up, when the error says when to come back, and WWW-Authenticate when no key would do.
    """
    named = dict(headers or {})
    if error.retry_after_ms is not None:
        named["retry-after"] = str(max(1, -(-error.retry_after_ms // 1000)))
    if error.code == "UNAUTHENTICATED":
        named.setdefault("www-authenticate", 'Bearer realm="tocsin"')
    return _response(to_status(error), http_status(error) if status is None else status, named, binary=binary)


def nothing_at(text: str) -> Response:
    """The response where no path leads. `text` names it."""
    return to_response(NotFound(f"{text}; /docs lists what is", reason="PATH_NOT_FOUND", metadata={}))


def internal_response(*, binary: bool = False) -> Response:
    """The response to a fault of ours. It says nothing of the fault; the caller of this has logged it."""
    return _response(internal_status(), 500, {}, binary=binary)


def _response(status: Status, code: int, headers: Mapping[str, str], *, binary: bool) -> Response:
    content = status.SerializeToString() if binary else msgspec.json.encode(body(status, code))
    return Response(content, code, {"cache-control": "no-store", **headers}, PROTOBUF if binary else JSON)
