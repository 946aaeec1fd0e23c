"""Every telemetry request that Cronitor's clients were seen to send, or whose source says that they do, replayed."""

import http.client
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.server import Server

FIXTURES = Path(__file__).parent / "fixtures" / "cronitor"
DUMMY = "test-api-key-000000"
VOLATILE = {"<unix-seconds-float>": "{now:.6f}", "<float-seconds>": "1.25", "<8-hex>": "0a1b2c3d"}


def requests(document: Any) -> Iterator[dict[str, Any]]:
    """All that has a target, in order."""
    if isinstance(document, dict):
        if "target" in document:
            yield document
        else:
            for part in document.values():
                yield from requests(part)
    elif isinstance(document, list):
        for part in document:
            yield from requests(part)


def telemetry() -> Iterator[Any]:
    for name in "python_sdk", "node_sdk", "derived_requests":
        for number, request in enumerate(requests(json.loads((FIXTURES / f"{name}.json").read_text()))):
            if re.match(r"/p(ing)?/|/ping$", request["target"]):
                yield pytest.param(request, id=f"{name}-{number}")


@pytest.fixture
def suffix() -> str:
    """Monitors of one test are nobody else's."""
    return uuid.uuid4().hex[:8]


def send(server: Server, method: str, target: str, body: str | None = None, **headers: str) -> tuple[int, bytes]:
    """Without a library that would write the target in its own way."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=30)
    try:
        connection.request(method, target, None if body is None else body.encode(), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def ping(server: Server, place: str, key: str = "") -> None:
    assert send(server, "GET", f"/p/{key or server.ingest_key}/{place}") == (200, b"ok")


@pytest.mark.parametrize("request_", list(telemetry()))
def test_what_clients_send_is_ok(server: Server, suffix: str, request_: dict[str, Any]) -> None:
    target = request_["target"].replace(DUMMY, server.ingest_key)
    for token, value in VOLATILE.items():
        target = target.replace(token, value.format(now=1_700_000_000.5))
    path, _, query = target.partition("?")
    parts = path.split("/")
    if len(parts) > 2:
        parts[3] += suffix
    before = dropped(server)
    status, body = send(
        server,
        request_["method"],
        "/".join(parts) + (f"?{query}" if query else ""),
        request_["body"],
        **request_["headers"],
    )
    assert status == 200
    assert b"ok" in body or request_["method"] == "HEAD"
    assert dropped(server) == before
    if len(parts) > 2:
        assert len(server.check_ins(parts[3])) == 1


def dropped(server: Server) -> float:
    _, _, text = server.request("GET", "/metrics")
    lines = [line for line in text.decode().splitlines() if line.startswith("tocsin_checkins_rejected_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines if 'dialect="cronitor"' in line)


def test_a_job_as_the_python_client_tells_it(server: Server, suffix: str) -> None:
    job = f"nightly{suffix}"
    ping(server, f"{job}?state=run&message=starting&series=s-1")
    [run] = server.check_ins(job)
    assert (run["state"], run["series"]) == ("STATE_IN_PROGRESS", "s-1")
    metrics = "metric=duration%3A12.5&metric=count%3A100&metric=error_count%3A3"
    ping(server, f"{job}?state=complete&message=done+%26+dusted&series=s-1&{metrics}")
    [run] = server.check_ins(job)
    assert (run["state"], run["message"], run["duration"]) == ("STATE_OK", "done & dusted", "12.500s")
    assert run["metrics"] == {"count": 100, "error_count": 3}
    ping(server, f"{job}?state=fail&message=boom&host=web-1&env=staging")
    [failed] = [run for run in server.check_ins(job) if run["environment"] == "staging"]
    assert (failed["state"], failed["host"], failed["dialect"]) == ("STATE_ERROR", "web-1", "cronitor")
    monitor = server.get(server.monitor_path(job))
    assert (monitor["kind"], monitor["origin"], monitor.get("schedules", [])) == ("KIND_JOB", "cronitor", [])


def test_a_heartbeat_is_made_and_beats(server: Server, suffix: str) -> None:
    beat = f"hb{suffix}"
    for query in "", "?metric=count:1", "?state=tick", "?state=complete", "?state=run":
        ping(server, f"{beat}{query}")
    assert server.get(server.monitor_path(beat))["kind"] == "KIND_HEARTBEAT"
    assert {run["state"] for run in server.check_ins(beat)} == {"STATE_OK"}
    ping(server, f"{beat}/fail")
    assert server.check_ins(beat)[0]["state"] == "STATE_ERROR"


def test_markers_change_nothing(server: Server, suffix: str) -> None:
    job = f"job{suffix}"
    for query in "run&series=a", "logs&series=a", "deployed&series=a":
        ping(server, f"{job}?state={query}")
    assert [run["state"] for run in server.check_ins(job)] == ["STATE_NOTE", "STATE_NOTE", "STATE_IN_PROGRESS"]


@pytest.mark.parametrize("key", ["Two Words", "a+b", "100%", "日本 語", "a?b&c=d#e", "ALL-CAPS"])
def test_any_printable_key(server: Server, suffix: str, key: str) -> None:
    """Every spelling of one key is one monitor, and another key another."""
    from urllib.parse import quote

    before = {monitor["name"] for monitor in everything(server)}
    for _ in range(2):
        ping(server, f"{quote(key + suffix, safe='+')}/run?series={uuid.uuid4()}")
        ping(server, f"{''.join(f'%{byte:02x}' for byte in (key + suffix).encode())}/run?series={uuid.uuid4()}")
    (made,) = {monitor["name"] for monitor in everything(server)} - before
    assert len(server.check_ins(made.rpartition("/")[2])) == 4


def everything(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        page = server.get(f"/v1/projects/{server.project_id}/monitors?pageSize=1000&pageToken={token}")
        found += page.get("monitors", [])
        token = page.get("nextPageToken", "")
        if not token:
            return found


def test_what_is_dropped_is_counted_and_can_be_read(server: Server, suffix: str) -> None:
    before = dropped(server)
    ping(server, "job", "0" * 32)
    ping(server, f"job{suffix}?env=a%2Fb&msg=hello")
    assert dropped(server) == before + 2
    [refused] = server.get(f"{server.monitor_path(f'job{suffix}')}/refusals")["refusals"]
    assert refused["reason"] == "REASON_MONITOR_INVALID_ENVIRONMENT"
    assert refused["payload"] == f"job{suffix}?env=a%2Fb&msg=hello"


def test_who_asks_to_be_told_is_told(new_server: Any) -> None:
    server = new_server(environment={"TOCSIN_DIALECTS__CRONITOR_STRICT": "1", "TOCSIN_DIALECTS__CRONITOR_CREATE": "0"})
    server.start()
    assert send(server, "GET", f"/p/{'0' * 32}/job")[0] == 403
    assert send(server, "GET", f"/p/{server.ingest_key}/job")[0] == 404
    assert send(server, "GET", f"/p/{server.ingest_key}/job?env=a%2Fb")[0] == 400
    server.create_monitor("job")
    ping(server, "job")


def test_an_answer_means_that_it_is_stored(new_server: Any) -> None:
    server = new_server()
    server.start()
    for number in range(20):
        ping(server, f"job?state=complete&series={number}")
    server.kill()
    server.start()
    assert sorted(int(run["series"]) for run in server.check_ins("job")) == list(range(20))
