"""sentry-sdk as PyPI has it, in environments of its own: 2.x with and without Brotli, and 1.45, against a live server."""

import json
import subprocess
import textwrap
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from support.clients import python_of
from support.server import Server
from support.tap import Tap

CLIENTS = {"sdk2": "gzip", "sdk2-brotli": "br", "sdk1": "gzip"}  # and the encoding that each chooses by itself
VERSIONS = {"sdk2": "2.", "sdk2-brotli": "2.", "sdk1": "1.45."}
CONFIG = {
    "schedule": {"type": "crontab", "value": "*/10 * * * *"},
    "timezone": "Europe/Vienna",
    "checkin_margin": 3,
    "max_runtime": 15,
}
PROLOGUE = """
import sentry_sdk
from sentry_sdk.crons import capture_checkin, monitor

sentry_sdk.init({dsn!r}, environment="staging", release="demo@1.0.0")
slug, config = {slug!r}, {config!r}
"""


class Sdk(NamedTuple):
    """A client, and the wire between it and the server."""

    name: str
    python: Path
    server: Server
    tap: Tap

    def run(self, slug: str, program: str, prologue: str = PROLOGUE) -> str:
        """What a program printed that has the SDK set up, `slug` and `config`, in a process of its own."""
        dsn = f"http://{self.server.ingest_key}@127.0.0.1:{self.tap.port}/{self.server.project_id}"
        text = prologue.format(dsn=dsn, slug=slug, config=CONFIG) + textwrap.dedent(program)
        command = [str(self.python), "-I", "-c", f"{text}\nsentry_sdk.flush(20)\n"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refusals(self, slug: str) -> list[str]:
        found = self.server.get(f"{self.server.monitor_path(slug)}/refusals").get("refusals", [])
        return [refusal["reason"] for refusal in found]


@pytest.fixture(params=CLIENTS)
def sdk(request: pytest.FixtureRequest, sentry_client: Callable[[str], Path], server: Server) -> Iterator[Sdk]:
    folder = sentry_client(request.param)
    with Tap(server.http_port) as tap:
        yield Sdk(request.param, python_of(folder), server, tap)


@pytest.fixture
def slug() -> str:
    return f"python-{uuid.uuid4().hex[:12]}"


def test_the_decorator_upserts_opens_and_closes(sdk: Sdk, slug: str) -> None:
    sdk.run(
        slug,
        """
        @monitor(monitor_slug=slug, monitor_config=config)
        def good():
            pass

        @monitor(monitor_slug=slug, monitor_config=config)
        def bad():
            raise ValueError("no")

        good()
        try:
            bad()
        except ValueError:
            pass
        """,
    )
    document = sdk.server.get(sdk.server.monitor_path(slug))
    (schedule,) = document["schedules"]
    assert (document["origin"], schedule["cron"]["expression"]) == ("sentry", "*/10 * * * *")
    assert schedule["timeZone"] == "Europe/Vienna"
    assert (document["tolerance"]["margin"], document["tolerance"]["maxRuntime"]) == ("180s", "900s")
    runs = sdk.server.check_ins(slug)
    assert sorted(run["state"] for run in runs) == ["STATE_ERROR", "STATE_OK"]
    for run in runs:
        assert (run["environment"], run["release"]) == ("staging", "demo@1.0.0")
        assert run["client"].startswith(f"sentry.python/{VERSIONS[sdk.name]}")
        assert run["host"]
        assert 0 <= float(run["duration"].removesuffix("s")) < 30


def test_the_wire_is_encoded_as_the_sdk_chooses(sdk: Sdk, slug: str) -> None:
    """Nobody asks for Brotli: that its module can be imported is enough."""
    told = sdk.run(
        slug,
        """
        import importlib.util

        print(importlib.util.find_spec("brotli") is not None)
        capture_checkin(monitor_slug=slug, status="ok", monitor_config=config)
        """,
    )
    assert told == f"{sdk.name == 'sdk2-brotli'}\n"
    (head,) = (head for head in sdk.tap.heads() if head.target.endswith("/envelope/"))
    assert head.headers["content-encoding"] == CLIENTS[sdk.name]
    assert head.headers["content-type"] == "application/x-sentry-envelope"
    (run,) = sdk.server.check_ins(slug)
    assert run["state"] == "STATE_OK"


def test_the_context_manager(sdk: Sdk, slug: str) -> None:
    sdk.run(
        slug,
        """
        with monitor(monitor_slug=slug, monitor_config=config):
            pass
        try:
            with monitor(monitor_slug=slug):
                raise RuntimeError("inside")
        except RuntimeError:
            pass
        """,
    )
    assert [run["state"] for run in sdk.server.check_ins(slug)] == ["STATE_ERROR", "STATE_OK"]


def test_capture_checkin_by_hand(sdk: Sdk, slug: str) -> None:
    told = sdk.run(
        slug,
        """
        chosen = "0123456789abcdef" * 2
        made = capture_checkin(monitor_slug=slug, status="in_progress", monitor_config=config)
        capture_checkin(monitor_slug=slug, check_in_id=made, status="ok", duration=12.5)
        still = capture_checkin(monitor_slug=slug, status="in_progress")
        capture_checkin(monitor_slug=slug, check_in_id="0" * 32, status="error")
        print(made, still)
        """,
    )
    made, still = told.split()
    runs = {run["uid"]: run for run in sdk.server.check_ins(slug)}
    assert {uid: run["state"] for uid, run in runs.items()} == {made: "STATE_OK", still: "STATE_ERROR"}
    assert runs[made]["duration"] == "12.500s"
    assert sdk.refusals(slug) == []


def test_async_functions(sdk: Sdk, slug: str) -> None:
    sdk.run(
        slug,
        """
        import asyncio

        @monitor(monitor_slug=slug, monitor_config=config)
        async def job(works):
            await asyncio.sleep(0)
            if not works:
                raise LookupError

        async def main():
            await job(True)
            await asyncio.gather(job(False), return_exceptions=True)

        asyncio.run(main())
        """,
    )
    assert [run["state"] for run in sdk.server.check_ins(slug)] == ["STATE_ERROR", "STATE_OK"]


def test_one_decorated_function_in_two_threads_at_once(sdk: Sdk, slug: str) -> None:
    """The decorator keeps one id for both: open, open, close, close, and the id of the first is named only once."""
    sdk.run(
        slug,
        """
        import threading

        both_are_open, first_is_over = threading.Barrier(2), threading.Event()

        @monitor(monitor_slug=slug, monitor_config=config)
        def job(first):
            both_are_open.wait()
            if not first:
                first_is_over.wait()
                raise RuntimeError("the second one fails")

        def run(first):
            try:
                job(first)
            except RuntimeError:
                pass
            first_is_over.set()

        threads = [threading.Thread(target=run, args=(first,)) for first in (True, False)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        """,
    )
    runs = sdk.server.check_ins(slug)
    # Whoever opened last gave the id, and the first to end closed it; the other end found it closed.
    assert sorted(run["state"] for run in runs) == ["STATE_IN_PROGRESS", "STATE_OK"]
    (open_run,) = (run for run in runs if run["state"] == "STATE_IN_PROGRESS")
    assert open_run["timeoutTime"]
    assert sdk.refusals(slug) == ["REASON_CHECK_IN_FINISHED"]


def test_a_failed_run_names_the_error_behind_it(sdk: Sdk, slug: str) -> None:
    """The event goes its own way, 1.45's to the old path; the trace that it shares with the check-in joins them."""
    before = _events(sdk.server)
    sdk.run(
        slug,
        """
        try:
            with monitor(monitor_slug=slug, monitor_config=config):
                try:
                    raise LookupError("no such backup")
                except LookupError:
                    sentry_sdk.capture_exception()
                    raise
        except LookupError:
            pass
        """,
    )
    assert _events(sdk.server) == before + 1
    (run,) = sdk.server.check_ins(slug)
    assert run["state"] == "STATE_ERROR"
    error = run["traceError"]
    assert (error["level"], error["type"], error["value"]) == ("error", "LookupError", "no such backup")


def test_a_job_does_not_notice_that_the_server_is_away(
    sentry_client: Callable[[str], Path], new_server: Callable[..., Server], slug: str
) -> None:
    stopped = new_server()
    stopped.start()
    dsn = stopped.sentry_dsn
    stopped.stop()
    program = PROLOGUE.format(dsn=dsn, slug=slug, config=CONFIG)
    program += "with monitor(monitor_slug=slug, monitor_config=config):\n    print('done')\n"
    python = python_of(sentry_client("sdk2"))
    done = subprocess.run([python, "-I", "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n")


def _events(server: Server) -> float:
    series = 'tocsin_sentry_items_total{project="default",type="event"}'
    _, _, text = server.request("GET", "/metrics")
    return server.metric(series) if series in text.decode() else 0.0


def test_what_the_environments_hold(sentry_client: Callable[[str], Path]) -> None:
    """The names promise versions: an environment that was made wrong would let every test above pass."""
    for name, version in VERSIONS.items():
        program = (
            "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
        )
        command = [str(python_of(sentry_client(name))), "-I", "-c", program]
        found = {name.lower(): held for name, held in json.loads(subprocess.check_output(command)).items()}
        assert found["sentry-sdk"].startswith(version)
        assert ("brotli" in found) == (name == "sdk2-brotli")
