"""Requests that cannot be honoured, against the real server: each answer says what is wrong and where."""

import gzip
import http.client
import json
import socket
import time
import urllib.parse
import uuid

import grpc
import pytest

from support.server import Server
from tocsin.v1 import monitor_service_pb2 as monitors

MINUTE = [{"interval": {"count": 1, "unit": "UNIT_MINUTE"}}]


def refused(server: Server, method: str, path: str, body=None, **options) -> tuple[int, dict]:
    """The status and the error of an answer that must be one."""
    status, _, content = server.request(method, path, body, **options)
    assert status >= 400, content
    return status, json.loads(content)["error"]


def detail(error: dict, kind: str) -> dict:
    return next(one for one in error["details"] if one["@type"].endswith(kind))


def reason(error: dict) -> str:
    return detail(error, "ErrorInfo")["reason"].removeprefix("ERROR_REASON_")


def field(error: dict) -> str:
    return detail(error, "BadRequest")["fieldViolations"][0]["field"]


def project(server: Server) -> str:
    return f"/v1/projects/{server.project_id}"


def create(server: Server, **fields) -> tuple[int, dict]:
    return refused(server, "POST", f"{project(server)}/monitors?monitorId=never-made", fields)


# --- who asks, and for what


@pytest.mark.parametrize("path", ["/v1/projects/-/monitors", "/report/x", "/metrics/monitors"])
@pytest.mark.parametrize(("key", "expected"), [("", "KEY_MISSING"), ("f" * 32, "KEY_INVALID")])
def test_without_a_known_key_there_is_no_answer(server, path, key, expected):
    status, error = refused(server, "GET", path, key=key)
    assert (status, reason(error)) == (401, expected)


def test_a_key_may_not_do_what_its_scope_does_not_say(server):
    status, error = refused(server, "GET", f"{project(server)}/monitors", key=server.ingest_key)
    assert (status, reason(error)) == (403, "KEY_SCOPE")
    assert "tocsin keys create" in error["message"]


@pytest.mark.parametrize("name", ["2", "somebody-else", "9" * 5_000, "%00", "%ff"])
def test_another_project_is_denied_whatever_it_is_called(server, name):
    status, error = refused(server, "GET", f"/v1/projects/{name}/monitors")
    assert status in (400, 403), error


def test_an_unknown_monitor_is_named(server):
    for method, path in (("GET", server.monitor_path("nobody")), ("POST", "/report/nobody")):
        status, error = refused(server, method, path)
        assert (status, reason(error)) == (404, "MONITOR_NOT_FOUND")
        assert "nobody" in error["message"]


def test_an_unknown_path_says_where_to_look(server):
    status, error = refused(server, "GET", "/nothing/here")
    assert (status, reason(error)) == (404, "PATH_NOT_FOUND")
    assert "/docs" in error["message"]


# --- what was sent


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"displayName": "x"', None),
        (b'{"displayName": x}', "column 17"),
        (b"\xff\xfe", None),
        (b"[1]", None),
        (b'{"displayName": 7}', "display"),
        (b'{"colour": "red"}', "colour"),
    ],
)
def test_json_that_cannot_be_read_says_where(server, body, place):
    path = f"{project(server)}/monitors?monitorId=never-made"
    status, error = refused(server, "POST", path, body, headers={"Content-Type": "application/json"})
    assert (status, error["status"]) == (400, "INVALID_ARGUMENT")
    assert place is None or place in error["message"], error["message"]


def test_json_nested_without_end_is_refused(server):
    path = f"{project(server)}/monitors?monitorId=never-made"
    status, _ = refused(server, "POST", path, b'{"a":' * 100_000, headers={"Content-Type": "application/json"})
    assert status == 400


def test_protobuf_that_cannot_be_read_is_refused(server):
    path = f"{project(server)}/monitors?monitorId=never-made"
    status, headers, _ = server.request(
        "POST", path, b"\x0a\xff\xff\xff\xff\x0f", headers={"Content-Type": "application/x-protobuf"}
    )
    assert status == 400
    assert headers["content-type"] == "application/x-protobuf" or "json" in headers["content-type"]


@pytest.mark.parametrize("run", ["not-a-uuid", "1234", "g" * 32, "0" * 33, "%F0%9F%98%80" * 8])
def test_a_malformed_uuid_is_named(server, run):
    server.create_monitor(name := f"uuid-{uuid.uuid4().hex[:8]}")
    status, error = refused(server, "POST", f"/report/{name}?run={run}")
    assert (status, field(error)) == (400, "run")


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ("* * * * ", "5"),
        ("61 * * * *", "minute"),
        ("* * * 13 *", "month"),
        ("* * * * MOON", "MOON"),
        ("*/0 * * * *", "minute"),
        ("0 0 30 2 *", "never"),
        ("0 0 31 4,6,9,11 *", "never"),
        ("@fortnightly", "fortnightly"),
        ("", ""),
        ("* " * 5_000, ""),
    ],
)
def test_cron_text_that_cannot_be_is_refused_with_field_and_place(server, expression, place):
    status, error = create(server, schedules=[{"cron": {"expression": expression}}])
    assert status == 400
    assert "schedules[0].cron" in field(error)
    assert place in error["message"]


def test_a_position_in_the_cron_text_is_given(server):
    _, error = create(server, schedules=[{"cron": {"expression": "0 12 * FOO *"}}])
    metadata = detail(error, "ErrorInfo")["metadata"]
    assert metadata.get("position") in ("7", "8"), metadata


def test_an_unknown_zone_is_answered_with_the_one_that_was_meant(server):
    _, error = create(server, schedules=[{"cron": {"expression": "0 0 * * *"}, "timeZone": "Europe/Viena"}])
    assert "Europe/Vienna" in error["message"]
    assert "time_zone" in field(error)


@pytest.mark.parametrize("zone", ["../../etc/passwd", "/etc/passwd", "UTC\x00", "x" * 5_000])
def test_a_zone_is_no_path(server, zone):
    status, _ = create(server, schedules=[{"cron": {"expression": "0 0 * * *"}, "timeZone": zone}])
    assert status == 400


def test_a_body_over_the_cap_is_refused_before_it_is_read(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=10)
    connection.putrequest("POST", f"{project(server)}/monitors?monitorId=never-made")
    connection.putheader("Authorization", f"Bearer {server.admin_key}")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(10**12))
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 413
    assert b"BODY_TOO_LARGE" in response.read()
    connection.close()


def test_a_ping_with_an_endless_body_is_cut_off(server):
    server.create_monitor("chatty")
    status, error = refused(server, "POST", "/report/chatty", b"x" * (11 * 1024 * 1024))
    assert (status, reason(error)) == (413, "BODY_TOO_LARGE")


def test_a_decompression_bomb_does_not_go_off(server):
    bomb = gzip.compress(b"\0" * (200 * 1024 * 1024), compresslevel=9)
    status, _, _ = server.request(
        "POST",
        f"/api/{server.project_id}/envelope/?sentry_key={server.ingest_key}",
        bomb,
        key="",
        headers={"Content-Encoding": "gzip", "Content-Type": "application/x-sentry-envelope"},
    )
    assert status in (400, 413)


@pytest.mark.parametrize("body", [b"", b"not an envelope", b'{"dsn":', b'{}\n{"type":"check_in","length":99999}\n{}\n'])
def test_a_malformed_envelope_is_no_fault_of_ours(server, body):
    status, _, _ = server.request(
        "POST", f"/api/{server.project_id}/envelope/?sentry_key={server.ingest_key}", body, key=""
    )
    assert status in (200, 400)


def test_a_trace_id_of_any_length_does_not_take_the_server_down(server):
    """Metrics allow an exemplar 128 characters; what was durable must be answered all the same."""
    server.create_monitor("traced")
    before = server.metric('tocsin_errors_total{project="default"}')
    body = {"checkIn": {"state": "STATE_ERROR", "traceId": "x" * 180, "duration": "1s"}}
    server.call("POST", f"{server.monitor_path('traced')}/checkIns:report", body)
    assert len(server.check_ins("traced")) == 1
    assert server.metric('tocsin_errors_total{project="default"}') == before + 1


@pytest.mark.parametrize("text", ["\x00", "\u202e", "𐀀" * 100, "'; DROP TABLE check_ins; --", "\r\nX-Evil: 1"])
def test_text_of_any_kind_is_kept_as_it_is(server, text):
    server.create_monitor(name := f"text-{uuid.uuid4().hex[:8]}")
    status, headers, _ = server.request("POST", f"/report/{name}/fail?message={urllib.parse.quote(text)}")
    assert status == 200
    assert "X-Evil" not in headers
    assert server.check_ins(name)[0]["message"] == text


# --- gRPC


def call(server: Server, method: str, request, answer, key: str):
    with grpc.insecure_channel(server.grpc_address) as channel:
        stub = channel.unary_unary(method, request_serializer=lambda raw: raw, response_deserializer=answer.FromString)
        with pytest.raises(grpc.RpcError) as failed:
            stub(request, metadata=[("authorization", f"Bearer {key}")] if key else [], timeout=10)
    return failed.value.code()


def test_grpc_refuses_in_its_own_words(server):
    get, report = "/tocsin.v1.MonitorService/GetMonitor", "/tocsin.v1.CheckInService/CreateCheckIn"
    named = monitors.GetMonitorRequest(name="projects/1/monitors/nobody").SerializeToString()
    answer = monitors.ListMonitorsResponse
    assert call(server, get, named, answer, "") is grpc.StatusCode.UNAUTHENTICATED
    assert call(server, get, named, answer, "f" * 32) is grpc.StatusCode.UNAUTHENTICATED
    assert call(server, get, named, answer, server.ingest_key) is grpc.StatusCode.PERMISSION_DENIED
    assert call(server, get, named, answer, server.admin_key) is grpc.StatusCode.NOT_FOUND
    assert call(server, "/tocsin.v1.Nobody/Nothing", b"", answer, server.admin_key) is grpc.StatusCode.UNIMPLEMENTED
    torn = call(server, report, b"\x0a\xff\xff\xff\xff\x0f", answer, server.admin_key)
    assert torn in (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT)
    large = call(server, report, b"\x0a" * (17 * 1024 * 1024), answer, server.admin_key)
    assert large is grpc.StatusCode.RESOURCE_EXHAUSTED


# --- below HTTP


def raw(server: Server, *parts: bytes, read: bool = True) -> bytes:
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=10) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # cut off while it was still talking
        try:
            return connection.recv(65_536) if read else b""
        except ConnectionResetError:
            return b""


def test_what_is_not_http_is_refused(server):
    assert b" 400 " in raw(server, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64).split(b"\r\n")[0]


def test_a_flood_of_headers_is_cut_off(server):
    header = b"X-Flood: " + b"f" * 8_000 + b"\r\n"
    answer = raw(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\n", *[header] * 2_000)
    assert answer == b"" or b" 431 " in answer.split(b"\r\n")[0]
    assert server.request("GET", "/healthz")[0] == 200


def test_a_header_without_end_is_cut_off(server):
    answer = raw(server, b"GET /healthz HTTP/1.1\r\nX-Endless: ", *[b"e" * 65_536] * 200)
    assert answer == b"" or b" 431 " in answer.split(b"\r\n")[0]


def test_a_large_head_within_bounds_is_served(server):
    headers = {f"X-Part-{number}": "p" * 1_000 for number in range(40)}
    for _ in range(2):
        assert server.request("GET", "/healthz", headers=headers)[0] == 200


def test_a_client_that_trickles_stops_nobody(server):
    """A body byte by byte: others are served at once, and judging is held for half a second at most."""
    server.create_monitor("trickled", tolerance={"maxRuntime": "0s"})
    server.create_monitor(
        "judged", schedules=[{"interval": {"count": 1, "unit": "UNIT_SECOND"}}], tolerance={"margin": "0s"}
    )
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=10) as slow:
        head = f"POST /report/trickled HTTP/1.1\r\nHost: x\r\nX-API-Key: {server.ingest_key}\r\nContent-Length: 400\r\n\r\n"
        slow.sendall(head.encode())
        server.request("POST", "/report/judged")
        sent, missed, slowest = 0, [], 0.0
        begun = time.monotonic()
        while not missed and time.monotonic() < begun + 19:
            if sent < 20 * (time.monotonic() - begun):  # a fast machine must not come to the end of the body
                slow.sendall(b"z")
                sent += 1
            before = time.monotonic()
            missed = [run for run in server.check_ins("judged") if run["state"] == "STATE_MISSED"]
            slowest = max(slowest, time.monotonic() - before)
        assert missed, "judging stood still while a client trickled"
        assert slowest < 1
        slow.sendall(b"z" * (400 - sent))
        assert b" 200 " in slow.recv(65_536).split(b"\r\n")[0]
    [run] = server.check_ins("trickled")
    assert run["message"] == "z" * 400
    server.call("DELETE", server.monitor_path("judged"))


def test_a_client_that_goes_away_in_the_middle_leaves_nothing(server):
    server.create_monitor("vanished")
    head = f"POST /report/vanished HTTP/1.1\r\nHost: x\r\nX-API-Key: {server.ingest_key}\r\nContent-Length: 400\r\n\r\nhalf"
    raw(server, head.encode(), read=False)
    assert server.request("GET", "/healthz")[0] == 200
    assert server.check_ins("vanished") == []
