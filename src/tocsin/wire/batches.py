"""The bytes of a request with many reports → rows in columns, and messages for the rows that say more than that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import DecodeError, Message

from tocsin._core import intake
from tocsin._core.batch import Batch
from tocsin.domain import errors
from tocsin.v1 import check_in_service_pb2, heartbeat_service_pb2

Row = TypeVar("Row", bound=Message)


@dataclass(frozen=True, slots=True)
class Requests(Generic[Row]):
    """One request: what is around its reports, the reports in columns, and by row those that say more."""

    parent: str
    sequence: int
    partial: bool
    count: int  # reports in the request; no more than the limit are in the batch
    batch: Batch
    rest: dict[int, Row]


def read_check_ins(
    request: bytes, projects: tuple[str, ...], limit: int, *, stream: bool = False, before: str = ""
) -> Requests[check_in_service_pb2.CreateCheckInRequest]:
    """A BatchCreateCheckInsRequest, or with `stream` a StreamCheckInsRequest.

    `projects`: how the caller's project may be written. `before`: the parent, where the request has none.
    InvalidArgument exactly when the generated class cannot read the request; reports beyond `limit` are not looked at.
    """
    prefix = _parent_field(stream=stream, parent=before)
    return _read(
        lambda: intake.check_ins(prefix + request, projects, limit, stream=stream),
        lambda rest: check_in_service_pb2.BatchCreateCheckInsRequest.FromString(rest).requests,
        len(prefix),
    )


def read_heartbeats(
    request: bytes, projects: tuple[str, ...], limit: int, *, stream: bool = False
) -> Requests[heartbeat_service_pb2.SendHeartbeatRequest]:
    """The same of a BatchSendHeartbeatsRequest or a StreamHeartbeatsRequest."""
    return _read(
        lambda: intake.heartbeats(request, projects, limit, stream=stream),
        lambda rest: heartbeat_service_pb2.BatchSendHeartbeatsRequest.FromString(rest).requests,
        0,
    )


def text_of(request: bytes, number: int) -> str:
    """One text field of a request in wire bytes, "" when it has none; nothing is said of what is inside its reports."""
    try:
        return intake.text_of(request, number)
    except intake.Malformed as malformed:
        raise _malformed(malformed.offset) from None


def _read(scan: Callable[[], intake.Intake], decode: Callable[[bytes], Sequence[Row]], prefix: int) -> Requests[Row]:
    try:
        found = scan()
    except intake.Malformed as malformed:
        raise _malformed(malformed.offset - prefix) from None
    batch = found.batch
    rest: dict[int, Row] = {}
    if rows := batch.rest():
        try:
            rest = dict(zip(rows, decode(intake.rest(batch, rows)), strict=True))
        except DecodeError as error:
            raise _malformed(_first_broken(batch, rows, decode) - prefix, str(error)) from None
    return Requests(found.parent, found.sequence, found.partial, found.count, batch, rest)


def _first_broken(batch: Batch, rows: Sequence[int], decode: Callable[[bytes], object]) -> int:
    """Where the first report begins that cannot be read. Halves what is left to look at, so that it costs no more."""
    while len(rows) > 1:
        half = rows[: len(rows) // 2]
        try:
            decode(intake.rest(batch, half))
        except DecodeError:
            rows = half
        else:
            rows = rows[len(half) :]
    return batch.span(rows[0])[0]


def _malformed(offset: int, why: str = "malformed") -> errors.InvalidArgument:
    position = str(offset + 1)  # from 1, as in JSON
    return errors.invalid(
        "body", f"is no such message: {why} at byte {position}", reason="BODY_MALFORMED", position=position
    )


def _parent_field(*, stream: bool, parent: str) -> bytes:
    """To be put in front of a request, whose own parent then has the last word."""
    if not parent:
        return b""
    if stream:
        return check_in_service_pb2.StreamCheckInsRequest(parent=parent).SerializeToString()
    return check_in_service_pb2.BatchCreateCheckInsRequest(parent=parent).SerializeToString()
