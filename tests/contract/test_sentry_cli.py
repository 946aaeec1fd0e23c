"""sentry-cli as npm installs it: `monitors run` around a job, against a live server and against none."""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import clients
from support.server import Server
from support.tap import Tap

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def tap(server: Server) -> Iterator[Tap]:
    with Tap(server.http_port) as made:
        yield made


@pytest.fixture
def cli(sentry_client: Callable[[str], Path], server: Server, tap: Tap) -> Run:
    """Runs sentry-cli with a DSN as all its configuration; its job is a Python program."""
    program = sentry_client("cli") / "node_modules/.bin/sentry-cli"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SENTRY_")}

    def run(slug: str, *options: str, job: str, port: int = tap.port) -> "subprocess.CompletedProcess[str]":
        dsn = f"http://{server.ingest_key}@127.0.0.1:{port}/{server.project_id}"
        path = f"{clients.node()}{os.pathsep}{inherited.get('PATH', '')}"
        return subprocess.run(
            [program, "monitors", "run", *options, slug, "--", sys.executable, "-c", job],
            env={**inherited, "PATH": path, "SENTRY_DSN": dsn},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def slug() -> str:
    return f"cli-{uuid.uuid4().hex[:12]}"


def test_a_job_that_works(cli: Run, server: Server, tap: Tap, slug: str) -> None:
    options = ("--schedule", "*/10 * * * *", "--timezone", "Europe/Vienna", "--check-in-margin", "3")
    options += ("--max-runtime", "15", "--failure-issue-threshold", "2", "--recovery-threshold", "4")
    done = cli(slug, *options, "--environment", "staging", job="print('the output of the job')")
    assert (done.returncode, done.stdout) == (0, "the output of the job\n")
    document = server.get(server.monitor_path(slug))
    (schedule,) = document["schedules"]
    assert (schedule["cron"]["expression"], schedule["timeZone"]) == ("*/10 * * * *", "Europe/Vienna")
    tolerance = document["tolerance"]
    assert (tolerance["margin"], tolerance["maxRuntime"]) == ("180s", "900s")
    assert (tolerance["failureThreshold"], tolerance["recoveryThreshold"]) == (2, 4)
    (run,) = server.check_ins(slug)
    assert (run["state"], run["environment"]) == ("STATE_OK", "staging")
    assert run["client"].startswith("sentry-cli")
    assert 0 <= float(run["duration"].removesuffix("s")) < 30
    assert [head.target for head in tap.heads()] == [f"/api/{server.project_id}/envelope/"] * 2


def test_a_job_that_fails_keeps_its_exit_code(cli: Run, server: Server, slug: str) -> None:
    done = cli(slug, "--schedule", "0 4 * * *", job="raise SystemExit(7)")
    assert done.returncode == 7
    (run,) = server.check_ins(slug)
    assert (run["state"], run["environment"]) == ("STATE_ERROR", "production")


def test_a_monitor_that_is_known_needs_no_schedule(cli: Run, server: Server, slug: str) -> None:
    assert cli(slug, "--schedule", "0 4 * * *", job="").returncode == 0
    assert cli(slug, job="").returncode == 0
    assert [run["state"] for run in server.check_ins(slug)] == ["STATE_OK", "STATE_OK"]


def test_the_run_is_open_while_the_job_runs(cli: Run, server: Server, slug: str) -> None:
    """The opening check-in is sent before the job starts: the job asks the server itself."""
    url = f"{server.http_url}{server.monitor_path(slug)}/checkIns"
    job = f"""
import json, urllib.request
request = urllib.request.Request({url!r}, headers={{"Authorization": "Bearer {server.admin_key}"}})
print([run["state"] for run in json.load(urllib.request.urlopen(request))["checkIns"]])
"""
    assert cli(slug, "--schedule", "0 4 * * *", job=job).stdout == "['STATE_IN_PROGRESS']\n"
    assert [run["state"] for run in server.check_ins(slug)] == ["STATE_OK"]


@pytest.mark.parametrize("code", [0, 7])
def test_a_dead_server_does_not_fail_the_job(cli: Run, new_server: Callable[..., Server], slug: str, code: int) -> None:
    dead = new_server()  # never started: its port refuses
    done = cli(slug, "--schedule", "0 4 * * *", job=f"print('ran'); raise SystemExit({code})", port=dead.http_port)
    assert (done.returncode, done.stdout) == (code, "ran\n")
