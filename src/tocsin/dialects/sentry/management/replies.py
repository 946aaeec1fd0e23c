"""Answers as Sentry words them: {"detail": text} for a request, {field: [text]} for fields."""

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.responses import Response

from tocsin.domain import errors
from tocsin.domain.instant import SECOND

Problems = dict[str, Any]  # field → [text], or field → Problems for an object
_RETRY_AFTER: Final = SECOND  # milliseconds
_WORDS: Final = {"PAGE_TOKEN_INVALID": "cursor: is not from a Link header of this list"}


class Refused(Exception):
    """The request ends here with `status` and {"detail": detail}."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Invalid(Exception):
    """The request ends here with 400 and every field that is wrong."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(problems)
        self.problems = problems


def reply(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(body), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json"
    )


def empty(status: int) -> Response:
    return Response(b"", status, {"Cache-Control": "no-store"})


def of_error(problem: errors.TocsinError) -> Response:
    """An expected error of a use case."""
    body: Problems = {"detail": _WORDS.get(problem.reason, problem.message)}
    match problem:
        case errors.Unauthenticated():
            return reply(401, body, {"WWW-Authenticate": 'Bearer realm="tocsin"'})
        case errors.PermissionDenied():
            return reply(403, body)
        case errors.NotFound():
            return reply(404, body)
        case errors.InvalidArgument() | errors.FailedPrecondition() | errors.AlreadyExists():
            return reply(400, body)
        case errors.Aborted():
            return reply(409, body)
        case errors.ResourceExhausted():
            return reply(403, body)  # a limit of the project, as Sentry answers its own; 429 would stop its clients
        case errors.Unavailable():
            wait = problem.retry_after_ms or _RETRY_AFTER
            return reply(503, body, {"Retry-After": str(math.ceil(wait / SECOND))})
        case _:
            return reply(500, body)
