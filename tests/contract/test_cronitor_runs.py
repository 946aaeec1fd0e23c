"""Spec 1.4 to 1.7 from outside: runs by series and without, events sent twice or late, environments, codes as keys."""

import http.client
import time
import uuid
from typing import Any

import pytest

from support.server import Server


@pytest.fixture
def job() -> str:
    return f"job-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def now() -> float:
    """The clients' clock; events are dated around it. Of each test: what lies ten minutes back is not believed."""
    return time.time()


def ping(server: Server, place: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=30)
    try:
        connection.request("GET", f"/p/{server.ingest_key}/{place}")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"ok")
    finally:
        connection.close()


def runs(server: Server, job: str) -> list[dict[str, Any]]:
    """Oldest first."""
    return server.check_ins(job)[::-1]


def states(server: Server, job: str) -> list[str]:
    return [run["state"].removeprefix("STATE_") for run in runs(server, job)]


def shown(server: Server, key: str, query: str = "") -> dict[str, Any]:
    """The monitor as the Monitor API shows it."""
    found: dict[str, Any] = server.call("GET", f"/api/monitors/{key}{query}")
    return found


def test_runs_of_different_series_overlap(server: Server, job: str) -> None:
    ping(server, f"{job}/run?series=a")
    ping(server, f"{job}/run?series=b")
    assert shown(server, job)["running"]
    ping(server, f"{job}/complete?series=a")
    assert states(server, job) == ["OK", "IN_PROGRESS"]
    assert shown(server, job)["running"]
    ping(server, f"{job}/fail?series=b")
    assert states(server, job) == ["OK", "ERROR"]
    assert not shown(server, job)["running"]


def test_without_a_series_the_newest_run_ends_that_of_the_same_host_first(server: Server, job: str) -> None:
    for host in "web-1", "web-2", "web-3":
        ping(server, f"{job}/run?host={host}")
    ping(server, f"{job}/complete?host=web-1")
    assert states(server, job) == ["OK", "IN_PROGRESS", "IN_PROGRESS"]
    ping(server, f"{job}/complete")
    assert states(server, job) == ["OK", "IN_PROGRESS", "OK"]


def test_an_end_from_another_host_closes_its_series(server: Server, job: str) -> None:
    ping(server, f"{job}/run?series=s&host=web-1")
    ping(server, f"{job}/complete?series=s&host=web-2")
    assert states(server, job) == ["OK"]


@pytest.mark.parametrize("state", ["complete", "fail"])
def test_an_end_without_a_start_is_a_run(server: Server, job: str, state: str) -> None:
    ping(server, f"{job}/{state}?series=s")
    [run] = runs(server, job)
    assert "startTime" not in run
    assert run["state"] == ("STATE_OK" if state == "complete" else "STATE_ERROR")


def test_an_event_that_is_sent_twice_is_one(server: Server, job: str, now: float) -> None:
    for _ in range(3):
        ping(server, f"{job}/run?series=s&stamp={now}")
    for _ in range(3):
        ping(server, f"{job}/complete?series=s&stamp={now + 1}")
    assert states(server, job) == ["OK"]
    ping(server, f"{job}/complete?series=t&stamp={now + 1}")
    ping(server, f"{job}/complete?series=s&stamp={now + 2}")
    assert states(server, job) == ["OK", "OK", "OK"]


def test_another_try_of_an_event_is_that_event(server: Server, job: str, now: float) -> None:
    ping(server, f"{job}/complete?try=1&stamp={now}&msg=first")
    ping(server, f"{job}/complete?try=2&stamp={now}&msg=second&series=late")
    ping(server, f"{job}/complete?try=1&stamp={now}&msg=other&series=other")
    assert [run["message"] for run in runs(server, job)] == ["first", "other"]


def test_an_end_that_arrives_before_its_start_is_paired_with_it(server: Server, job: str, now: float) -> None:
    ping(server, f"{job}/complete?series=s&stamp={now - 1}")
    ping(server, f"{job}/run?series=s&stamp={now - 6}")
    [run] = runs(server, job)
    assert run["state"] == "STATE_OK"
    assert float(run["duration"].rstrip("s")) == pytest.approx(5, abs=0.01)


@pytest.mark.parametrize(
    ("more", "duration"),
    [("", 5.0), ("&duration=2.5", 2.5), ("&metric=duration:3.5", 3.5), ("&duration=2.5&metric=duration:3.5", 2.5)],
)
def test_how_long_it_took(server: Server, job: str, now: float, more: str, duration: float) -> None:
    ping(server, f"{job}/run?series=s&stamp={now - 10}")
    ping(server, f"{job}/complete?series=s&stamp={now - 5}{more}")
    [run] = runs(server, job)
    assert float(run["duration"].rstrip("s")) == pytest.approx(duration, abs=0.01)


@pytest.mark.parametrize(("ago", "believed"), [(400, True), (700, False), (23 * 3_600, False), (-300, False)])
def test_a_clients_clock_is_believed_within_bounds(
    server: Server, job: str, now: float, ago: int, believed: bool
) -> None:
    ping(server, f"{job}/complete?stamp={now - ago}")
    stamp = shown(server, job)["latest_event"]["stamp"]
    assert (abs(stamp - (now - ago)) < 1) == believed


def test_environments_are_apart(server: Server, job: str) -> None:
    ping(server, f"{job}/run?series=s&env=staging")
    ping(server, f"{job}/complete?series=s")
    assert sorted((run["environment"], run["state"]) for run in runs(server, job)) == [
        ("production", "STATE_OK"),
        ("staging", "STATE_IN_PROGRESS"),
    ]
    assert not shown(server, job)["running"]
    assert shown(server, job, "?env=staging")["running"]
    assert set(shown(server, job)["environments"]) == {"production", "staging"}


def test_what_the_monitor_api_shows_of_an_event(server: Server, job: str) -> None:
    ping(server, f"{job}?state=complete&msg=done&host=web-1&metric=duration:1.5,count:3")
    monitor = shown(server, job)
    event = monitor["latest_event"]
    assert (monitor["type"], monitor["name"], monitor["initialized"], monitor["passing"]) == ("job", job, True, True)
    assert (monitor["grace_seconds"], monitor["notify"], monitor["schedules"]) == (60, ["default"], [])
    assert (event["event"], event["msg"], event["host"], event["ip"]) == ("complete", "done", "web-1", "127.0.0.1")
    assert event["metrics"] == {"duration": 1.5, "count": 3}
    ping(server, f"{job}/fail")
    assert not shown(server, job)["passing"]
    ping(server, f"{job}/ok")
    monitor = shown(server, job)
    assert (monitor["passing"], monitor["latest_event"]["event"]) == (True, "ok")


def test_a_heartbeat_ticks(server: Server, job: str) -> None:
    ping(server, job)
    monitor = shown(server, job)
    assert (monitor["type"], monitor["grace_seconds"], monitor["latest_event"]["event"]) == ("heartbeat", 0, "tick")


def test_the_code_of_a_monitor_is_a_key_of_it(server: Server, job: str) -> None:
    ping(server, f"{job}/complete")
    code = shown(server, job)["attributes"]["code"]
    ping(server, f"{code}/complete?msg=by+code")
    assert [run.get("message", "") for run in runs(server, job)] == ["", "by code"]
    assert server.request("GET", server.monitor_path(code))[0] == 404


def test_a_later_configuration_finds_the_monitor_that_telemetry_made(server: Server, job: str) -> None:
    """Telemetry often comes before the sync."""
    ping(server, f"{job}/run")
    server.call("PUT", "/api/monitors", {"monitors": [{"key": job, "type": "heartbeat", "schedule": "every hour"}]})
    monitor = shown(server, job)
    assert (monitor["type"], monitor["schedule"]) == ("heartbeat", "every hour")
    ping(server, f"{job}/run")
    assert shown(server, job)["type"] == "heartbeat", "an event changes no monitor"
    assert states(server, job)[-1] == "OK"
