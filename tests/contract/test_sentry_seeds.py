"""The check-in documents that Sentry printed, older and newer: what they show works as they show it."""

import json
import uuid

import pytest

PRINTED_ID = "83a7c03ed0a04e1b97e2e3b18d38f244"
PRINTED_SLUG = "b7645b8e-b47d-4398-be9a-d16b0dac31cb"
OLDER = {
    "check_in_id": PRINTED_ID,
    "monitor_slug": "my-monitor",
    "status": "in_progress",
    "duration": 10.0,
    "release": "1.0.0",
    "environment": "production",
}
NEWER = OLDER | {"contexts": {"trace": {"trace_id": "8f431b7aa08441bbbd5a0100fd91f9fe"}}}
OLDER_CONFIG = {
    "schedule": {"type": "crontab", "value": "0 * * * *"},
    "checkin_margin": 5,
    "max_runtime": 30,
    "timezone": "America/Los_Angeles",
}
NEWER_CONFIG = OLDER_CONFIG | {"failure_issue_threshold": 2, "recovery_threshold": 2, "owner": ""}
UPSERT = {"check_in_id": PRINTED_ID, "monitor_slug": PRINTED_SLUG, "status": "in_progress"}


@pytest.fixture(autouse=True)
def clean(server):
    """The documents use one id for two monitors: each example stands for itself."""
    yield
    for monitor in ("my-monitor", PRINTED_SLUG):
        server.call("DELETE", f"{server.monitor_path(monitor)}?allowMissing=true")


def send(server, payload: dict) -> None:
    item = json.dumps(payload).encode()
    envelope = b"{}\n" + json.dumps({"type": "check_in", "length": len(item)}).encode() + b"\n" + item
    status, _, body = server.request(
        "POST",
        f"/api/{server.project_id}/envelope/",
        body=envelope,
        headers={"X-Sentry-Auth": f"Sentry sentry_key={server.ingest_key}, sentry_version=7"},
        key="",
    )
    assert (status, json.loads(body)) == (200, {})


@pytest.mark.parametrize("payload", [OLDER, NEWER], ids=["older", "newer"])
def test_the_printed_check_in(server, payload):
    server.create_monitor("my-monitor")
    send(server, payload)
    [run] = server.check_ins("my-monitor")
    assert run["uid"] == PRINTED_ID
    assert (run["state"], run["environment"], run["release"]) == ("STATE_IN_PROGRESS", "production", "1.0.0")
    assert run["duration"] == "10s"
    assert run.get("traceId", "") == ("8f431b7aa08441bbbd5a0100fd91f9fe" if "contexts" in payload else "")
    send(server, payload | {"status": "ok", "duration": 12.5})
    [run] = server.check_ins("my-monitor")
    assert (run["state"], run["duration"]) == ("STATE_OK", "12.500s")


@pytest.mark.parametrize("config", [OLDER_CONFIG, NEWER_CONFIG], ids=["older", "newer"])
def test_the_printed_configuration_makes_the_monitor(server, config):
    send(server, UPSERT | {"monitor_config": config})
    monitor = server.get(server.monitor_path(PRINTED_SLUG))
    [schedule] = monitor["schedules"]
    assert schedule["cron"]["expression"] == "0 * * * *"
    assert schedule["timeZone"] == "America/Los_Angeles"
    tolerance = monitor["tolerance"]
    assert (tolerance["margin"], tolerance["maxRuntime"]) == ("300s", "1800s")
    threshold = config.get("failure_issue_threshold", 1)
    assert (tolerance["failureThreshold"], tolerance["recoveryThreshold"]) == (threshold, threshold)
    assert not monitor.get("owner")
    [run] = server.check_ins(PRINTED_SLUG)
    assert (run["uid"], run["state"]) == (PRINTED_ID, "STATE_IN_PROGRESS")


@pytest.mark.parametrize("unit", ["year", "month", "week", "day", "hour", "minute"])
def test_each_unit_of_an_interval(server, unit):
    config = {"schedule": {"type": "interval", "value": 2, "unit": unit}}
    send(server, UPSERT | {"check_in_id": uuid.uuid4().hex, "monitor_config": config})
    [schedule] = server.get(server.monitor_path(PRINTED_SLUG))["schedules"]
    assert (schedule["interval"]["count"], schedule["interval"]["unit"]) == (2, f"UNIT_{unit.upper()}")


@pytest.mark.parametrize("zero", ["0" * 32, "00000000-0000-0000-0000-000000000000"])
def test_the_empty_uuid_updates_the_newest_run_in_progress_and_otherwise_makes_one(server, zero):
    server.create_monitor("my-monitor")
    send(server, OLDER)
    send(server, {"check_in_id": zero, "monitor_slug": "my-monitor", "status": "ok"})
    [run] = server.check_ins("my-monitor")
    assert (run["uid"], run["state"]) == (PRINTED_ID, "STATE_OK")
    send(server, {"check_in_id": zero, "monitor_slug": "my-monitor", "status": "in_progress"})
    states = {run["uid"] == PRINTED_ID: run["state"] for run in server.check_ins("my-monitor")}
    assert states == {True: "STATE_OK", False: "STATE_IN_PROGRESS"}


@pytest.mark.parametrize(("status", "state"), [("ok", "STATE_OK"), ("error", "STATE_ERROR")])
def test_each_status_ends_a_run(server, status, state):
    server.create_monitor("my-monitor")
    send(server, OLDER)
    send(server, OLDER | {"status": status})
    [run] = server.check_ins("my-monitor")
    assert run["state"] == state
