"""Errors across the border: one status, three doors."""

import re
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from tocsin.api.errors import grpc_code, status_of, trailers
from tocsin.domain import errors
from tocsin.domain.refusals import RefusalReason
from tocsin.http import problems
from tocsin.v1 import error_reason_pb2
from tocsin.wire.status import internal_status, to_status

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.TocsinError)]


def details(status, kind):
    return [found for packed in status.details if packed.Unpack(found := kind())]


def test_details():
    error = errors.ResourceExhausted("slow down", reason="RATE_LIMITED", metadata={"limit": "5"}, retry_after_ms=1500)
    status = to_status(error)
    (info,) = details(status, ErrorInfo)
    assert (info.reason, info.domain, dict(info.metadata)) == ("RATE_LIMITED", "tocsin", {"limit": "5"})
    (retry,) = details(status, RetryInfo)
    assert retry.retry_delay.ToMilliseconds() == 1500
    assert details(status, BadRequest) == []
    (bad,) = details(to_status(errors.invalid("a.b", "no")), BadRequest)
    assert [(violation.field, violation.description) for violation in bad.field_violations] == [("a.b", "no")]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_codes(kind):
    status = to_status(kind("text", reason="INTERNAL"))
    assert grpc_code(status).name == kind.code
    answer = problems.to_response(kind("text", reason="INTERNAL"))
    assert answer.status_code >= 400
    assert answer.headers["cache-control"] == "no-store"


def test_faults_of_ours_say_nothing():
    assert status_of(ValueError("secret")) == internal_status()
    assert "secret" not in str(internal_status())
    assert grpc_code(internal_status()) is grpc.StatusCode.INTERNAL
    assert problems.internal_response().status_code == 500
    assert Status.FromString(problems.internal_response(binary=True).body) == internal_status()
    error = errors.NotFound("x", reason="MONITOR_NOT_FOUND")
    assert status_of(error) == to_status(error)
    ((key, value),) = trailers(to_status(error))
    assert key == "grpc-status-details-bin"
    assert Status.FromString(value) == to_status(error)


def test_retry_after_is_whole_seconds_and_never_zero():
    for millis, seconds in ((0, "1"), (1, "1"), (1000, "1"), (1001, "2")):
        error = errors.Unavailable("x", reason="QUEUE_FULL", retry_after_ms=millis)
        assert problems.to_response(error).headers["retry-after"] == seconds


def test_every_reason_the_source_raises_is_in_the_contract():
    known = {value.name.removeprefix("ERROR_REASON_") for value in error_reason_pb2.ErrorReason.DESCRIPTOR.values}
    known |= set(RefusalReason.__members__)
    source = Path(errors.__file__).resolve().parents[1]
    used = {
        (str(path.relative_to(source)), reason)
        for path in source.rglob("*.py")
        for reason in re.findall(r"\breason=\"([A-Z_]+)\"", path.read_text())
    }
    assert used
    assert {place for place in used if place[1] not in known} == set()
