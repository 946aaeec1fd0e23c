"""The requests that the reference of the Monitor API prints, in its order, with curl as it prints them.

Where the reference lost braces on its way to paper they are set again. The lists that it tells of are made first, as
whoever follows it has done.
"""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from support.cronitor import Cronitor
from support.server import Server

LISTS = ("devops-alerts", "uptime-alerts")
KEYS = ("nightly-backup-job", "weekly-customer-reports", "cronitor-homepage", "hourly-report-generator")
CHECK = {
    "type": "check",
    "key": "cronitor-homepage",
    "schedule": "every 60 seconds",
    "notify": ["uptime-alerts"],
    "request": {"url": "https://cronitor.io", "regions": ["us-east-1", "eu-central-1", "ap-south-1"]},
}


@pytest.fixture
def cronitor(server: Server) -> Iterator[Cronitor]:
    made = Cronitor(server)
    for key in LISTS:
        assert made.call("POST", "/api/notifications", {"key": key, "name": key}).status == 201
    yield made
    made.call("DELETE", "/api/monitors", {"monitors": list(KEYS)})
    for key in LISTS:
        made.call("DELETE", f"/api/notifications/{key}")


def curl(cronitor: Cronitor, *arguments: str) -> tuple[int, Any]:
    """Status and body of a printed command; the last argument is a path."""
    *options, path = arguments
    command = ["curl", "--silent", "--write-out", "\n%{http_code}", *options, "--user", f"{cronitor.key}:"]
    done = subprocess.run([*command, cronitor.server.http_url + path], capture_output=True, text=True, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body) if body else None


def sent(method: str, body: Any) -> list[str]:
    return ["--header", "Content-Type: application/json", "--request", method, "--data", json.dumps(body)]


def test_what_is_printed_works(cronitor: Cronitor) -> None:
    backup = {"type": "job", "key": "nightly-backup-job", "schedule": "0 0 * * *", "notify": ["devops-alerts"]}
    reports = {**backup, "key": "weekly-customer-reports", "schedule": "0 0 * * Mon"}
    both = [{**backup, "assertions": ["metric.duration < 15min"]}, {**reports, "assertions": ["metric.duration < 30s"]}]
    status, found = curl(cronitor, *sent("PUT", {"monitors": both}), "/api/monitors")
    assert (status, [one["schedule"] for one in found["monitors"]]) == (200, ["0 0 * * *", "0 0 * * Mon"])

    status, found = curl(cronitor, *sent("POST", backup), "/api/monitors")
    assert (status, found["key"], found["notify"]) == (201, "nightly-backup-job", ["devops-alerts"])
    status, found = curl(cronitor, *sent("POST", CHECK), "/api/monitors")
    assert (status, found["type"], found["request"]["regions"]) == (201, "check", CHECK["request"]["regions"])

    status, found = curl(cronitor, "/api/monitors")
    assert (status, found["page"]) == (200, 1)  # the newest come last, and other tests have made some
    assert found["total_monitor_count"] >= 3
    status, found = curl(cronitor, "/api/monitors/nightly-backup-job")
    assert (status, found["type"], found["grace_seconds"]) == (200, "job", 60)

    hourly = {"type": "job", "key": "hourly-report-generator"}
    assert curl(cronitor, *sent("POST", hourly), "/api/monitors")[0] == 201
    changes = [
        {"schedule": "0 1 * * *", "key": "nightly-backup-job"},
        {"schedule": "5 * * * *", "key": "hourly-report-generator"},
    ]
    status, found = curl(cronitor, *sent("PUT", {"monitors": changes}), "/api/monitors")
    assert (status, [one["schedule"] for one in found["monitors"]]) == (200, ["0 1 * * *", "5 * * * *"])
    status, found = curl(cronitor, *sent("PUT", {"schedule": "0 1 * * *"}), "/api/monitors/nightly-backup-job")
    assert (status, found["schedule"], found["notify"]) == (200, "0 1 * * *", ["devops-alerts"])

    for path, paused in (("/pause", True), ("/pause/24", True), ("/pause/0", False)):
        status, found = curl(cronitor, f"/api/monitors/nightly-backup-job{path}")
        assert (status, found["paused"]) == (200, paused)

    assert curl(cronitor, "-X", "DELETE", "/api/monitors/nightly-backup-job") == (204, None)
    assert curl(cronitor, "/api/monitors/nightly-backup-job")[0] == 404


def test_events_of_the_reference_reach_the_monitor(cronitor: Cronitor) -> None:
    """`https://cronitor.link/ping/API_KEY/:monitorKey`, but for the host."""
    path = f"/ping/{cronitor.server.ingest_key}/hourly-report-generator"
    done = subprocess.run(
        ["curl", "--silent", cronitor.server.http_url + path], capture_output=True, text=True, check=True
    )
    assert done.stdout == "ok"
    assert cronitor.get("/api/monitors/hourly-report-generator")["initialized"]
