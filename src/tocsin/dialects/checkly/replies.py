"""Answers in the shapes that Checkly's clients read: errors always have `statusCode`, `error` and `message`."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.responses import Response

from tocsin.domain import errors
from tocsin.domain.instant import SECOND, Millis

JSON: Final = "application/json; charset=utf-8"
_NO_STORE: Final = {"Cache-Control": "no-store"}
_RETRY_AFTER: Final = SECOND  # milliseconds


def reply(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    return encoded(status, msgspec.json.encode(body), headers)


def encoded(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """The same of JSON that is ready."""
    return Response(body, status, {**_NO_STORE, "Content-Type": JSON, **(headers or {})})


def empty(status: int = 204) -> Response:
    return Response(b"", status, _NO_STORE)


def refused(status: int, text: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """`more`: keys beside the three, such as `validation`, `attributes` or `deploymentId`."""
    phrase = HTTPStatus(status).phrase
    return reply(status, {"statusCode": status, "error": phrase, "message": text or phrase, **more}, headers)


def not_found(text: str) -> Response:
    return refused(404, f"Not Found: {text}" if text else "Not Found")


def too_many(text: str, wait: Millis) -> Response:
    return refused(429, text, retry_after(wait))


def retry_after(wait: Millis) -> dict[str, str]:
    return {"Retry-After": str(max(math.ceil(wait / SECOND), 1))}


def of_error(problem: errors.TocsinError) -> Response:
    """An expected error of a use case."""
    match problem:
        case errors.Unauthenticated():
            return refused(401, problem.message, {"WWW-Authenticate": "Bearer"})
        case errors.PermissionDenied():
            return refused(403, problem.message)
        case errors.NotFound():
            return not_found(problem.message)
        case errors.InvalidArgument():
            keys = [violation.field for violation in problem.violations]
            return refused(400, problem.message, validation={"source": "payload", "keys": keys})
        case errors.AlreadyExists() | errors.Aborted() | errors.FailedPrecondition():
            return refused(409, problem.message)
        case errors.ResourceExhausted():
            if problem.reason == "BODY_TOO_LARGE":
                return refused(413, problem.message)
            return refused(402, problem.message)  # a limit of the project: waiting does not help
        case errors.Unavailable():
            return refused(503, problem.message, retry_after(problem.retry_after_ms or _RETRY_AFTER))
        case _:
            return refused(500, problem.message)
