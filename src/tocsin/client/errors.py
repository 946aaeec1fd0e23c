"""ClientError: why a call failed, made of the google.rpc.Status that the server sends in the trailers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

_DETAILS: Final = "grpc-status-details-bin"
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_AGAIN: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
# The server says of these that nothing of the request was kept, so that even a call without an id may be repeated.
_NOTHING_KEPT: Final = frozenset({"QUEUE_FULL", "SHUTTING_DOWN", "PARTITION_UNAVAILABLE", "RATE_LIMITED"})


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that cannot be used: its path in the request, and what is wrong with it."""

    field: str
    description: str


@dataclass(eq=False)
class ClientError(Exception):
    """A call that failed, after whatever retries it was worth.

    Decide by `code` (grpc.StatusCode) and `reason` ("MONITOR_NOT_FOUND"; the names are in
    proto/tocsin/v1/error_reason.proto, and "" when no server was reached). `message` is for people. `violations` names
    the wrong fields of INVALID_ARGUMENT, `metadata` holds the particulars of the reason, and `retry_after` is how many
    seconds the server asked to wait, None when it did not.
    """

    code: grpc.StatusCode
    message: str
    reason: str = ""
    violations: tuple[Violation, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None

    def __post_init__(self) -> None:
        super().__init__(self.code, self.message, self.reason)

    def __str__(self) -> str:
        return f"{self.code.name}{f' {self.reason}' if self.reason else ''}: {self.message}"

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later. Quotas and messages that are too large do not become smaller."""
        if self.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return self.retry_after is not None or self.reason == "RATE_LIMITED"
        return self.code in _AGAIN

    @property
    def nothing_kept(self) -> bool:
        """Whether it is certain that the request had no effect."""
        return self.reason in _NOTHING_KEPT


def from_rpc(error: Any) -> ClientError:
    """The ClientError of a grpc.RpcError, sync or async."""
    for name, value in error.trailing_metadata() or ():
        if name == _DETAILS:
            try:
                return from_status(Status.FromString(value))
            except DecodeError:
                break
    return ClientError(error.code(), error.details() or "")


def from_status(status: Status) -> ClientError:
    """The ClientError of a google.rpc.Status, such as those of single items of a batch."""
    info, bad, again = ErrorInfo(), BadRequest(), RetryInfo()
    for detail in status.details:
        for kind in (info, bad, again):
            if detail.Is(kind.DESCRIPTOR):
                detail.Unpack(kind)
    return ClientError(
        code=_CODES.get(status.code, grpc.StatusCode.UNKNOWN),
        message=status.message,
        reason=info.reason,
        violations=tuple(Violation(wrong.field, wrong.description) for wrong in bad.field_violations),
        metadata=dict(info.metadata),
        retry_after=again.retry_delay.ToMicroseconds() / 1e6 if again.HasField("retry_delay") else None,
    )
