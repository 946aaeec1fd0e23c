"""gRPC as any client meets it: reflection, health, keys, errors with details, batches, streams, watches, TLS."""

import asyncio
import json
import ssl
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

from support.server import Server
from tocsin.client import Client, ClientError, Tls
from tocsin.v1 import (
    check_in_pb2,
    check_in_service_pb2,
    check_in_service_pb2_grpc,
    heartbeat_service_pb2,
    heartbeat_service_pb2_grpc,
    incident_service_pb2,
    incident_service_pb2_grpc,
    monitor_pb2,
    monitor_service_pb2,
    monitor_service_pb2_grpc,
    schedule_pb2,
)

SERVICES = {
    f"tocsin.v1.{name}Service"
    for name in (
        *("Monitor", "CheckIn", "Heartbeat", "Incident", "ProjectSettings", "MaintenanceWindow"),
        *("Group", "Environment", "ManualIncident"),
        *("NotificationList", "Channel", "Notice"),
    )
}
START = check_in_service_pb2.CreateCheckInRequest.KIND_START
OK = check_in_service_pb2.CreateCheckInRequest.KIND_OK
PERMISSION = grpc.StatusCode.PERMISSION_DENIED
INVALID = grpc.StatusCode.INVALID_ARGUMENT


class Api:
    """The generated stubs over one channel, with a key."""

    def __init__(self, channel: grpc.Channel, server: Server) -> None:
        self.channel, self.server = channel, server
        self.monitors = monitor_service_pb2_grpc.MonitorServiceStub(channel)
        self.check_ins = check_in_service_pb2_grpc.CheckInServiceStub(channel)
        self.heartbeats = heartbeat_service_pb2_grpc.HeartbeatServiceStub(channel)
        self.incidents = incident_service_pb2_grpc.IncidentServiceStub(channel)
        self.key = (("authorization", f"Bearer {server.admin_key}"),)
        self.ingest = (("authorization", f"Bearer {server.ingest_key}"),)
        self.parent = f"projects/{server.project_id}"

    def job(self, **fields: Any) -> str:
        """The name of a new monitor."""
        name = f"{self.parent}/monitors/grpc-{uuid.uuid4().hex[:12]}"
        message = monitor_pb2.Monitor(name=name, **fields)
        request = monitor_service_pb2.UpdateMonitorRequest(monitor=message, allow_missing=True)
        self.monitors.UpdateMonitor(request, metadata=self.key)
        return name

    def report(self, monitor: str, **fields: Any) -> check_in_service_pb2.CreateCheckInRequest:
        return check_in_service_pb2.CreateCheckInRequest(parent=monitor, **{"kind": OK, **fields})


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield Api(channel, server)


class Failure:
    """What a call failed with, as any library reads it."""

    def __init__(self, error: Any) -> None:
        self.code = error.code()
        status = rpc_status.from_call(error)
        assert status is not None, f"{self.code} without google.rpc.Status: {error.details()}"
        self.info, self.bad = ErrorInfo(), BadRequest()
        for detail in status.details:
            for kind in (self.info, self.bad):
                if detail.Is(kind.DESCRIPTOR):
                    detail.Unpack(kind)
        assert self.info.domain == "tocsin"
        self.reason = self.info.reason


def failure(call: Callable[[], object]) -> Failure:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return Failure(caught.value)


# -- reflection and health, as grpcurl uses them


def test_reflection_lists_the_services(api: Api) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(api.channel)
    (answer,) = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    found = {service.name for service in answer.list_services_response.service}
    assert found == SERVICES | {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


def test_reflection_describes_enough_to_call(api: Api) -> None:
    """No generated module: descriptors from the server, a message from JSON, a call, JSON again."""
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(api.channel))
    for service in SERVICES:
        assert pool.FindServiceByName(service).methods
    method = pool.FindServiceByName("tocsin.v1.MonitorService").FindMethodByName("CreateMonitor")
    body = {
        "parent": "projects/-",
        "monitorId": f"reflected-{uuid.uuid4().hex[:8]}",
        "monitor": {"schedules": [{"cron": {"expression": "*/5 * * * *"}, "timeZone": "Asia/Tokyo"}]},
    }
    request = ParseDict(body, GetMessageClass(method.input_type)(), descriptor_pool=pool)
    call = api.channel.unary_unary(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=GetMessageClass(method.input_type).SerializeToString,
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    answer = MessageToDict(call(request, metadata=api.key), descriptor_pool=pool)
    assert answer["name"] == f"{api.parent}/monitors/{body['monitorId']}"
    assert answer["schedules"][0]["timeZone"] == "Asia/Tokyo"


def test_health_is_told_by_service(api: Api) -> None:
    stub = health_pb2_grpc.HealthStub(api.channel)
    for service in ("", *SERVICES):
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.RpcError) as caught:
        stub.Check(health_pb2.HealthCheckRequest(service="tocsin.v1.Nothing"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


# -- keys


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ((), "KEY_MISSING"),
        ((("authorization", "Basic abc"),), "KEY_MISSING"),
        ((("authorization", "Bearer"),), "KEY_MISSING"),
        ((("authorization", "Bearer 0123456789abcdef0123456789abcdef"),), "KEY_INVALID"),
        ((("x-api-key", "nonsense"),), "KEY_INVALID"),
    ],
)
def test_without_a_key_nothing_is_served(api: Api, metadata: Any, reason: str) -> None:
    request = monitor_service_pb2.ListMonitorsRequest(parent=api.parent)
    found = failure(lambda: api.monitors.ListMonitors(request, metadata=metadata))
    assert (found.code, found.reason) == (grpc.StatusCode.UNAUTHENTICATED, reason)


def test_both_headers_carry_a_key(api: Api) -> None:
    request = monitor_service_pb2.ListMonitorsRequest(parent=api.parent)
    for metadata in (("authorization", f"bearer {api.server.admin_key}"), ("x-api-key", api.server.admin_key)):
        assert api.monitors.ListMonitors(request, metadata=(metadata,)) is not None


def test_an_ingest_key_reports_and_does_not_read(api: Api) -> None:
    job = api.job()
    run = api.check_ins.CreateCheckIn(api.report(job), metadata=api.ingest)
    for call in (
        lambda: api.monitors.GetMonitor(monitor_service_pb2.GetMonitorRequest(name=job), metadata=api.ingest),
        lambda: api.check_ins.GetCheckIn(check_in_service_pb2.GetCheckInRequest(name=run.name), metadata=api.ingest),
        lambda: api.check_ins.ListCheckIns(check_in_service_pb2.ListCheckInsRequest(parent=job), metadata=api.ingest),
        lambda: api.incidents.ListIncidents(
            incident_service_pb2.ListIncidentsRequest(parent=api.parent), metadata=api.ingest
        ),
        lambda: next(
            api.monitors.WatchMonitors(monitor_service_pb2.WatchMonitorsRequest(parent=api.parent), metadata=api.ingest)
        ),
    ):
        found = failure(call)
        assert (found.code, found.reason) == (PERMISSION, "KEY_SCOPE")
        assert dict(found.info.metadata) == {"scope": "ingest", "required_scope": "read"}
    found = failure(
        lambda: api.monitors.DeleteMonitor(monitor_service_pb2.DeleteMonitorRequest(name=job), metadata=api.ingest)
    )
    assert found.info.metadata["required_scope"] == "admin"


def test_a_key_is_bound_to_its_project(api: Api) -> None:
    for project in ("projects/999", "projects/somebody-elses"):
        request = monitor_service_pb2.ListMonitorsRequest(parent=project)
        found = failure(lambda asked=request: api.monitors.ListMonitors(asked, metadata=api.key))  # type: ignore[misc]
        assert (found.code, found.reason) == (PERMISSION, "KEY_SCOPE")
    for project in (api.parent, "projects/default", "projects/-"):
        api.monitors.ListMonitors(monitor_service_pb2.ListMonitorsRequest(parent=project), metadata=api.key)


# -- errors


def test_a_bad_cron_text_names_field_and_position(api: Api) -> None:
    request = monitor_service_pb2.CreateMonitorRequest(parent=api.parent, monitor_id="x")
    request.monitor.schedules.add().cron.expression = "*/5 25 * * *"
    found = failure(lambda: api.monitors.CreateMonitor(request, metadata=api.key))
    assert (found.code, found.reason) == (INVALID, "SCHEDULE_INVALID")
    assert found.bad.field_violations[0].field == "monitor.schedules[0].cron.expression"
    assert "position 5" in found.bad.field_violations[0].description
    assert (found.info.metadata["cron_field"], found.info.metadata["position"]) == ("hour", "5")


@pytest.mark.parametrize(
    ("text", "position"), [("metric.duration < 5 parsecs", "21"), ("response.code = 200", "1"), ("be fast", "1")]
)
def test_a_bad_assertion_names_its_place_and_position(api: Api, text: str, position: str) -> None:
    request = monitor_service_pb2.CreateMonitorRequest(parent=api.parent, monitor_id="x")
    request.monitor.assertions.extend(["metric.rows > 0", text])
    found = failure(lambda: api.monitors.CreateMonitor(request, metadata=api.key))
    assert (found.code, found.reason) == (INVALID, "FIELD_INVALID")
    assert found.bad.field_violations[0].field == "monitor.assertions[1]"
    assert text in found.bad.field_violations[0].description
    assert (found.info.metadata["assertion"], found.info.metadata["position"]) == (text, position)


@pytest.mark.parametrize(
    ("expression", "zone", "reason"),
    [("0 0 30 2 *", "", "SCHEDULE_NEVER_FIRES"), ("* * * * *", "Mars/Olympus", "TIME_ZONE_UNKNOWN")],
)
def test_schedules_that_cannot_be(api: Api, expression: str, zone: str, reason: str) -> None:
    request = monitor_service_pb2.CreateMonitorRequest(parent=api.parent, monitor_id="x")
    request.monitor.schedules.add(time_zone=zone).cron.expression = expression
    found = failure(lambda: api.monitors.CreateMonitor(request, metadata=api.key))
    assert (found.code, found.reason) == (INVALID, reason)
    assert found.bad.field_violations[0].field.startswith("monitor.schedules[0]")


def test_what_does_not_exist_is_not_found(api: Api) -> None:
    missing = f"{api.parent}/monitors/no-such"
    for call, reason in (
        (
            lambda: api.monitors.GetMonitor(monitor_service_pb2.GetMonitorRequest(name=missing), metadata=api.key),
            "MONITOR_NOT_FOUND",
        ),
        (lambda: api.check_ins.CreateCheckIn(api.report(missing), metadata=api.key), "MONITOR_NOT_FOUND"),
        (
            lambda: api.heartbeats.SendHeartbeat(
                heartbeat_service_pb2.SendHeartbeatRequest(name=missing), metadata=api.key
            ),
            "MONITOR_NOT_FOUND",
        ),
        (
            lambda: api.incidents.GetIncident(
                incident_service_pb2.GetIncidentRequest(name=f"{api.parent}/incidents/999999"), metadata=api.key
            ),
            "INCIDENT_NOT_FOUND",
        ),
    ):
        found = failure(call)
        assert (found.code, found.reason) == (grpc.StatusCode.NOT_FOUND, reason)


def test_closed_runs_and_taken_names_are_told_apart(api: Api) -> None:
    job, name = api.job(), uuid.uuid4().hex
    api.check_ins.CreateCheckIn(api.report(job, check_in_id=name), metadata=api.key)
    closed = api.report(job, check_in_id=name, kind=check_in_service_pb2.CreateCheckInRequest.KIND_ERROR)
    found = failure(lambda: api.check_ins.CreateCheckIn(closed, metadata=api.key))
    assert (found.code, found.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CHECK_IN_CLOSED")
    other = api.report(api.job(), check_in_id=name)
    found = failure(lambda: api.check_ins.CreateCheckIn(other, metadata=api.key))
    assert (found.code, found.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CHECK_IN_MISMATCH")
    taken = monitor_service_pb2.CreateMonitorRequest(parent=api.parent, monitor_id=job.rpartition("/")[2])
    found = failure(lambda: api.monitors.CreateMonitor(taken, metadata=api.key))
    assert (found.code, found.reason) == (grpc.StatusCode.ALREADY_EXISTS, "MONITOR_ALREADY_EXISTS")


@pytest.mark.parametrize("path", ["MonitorService/GetMonitor", "CheckInService/CreateCheckIn"])
@pytest.mark.parametrize("noise", [b"\xff\xff\xff", b"\x0a\x02\xff\xfe", b"\x0a\x7fshort"])
def test_bytes_that_are_no_message(api: Api, path: str, noise: bytes) -> None:
    call = api.channel.unary_unary(f"/tocsin.v1.{path}", request_serializer=None, response_deserializer=None)
    found = failure(lambda: call(noise, metadata=api.key))
    assert (found.code, found.reason) == (INVALID, "BODY_MALFORMED")


def test_noise_in_a_stream_ends_the_stream(api: Api) -> None:
    job = api.job()
    call = api.channel.stream_stream("/tocsin.v1.CheckInService/StreamCheckIns")
    good = check_in_service_pb2.StreamCheckInsRequest(parent=job, requests=[api.report(job)], sequence=7)
    answers = call(iter([good.SerializeToString(), b"\xff\xff\xff"]), metadata=api.key)
    assert check_in_service_pb2.StreamCheckInsResponse.FromString(next(answers)).sequence == 7
    found = failure(lambda: next(answers))
    assert (found.code, found.reason) == (INVALID, "BODY_MALFORMED")


def test_noise_needs_a_key_too(api: Api) -> None:
    call = api.channel.unary_unary("/tocsin.v1.MonitorService/GetMonitor")
    assert failure(lambda: call(b"\xff\xff\xff")).reason == "KEY_MISSING"


def test_a_method_that_is_not_there(api: Api) -> None:
    for path in ("/tocsin.v1.MonitorService/Nothing", "/tocsin.v1.NoService/Get"):
        with pytest.raises(grpc.RpcError) as caught:
            api.channel.unary_unary(path)(b"", metadata=api.key)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_message_over_the_cap_is_refused_and_the_connection_lives(api: Api) -> None:
    job = api.job()
    huge = api.report(job, check_in=check_in_pb2.CheckIn(message="x" * (17 * 1024 * 1024)))
    with pytest.raises(grpc.RpcError) as caught:
        api.check_ins.CreateCheckIn(huge, metadata=api.key)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    large = api.report(job, check_in=check_in_pb2.CheckIn(message="x" * (3 * 1024 * 1024)))
    assert len(api.check_ins.CreateCheckIn(large, metadata=api.key).message) == 16_384


def test_a_deadline_that_has_passed(api: Api) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        request = monitor_service_pb2.ListMonitorsRequest(parent=api.parent)
        api.monitors.ListMonitors(request, metadata=api.key, timeout=0.000001)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    before = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:  # a watch, which has no end of its own
        watch = monitor_service_pb2.WatchMonitorsRequest(parent=api.parent)
        list(api.monitors.WatchMonitors(watch, metadata=api.key, timeout=0.5))
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - before < 10


# -- batches


def test_a_batch_of_a_thousand(api: Api) -> None:
    job = api.job()
    request = check_in_service_pb2.BatchCreateCheckInsRequest(parent=job)
    request.requests.extend(check_in_service_pb2.CreateCheckInRequest(kind=OK, stand_alone=True) for _ in range(1000))
    answer = api.check_ins.BatchCreateCheckIns(request, metadata=api.key)
    assert len({run.uid for run in answer.check_ins}) == 1000
    assert not answer.failed_requests
    assert len(api.server.check_ins(job.rpartition("/")[2])) == 1000


def test_a_batch_of_a_thousand_and_one_is_refused_whole(api: Api) -> None:
    job = api.job()
    request = check_in_service_pb2.BatchCreateCheckInsRequest(parent=job, requests=[api.report(job)] * 1001)
    found = failure(lambda: api.check_ins.BatchCreateCheckIns(request, metadata=api.key))
    assert (found.code, found.reason) == (INVALID, "FIELD_INVALID")
    assert found.bad.field_violations[0].field == "requests"
    assert not api.server.check_ins(job.rpartition("/")[2])


def test_a_batch_that_is_good_in_part(api: Api) -> None:
    one, two = api.job(), api.job()
    request = check_in_service_pb2.BatchCreateCheckInsRequest(
        parent=f"{api.parent}/monitors/-",
        requests=[
            api.report(one),
            api.report(f"{api.parent}/monitors/no-such"),
            api.report(two, check_in_id="no-uuid"),
            api.report("projects/999/monitors/x"),
            api.report(two),
        ],
        return_partial_success=True,
    )
    answer = api.check_ins.BatchCreateCheckIns(request, metadata=api.key)
    assert [bool(run.uid) for run in answer.check_ins] == [True, False, False, False, True]
    reasons = {}
    for index, status in answer.failed_requests.items():
        info = ErrorInfo()
        assert any(detail.Unpack(info) for detail in status.details)
        reasons[index] = (status.code, info.reason)
    assert reasons == {1: (5, "MONITOR_NOT_FOUND"), 2: (3, "CHECK_IN_ID_INVALID"), 3: (7, "KEY_SCOPE")}


@pytest.mark.parametrize("bad", [{"check_in_id": "no-uuid"}, {"kind": 0}])
def test_a_bad_request_refuses_the_whole_batch_and_names_its_place(api: Api, bad: dict[str, Any]) -> None:
    job = api.job()
    requests = [api.report(job), api.report(job, **bad)]
    batch = check_in_service_pb2.BatchCreateCheckInsRequest(parent=job, requests=requests)
    found = failure(lambda: api.check_ins.BatchCreateCheckIns(batch, metadata=api.key))
    assert found.code is INVALID
    assert found.bad.field_violations[0].field.startswith("requests[1].")
    assert not api.server.check_ins(job.rpartition("/")[2])


def test_a_report_the_rules_refuse_does_not_stop_the_others_of_its_batch(api: Api) -> None:
    job = api.job()
    requests = [api.report(job), api.report(f"{api.parent}/monitors/no-such")]
    batch = check_in_service_pb2.BatchCreateCheckInsRequest(parent=f"{api.parent}/monitors/-", requests=requests)
    answer = api.check_ins.BatchCreateCheckIns(batch, metadata=api.key)
    assert (answer.check_ins[0].name.startswith(job), set(answer.failed_requests)) == (True, {1})
    assert len(api.server.check_ins(job.rpartition("/")[2])) == 1


def test_a_configuration_that_cannot_be_used_is_named_in_its_batch(api: Api) -> None:
    job = api.job()
    cron = schedule_pb2.Schedule(cron=schedule_pb2.CronSchedule(expression="61 * * * *"))
    bad = api.report(job)
    bad.monitor.schedules.append(cron)
    batch = check_in_service_pb2.BatchCreateCheckInsRequest(parent=job, requests=[api.report(job), bad])
    found = failure(lambda: api.check_ins.BatchCreateCheckIns(batch, metadata=api.key))
    assert found.bad.field_violations[0].field == "requests[1].monitor.schedules[0].cron.expression"


def test_a_stream_of_batches_is_answered_in_order(api: Api) -> None:
    job = api.job()

    def batches() -> Iterator[check_in_service_pb2.StreamCheckInsRequest]:
        for number in range(20):
            yield check_in_service_pb2.StreamCheckInsRequest(
                sequence=number * 10,
                parent=job if number == 0 else "",  # empty: as in the batch before
                requests=[check_in_service_pb2.CreateCheckInRequest(kind=OK, stand_alone=True)] * 50,
            )

    answers = list(api.check_ins.StreamCheckIns(batches(), metadata=api.key))
    assert [answer.sequence for answer in answers] == [number * 10 for number in range(20)]
    assert {answer.accepted_count for answer in answers} == {50}
    assert len(api.server.check_ins(job.rpartition("/")[2])) == 1000


def test_a_stream_tells_what_it_refused_and_goes_on(api: Api) -> None:
    job = api.job()
    everyone = f"{api.parent}/monitors/-"
    batches = [
        check_in_service_pb2.StreamCheckInsRequest(
            sequence=1, parent=everyone, requests=[api.report(job), api.report(f"{api.parent}/monitors/no-such")]
        ),
        check_in_service_pb2.StreamCheckInsRequest(sequence=2, requests=[api.report(job)]),
    ]
    answers = list(api.check_ins.StreamCheckIns(iter(batches), metadata=api.key))
    assert [(answer.sequence, answer.accepted_count, set(answer.failed_requests)) for answer in answers] == [
        (1, 1, {1}),
        (2, 1, set()),
    ]


def test_batches_and_streams_of_heartbeats(api: Api) -> None:
    job = api.job(kind=monitor_pb2.Monitor.KIND_HEARTBEAT)
    beats = [heartbeat_service_pb2.SendHeartbeatRequest(name=job) for _ in range(1500)]
    beats.append(heartbeat_service_pb2.SendHeartbeatRequest(name=f"{api.parent}/monitors/no-such"))
    batch = heartbeat_service_pb2.BatchSendHeartbeatsRequest(parent=api.parent, requests=beats)
    answer = api.heartbeats.BatchSendHeartbeats(batch, metadata=api.key)
    assert (answer.accepted_count, list(answer.failed_requests)) == (1500, [1500])
    streams = [
        heartbeat_service_pb2.StreamHeartbeatsRequest(sequence=number, requests=beats[:10]) for number in range(5)
    ]
    answers = list(api.heartbeats.StreamHeartbeats(iter(streams), metadata=api.key))
    assert [(each.sequence, each.accepted_count) for each in answers] == [(number, 10) for number in range(5)]
    assert len(api.server.check_ins(job.rpartition("/")[2])) == 1550


def test_too_many_heartbeats_are_refused(api: Api) -> None:
    batch = heartbeat_service_pb2.BatchSendHeartbeatsRequest(parent=api.parent)
    batch.requests.extend([heartbeat_service_pb2.SendHeartbeatRequest(name="x")] * 10_001)
    found = failure(lambda: api.heartbeats.BatchSendHeartbeats(batch, metadata=api.key))
    assert found.bad.field_violations[0].field == "requests"


def test_many_calls_at_once(api: Api) -> None:
    job = api.job()
    with ThreadPoolExecutor(16) as pool:
        runs = list(
            pool.map(
                lambda _: api.check_ins.CreateCheckIn(api.report(job, stand_alone=True), metadata=api.key).uid,
                range(300),
            )
        )
    assert len(set(runs)) == 300


# -- lists


def test_pages_and_tokens(api: Api) -> None:
    job = api.job()
    for _ in range(5):
        api.check_ins.CreateCheckIn(api.report(job, stand_alone=True), metadata=api.key)
    request = check_in_service_pb2.ListCheckInsRequest(parent=job, page_size=2)
    page = api.check_ins.ListCheckIns(request, metadata=api.key)
    assert len(page.check_ins) == 2
    request.page_token = page.next_page_token
    assert api.check_ins.ListCheckIns(request, metadata=api.key).check_ins[0] not in page.check_ins
    request.environment = "staging"  # another question with the token of this one
    found = failure(lambda: api.check_ins.ListCheckIns(request, metadata=api.key))
    assert (found.code, found.reason) == (INVALID, "PAGE_TOKEN_INVALID")
    negative = check_in_service_pb2.ListCheckInsRequest(parent=job, page_size=-1)
    assert failure(lambda: api.check_ins.ListCheckIns(negative, metadata=api.key)).reason == "FIELD_INVALID"


@pytest.mark.parametrize("method", ["ListMonitors", "ListCheckIns", "ListRefusals", "ListIncidents", "ListOutages"])
def test_a_token_from_nowhere_is_refused_by_every_list(api: Api, method: str) -> None:
    stubs = (api.monitors, api.check_ins, api.incidents)
    call = next(getattr(stub, method) for stub in stubs if hasattr(stub, method))
    parent = f"{api.parent}/monitors/-" if method in ("ListCheckIns", "ListRefusals") else api.parent
    modules = (monitor_service_pb2, check_in_service_pb2, incident_service_pb2)
    kind = next(getattr(module, f"{method}Request") for module in modules if hasattr(module, f"{method}Request"))
    request = kind(page_token="from nowhere", **({} if method == "ListOutages" else {"parent": parent}))
    found = failure(lambda: call(request, metadata=api.key))
    assert (found.code, found.reason) == (INVALID, "PAGE_TOKEN_INVALID")


def test_refusals_are_listed_page_by_page(api: Api) -> None:
    missing = f"{api.parent}/monitors/refused-{uuid.uuid4().hex[:8]}"
    names = [uuid.uuid4().hex for _ in range(5)]
    for name in names:
        failure(lambda name=name: api.check_ins.CreateCheckIn(api.report(missing, check_in_id=name), metadata=api.key))  # type: ignore[misc]
    seen, token = [], ""
    while True:
        request = check_in_service_pb2.ListRefusalsRequest(parent=missing, page_size=2, page_token=token)
        page = api.check_ins.ListRefusals(request, metadata=api.key)
        assert len(page.refusals) <= 2
        seen += [refusal.check_in_id for refusal in page.refusals]
        token = page.next_page_token
        if not token:
            break
    assert seen == names[::-1]


# -- watching


async def test_a_watch_shows_what_is_then_what_changes(server: Server) -> None:
    async with grpc.aio.insecure_channel(server.grpc_address) as channel:
        monitors = monitor_service_pb2_grpc.MonitorServiceStub(channel)
        key = (("authorization", f"Bearer {server.admin_key}"),)
        name = f"projects/{server.project_id}/monitors/watched-{uuid.uuid4().hex[:8]}"

        async def put(display_name: str) -> None:
            message = monitor_pb2.Monitor(name=name, display_name=display_name)
            request = monitor_service_pb2.UpdateMonitorRequest(monitor=message, allow_missing=True)
            await monitors.UpdateMonitor(request, metadata=key)

        await put("first")
        request = monitor_service_pb2.WatchMonitorsRequest(parent=f"projects/{server.project_id}")
        watch = monitors.WatchMonitors(request, metadata=key)
        known = {}
        async for seen in watch:
            if seen.WhichOneof("event") is None:
                assert seen.resume_token
                break
            assert not seen.resume_token  # who resumed from here would miss the monitors that follow
            known[seen.monitor.name] = seen.monitor.display_name
        assert known[name] == "first"
        await put("second")
        changed = await _until(watch, lambda seen: seen.monitor.display_name == "second")
        await monitors.DeleteMonitor(monitor_service_pb2.DeleteMonitorRequest(name=name), metadata=key)
        await _until(watch, lambda seen: seen.deleted_monitor == name)
        watch.cancel()
        # from the token of the change, the deletion comes again, and the change does not
        request.resume_token = changed.resume_token
        again = monitors.WatchMonitors(request, metadata=key)
        await _until(again, lambda seen: seen.deleted_monitor == name)
        again.cancel()


def test_a_token_that_no_watch_gave_out(api: Api) -> None:
    request = monitor_service_pb2.WatchMonitorsRequest(parent=api.parent, resume_token="from nowhere")
    found = failure(lambda: next(api.monitors.WatchMonitors(request, metadata=api.key)))
    assert (found.code, found.reason) == (INVALID, "PAGE_TOKEN_INVALID")


def test_a_stop_ends_watches_and_finishes_streams(new_server: Callable[..., Server]) -> None:
    """A watcher has no end of its own: a server that waited for it would wait out its whole grace."""
    server = new_server()
    server.start()
    server.create_monitor("a")
    with grpc.insecure_channel(server.grpc_address) as channel:
        api = Api(channel, server)
        watch = api.monitors.WatchMonitors(
            monitor_service_pb2.WatchMonitorsRequest(parent=api.parent), metadata=api.key
        )
        next(watch)
        next(watch)
        before = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - before < 5  # the grace is ten seconds
        found = failure(lambda: next(watch))
        assert (found.code, found.reason) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")


async def _until(
    watch: AsyncIterator[monitor_service_pb2.WatchMonitorsResponse],
    wanted: Callable[[monitor_service_pb2.WatchMonitorsResponse], bool],
) -> monitor_service_pb2.WatchMonitorsResponse:
    async with asyncio.timeout(30):
        async for seen in watch:
            if wanted(seen):
                return seen
    raise AssertionError("the watch ended")


# -- TLS


class TlsServer(Server):
    """A server that speaks TLS at both ports; `trusted` is the file of the authority that signed its certificate."""

    trusted: Path

    @property
    def http_url(self) -> str:
        return f"https://127.0.0.1:{self.http_port}"

    def wait_ready(self) -> None:
        context = ssl.create_default_context(cafile=str(self.trusted))
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
        before = urllib.request._opener  # type: ignore[attr-defined]
        urllib.request.install_opener(opener)
        try:
            super().wait_ready()
        finally:
            urllib.request.install_opener(before)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_server(tmp_path: Path, authority: trustme.CA) -> Iterator[Callable[..., TlsServer]]:
    made: list[TlsServer] = []

    def make(*, client_ca: trustme.CA | None = None) -> TlsServer:
        pair = authority.issue_cert("127.0.0.1", "localhost")
        certificate, key, trusted = (tmp_path / name for name in ("server.pem", "server.key", "ca.pem"))
        certificate.write_bytes(b"".join(blob.bytes() for blob in pair.cert_chain_pems))
        pair.private_key_pem.write_to_path(key)
        authority.cert_pem.write_to_path(trusted)
        environment = {"TOCSIN_LISTEN__TLS_CERTIFICATE": str(certificate), "TOCSIN_LISTEN__TLS_KEY": str(key)}
        if client_ca is not None:
            client_ca.cert_pem.write_to_path(tmp_path / "clients.pem")
            environment["TOCSIN_LISTEN__TLS_CLIENT_CA"] = str(tmp_path / "clients.pem")
        server = TlsServer(tmp_path, environment=environment)
        server.trusted = trusted
        made.append(server)
        server.start()
        return server

    yield make
    for server in made:
        server.close()


def _refused(client: Client) -> grpc.StatusCode:
    from tocsin.client import Retry

    with client, pytest.raises(ClientError) as caught:
        client.with_retry(Retry(total=0, attempt=5)).preview("@daily")
    return caught.value.code


def test_tls(tls_server: Callable[..., TlsServer], authority: trustme.CA) -> None:
    server = tls_server()
    trusted = Tls(ca=authority.cert_pem.bytes())
    with Client(server.grpc_address, server.admin_key, tls=trusted) as client:
        assert client.put_monitor("safe", schedule="@daily").uid
        assert client.ok("safe").uid
    with Client(f"grpcs://{server.grpc_address}", server.admin_key, tls=Tls(ca=server.trusted)) as client:
        assert client.get_monitor("safe").uid
    stranger = trustme.CA()
    assert _refused(Client(server.grpc_address, server.admin_key, tls=Tls(ca=stranger.cert_pem.bytes()))) is (
        grpc.StatusCode.UNAVAILABLE
    )
    assert _refused(Client(server.grpc_address, server.admin_key)) is grpc.StatusCode.UNAVAILABLE  # without TLS
    context = ssl.create_default_context(cafile=str(server.trusted))
    with urllib.request.urlopen(f"{server.http_url}/healthz", context=context, timeout=30) as response:
        assert json.load(response) == {"status": "alive"}


def test_mutual_tls(tls_server: Callable[..., TlsServer], authority: trustme.CA) -> None:
    clients = trustme.CA()
    server = tls_server(client_ca=clients)
    ca = authority.cert_pem.bytes()

    def pair(signer: trustme.CA) -> Tls:
        issued = signer.issue_cert("job-7")
        return Tls(
            ca=ca,
            certificate=b"".join(blob.bytes() for blob in issued.cert_chain_pems),
            key=issued.private_key_pem.bytes(),
        )

    with Client(server.grpc_address, server.admin_key, tls=pair(clients)) as client:
        assert client.put_monitor("safe", schedule="@daily").uid
    assert _refused(Client(server.grpc_address, server.admin_key, tls=Tls(ca=ca))) is grpc.StatusCode.UNAVAILABLE
    stranger = pair(trustme.CA())
    assert _refused(Client(server.grpc_address, server.admin_key, tls=stranger)) is grpc.StatusCode.UNAVAILABLE
    # a certificate is no key
    with Client(server.grpc_address, "", tls=pair(clients)) as client, pytest.raises(ClientError) as caught:
        client.preview("@daily")
    assert caught.value.reason == "KEY_MISSING"
