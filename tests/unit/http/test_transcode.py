"""The REST API as the annotations say it, called in memory."""

import asyncio
import json
from urllib.parse import quote

import httpx
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.status_pb2 import Status
from starlette.applications import Starlette

from tocsin.domain import errors
from tocsin.http import transcode
from tocsin.http.bindings import bindings
from tocsin.http.templates import parse
from tocsin.http.transcode import routes
from tocsin.v1 import check_in_pb2, check_in_service_pb2, incident_service_pb2, monitor_pb2, monitor_service_pb2
from tocsin.wire.services import SERVICES

MONITOR = "/v1/projects/1/monitors/backup"


class Recorder:
    """Every method of every service: remembers its request and answers with what `answers` holds, or nothing much."""

    def __init__(self):
        self.calls = []
        self.answers = {}

    def __getattr__(self, name):
        methods = {method.name: method for service in SERVICES.values() for method in service.methods}
        if name not in methods:
            raise AttributeError(name)
        method = methods[name]

        async def unary(request, call):
            self.calls.append((name, request, call))
            answer = self.answers.get(name)
            if isinstance(answer, Exception):
                raise answer
            return answer if answer is not None else GetMessageClass(method.output_type)()

        async def stream(request, call):
            self.calls.append((name, request, call))
            for answer in self.answers.get(name, []):
                if isinstance(answer, Exception):
                    raise answer
                yield answer

        return stream if method.server_streaming else unary


class Bridge:
    def __init__(self, *, body_limit=10_000):
        self.recorder = Recorder()
        self.refuse = None

        async def context(request, method):
            if self.refuse is not None:
                raise self.refuse
            return request.headers.get("authorization", request.query_params.get("key", ""))

        self.routes = routes(
            {service.full_name: self.recorder for service in SERVICES.values()}, context, body_limit=body_limit
        )
        app = Starlette(routes=list(self.routes))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")

    async def __call__(self, verb, path, **options):
        return await self.client.request(verb, path, **options)

    @property
    def last(self):
        return self.recorder.calls[-1]


@pytest.fixture
async def bridge():
    made = Bridge()
    yield made
    await made.client.aclose()


def error_of(response):
    assert response.headers["content-type"] == "application/json"
    body = response.json()["error"]
    assert body["code"] == response.status_code
    info = next(detail for detail in body["details"] if detail["@type"].endswith("ErrorInfo"))
    assert info["domain"] == "tocsin"
    return body, info


ALL = [(service.full_name, binding) for service in SERVICES.values() for binding in bindings(service)]


@pytest.mark.parametrize(
    ("service", "binding"), ALL, ids=[f"{b.method.name}-{b.verb}-{b.template.shape}" for _, b in ALL]
)
async def test_every_binding_reaches_its_method(service, binding):
    bridge = Bridge()
    path = binding.template.shape.replace("*", "some-part")
    if binding.method.server_streaming:
        bridge.recorder.answers[binding.method.name] = []
    response = await bridge(binding.verb, path, json={} if binding.body else None)
    assert response.status_code == 200, response.text
    name, request, _ = bridge.last
    assert name == binding.method.name
    for variable, _ in binding.template.variables:
        value = request
        for part in variable.split("."):
            value = getattr(value, part)
        assert value
        assert value in path
    await bridge.client.aclose()


def test_every_method_but_client_streams_has_a_binding():
    bound = {binding.method.full_name for _, binding in ALL}
    wanted = {m.full_name for service in SERVICES.values() for m in service.methods if not m.client_streaming}
    assert bound == wanted


def test_no_two_paths_overlap():
    made = Bridge().routes
    for route in made:
        sample = route.path.replace("*", "x")
        assert [other.path for other in made if other._pattern.fullmatch(sample)] == [route.path]


async def test_body_field_query_and_path_meet_in_one_request(bridge):
    response = await bridge(
        "PATCH",
        f"{MONITOR}?updateMask=displayName,tolerance.margin&allow_missing=true&validateOnly=1",
        json={"displayName": "Backup", "tolerance": {"margin": "90s"}, "labels": {"team": "data"}},
    )
    assert response.status_code == 200, response.text
    _, request, _ = bridge.last
    assert request.monitor.name == "projects/1/monitors/backup"
    assert request.monitor.display_name == "Backup"
    assert request.monitor.tolerance.margin == Duration(seconds=90)
    assert dict(request.monitor.labels) == {"team": "data"}
    assert list(request.update_mask.paths) == ["display_name", "tolerance.margin"]
    assert request.allow_missing
    assert request.validate_only


async def test_query_holds_repeated_enums_times_and_nested_fields(bridge):
    await bridge("GET", f"{MONITOR}/checkIns?states=STATE_OK&states=5&startTime=2026-02-01T01:00:00Z&page_size=7")
    _, request, _ = bridge.last
    assert list(request.states) == [check_in_pb2.CheckIn.STATE_OK, check_in_pb2.CheckIn.STATE_TIMED_OUT]
    assert request.start_time == Timestamp(seconds=1769907600)
    assert request.page_size == 7
    await bridge(
        "POST", f"{MONITOR}/checkIns?check_in.exitCode=0&monitor.tolerance.margin=1.5s", json={"state": "STATE_OK"}
    )
    _, request, _ = bridge.last
    assert request.check_in.HasField("exit_code")
    assert request.check_in.state == check_in_pb2.CheckIn.STATE_OK
    assert request.monitor.tolerance.margin == Duration(seconds=1, nanos=500_000_000)


async def test_custom_verbs_are_not_ids(bridge):
    await bridge("POST", f"{MONITOR}:pause", json={"pauseDuration": "3600s"})
    name, request, _ = bridge.last
    assert (name, request.name, request.pause_duration.seconds) == ("PauseMonitor", "projects/1/monitors/backup", 3600)
    await bridge("GET", "/v1/projects/1/monitors:watch")
    assert bridge.last[0] == "WatchMonitors"
    assert (await bridge("GET", f"{MONITOR}:nonsense")).status_code == 404


async def test_percent_encoding_is_read_part_by_part(bridge):
    await bridge("GET", "/v1/projects/1/monitors/b%61ckup%3Anight")
    assert bridge.last[1].name == "projects/1/monitors/backup:night"
    await bridge("GET", "/v1/projects/1/monitors/a%2Fb")
    assert bridge.last[1].name == "projects/1/monitors/a%2Fb"
    await bridge("GET", f"/v1/projects/1/monitors/{quote('ü')}")
    assert bridge.last[1].name == "projects/1/monitors/ü"
    _, info = error_of(await bridge("GET", "/v1/projects/1/monitors/%FF"))
    assert info["reason"] == "NAME_INVALID"


async def test_answers_are_camel_case_json(bridge):
    bridge.recorder.answers["GetMonitor"] = monitor_pb2.Monitor(
        name="projects/1/monitors/backup", display_name="Backup", number=7
    )
    response = await bridge("GET", MONITOR)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert body["displayName"] == "Backup"
    assert body["number"] == "7"
    assert body["disabled"] is False
    assert body["schedules"] == []
    assert "pauseExpireTime" not in body
    bridge.recorder.answers["DeleteMonitor"] = Empty()
    assert (await bridge("DELETE", MONITOR)).json() == {}


async def test_protobuf_in_and_out(bridge):
    bridge.recorder.answers["CreateCheckIn"] = check_in_pb2.CheckIn(uid="a" * 32)
    sent = check_in_pb2.CheckIn(state=check_in_pb2.CheckIn.STATE_ERROR, exit_code=3)
    kind = {"content-type": "application/x-protobuf", "accept": "application/x-protobuf"}
    response = await bridge("POST", f"{MONITOR}/checkIns", content=sent.SerializeToString(), headers=kind)
    assert bridge.last[1].check_in == sent
    assert response.headers["content-type"] == "application/x-protobuf"
    assert check_in_pb2.CheckIn.FromString(response.content).uid == "a" * 32
    batch = check_in_service_pb2.BatchCreateCheckInsRequest(
        requests=[check_in_service_pb2.CreateCheckInRequest(check_in=sent)]
    )
    await bridge("POST", f"{MONITOR}/checkIns:batchCreate", content=batch.SerializeToString(), headers=kind)
    assert bridge.last[1].requests[0].check_in == sent
    assert bridge.last[1].parent == "projects/1/monitors/backup"
    response = await bridge("POST", f"{MONITOR}/checkIns", content=b"\xff\xff", headers=kind)
    assert response.status_code == 400
    status = Status.FromString(response.content)
    assert status.code == 3
    assert b"BODY_MALFORMED" in status.details[0].value


BAD_BODIES = [
    (b'{"state": }', "BODY_MALFORMED", "line 1, column 11"),
    (b'{"state": "STATE_OK"', "BODY_MALFORMED", "line 1"),
    (b"[]", "BODY_MALFORMED", "must be a JSON object, not a list"),
    (b"null", "BODY_MALFORMED", "not null"),
    (b"\xff{}", "BODY_MALFORMED", "is not UTF-8 at byte 1"),
    (b'{"state": "STATE_OK", "state": "STATE_ERROR"}', "BODY_MALFORMED", "'state' is twice in one object"),
    (b'{"metrics": {"a": NaN}}', "BODY_MALFORMED", "NaN is not a number"),
    (b'{"metrics": {"a": -Infinity}}', "BODY_MALFORMED", "-Infinity"),
    (b'{"number": ' + b"9" * 5000 + b"}", "BODY_MALFORMED", "is not acceptable JSON"),
    (b"[" * 9000, "BODY_MALFORMED", "nested too deeply"),
    (b'{"stat": "STATE_OK"}', "FIELD_INVALID", "check_in.stat: is no field of CheckIn; did you mean 'state'?"),
    (b'{"state": "OKAY"}', "FIELD_INVALID", "check_in.state: must be one of STATE_IN_PROGRESS"),
    (b'{"exitCode": 1.5}', "FIELD_INVALID", "check_in.exit_code: must be a whole number in range, not 1.5"),
    (b'{"exitCode": 99999999999}', "FIELD_INVALID", "check_in.exit_code"),
    (b'{"duration": "90 minutes"}', "FIELD_INVALID", "check_in.duration: must be a duration in seconds such as 90s"),
    (b'{"startTime": "yesterday"}', "FIELD_INVALID", "check_in.start_time: must be a time such as"),
    (b'{"message": 5}', "FIELD_INVALID", "check_in.message: must be text, not 5"),
    (b'{"message": "\\ud800"}', "FIELD_INVALID", "check_in.message"),
    (b'{"metrics": []}', "FIELD_INVALID", "check_in.metrics: must be an object, not a list"),
    (b'{"metrics": {"a": "x"}}', "FIELD_INVALID", "check_in.metrics['a']: must be a number, not 'x'"),
    (b'{"late": "yes"}', "FIELD_INVALID", "check_in.late: must be true or false, not 'yes'"),
]


@pytest.mark.parametrize(("body", "reason", "says"), BAD_BODIES, ids=range(len(BAD_BODIES)))
async def test_bad_bodies_are_refused_with_the_place(bridge, body, reason, says):
    response = await bridge("POST", f"{MONITOR}/checkIns", content=body)
    error, info = error_of(response)
    assert response.status_code == 400
    assert error["status"] == "INVALID_ARGUMENT"
    assert info["reason"] == reason
    assert says in error["message"]
    assert bridge.recorder.calls == []


async def test_a_bad_field_deep_in_a_list_is_named(bridge):
    body = {"requests": [{"checkIn": {"state": "STATE_OK"}}, {"checkIn": {"duration": 5}}]}
    error, info = error_of(await bridge("POST", f"{MONITOR}/checkIns:batchCreate", json=body))
    assert info["metadata"]["field"] == "requests[1].check_in.duration"
    violation = next(detail for detail in error["details"] if detail["@type"].endswith("BadRequest"))
    assert violation["fieldViolations"][0]["field"] == "requests[1].check_in.duration"
    body = {"requests": {}}
    error, _ = error_of(await bridge("POST", f"{MONITOR}/checkIns:batchCreate", json=body))
    assert "requests: must be a list, not an object" in error["message"]


BAD_QUERIES = [
    ("pagesize=5", "pagesize: is no field of ListCheckInsRequest; did you mean 'pageSize'?"),
    ("pageSize=many", "page_size: must be a whole number in range, not 'many'"),
    ("pageSize=1&pageSize=2", "page_size: is given more than once"),
    ("states=FINE", "states: must be one of STATE_IN_PROGRESS"),
    ("states=77", "states: must be one of"),
    ("startTime=noon", "start_time: must be a time such as"),
    ("startTime.seconds=5", "is no field of"),
]


@pytest.mark.parametrize(("query", "says"), BAD_QUERIES)
async def test_bad_queries_are_refused_with_the_field(bridge, query, says):
    error, _ = error_of(await bridge("GET", f"{MONITOR}/checkIns?{query}"))
    assert says in error["message"]


async def test_objects_do_not_fit_into_a_query(bridge):
    error, _ = error_of(await bridge("POST", f"{MONITOR}/checkIns?monitor=x", json={}))
    assert "is an object, which a query cannot hold" in error["message"]
    error, _ = error_of(await bridge("POST", f"{MONITOR}/checkIns?monitor.labels=x", json={}))
    assert "is an object, which a query cannot hold" in error["message"]
    error, _ = error_of(await bridge("GET", "/v1/outages?showShort=perhaps"))
    assert "show_short: must be true or false" in error["message"]


async def test_the_path_has_the_last_word(bridge):
    assert (await bridge("PATCH", MONITOR, json={"name": "projects/1/monitors/backup"})).status_code == 200
    error, info = error_of(await bridge("PATCH", MONITOR, json={"name": "projects/1/monitors/other"}))
    assert info["metadata"]["field"] == "monitor.name"
    assert "not what the path says" in error["message"]


async def test_large_bodies_are_refused_declared_or_not(bridge):
    response = await bridge("POST", f"{MONITOR}/checkIns", content=b"x" * 10_001)
    _, info = error_of(response)
    assert response.status_code == 413
    assert info == {**info, "reason": "BODY_TOO_LARGE", "metadata": {"limit_bytes": "10000"}}

    async def chunks():
        for _ in range(11):
            yield b" " * 1000

    assert (await bridge("POST", f"{MONITOR}/checkIns", content=chunks())).status_code == 413
    assert bridge.recorder.calls == []


async def test_compressed_bodies_are_refused_clearly(bridge):
    response = await bridge("POST", f"{MONITOR}/checkIns", content=b"xx", headers={"content-encoding": "gzip"})
    assert "content-encoding 'gzip' is not taken here" in error_of(response)[0]["message"]


async def test_who_asks_is_settled_before_the_body_is_read(bridge):
    bridge.refuse = errors.Unauthenticated("no key", reason="KEY_MISSING")
    response = await bridge("POST", f"{MONITOR}/checkIns", content=b"not json")
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert error_of(response)[1]["reason"] == "KEY_MISSING"


async def test_the_key_in_a_query_is_no_field(bridge):
    assert (await bridge("GET", f"{MONITOR}?key=abc")).status_code == 200
    assert bridge.last[2] == "abc"


async def test_errors_of_a_method_become_problems(bridge):
    bridge.recorder.answers["GetMonitor"] = errors.NotFound(
        "no such monitor", reason="MONITOR_NOT_FOUND", metadata={"monitor": "backup"}
    )
    response = await bridge("GET", MONITOR)
    error, info = error_of(response)
    assert (response.status_code, error["status"], info["metadata"]) == (404, "NOT_FOUND", {"monitor": "backup"})
    bridge.recorder.answers["GetMonitor"] = errors.Unavailable("later", reason="QUEUE_FULL", retry_after_ms=1200)
    response = await bridge("GET", MONITOR)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "2"
    retry = next(detail for detail in error_of(response)[0]["details"] if detail["@type"].endswith("RetryInfo"))
    assert retry["retryDelay"] == "1.200s"


async def test_other_verbs_are_told_which_would_do(bridge):
    response = await bridge("PUT", MONITOR)
    assert response.status_code == 405
    assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"
    assert error_of(response)[1]["reason"] == "METHOD_UNSUPPORTED"
    response = await bridge("OPTIONS", MONITOR)
    assert (response.status_code, response.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PATCH")
    assert (await bridge("HEAD", MONITOR)).status_code == 200
    assert bridge.last[0] == "GetMonitor"
    assert (await bridge("HEAD", "/v1/projects/1/monitors:watch")).status_code == 200
    assert bridge.last[0] == "GetMonitor"
    assert (await bridge("GET", "/v1/unknown")).status_code == 404


async def test_server_streams_are_lines_of_json(bridge):
    watch = monitor_service_pb2.WatchMonitorsResponse
    messages = [watch(resume_token="1"), watch(deleted_monitor="projects/1/monitors/a", resume_token="2")]
    bridge.recorder.answers["WatchMonitors"] = messages
    response = await bridge("GET", "/v1/projects/1/monitors:watch?resumeToken=0")
    assert response.headers["content-type"].startswith("application/x-ndjson")
    assert [json.loads(line)["resumeToken"] for line in response.text.splitlines()] == ["1", "2"]
    assert bridge.last[1].resume_token == "0"
    response = await bridge("GET", "/v1/projects/1/monitors:watch", headers={"accept": "application/x-protobuf"})
    assert response.content == b"".join(bytes([m.ByteSize()]) + m.SerializeToString() for m in messages)


async def test_a_stream_refused_at_once_has_a_status_and_one_broken_later_a_last_line(bridge):
    refusal = errors.InvalidArgument("too old", reason="PAGE_TOKEN_INVALID")
    bridge.recorder.answers["WatchMonitors"] = [refusal]
    response = await bridge("GET", "/v1/projects/1/monitors:watch")
    assert response.status_code == 400
    bridge.recorder.answers["WatchMonitors"] = [monitor_service_pb2.WatchMonitorsResponse(resume_token="1"), refusal]
    response = await bridge("GET", "/v1/projects/1/monitors:watch")
    assert response.status_code == 200
    last = json.loads(response.text.splitlines()[-1])["error"]
    assert (last["code"], last["details"][0]["reason"]) == (400, "PAGE_TOKEN_INVALID")


async def test_a_quiet_stream_is_answered_before_its_first_message(bridge, monkeypatch):
    monkeypatch.setattr(transcode, "FIRST_MESSAGE_SECONDS", 0.01)
    spoken = asyncio.Event()

    class Quiet(Recorder):
        async def WatchMonitors(self, request, call):
            await spoken.wait()
            yield monitor_service_pb2.WatchMonitorsResponse(resume_token="late")

    async def context(request, method):
        return None

    route = next(r for r in routes({"tocsin.v1.MonitorService": Quiet()}, context) if r.path.endswith(":watch"))
    sent = asyncio.Queue()
    scope = {
        "type": "http",
        "method": "GET",
        "path": route.path,
        "headers": [],
        "query_string": b"",
        "asgi": {"spec_version": "2.4"},
    }
    running = asyncio.create_task(route.handle(scope, asyncio.Event().wait, sent.put))
    assert (await sent.get())["status"] == 200
    spoken.set()
    assert b"late" in (await sent.get())["body"]
    assert await sent.get() == {"type": "http.response.body", "body": b"", "more_body": False}
    await running


async def test_a_path_without_variables(bridge):
    bridge.recorder.answers["ListOutages"] = incident_service_pb2.ListOutagesResponse(next_page_token="t")
    assert (await bridge("GET", "/v1/outages?pageSize=3")).json() == {"outages": [], "nextPageToken": "t"}


def test_a_handler_that_lacks_a_method_is_found_at_start():
    with pytest.raises(TypeError, match="object has no CreateMonitor"):
        routes({"tocsin.v1.MonitorService": object()}, context=None)


def test_templates():
    template = parse("/v1/{name=shelves/*/books/**}:read")
    assert template.shape == "/v1/shelves/*/books/**:read"
    assert template.match("/v1/shelves/1/books/a/b%2Fc:read") == {"name": "shelves/1/books/a/b%2Fc"}
    assert template.match("/v1/shelves/1/books/a/b") is None
    assert parse("/v1/{name}").match("/v1/a%2Fb") == {"name": "a/b"}
    literal, wild = parse("/v1/a/b"), parse("/v1/a/*")
    assert literal.rank < wild.rank
    for wrong in ("v1/x", "/v1/{name", "/v1/{Name}"):
        with pytest.raises(ValueError, match="not a path template"):
            parse(wrong)
