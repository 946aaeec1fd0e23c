"""Batches in protobuf over HTTP: the same requests and answers as over gRPC, errors as google.rpc.Status."""

import uuid

import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from support.server import Server
from tocsin.v1.check_in_pb2 import CheckIn
from tocsin.v1.check_in_service_pb2 import (
    BatchCreateCheckInsRequest,
    BatchCreateCheckInsResponse,
    CreateCheckInRequest,
)
from tocsin.v1.heartbeat_service_pb2 import (
    BatchSendHeartbeatsRequest,
    BatchSendHeartbeatsResponse,
    SendHeartbeatRequest,
)

PROTOBUF = {"content-type": "application/x-protobuf"}


@pytest.fixture
def monitor(server: Server) -> str:
    name = f"proto-{uuid.uuid4().hex[:12]}"
    server.call("POST", f"/v1/projects/-/monitors?monitorId={name}", {})
    return name


def path(server: Server, monitor: str) -> str:
    return f"/v1/projects/{server.project_id}/monitors/{monitor}/checkIns:batchCreate"


def test_a_batch_of_one_monitor(server: Server, monitor: str) -> None:
    rows = [CreateCheckInRequest(kind="KIND_OK", stand_alone=True)] * 500
    rows.append(CreateCheckInRequest(check_in=CheckIn(state="STATE_ERROR", message="broken", environment="staging")))
    sent = BatchCreateCheckInsRequest(requests=rows).SerializeToString()
    code, headers, content = server.request("POST", path(server, monitor), sent, headers=PROTOBUF)
    assert (code, headers["content-type"]) == (200, "application/x-protobuf")
    answer = BatchCreateCheckInsResponse.FromString(content)
    assert not answer.failed_requests
    assert len({run.uid for run in answer.check_ins}) == 501
    assert {(run.state, run.environment, run.dialect) for run in answer.check_ins[:500]} == {
        (CheckIn.STATE_OK, "production", "native")
    }
    last = answer.check_ins[-1]
    assert (last.state, last.environment, last.message) == (CheckIn.STATE_ERROR, "staging", "broken")
    assert last.name == f"projects/{server.project_id}/monitors/{monitor}/checkIns/{last.uid}"
    assert len(server.check_ins(monitor)) == 501


def test_a_batch_that_is_good_in_part(server: Server, monitor: str) -> None:
    own = f"projects/-/monitors/{monitor}"
    rows = [
        CreateCheckInRequest(parent=own, kind="KIND_OK"),
        CreateCheckInRequest(parent="projects/-/monitors/no-such", kind="KIND_OK"),
        CreateCheckInRequest(parent=own),
        CreateCheckInRequest(parent=own, kind="KIND_OK", check_in_id=uuid.uuid4().hex),
    ]
    sent = BatchCreateCheckInsRequest(requests=rows, return_partial_success=True).SerializeToString()
    code, _, content = server.request("POST", path(server, "-"), sent, headers=PROTOBUF)
    answer = BatchCreateCheckInsResponse.FromString(content)
    assert code == 200
    assert [bool(run.uid) for run in answer.check_ins] == [True, False, False, True]
    assert answer.check_ins[3].uid == rows[3].check_in_id
    assert {place: status.code for place, status in answer.failed_requests.items()} == {1: 5, 2: 3}
    assert len(server.check_ins(monitor)) == 2


def test_heartbeats(server: Server, monitor: str) -> None:
    beats = [SendHeartbeatRequest(name=f"projects/-/monitors/{monitor}")] * 1_500
    beats.insert(3, SendHeartbeatRequest(name="projects/-/monitors/no-such"))
    sent = BatchSendHeartbeatsRequest(requests=beats).SerializeToString()
    where = f"/v1/projects/{server.project_id}/monitors:heartbeat"
    code, _, content = server.request("POST", where, sent, headers=PROTOBUF)
    answer = BatchSendHeartbeatsResponse.FromString(content)
    assert (code, answer.accepted_count, list(answer.failed_requests)) == (200, 1_500, [3])
    assert len(server.check_ins(monitor)) == 1_500


@pytest.mark.parametrize(
    ("sent", "field", "says"),
    (
        (b"\x12\x05\x0a", "body", "at byte 1"),
        (b"\x12\x00\x00\x00", "body", "at byte 3"),
        (b"\x12\x04\x12\x02\x20\x09", "requests[0].check_in.state", "must be one of"),
        (b"\x12\x03\x0a\x01\xff", "body", "UTF-8 at byte 3"),
    ),
)
def test_what_is_wrong_is_a_status(server: Server, monitor: str, sent: bytes, field: str, says: str) -> None:
    code, headers, content = server.request("POST", path(server, monitor), sent, headers=PROTOBUF)
    assert (code, headers["content-type"]) == (400, "application/x-protobuf")
    status, bad, info = Status.FromString(content), BadRequest(), ErrorInfo()
    assert status.code == 3
    assert says in status.message
    for detail in status.details:
        for kind in (bad, info):
            if detail.Is(kind.DESCRIPTOR):
                detail.Unpack(kind)
    assert bad.field_violations[0].field == field
    assert info.reason == ("BODY_MALFORMED" if field == "body" else "FIELD_INVALID")
    assert not server.check_ins(monitor)


def test_an_ingest_key_may_send_and_no_key_may_not(server: Server, monitor: str) -> None:
    sent = BatchCreateCheckInsRequest(requests=[CreateCheckInRequest(kind="KIND_OK")]).SerializeToString()
    assert server.request("POST", path(server, monitor), sent, headers=PROTOBUF, key=server.ingest_key)[0] == 200
    code, _, content = server.request("POST", path(server, monitor), sent, headers=PROTOBUF, key="")
    assert (code, Status.FromString(content).code) == (401, 16)
