"""Every error a caller can meet, with a stable reason and the data behind it.

    TocsinError
        InvalidArgument       a field is wrong: `violations` names it and says how to mend it
        NotFound              the thing named does not exist, or not for this key
        AlreadyExists         the name is taken
        FailedPrecondition    right request, wrong state
        Aborted               somebody else changed it first
        ResourceExhausted     a limit; try again later, or less
        Unauthenticated       no key, or one we do not know
        PermissionDenied      the key may not do this
        Unavailable           we cannot now; try again
        Unimplemented         in the contract, not in this version

The edges translate these to gRPC status, HTTP status and each vendor's body; nothing below knows of those.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Violation(NamedTuple):
    """One wrong field: its path in the request ("schedule.cron.expression") and what would be accepted."""

    field: str
    description: str


class TocsinError(Exception):
    """Base of all expected errors; `reason` is a name of `tocsin.v1.ErrorReason` without its prefix."""

    code = "UNKNOWN"

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after_ms = retry_after_ms


class InvalidArgument(TocsinError):
    code = "INVALID_ARGUMENT"


class NotFound(TocsinError):
    code = "NOT_FOUND"


class AlreadyExists(TocsinError):
    code = "ALREADY_EXISTS"


class FailedPrecondition(TocsinError):
    code = "FAILED_PRECONDITION"


class Aborted(TocsinError):
    code = "ABORTED"


class ResourceExhausted(TocsinError):
    code = "RESOURCE_EXHAUSTED"


class Unauthenticated(TocsinError):
    code = "UNAUTHENTICATED"


class PermissionDenied(TocsinError):
    code = "PERMISSION_DENIED"


class Unavailable(TocsinError):
    code = "UNAVAILABLE"


class Unimplemented(TocsinError):
    code = "UNIMPLEMENTED"


def invalid(field: str, description: str, *, reason: str = "FIELD_INVALID", **metadata: str) -> InvalidArgument:
    """An `InvalidArgument` about one field: `invalid("tolerance.margin", "must be at least 0s")`."""
    return InvalidArgument(
        f"{field}: {description}",
        reason=reason,
        metadata={"field": field, **metadata},
        violations=[Violation(field, description)],
    )
