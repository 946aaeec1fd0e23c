"""Answers as Cronitor's clients read them: JSON, and errors in every shape that any of them looks for."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from starlette.responses import Response

from tocsin.domain import errors
from tocsin.domain.instant import SECOND

_RETRY_AFTER: Final = SECOND  # milliseconds


class Problem(NamedTuple):
    """What is wrong with one field of one thing."""

    message: str
    field: str = ""
    key: str = ""


class Refused(Exception):
    """The request ends here with `status`."""

    def __init__(self, status: int, text: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.problems = tuple(problems) or (Problem(text),)


def wrong(field: str, text: str, key: str = "") -> Refused:
    """A 400 about one field."""
    message = f"{field}: {text}"
    return Refused(400, f"{key}: {message}" if key else message, [Problem(message, field, key)])


def reply(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(body), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json"
    )


def empty(status: int) -> Response:
    return Response(b"", status, {"Cache-Control": "no-store"})


def refusal(problem: Refused, headers: Mapping[str, str] | None = None) -> Response:
    found = [{"message": one.message, "key": one.key or None, "field": one.field or None} for one in problem.problems]
    return reply(problem.status, {"error": problem.text, "detail": problem.text, "errors": found}, headers)


def of_error(problem: errors.TocsinError) -> Response:
    """An expected error of a use case."""
    match problem:
        case errors.Unauthenticated():
            return refusal(Refused(403, "Invalid API key"))
        case errors.PermissionDenied():
            return refusal(Refused(403, problem.message))
        case errors.NotFound():
            return refusal(Refused(404, problem.message))
        case errors.InvalidArgument():
            found = [Problem(problem.message, violation.field) for violation in problem.violations]
            return refusal(Refused(400, problem.message, found))
        case errors.FailedPrecondition():
            return refusal(Refused(400, problem.message))
        case errors.AlreadyExists() | errors.Aborted():
            return refusal(Refused(409, problem.message))
        case errors.ResourceExhausted() if problem.reason == "BODY_TOO_LARGE":
            return refusal(Refused(413, problem.message))
        case errors.ResourceExhausted():
            return refusal(Refused(429, problem.message), _retry(problem))
        case errors.Unavailable():
            return refusal(Refused(503, problem.message), _retry(problem))
        case _:
            return refusal(Refused(500, problem.message))


def _retry(problem: errors.TocsinError) -> dict[str, str]:
    return {"Retry-After": str(math.ceil((problem.retry_after_ms or _RETRY_AFTER) / SECOND))}
