"""Cronitor's old URLs by code, on a server that serves them; and what a code is worth where it does not."""

import csv
import http.client
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.server import Server

HOUR = 3600


@pytest.fixture(scope="module")
def legacy(tmp_path_factory: pytest.TempPathFactory, database: Any) -> Iterator[Server]:
    made = Server(
        tmp_path_factory.mktemp("legacy"), environment={**database(), "TOCSIN_DIALECTS__CRONITOR_ANONYMOUS": "1"}
    )
    made.start()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def job(legacy: Server, request: pytest.FixtureRequest) -> str:
    """A monitor of the test's own."""
    name = f"job-{abs(hash(request.node.nodeid)):x}"
    assert send(legacy, f"/p/{legacy.ingest_key}/{name}/complete?host=web-1&msg=%3D1%2B1&env=staging") == (200, b"ok")
    return name


@pytest.fixture
def code(legacy: Server, job: str) -> str:
    rows = legacy.call("GET", f"/api/monitors/{job}/pings")
    found: str = rows[0]["monitor_code"]
    return found


def send(server: Server, target: str, method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=30)
    try:
        connection.request(method, target)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize(
    "form", ["/run", "?state=run", "/run/", "/?state=run", "/run?auth_key={key}", "/run?state=fail"]
)
def test_an_event_by_code(legacy: Server, job: str, code: str, form: str, method: str) -> None:
    status, body = send(legacy, f"/{code}{form.format(key=legacy.ingest_key)}", method)
    assert (status, body) == (200, b"" if method == "HEAD" else b"ok")
    assert [run["state"] for run in legacy.check_ins(job)] == ["STATE_IN_PROGRESS", "STATE_OK"]


def test_a_key_that_is_sent_along_must_agree(legacy: Server, job: str, code: str) -> None:
    assert send(legacy, f"/{code}/run?auth_key={'0' * 32}") == (200, b"ok")
    assert len(legacy.check_ins(job)) == 1


def test_pause_by_code(legacy: Server, job: str, code: str) -> None:
    def mute() -> tuple[bool, bool]:
        monitor = legacy.get(legacy.monitor_path(job))
        return monitor.get("muted", False), "muteExpireTime" in monitor

    assert send(legacy, f"/{code}/pause/5?auth_key={legacy.ingest_key}") == (200, b"ok")
    assert mute() == (True, True)
    assert send(legacy, f"/{code}/pause/0")[0] == 200
    assert mute() == (False, False)
    assert send(legacy, f"/{code}/pause/00000000000001")[0] == 200
    assert mute() == (True, True)
    for forever in "/pause", "/pause/999999999999":
        assert send(legacy, f"/{code}{forever}")[0] == 200
        assert mute() == (True, False)
    assert len(legacy.check_ins(job)) == 1


def test_history_by_code(legacy: Server, job: str, code: str) -> None:
    for number in range(30):
        send(legacy, f"/{code}/complete?series={number}&host=web-1")
    status, body = send(legacy, f"/{code}.json")
    rows = json.loads(body)
    assert (status, len(rows)) == (200, 20)
    assert {row["event"] for row in rows} == {"complete"}
    assert len(json.loads(send(legacy, f"/{code}.json?limit=1500&pings=true")[1])) == 31
    assert json.loads(send(legacy, f"/{code}.json?alerts=true")[1]) == []
    assert json.loads(send(legacy, f"/{code}.json?pings=false&alerts=false")[1]) == []
    assert json.loads(send(legacy, f"/{code}.json?limit=0")[1]) == []
    for wrong in "1501", "-1", "x", "99999999999999":
        assert send(legacy, f"/{code}.json?limit={wrong}")[0] == 400
    status, body = send(legacy, f"/{code}.csv?limit=100&pings=1")
    table = list(csv.DictReader(io.StringIO(body.decode())))
    assert (status, len(table), table[0]["event"], table[0]["from"]) == (200, 31, "complete", "web-1")
    assert table[-1]["message"] == "'=1+1", "no spreadsheet runs what a client sent"


@pytest.mark.parametrize("path", ["/zzzzzz", "/zzzzzz/run", "/zzzzzz.json", "/zzzzzz/pause/1", "/a1B2c3/run"])
def test_a_code_that_nobody_was_given_leads_nowhere(legacy: Server, path: str) -> None:
    assert send(legacy, path)[0] == 404


def test_other_methods_are_405(legacy: Server, code: str) -> None:
    assert send(legacy, f"/{code}/run", "DELETE")[0] == 405


def test_without_the_setting_a_code_is_no_path(server: Server) -> None:
    assert send(server, f"/p/{server.ingest_key}/coded/complete") == (200, b"ok")
    code = server.call("GET", "/api/monitors/coded/pings")[0]["monitor_code"]
    for path in f"/{code}", f"/{code}/run", f"/{code}/pause/1", f"/{code}.json":
        assert send(server, path)[0] == 404
