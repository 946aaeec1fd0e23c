"""@sentry/node 11 and 8 as npm installs them, under the Node of a wheel, against a live server."""

import json
import os
import subprocess
import textwrap
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support import clients
from support.server import Server
from support.tap import Head, Tap

VERSIONS = {"node11": "11.12.0", "node8": "8.55.2"}
PROLOGUE = """
const Sentry = require("@sentry/node");
const {{slug, dsn, tunnel}} = {given};
Sentry.init({{dsn, environment: "staging", release: "demo@1.0.0", ...{options}}});
const crontab = {{
    schedule: {{type: "crontab", value: "*/10 * * * *"}}, timezone: "Europe/Vienna",
    checkinMargin: 3, maxRuntime: 15, failureIssueThreshold: 2, recoveryThreshold: 4,
}};
const interval = {{schedule: {{type: "interval", value: 2, unit: "hour"}}}};
async function main() {{
{body}
}}
main().then(() => Sentry.flush(20000)).then((all) => process.exit(all ? 0 : 3), (error) => {{
    console.error(error);
    process.exit(4);
}});
"""


class Sdk(NamedTuple):
    """A client, and the wire between it and the server."""

    name: str
    folder: Path
    server: Server
    tap: Tap

    def run(self, slug: str, body: str, options: str = "{}") -> str:
        """What the body of an async function printed that has `Sentry`, `slug`, `crontab` and `interval`."""
        where = f"127.0.0.1:{self.tap.port}"
        dsn = f"http://{self.server.ingest_key}@{where}/{self.server.project_id}"
        tunnel = f"http://{where}/api/{self.server.project_id}/envelope/"
        given = json.dumps({"slug": slug, "dsn": dsn, "tunnel": tunnel})
        text = PROLOGUE.format(given=given, options=options, body=textwrap.dedent(body))
        done = subprocess.run(
            [clients.node() / "node", "--input-type=commonjs", "--eval", text],
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if not name.startswith(("SENTRY_", "NODE_"))},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def envelopes(self) -> list[Head]:
        return [head for head in self.tap.heads() if "/envelope/" in head.target]

    def monitor(self, slug: str) -> Any:
        return self.server.get(self.server.monitor_path(slug))

    def refusals(self, slug: str) -> list[str]:
        found = self.server.get(f"{self.server.monitor_path(slug)}/refusals").get("refusals", [])
        return [refusal["reason"] for refusal in found]


@pytest.fixture(params=VERSIONS)
def sdk(request: pytest.FixtureRequest, sentry_client: Callable[[str], Path], server: Server) -> Iterator[Sdk]:
    folder = sentry_client(request.param)
    with Tap(server.http_port) as tap:
        yield Sdk(request.param, folder, server, tap)


@pytest.fixture
def slug() -> str:
    return f"node-{uuid.uuid4().hex[:12]}"


def test_capture_check_in_upserts_opens_and_closes(sdk: Sdk, slug: str) -> None:
    told = sdk.run(
        slug,
        """
        const checkInId = Sentry.captureCheckIn({monitorSlug: slug, status: "in_progress"}, crontab);
        await Sentry.flush(10000);  // only the first check-in names a configuration: before it there is no monitor
        Sentry.captureCheckIn({monitorSlug: slug, checkInId, status: "ok", duration: 1.25});
        console.log(checkInId);
        console.log(Sentry.captureCheckIn({monitorSlug: slug, status: "error"}));
        """,
    )
    document = sdk.monitor(slug)
    (schedule,) = document["schedules"]
    assert (document["origin"], schedule["cron"]["expression"]) == ("sentry", "*/10 * * * *")
    assert schedule["timeZone"] == "Europe/Vienna"
    tolerance = document["tolerance"]
    assert (tolerance["margin"], tolerance["maxRuntime"]) == ("180s", "900s")
    assert (tolerance["failureThreshold"], tolerance["recoveryThreshold"]) == (2, 4)
    closed, lone = told.split()
    runs = {run["uid"]: run for run in sdk.server.check_ins(slug)}
    assert {uid: run["state"] for uid, run in runs.items()} == {closed: "STATE_OK", lone: "STATE_ERROR"}
    assert runs[closed]["duration"] == "1.250s"
    for run in runs.values():
        assert (run["environment"], run["release"]) == ("staging", "demo@1.0.0")
        assert run["client"] == f"sentry.javascript.node/{VERSIONS[sdk.name]}"
    assert sdk.refusals(slug) == []
    for head in sdk.envelopes():
        assert head.headers["transfer-encoding"] == "chunked"
        assert "content-type" not in head.headers
        assert "content-encoding" not in head.headers


def test_with_monitor(sdk: Sdk, slug: str) -> None:
    """What a callback returns, resolves to, throws or rejects with is the program's; each one is a run."""
    told = sdk.run(
        slug,
        """
        Sentry.captureCheckIn({monitorSlug: slug, status: "ok"}, interval);
        await Sentry.flush(10000);
        const seen = [Sentry.withMonitor(slug, () => "returned", interval)];
        seen.push(await Sentry.withMonitor(slug, async () => "resolved", interval));
        try {
            Sentry.withMonitor(slug, () => { throw new Error("thrown"); }, interval);
        } catch (error) {
            seen.push(error.message);
        }
        await Sentry.withMonitor(slug, () => Promise.reject(new Error("rejected")), interval)
            .catch((error) => seen.push(error.message));
        console.log(seen.join(" "));
        """,
    )
    assert told == "returned resolved thrown rejected\n"
    (schedule,) = sdk.monitor(slug)["schedules"]
    assert (schedule["interval"]["count"], schedule["interval"]["unit"]) == (2, "UNIT_HOUR")
    runs = [run for run in sdk.server.check_ins(slug) if "duration" in run]
    assert sorted(run["state"] for run in runs) == ["STATE_ERROR", "STATE_ERROR", "STATE_OK", "STATE_OK"]
    assert all(0 <= float(run["duration"].removesuffix("s")) < 30 for run in runs)


def test_a_large_body_comes_compressed(sdk: Sdk, slug: str) -> None:
    """Above 32 KiB the SDK sends gzip; a key of the schedule that means nothing is one way to get there."""
    sdk.run(
        slug,
        """
        const schedule = {...crontab.schedule, note: "a long remark. ".repeat(4000)};
        Sentry.captureCheckIn({monitorSlug: slug, status: "ok"}, {...crontab, schedule});
        """,
    )
    (head,) = sdk.envelopes()
    assert (head.headers["content-encoding"], head.headers["transfer-encoding"]) == ("gzip", "chunked")
    assert [run["state"] for run in sdk.server.check_ins(slug)] == ["STATE_OK"]
    assert sdk.refusals(slug) == ["REASON_MONITOR_INVALID_CONFIG"]  # a remark on the key; the rest of it holds
    assert sdk.monitor(slug)["tolerance"]["margin"] == "180s"


def test_a_tunnel_names_the_key_only_inside(sdk: Sdk, slug: str) -> None:
    sdk.run(slug, 'Sentry.captureCheckIn({monitorSlug: slug, status: "ok"}, crontab);', "{tunnel}")
    (head,) = sdk.envelopes()
    assert "sentry_key" not in head.target
    assert "x-sentry-auth" not in head.headers
    assert [run["state"] for run in sdk.server.check_ins(slug)] == ["STATE_OK"]


def test_a_failed_run_names_the_error_behind_it(sdk: Sdk, slug: str) -> None:
    """The error and a session travel beside the check-ins; the trace joins the error and the run."""
    sdk.run(
        slug,
        """
        Sentry.startSession();
        await Sentry.withMonitor(slug, async () => {
            const error = new TypeError("no such backup");
            Sentry.captureException(error);
            await Sentry.flush(10000);
            throw error;
        }, crontab).catch(() => {});
        Sentry.endSession();
        """,
    )
    assert len(sdk.envelopes()) > 3  # two check-ins, the error, at least one session; all were taken: flush said so
    (run,) = sdk.server.check_ins(slug)
    assert run["state"] == "STATE_ERROR"
    error = run["traceError"]
    assert (error["level"], error["type"], error["value"]) == ("error", "TypeError", "no such backup")


def test_an_instrumented_scheduler(sentry_client: Callable[[str], Path], server: Server, slug: str) -> None:
    """The `cron` package's jobs, wrapped by the SDK: the schedule is the job's own. One is made to fire by hand."""
    with Tap(server.http_port) as tap:
        sdk = Sdk("node11", sentry_client("node11"), server, tap)
        sdk.run(
            slug,
            """
            const {CronJob} = require("cron");
            const Monitored = Sentry.cron.instrumentCron(CronJob, slug);
            const job = new Monitored("5 4 * * 1-5", () => {}, null, false, "Europe/Vienna");
            await job.fireOnTick();
            """,
        )
    (schedule,) = server.get(server.monitor_path(slug))["schedules"]
    assert (schedule["cron"]["expression"], schedule["timeZone"]) == ("5 4 * * 1-5", "Europe/Vienna")
    assert [run["state"] for run in server.check_ins(slug)] == ["STATE_OK"]
