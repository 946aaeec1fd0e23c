"""Sentry's clients against a whole server: captured requests and the unmodified SDK in, the REST API out.

`server` is a running `tocsin serve`: `http_url`, `sentry_dsn`, `admin_key`, `project_id`, `get(path)` → JSON.
"""

import json
import subprocess
import sys
import textwrap
import uuid
from urllib.parse import urlsplit

import httpx
import pytest

from contract.fixtures.sentry.captures import FOLDER, Capture, load

CLOSED = {"STATE_OK", "STATE_ERROR"}


@pytest.fixture
def key(server) -> str:
    """The ingest key inside the DSN."""
    return urlsplit(server.sentry_dsn).username


@pytest.fixture
def monitor(server):
    """A monitor as the REST API shows it."""
    return lambda slug: server.get(f"/v1/projects/{server.project_id}/monitors/{slug}")


@pytest.fixture
def runs(server):
    """The check-ins of a monitor by their id."""

    def read(slug: str) -> dict:
        found = server.get(f"/v1/projects/{server.project_id}/monitors/{slug}/checkIns")
        return {run["uid"]: run for run in found.get("checkIns", [])}

    return read


def _send(server, capture: Capture) -> httpx.Response:
    def chunks():
        for start in range(0, len(capture.wire), 200):
            yield capture.wire[start : start + 200]

    with httpx.Client(base_url=server.http_url) as client:
        client.headers.clear()
        return client.request(
            capture.method,
            capture.target,
            content=chunks() if capture.chunked else capture.wire,
            headers=capture.sent_headers(),
        )


def _seconds(run: dict) -> float:
    return float(run["duration"].removesuffix("s"))


def _schedule(document: dict) -> dict:
    (schedule,) = document["schedules"]
    return schedule


@pytest.fixture
def answers(server, key) -> dict[str, httpx.Response]:
    """Every capture that was ever taken, sent to this server in its order."""
    return {
        f"{capture.client}/{capture.name}": _send(server, capture.for_project(int(server.project_id), key))
        for capture in load()
    }


def test_replay(answers, monitor, runs):
    """One test, because client-chosen ids are remembered: a second replay would rightly be refused."""
    taken = [request for path in FOLDER.glob("*.json") for request in json.loads(path.read_text())["requests"]]
    assert len(answers) == len(taken) > 40  # nothing was taken for another one, and no file was left out
    wrong = {name: answer.text for name, answer in answers.items() if answer.status_code not in (200, 202)}
    assert wrong == {}
    assert {answer.status_code for name, answer in answers.items() if name.startswith("curl/cron")} == {202}

    node = monitor("node-manual")
    assert node["origin"] == "sentry"
    assert _schedule(node)["cron"]["expression"] == "0 * * * *"
    assert _schedule(node)["timeZone"] == "America/Los_Angeles"
    tolerance = node["tolerance"]
    assert (tolerance["margin"], tolerance["maxRuntime"]) == ("120s", "600s")
    assert (tolerance["failureThreshold"], tolerance["recoveryThreshold"]) == (2, 3)
    assert [health["environment"] for health in node["environments"]] == ["staging"]
    manual = runs("node-manual")
    assert set(manual) == {"d208375dd0f9402081c97a1d251a3007", "1e0971612bd547d58921404718fc3d50"}
    run = manual["d208375dd0f9402081c97a1d251a3007"]
    assert (run["state"], run["environment"], _seconds(run)) == ("STATE_OK", "staging", 1.25)
    assert (run["release"], run["dialect"]) == ("demo@1.0.0", "sentry")
    assert run["client"] == "sentry.javascript.node/11.12.0"
    assert run["traceId"] == "013e445b97fc44e9a6d53f8381e1ccb0"

    interval = _schedule(monitor("node-with"))["interval"]
    assert (interval["count"], interval["unit"]) == (2, "UNIT_DAY")
    assert interval["truncateToMinute"] is True
    assert [one["state"] for one in runs("node-with").values()] == ["STATE_OK"]

    assert monitor("py-decorated")["owner"] == "team:ops"
    decorated = runs("py-decorated")
    assert decorated["34330a8bd1534e1c8764c51951df623a"]["state"] == "STATE_OK"
    assert decorated["c082ef5ec7684a408d7e0d0d77c98d3b"]["state"] == "STATE_ERROR"

    python = runs("py-manual")
    for identifier in ("b36a13745acb45889c01709943e3d051", "72d2c8eda19141069a044a1ffe449369"):
        assert (python[identifier]["state"], _seconds(python[identifier])) == ("STATE_OK", 12.5)
    assert len(python) == 4  # the all-zero ids found no open run, and became runs of their own
    assert "0" * 32 not in python

    (beat,) = runs("py-heartbeat").values()
    assert (beat["uid"], beat["state"]) == ("568b44100a1940af84c98fb93482332b", "STATE_OK")
    assert [run["state"] for run in runs("cli-upsert").values()] == ["STATE_ERROR"]
    (new_cli,) = runs("newcli-job").values()
    assert (new_cli["state"], _seconds(new_cli)) == ("STATE_ERROR", 0.012)

    curl = {run["environment"]: run["state"] for run in runs("curl-upsert").values()}
    assert curl == {"dev": "STATE_IN_PROGRESS", "production": "STATE_OK"}
    assert monitor("curl-upsert")["tolerance"]["margin"] == "300s"  # the second configuration did not name it


def _run_sdk(server, body: str) -> None:
    """A Python process of its own, as a user would write it, with the SDK as it is on PyPI."""
    program = (
        f"import sentry_sdk\nsentry_sdk.init({server.sentry_dsn!r}, environment='staging', release='demo@1.0.0')\n"
    )
    program += textwrap.dedent(body) + "\nsentry_sdk.flush(10)\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def _slug() -> str:
    return f"sdk-{uuid.uuid4().hex[:12]}"


def test_sdk_monitor_decorator(server, monitor, runs):
    slug = _slug()
    _run_sdk(
        server,
        f"""
        from sentry_sdk.crons import monitor

        config = {{
            "schedule": {{"type": "crontab", "value": "*/10 * * * *"}},
            "timezone": "Europe/Vienna",
            "checkin_margin": 3,
            "max_runtime": 15,
            "failure_issue_threshold": 2,
            "recovery_threshold": 4,
        }}

        @monitor(monitor_slug={slug!r}, monitor_config=config)
        def good():
            pass

        @monitor(monitor_slug={slug!r}, monitor_config=config)
        def bad():
            raise ValueError("no")

        good()
        try:
            bad()
        except ValueError:
            pass
        """,
    )
    document = monitor(slug)
    assert document["origin"] == "sentry"
    assert _schedule(document)["cron"]["expression"] == "*/10 * * * *"
    assert _schedule(document)["timeZone"] == "Europe/Vienna"
    tolerance = document["tolerance"]
    assert (tolerance["margin"], tolerance["maxRuntime"]) == ("180s", "900s")
    assert (tolerance["failureThreshold"], tolerance["recoveryThreshold"]) == (2, 4)
    found = list(runs(slug).values())
    assert sorted(run["state"] for run in found) == ["STATE_ERROR", "STATE_OK"]
    for run in found:
        assert (run["environment"], run["release"]) == ("staging", "demo@1.0.0")
        assert run["client"].startswith("sentry.python")
        assert run["host"]
        assert 0 <= _seconds(run) < 5


def test_sdk_capture_checkin(server, monitor, runs):
    slug, heart = _slug(), _slug()
    identifier = uuid.uuid4().hex
    _run_sdk(
        server,
        f"""
        from sentry_sdk.crons import capture_checkin

        config = {{"schedule": {{"type": "interval", "value": 1, "unit": "hour"}}}}
        capture_checkin(monitor_slug={slug!r}, check_in_id={identifier!r}, status="in_progress", monitor_config=config)
        capture_checkin(monitor_slug={slug!r}, check_in_id={identifier!r}, status="ok", duration=12.5)
        capture_checkin(monitor_slug={heart!r}, status="ok", monitor_config=config)
        """,
    )
    found = runs(slug)
    assert set(found) == {identifier}
    assert found[identifier]["state"] == "STATE_OK"
    assert _seconds(found[identifier]) == 12.5
    assert found[identifier]["startTime"]
    assert _schedule(monitor(slug))["interval"]["unit"] == "UNIT_HOUR"
    assert [run["state"] for run in runs(heart).values()] == ["STATE_OK"]


def test_a_run_that_is_still_open(server, runs):
    slug = _slug()
    _run_sdk(
        server,
        f"""
        from sentry_sdk.crons import capture_checkin

        config = {{"schedule": {{"type": "crontab", "value": "0 0 * * *"}}, "max_runtime": 60}}
        capture_checkin(monitor_slug={slug!r}, status="in_progress", monitor_config=config)
        """,
    )
    (run,) = runs(slug).values()
    assert run["state"] == "STATE_IN_PROGRESS"
    assert run["timeoutTime"].endswith(":00Z")  # whole minutes, as Sentry's


def test_curl_pair_without_an_id(server, key, runs):
    slug = _slug()
    url = f"{server.http_url}/api/{server.project_id}/cron/{slug}/{key}/"
    config = {"monitor_config": {"schedule": {"type": "crontab", "value": "0 * * * *"}}, "status": "in_progress"}
    assert httpx.post(url, json=config).status_code == 202
    assert httpx.get(f"{url}?status=ok").status_code == 202
    (run,) = runs(slug).values()
    assert run["state"] == "STATE_OK"
    assert _seconds(run) >= 0


def test_a_bad_config_keeps_the_run_of_a_known_monitor(server, key, monitor, runs):
    slug = _slug()
    url = f"{server.http_url}/api/{server.project_id}/cron/{slug}/{key}/"
    good = {"monitor_config": {"schedule": {"type": "crontab", "value": "0 * * * *"}}, "status": "ok"}
    bad = {"monitor_config": {"schedule": {"type": "crontab", "value": "0 0 31 4 *"}}, "status": "error"}
    assert httpx.post(url, json=good).status_code == 202
    assert httpx.post(url, json=bad).status_code == 202
    assert sorted(run["state"] for run in runs(slug).values()) == ["STATE_ERROR", "STATE_OK"]
    assert _schedule(monitor(slug))["cron"]["expression"] == "0 * * * *"
    refusals = server.get(f"/v1/projects/{server.project_id}/monitors/{slug}/refusals")["refusals"]
    assert [refusal["reason"] for refusal in refusals] == ["REASON_MONITOR_INVALID_CONFIG"]


def test_what_is_refused_is_told(server, key, monitor):
    slug = _slug()
    url = f"{server.http_url}/api/{server.project_id}/cron/{slug}/{key}/"
    good = {"monitor_config": {"schedule": {"type": "crontab", "value": "0 * * * *"}}, "status": "ok"}
    assert httpx.post(url, json=good).status_code == 202
    assert httpx.get(f"{url}?status=done").status_code == 202
    assert httpx.get(f"{url}?status=ok&environment=a/b").status_code == 202
    refusals = server.get(f"/v1/projects/{server.project_id}/monitors/{slug}/refusals")["refusals"]
    assert [refusal["reason"] for refusal in refusals] == [
        "REASON_MONITOR_INVALID_ENVIRONMENT",
        "REASON_CHECK_IN_VALIDATION_FAILED",
    ]
    assert "'done' is none of in_progress, ok, error" in refusals[1]["detail"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/{project}/envelope/", 401),
        ("/api/{project}/envelope/?sentry_key=" + "a" * 32, 403),
        ("/api/999/envelope/?sentry_key={key}", 403),
        ("/api/x/envelope/?sentry_key={key}", 400),
        ("/api/{project}/envelope/?sentry_key={key}", 400),
    ],
)
def test_answers(server, key, path, status):
    url = server.http_url + path.format(project=server.project_id, key=key)
    answer = httpx.post(url, content=b"" if status == 400 else b"{}\n")
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]


def test_the_admin_key_reports_too(server, runs):
    slug = _slug()
    body = {"monitor_config": {"schedule": {"type": "crontab", "value": "0 * * * *"}}, "status": "ok"}
    url = f"{server.http_url}/api/{server.project_id}/cron/{slug}/"
    assert httpx.post(url, json=body, headers={"Authorization": f"Bearer {server.admin_key}"}).status_code == 202
    assert len(runs(slug)) == 1


def test_all_runs_end_where_they_should(server, runs):
    """Two runs of one monitor, open at once, closed in the wrong order: ids tell them apart."""
    slug, first, second = _slug(), uuid.uuid4().hex, uuid.uuid4().hex
    _run_sdk(
        server,
        f"""
        from sentry_sdk.crons import capture_checkin

        config = {{"schedule": {{"type": "crontab", "value": "* * * * *"}}}}
        for identifier, status in (
            ({first!r}, "in_progress"), ({second!r}, "in_progress"), ({first!r}, "error"), ({second!r}, "ok")
        ):
            capture_checkin(monitor_slug={slug!r}, check_in_id=identifier, status=status, monitor_config=config)
        """,
    )
    assert {uid: run["state"] for uid, run in runs(slug).items()} == {first: "STATE_ERROR", second: "STATE_OK"}
    assert {run["state"] for run in runs(slug).values()} == CLOSED
