"""Celery with the SDK's integration: runs are opened in `celery beat` and closed in `celery worker`, two real processes.

The broker is a folder. Entries are due at once, because they name a time long ago as their last one, and not again.
"""

import subprocess
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.clients import python_of
from support.server import Server
from support.tap import Tap

PATIENCE_S = 60.0
FAR = (
    datetime.now(UTC).hour + 12
) % 24  # an hour of the day that does not begin while this runs, in any time zone near
APPLICATION = """
    import os
    from datetime import datetime, timedelta, timezone

    import sentry_sdk
    from celery import Celery
    from celery.schedules import crontab
    from sentry_sdk.integrations.celery import CeleryIntegration

    sentry_sdk.init(
        os.environ["DSN"],
        environment="staging",
        release=os.environ["HALF"] + "@1.0",
        integrations=[CeleryIntegration(monitor_beat_tasks=True, exclude_beat_tasks=["{prefix}-excluded"])],
    )
    app = Celery("jobs")
    folders = {{"data_folder_in": "{folder}/queue", "data_folder_out": "{folder}/queue", "polling_interval": 0.1}}
    app.conf.update(
        broker_url="filesystem://",
        broker_transport_options={{**folders, "control_folder": "{folder}/control"}},
        timezone="Europe/Vienna",
        worker_hijack_root_logger=False,
    )

    @app.task
    def works():
        pass

    @app.task
    def fails():
        raise ValueError("no")

    @app.task(bind=True, max_retries=1)
    def works_in_the_end(self):
        if not self.request.retries:
            raise self.retry(countdown=0)

    def entry(task, schedule):
        long_ago = datetime.now(timezone.utc) - timedelta(days=10)
        return {{"task": task.name, "schedule": schedule, "last_run_at": long_ago}}

    app.conf.beat_schedule = {{
        "{prefix}-crontab": entry(works, crontab(minute="*/20", hour="{hour}", day_of_week="mon-fri")),
        "{prefix}-interval": entry(works, timedelta(hours=2)),
        "{prefix}-fails": entry(fails, timedelta(hours=2)),
        "{prefix}-retried": entry(works_in_the_end, timedelta(hours=2)),
        "{prefix}-excluded": entry(works, timedelta(hours=2)),
        "{prefix}-every-50-seconds": entry(works, timedelta(seconds=50)),
    }}
"""
MONITORED = ("crontab", "interval", "fails", "retried")


class Halves:
    """Beat and worker, each with a wire of its own to the server."""

    def __init__(self, python: Path, folder: Path, server: Server, stack: ExitStack) -> None:
        self.prefix = f"celery-{uuid.uuid4().hex[:8]}"
        self._python, self._folder, self._server, self._stack = python, folder, server, stack
        self._log = folder / "celery.log"
        for part in ("queue", "control"):
            (folder / part).mkdir()
        (folder / "jobs.py").write_text(
            textwrap.dedent(APPLICATION.format(prefix=self.prefix, folder=folder, hour=FAR))
        )

    def start(self, half: str, *options: str) -> Tap:
        tap = self._stack.enter_context(Tap(self._server.http_port))
        dsn = f"http://{self._server.ingest_key}@127.0.0.1:{tap.port}/{self._server.project_id}"
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [self._python, "-m", "celery", "-A", "jobs", half, "--loglevel", "INFO", *options],
                cwd=self._folder,
                env={"DSN": dsn, "HALF": half, "C_FORCE_ROOT": "1"},
                stdout=log,
                stderr=log,
            )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return tap

    def runs(self, name: str) -> list[dict[str, Any]]:
        path = self._server.monitor_path(f"{self.prefix}-{name}")
        status, _, _ = self._server.request("GET", path)
        return self._server.check_ins(f"{self.prefix}-{name}") if status == 200 else []

    def refusals(self, name: str) -> list[str]:
        path = self._server.monitor_path(f"{self.prefix}-{name}")
        return [one["reason"] for one in self._server.get(f"{path}/refusals").get("refusals", [])]

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"not in {PATIENCE_S:g} s: {what}\n{self._log.read_text()}"
            time.sleep(0.05)


@pytest.fixture
def halves(sentry_client: Callable[[str], Path], server: Server, tmp_path: Path) -> Iterator[Halves]:
    python = python_of(sentry_client("celery"))
    with ExitStack() as stack:
        yield Halves(python, tmp_path, server, stack)


def test_beat_opens_and_the_worker_closes(halves: Halves, server: Server) -> None:
    beat = halves.start("beat", "--schedule", "beat.db", "--pidfile=", "--max-interval", "1")
    halves.until(lambda: all(halves.runs(name) for name in MONITORED), "beat has opened a run of each monitor")
    opened = {name: run for name in MONITORED for run in halves.runs(name)}
    assert {run["state"] for run in opened.values()} == {"STATE_IN_PROGRESS"}
    assert {run["release"] for run in opened.values()} == {"beat@1.0"}

    calm = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    worker = halves.start("worker", "--pool", "solo", *calm)
    halves.until(
        lambda: all(run["state"] != "STATE_IN_PROGRESS" for name in MONITORED for run in halves.runs(name)),
        "the worker has closed them",
    )
    halves.until(lambda: bool(halves.refusals("retried")), "the retry has ended, and was refused")

    halves.until(lambda: "traceError" in halves.runs("fails")[0], "the worker's error has come, and names its trace")

    closed = {name: run for name in MONITORED for run in halves.runs(name)}
    assert {name: run["uid"] for name, run in closed.items()} == {name: run["uid"] for name, run in opened.items()}
    states = {name: run["state"] for name, run in closed.items()}
    assert states == {
        "crontab": "STATE_OK",
        "interval": "STATE_OK",
        "fails": "STATE_ERROR",
        "retried": "STATE_ERROR",  # a retry says `error` at once, and the run is closed for what comes of it
    }
    assert halves.refusals("retried") == ["REASON_CHECK_IN_FINISHED"]
    assert all(run["environment"] == "staging" and "duration" in run for run in closed.values())
    error = closed["fails"]["traceError"]  # beat's trace went to the worker with the task
    assert (error["type"], error["value"]) == ("ValueError", "no")
    assert len(beat.heads()) >= len(MONITORED)
    assert len(worker.heads()) >= len(MONITORED) + 1

    crontab = server.get(server.monitor_path(f"{halves.prefix}-crontab"))["schedules"][0]
    assert (crontab["cron"]["expression"], crontab["timeZone"]) == (f"*/20 {FAR} * * mon-fri", "Europe/Vienna")
    interval = server.get(server.monitor_path(f"{halves.prefix}-interval"))["schedules"][0]["interval"]
    assert (interval["count"], interval["unit"]) == (2, "UNIT_HOUR")
    for unknown in ("excluded", "every-50-seconds"):  # the integration itself sends nothing for these
        status, _, _ = server.request("GET", server.monitor_path(f"{halves.prefix}-{unknown}"))
        assert status == 404
