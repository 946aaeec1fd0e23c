"""The ping URL of a real server, and the events that it makes: what cron jobs, shells and browsers send."""

import http.client
import json
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.checkly import Checkly
from support.server import START_S, Server

STRANGER = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def checkly(server: Server) -> Checkly:
    return Checkly(server)


class Job:
    """One check, and a job that knows nothing but its ping URL."""

    def __init__(self, checkly: Checkly, **fields: Any) -> None:
        self.checkly = checkly
        self.check = checkly.create(**fields)
        self.id = self.check["id"]

    @property
    def token(self) -> str:
        return str(self.check["heartbeat"]["pingToken"])

    @property
    def path(self) -> str:
        return urlsplit(self.check["heartbeat"]["pingUrl"]).path

    def ping(self, method: str = "GET", path: str = "", body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        status, _, content = self.checkly.server.request(method, path or self.path, body, key="", headers=sent)
        return status, content

    def events(self, query: str = "") -> list[dict[str, Any]]:
        ((found),) = self.checkly.get(f"/v1/checks/heartbeats/{self.id}/events{query}")
        events: list[dict[str, Any]] = found["events"]
        return events

    def put(self, **fields: Any) -> None:
        self.check = self.checkly.ask("PUT", f"/v1/checks/heartbeat/{self.id}", fields)


@pytest.fixture
def job(checkly: Checkly) -> Job:
    return Job(checkly)


@pytest.mark.parametrize("form", ["{}", "/{}", "/ping/{}", "/heartbeats/ping/{}", "/ping/{}/", "/ping/{}?x=1"])
def test_every_form_of_the_url(job: Job, form: str) -> None:
    path = job.path if form == "{}" else form.format(job.token)
    for method in ("GET", "POST", "HEAD"):
        assert job.ping(method, path) == (200, b"" if method == "HEAD" else b"OK")
    assert job.ping("GET", path.replace(job.token, job.token.upper())) == (200, b"OK")
    assert [event["state"] for event in job.events()] == ["EARLY", "EARLY", "EARLY", "RECEIVED"]


def test_what_is_told_of_a_ping(job: Job) -> None:
    job.ping(User_Agent="curl/8.5.0", Referer="https://ci.example/job/7")
    job.ping(User_Agent="browser", Referer="https://a.example", Origin="https://b.example")
    newest, first = job.events()
    assert (first["source"], first["userAgent"]) == ("https://ci.example/job/7", "curl/8.5.0")
    assert (newest["source"], newest["userAgent"]) == ("https://b.example", "browser")
    one = job.checkly.get(f"/v1/checks/heartbeats/{job.id}/events/{first['id']}")
    assert one["event"] == first
    assert one["stats"]["last24Hours"] == {
        "successRatio": {"previousPeriod": 0, "currentPeriod": 100},
        "totalEntitiesCurrentPeriod": 2,
    }


def test_what_does_not_count(job: Job) -> None:
    assert job.ping("PUT", body=b"{}")[0] == 405
    assert job.ping("DELETE")[0] == 405
    status, content = job.ping(User_Agent="Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)")
    assert (status, json.loads(content)["error"]) == (403, "Forbidden")
    for path in (f"/ping/{STRANGER}", f"/{STRANGER}", f"/heartbeats/ping/{STRANGER}"):
        status, content = job.ping(path=path)
        assert (status, json.loads(content)["statusCode"]) == (404, 404)
    assert job.events() == []


@pytest.mark.parametrize("body", [b"", b"{broken", b"\xff" * 200_000, b"x" * 3_000_000])
def test_a_body_says_nothing(job: Job, body: bytes) -> None:
    assert job.ping("POST", body=body, Content_Type="application/json", Content_Encoding="gzip") == (200, b"OK")
    assert len(job.events()) == 1


def test_a_check_that_is_switched_off(job: Job) -> None:
    job.put(activated=False)
    assert job.ping() == (200, b"OK")
    assert job.events() == []
    job.put(activated=True)
    assert job.ping() == (200, b"OK")
    assert [event["state"] for event in job.events()] == ["EARLY"]  # the timer runs since it was switched on


def test_a_muted_check_records_as_usual(checkly: Checkly) -> None:
    job = Job(checkly, muted=True)
    job.ping()
    assert len(job.events()) == 1


def test_another_token_ends_the_old_one_at_once(job: Job) -> None:
    before = job.path
    assert job.ping()[0] == 200
    new = "99999999-9999-4999-8999-" + job.token[-12:]
    job.put(heartbeat={**job.check["heartbeat"], "pingToken": new})
    assert job.token == new
    assert job.ping(path=before)[0] == 404
    assert job.ping()[0] == 200
    assert [event["state"] for event in job.events()] == ["EARLY", "RECEIVED"]  # the timer is kept


def test_a_deleted_check_has_no_url(job: Job) -> None:
    assert job.ping()[0] == 200
    job.checkly.ask("DELETE", f"/v1/checks/{job.id}", status=204)
    assert job.ping()[0] == 404
    assert job.checkly.refused("GET", f"/v1/checks/heartbeats/{job.id}/events").status == 404


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_clients_that_know_little(job: Job, version: str) -> None:
    """No user agent, no keep-alive, an old version of HTTP."""
    with socket.create_connection(("127.0.0.1", job.checkly.server.http_port)) as client:
        host = "Host: x\r\n" if version == "1.1" else ""
        client.sendall(f"GET {job.path} HTTP/{version}\r\n{host}Connection: close\r\n\r\n".encode())
        answer = b""
        while piece := client.recv(65_536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\nOK")
    assert job.events()[0]["userAgent"] is None


def test_many_pings_on_one_connection(job: Job) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", job.checkly.server.http_port)
    for _ in range(20):
        connection.request("POST", job.path, body=b"done")
        assert connection.getresponse().read() == b"OK"
    connection.close()
    (found,) = job.checkly.get(f"/v1/checks/heartbeats/{job.id}/events?limit=1")
    assert found["stats"]["last7Days"]["totalEntitiesCurrentPeriod"] == 20


def until(read: Callable[[], Any]) -> Any:
    """What it answers, once that is something."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if found := read():
            return found
    raise AssertionError("nothing came")


def test_a_ping_that_does_not_come(checkly: Checkly) -> None:
    """A native monitor, because the vendor's shortest period is half a minute."""
    server = checkly.server
    monitor = {"schedules": [{"rolling": {"period": "1s"}}], "tolerance": {"margin": "0s"}, "kind": "KIND_HEARTBEAT"}
    path = f"/v1/projects/{server.project_id}/monitors"
    made = server.call("POST", f"{path}?monitorId=silent", {**monitor, "displayName": "Silent"})
    server.call("POST", f"{path}/silent:heartbeat", {})
    uid = made["uid"]

    def failing() -> list[dict[str, Any]]:
        (found,) = checkly.get(f"/v1/checks/heartbeats/{uid}/events")
        return [event for event in found["events"] if event["state"] == "FAILING"]

    event = until(failing)[-1]
    assert event["source"] is event["userAgent"] is None
    assert event["timestamp"].endswith(".000Z")  # a deadline is a whole second
    scraped = checkly.call("GET", f"/accounts/{checkly.account}/v2/prometheus/metrics", accept_encoding="identity").text
    lines = [
        line for line in scraped.splitlines() if line.startswith("checkly_check_status{") and 'name="Silent"' in line
    ]
    assert [line.rpartition(",")[2] for line in lines] == [
        'status="passing"} 0',
        'status="failing"} 1',
        'status="degraded"} 0',
    ]
    result = checkly.get(f"/v2/check-results/{uid}?hasFailures=true&limit=1")
    assert result["entries"][0]["hasFailures"] is True
    assert checkly.get(f"/v1/analytics/heartbeat-checks/{uid}")["series"][0]["data"][0]["availability"] < 100
