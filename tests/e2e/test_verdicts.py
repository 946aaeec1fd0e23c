"""The whole machine once: a killed job is MISSED and a hanging one TIMED_OUT within a second, in the API and in Prometheus."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from support.server import Server, free_port

FIVE_SECONDS = [{"interval": {"count": 5, "unit": "UNIT_SECOND"}}]
JOB = """
import os, signal, sys, urllib.request
urllib.request.urlopen(sys.argv[1]).read()
os.kill(os.getpid(), signal.SIGKILL)
"""


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def watch_until(server: Server, monitor: str, wanted: str, patience_s: float = 20.0, field: str = "state") -> float:
    """Reads the watch stream until the monitor shows a state, or any `field`; when that was, by our clock."""
    request = urllib.request.Request(f"{server.http_url}/v1/projects/{server.project_id}/monitors:watch")
    request.add_header("Authorization", f"Bearer {server.admin_key}")
    deadline = time.monotonic() + patience_s
    with urllib.request.urlopen(request, timeout=patience_s) as stream:
        for line in stream:
            seen = json.loads(line).get("monitor") or {}
            if seen.get("name", "").endswith(f"/{monitor}"):
                states = {health.get(field, "") for health in seen.get("environments", [])}
                if any(wanted in state for state in states if state):
                    return time.time()
            assert time.monotonic() < deadline, f"{monitor} did not become {wanted}"
    raise AssertionError("the watch ended")


def test_a_killed_job_is_missed_within_a_second_of_its_deadline(server: Server) -> None:
    server.create_monitor("killed", schedules=FIVE_SECONDS, tolerance={"margin": "1s", "maxRuntime": "0s"})
    job = subprocess.run(
        [sys.executable, "-c", JOB, f"{server.http_url}/report/killed?key={server.ingest_key}"], check=False
    )
    assert job.returncode == -9
    deadline = seconds(server.get(server.monitor_path("killed"))["environments"][0]["deadlineTime"])
    assert deadline == int(deadline)  # whole seconds, and what the API says is what is judged
    seen = watch_until(server, "killed", "STATE_MISSED")
    missed = next(run for run in server.check_ins("killed") if run["state"] == "STATE_MISSED")
    assert seconds(missed["updateTime"]) == deadline
    assert deadline < seen < deadline + 1
    assert server.metric('tocsin_missed_total{project="default"}') >= 1
    server.call("DELETE", server.monitor_path("killed"))


def test_a_run_past_a_bound_is_told_of_within_a_second_and_recovers(server: Server) -> None:
    bound = "metric.duration < 2 s"
    server.create_monitor("slow", schedules=[{"cron": {"expression": "0 0 1 1 *"}}], assertions=[bound])
    server.request("GET", f"/report/slow/start?key={server.ingest_key}", key="")
    limit = seconds(server.check_ins("slow")[0]["startTime"]) + 2
    seen = watch_until(server, "slow", "/incidents/", field="incident")
    assert limit < seen < limit + 2  # deadlines are whole seconds
    incident = server.get("/v1/projects/-/incidents?openOnly=true&monitor=projects/-/monitors/slow")["incidents"][0]
    assert (incident["cause"], incident["assertion"], incident["causes"]) == ("CAUSE_ASSERTION", bound, [bound])
    assert server.check_ins("slow")[0]["state"] == "STATE_IN_PROGRESS"
    for _ in range(2):  # the end of the slow run, and one that takes no time
        server.request("GET", f"/report/slow/ok?key={server.ingest_key}", key="")
        server.request("GET", f"/report/slow/start?key={server.ingest_key}", key="")
    incident = server.get(f"/v1/{incident['name']}")
    assert incident["resolveTime"]
    assert incident["causes"] == [bound]  # what was wrong last
    server.call("DELETE", server.monitor_path("slow"))


def test_a_hanging_job_is_timed_out_within_a_second(server: Server) -> None:
    server.create_monitor(
        "hanging", schedules=[{"cron": {"expression": "0 0 1 1 *"}}], tolerance={"margin": "60s", "maxRuntime": "3s"}
    )
    server.request("GET", f"/report/hanging/start?key={server.ingest_key}", key="")
    limit = seconds(server.check_ins("hanging")[0]["timeoutTime"])
    seen = watch_until(server, "hanging", "STATE_TIMED_OUT")
    assert limit < seen < limit + 1
    assert server.check_ins("hanging")[0]["state"] == "STATE_TIMED_OUT"
    assert server.metric('tocsin_timeouts_total{project="default"}') >= 1
    server.call("DELETE", server.monitor_path("hanging"))


def test_a_monitor_that_has_not_recovered_stays_among_the_unhealthy(server: Server) -> None:
    server.create_monitor("recovering", tolerance={"recoveryThreshold": 3, "maxRuntime": "0s"})
    identity = 'project="default",monitor="recovering",environment="production"'
    for path in ("fail", "ok"):
        server.request("GET", f"/report/recovering/{path}?key={server.ingest_key}", key="")
    unhealthy = unhealthy_lines(server)
    assert f"tocsin_monitor_healthy{{{identity}}} 0" in unhealthy
    assert f'tocsin_monitor_state{{{identity},state="ok"}} 1' in unhealthy
    for _ in range(2):
        server.request("GET", f"/report/recovering/ok?key={server.ingest_key}", key="")
    assert not [line for line in unhealthy_lines(server) if "recovering" in line]
    server.call("DELETE", server.monitor_path("recovering"))


def unhealthy_lines(server: Server) -> list[str]:
    _, _, text = server.request("GET", "/metrics/unhealthy")
    return text.decode().splitlines()


@pytest.fixture
def prometheus(
    server: Server, tmp_path: Path, debian_program: Callable[[str], str]
) -> Iterator[Callable[[str], list[dict[str, object]]]]:
    """A real Prometheus that scrapes the server every second with the rules that operators get; answers queries."""
    program = debian_program("prometheus")
    rules = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules.yml"
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [
            {"job_name": "tocsin", "static_configs": [{"targets": [f"127.0.0.1:{server.http_port}"]}]},
            {
                "job_name": "tocsin-monitors",
                "metrics_path": "/metrics/unhealthy",
                "authorization": {"credentials": server.admin_key},
                "static_configs": [{"targets": [f"127.0.0.1:{server.http_port}"]}],
            },
        ],
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(configuration))  # JSON is YAML
    port = free_port()
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )

    def ask(path: str) -> list[dict[str, object]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=10) as response:
            data = json.load(response)["data"]
        found: list[dict[str, object]] = data.get("alerts", data.get("result", []))
        return found

    try:
        yield ask
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.mark.system
def test_a_real_prometheus_scrapes_it_and_a_rule_fires(
    server: Server, prometheus: Callable[[str], list[dict[str, object]]]
) -> None:
    server.create_monitor("paged", schedules=FIVE_SECONDS, tolerance={"margin": "1s"})
    server.request("GET", f"/report/paged?key={server.ingest_key}", key="")
    deadline = time.monotonic() + 60
    names: set[object] = set()
    while time.monotonic() < deadline and not {"TocsinMonitorMissed", "TocsinMonitorUnhealthy"} <= names:
        try:
            firing = [alert for alert in prometheus("alerts") if alert["state"] == "firing"]
        except OSError:
            firing = []  # not up yet
        names = {
            alert["labels"]["alertname"]  # type: ignore[index]
            for alert in firing
            if alert["labels"].get("monitor") == "paged"  # type: ignore[attr-defined]
        }
        time.sleep(0.2)
    assert {"TocsinMonitorMissed", "TocsinMonitorUnhealthy"} <= names
    server.call("DELETE", server.monitor_path("paged"))
