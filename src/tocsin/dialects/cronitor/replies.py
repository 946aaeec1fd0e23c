"""Answers in the words that all of Cronitor's clients read: `error`, `detail`, and `errors` with a message each."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from starlette.responses import Response

from tocsin.dialects.cronitor.problems import SHOWN, Problem
from tocsin.domain import errors
from tocsin.domain.instant import SECOND

YAML: Final = "application/yaml"
_NO_STORE: Final = {"Cache-Control": "no-store"}
_RETRY_AFTER: Final = SECOND  # milliseconds
_BAD_KEY: Final = "Invalid API key"


def reply(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, {**_NO_STORE, **(headers or {})}, "application/json")


def yaml(status: int, text: str) -> Response:
    return Response(text, status, _NO_STORE, YAML)


def empty(status: int) -> Response:
    return Response(b"", status, _NO_STORE)


def refused(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    return reply(status, {"error": text, "detail": text, "errors": [{"message": text}]}, headers)


def not_found(text: str) -> Response:
    return refused(404, f"Not found: {text}")


def invalid(problems: Sequence[Problem]) -> Response:
    """400, with the first problem where clients look first and all of them, up to a bound, in the list."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    text = f"{problems[0].told}{more}"
    return reply(400, {"error": text, "detail": text, "errors": errors_json(problems)})


def errors_json(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return [
        {"message": problem.message, "key": problem.key or None, "field": problem.field or None}
        for problem in problems[:SHOWN]
    ]


def of_error(problem: errors.TocsinError) -> Response:
    """An expected error of a use case."""
    match problem:
        case errors.Unauthenticated():
            detail = f"{_BAD_KEY}: {problem.message}"
            return reply(403, {"error": _BAD_KEY, "detail": detail, "errors": [{"message": detail}]})
        case errors.PermissionDenied():
            return refused(403, problem.message)
        case errors.NotFound():
            return not_found(problem.message)
        case errors.InvalidArgument() | errors.FailedPrecondition() | errors.AlreadyExists():
            return refused(400, problem.message)
        case errors.Aborted():
            return refused(409, problem.message)
        case errors.ResourceExhausted():
            if problem.reason == "BODY_TOO_LARGE":
                return refused(413, problem.message)
            return refused(400, problem.message)  # a limit of the project: waiting does not help
        case errors.Unavailable():
            wait = problem.retry_after_ms or _RETRY_AFTER
            return refused(503, problem.message, {"Retry-After": str(math.ceil(wait / SECOND))})
        case _:
            return refused(500, problem.message)
