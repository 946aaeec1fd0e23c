"""google.rpc.Status → ClientError."""

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st

from tocsin.client.errors import ClientError, Violation, from_rpc, from_status


def status(code: int, *details: object) -> Status:
    made = Status(code=code, message="words")
    for detail in details:
        packed = Any()
        packed.Pack(detail)  # type: ignore[arg-type]
        made.details.append(packed)
    return made


class Failed:
    """What grpc.RpcError and AioRpcError have in common."""

    def __init__(self, trailers: object) -> None:
        self._trailers = trailers

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return "broken pipe"

    def trailing_metadata(self) -> object:
        return self._trailers


def test_all_details_are_read() -> None:
    error = from_status(
        status(
            3,
            ErrorInfo(reason="SCHEDULE_INVALID", domain="tocsin", metadata={"position": "1"}),
            BadRequest(field_violations=[BadRequest.FieldViolation(field="a.b", description="is wrong")]),
            RetryInfo(retry_delay=Duration(seconds=1, nanos=500_000_000)),
        )
    )
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert (error.reason, error.message) == ("SCHEDULE_INVALID", "words")
    assert error.violations == (Violation("a.b", "is wrong"),)
    assert error.metadata == {"position": "1"}
    assert error.retry_after == 1.5
    assert str(error) == "INVALID_ARGUMENT SCHEDULE_INVALID: words"


def test_an_error_without_details_is_its_code_and_words() -> None:
    error = from_rpc(Failed(None))
    assert (error.code, error.message, error.reason) == (grpc.StatusCode.UNAVAILABLE, "broken pipe", "")
    assert error.retry_after is None


def test_trailers_carry_the_status() -> None:
    error = from_rpc(Failed((("x", "y"), ("grpc-status-details-bin", status(14).SerializeToString()))))
    assert error.message == "words"


@given(st.binary(max_size=60))
def test_trailers_that_are_no_status_do_no_harm(noise: bytes) -> None:
    assert isinstance(from_rpc(Failed((("grpc-status-details-bin", noise),))), ClientError)


def test_an_unknown_code_is_unknown() -> None:
    assert from_status(Status(code=77)).code is grpc.StatusCode.UNKNOWN
