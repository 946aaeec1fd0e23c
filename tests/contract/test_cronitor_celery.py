"""`cronitor.celery`: beat syncs its schedules as monitors, the worker tells of the runs; two real processes.

The scheduler is the one that keeps nothing: with Celery's default the client restarts beat inside beat, and syncs when
that ends.
"""

import subprocess
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support import recipes
from support.clients import python_of
from support.cronitor import Cronitor
from support.server import Server

PATIENCE_S = 60.0
FAR = (datetime.now(UTC).hour + 12) % 24  # an hour of the day that does not begin while this runs
APPLICATION = """
    import cronitor.celery, tocsin_cronitor
    from datetime import datetime, timedelta, timezone
    from celery import Celery
    from celery.schedules import crontab

    app = Celery("jobs")
    folders = {{"data_folder_in": "{folder}/queue", "data_folder_out": "{folder}/queue", "polling_interval": 0.1}}
    app.conf.update(
        broker_url="filesystem://",
        broker_transport_options={{**folders, "control_folder": "{folder}/control"}},
        worker_hijack_root_logger=False,
    )
    cronitor.celery.initialize(app)

    @app.task(name="{prefix}-works")
    def works():
        pass

    @app.task(name="{prefix}-broken")
    def fails():
        raise ValueError("no")

    def entry(task, schedule):
        long_ago = datetime.now(timezone.utc) - timedelta(days=10)
        return {{"task": task.name, "schedule": schedule, "last_run_at": long_ago}}

    app.conf.beat_schedule = {{
        "{prefix}-weekdays": entry(works, crontab(minute="30", hour="{hour}", day_of_week="mon-fri")),
        "{prefix}-90m": entry(works, timedelta(minutes=90)),
        "{prefix}-fails": entry(fails, timedelta(days=2, hours=1, seconds=3)),
        "{prefix}-odd": entry(works, timedelta(days=400, seconds=1.5)),
    }}
"""
SCHEDULES = {
    "weekdays": f"30 {FAR} * * mon-fri",  # as it was meant, not as it was sent
    "90m": "every 1 hour and 30 minutes",
    "fails": "every 2 days, 1 hour and 3 seconds",
}


class Halves:
    """Beat and worker."""

    def __init__(self, python: Path, folder: Path, server: Server, stack: ExitStack) -> None:
        self.prefix = f"celery-{uuid.uuid4().hex[:8]}"
        self.cronitor = Cronitor(server)
        self._python, self._folder, self._stack = python, folder, stack
        self._log = folder / "celery.log"
        for part in ("queue", "control"):
            (folder / part).mkdir()
        recipes.write("tocsin_cronitor.py", folder)
        text = APPLICATION.format(prefix=self.prefix, folder=folder, hour=FAR)
        (folder / "jobs.py").write_text(textwrap.dedent(text))

    def start(self, half: str, *options: str) -> None:
        given = {"TOCSIN_URL": self.cronitor.server.http_url, "CRONITOR_API_KEY": self.cronitor.key}
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [self._python, "-m", "celery", "-A", "jobs", half, "--loglevel", "INFO", *options],
                cwd=self._folder,
                env={"C_FORCE_ROOT": "1", "PYTHONPATH": str(self._folder), **given},
                stdout=log,
                stderr=log,
            )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)

    def monitor(self, name: str) -> dict[str, object]:
        """Empty when there is none."""
        answer = self.cronitor.call("GET", f"/api/monitors/{self.prefix}-{name}?withInvocations=true")
        return dict(answer.json) if answer.status == 200 else {}

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"not in {PATIENCE_S:g} s: {what}\n{self._log.read_text()}"
            time.sleep(0.05)


@pytest.fixture
def halves(sentry_client: Callable[[str], Path], server: Server, tmp_path: Path) -> Iterator[Halves]:
    with ExitStack() as stack:
        yield Halves(python_of(sentry_client("cronitor")), tmp_path, server, stack)


def test_beat_makes_monitors_and_the_worker_tells_of_runs(halves: Halves) -> None:
    halves.start("beat", "--scheduler", "celery.beat:Scheduler", "--pidfile=", "--max-interval", "1")
    halves.until(lambda: all(halves.monitor(name) for name in (*SCHEDULES, "odd")), "beat has made its monitors")
    assert {name: halves.monitor(name)["schedule"] for name in SCHEDULES} == SCHEDULES

    calm = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    halves.start("worker", "--pool", "solo", *calm)
    halves.until(lambda: bool(halves.monitor("works")) and bool(halves.monitor("broken")), "runs are told, by task")
    halves.until(lambda: not halves.monitor("broken")["passing"], "a failure is told")
    halves.until(lambda: not halves.monitor("works")["running"], "an end is told")
    assert halves.monitor("works")["passing"]
    assert halves.monitor("works")["type"] == "job"
