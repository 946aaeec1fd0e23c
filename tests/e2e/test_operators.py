"""What a person does at a terminal: the first start, projects, keys, monitors; beside a running server."""

import json
import os
import queue
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from support.server import Server, free_port

KEY = re.compile(r"[0-9a-f]{32}")


def tocsin(*arguments: str, key: str = "", url: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TOCSIN_KEY": key, "TOCSIN_URL": url, "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "tocsin", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )


def good(*arguments: str, **options: str) -> str:
    done = tocsin(*arguments, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def bad(*arguments: str, **options: str) -> str:
    """What standard error says of a command that must fail, in words and not in a traceback."""
    done = tocsin(*arguments, **options)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


def status(server: Server, key: str) -> int:
    return server.request("GET", "/v1/projects/-/monitors", key=key)[0]


def until_status(server: Server, key: str, wanted: int, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while (found := status(server, key)) != wanted:
        assert time.monotonic() < deadline, f"still {found} after {within_s} s"
        time.sleep(0.02)


# --- the first start


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("first")
    server = Server(folder)
    server.start()
    yield server
    server.close()


def test_the_first_start_prints_a_line_that_works_when_pasted(first: Server) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    lines = [line.strip() for line in first.log.read_text().splitlines()]
    report, look = (line for line in lines if line.startswith("curl "))
    done = subprocess.run(
        ["/bin/sh", "-c", f"{report} --silent --show-error --fail-with-body"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = subprocess.run(["/bin/sh", "-c", f"{look} --silent --fail"], capture_output=True, text=True, check=True)
    [health] = json.loads(seen.stdout)["environments"]
    assert health["state"] == "STATE_OK"


def test_the_first_keys_are_found_again_by_their_owner_only(first: Server) -> None:
    path = first.data / "credentials.json"
    assert path.stat().st_mode & 0o777 == 0o600
    kept = json.loads(path.read_text())
    text = first.log.read_text()
    assert kept["admin_key"] in text
    assert kept["sentry_dsn"] in text
    assert str(path) in text


def test_a_restart_shows_no_keys(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    before = server.log.stat().st_size
    kept = server.credentials()
    assert server.stop() == 0
    server.start()
    with server.log.open() as log:
        log.seek(before)
        later = log.read()
    assert server.http_url in later
    assert not KEY.search(later.replace(kept["account_id"], ""))
    assert server.credentials() == kept


@pytest.mark.sqlite
def test_secrets_never_reach_the_log(new_server: Callable[..., Server]) -> None:
    server = new_server(environment={"TOCSIN_TELEMETRY__LOG_LEVEL": "debug"})
    server.start()
    shown = server.log.stat().st_size  # the greeting shows them, once, to a person
    kept = server.credentials()
    admin, ingest, wrong = kept["admin_key"], kept["ingest_key"], "deadbeef" * 4
    server.create_monitor("job")
    for key in (admin, ingest, wrong):
        for path in (f"/report/job?key={key}", f"/api/1/cron/job/{key}/?status=ok", f"/{key}", f"/{key}?key={key}"):
            server.request("POST", path, key=key)
        server.request("POST", f"/api/1/envelope/?sentry_key={key}", b"\xff\x00 broken", key="")
        server.request("GET", f"/metrics/monitors?key={key}", key="")
        server.request("POST", "/v1/projects/1/monitors", b"{broken", key=key)
    new = good("keys", "create", "--project", "1", "--scope", "read", "--data", str(server.data)).strip()
    server.request("GET", "/v1/projects/-/monitors", key=new)
    server.stop()
    with server.log.open() as log:
        log.seek(shown)
        text = log.read()
    for key in (admin, ingest, wrong, new):
        assert key not in text
    files = b"".join(path.read_bytes() for path in server.data.glob("tocsin.db*"))
    for key in (admin, ingest, new):
        assert key.encode() not in files


# --- projects and keys


@pytest.mark.sqlite
def test_a_project_is_made_beside_a_running_server(server: Server) -> None:
    name = f"Team {uuid.uuid4().hex[:6]}"
    made = json.loads(good("projects", "create", name, "--json", "--data", str(server.data)))
    assert {"project_id", "name", "sentry_dsn", "admin_key", "ingest_key", "account_id"} <= set(made)
    assert made["name"] == name
    assert isinstance(made["project_id"], int)
    for field in ("admin_key", "ingest_key"):
        assert KEY.fullmatch(made[field])
    assert str(uuid.UUID(made["account_id"])) == made["account_id"]
    assert made["sentry_dsn"] == f"http://{made['ingest_key']}@127.0.0.1:{server.http_port}/{made['project_id']}"
    until_status(server, made["admin_key"], 200, 2)
    listed = json.loads(good("projects", "list", "--json", "--data", str(server.data)))
    assert name in {project["name"] for project in listed}


@pytest.mark.sqlite
def test_a_key_works_within_two_seconds_and_stops_working_as_soon(server: Server) -> None:
    data = ("--data", str(server.data))
    key = good("keys", "create", "--project", "default", "--scope", "read", *data).strip()
    assert KEY.fullmatch(key)
    until_status(server, key, 200, 2)
    [number] = [one["number"] for one in json.loads(good("keys", "list", "--json", *data)) if key.endswith(one["hint"])]
    assert key not in good("keys", "list", *data)
    good("keys", "revoke", str(number), *data)
    until_status(server, key, 401, 2)
    assert "no active key" in bad("keys", "revoke", str(number), *data)


@pytest.mark.sqlite
def test_a_stream_ends_when_its_key_stops_working(server: Server) -> None:
    data = ("--data", str(server.data))
    key = good("keys", "create", "--project", "default", "--scope", "ingest", *data).strip()
    until_status(server, key, 403, 2)  # it may not read, but it is known
    messages: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    with grpc.insecure_channel(server.grpc_address) as channel:
        stream = channel.stream_stream("/tocsin.v1.CheckInService/StreamCheckIns")
        answers = stream(iter(messages.get, None), metadata=[("x-api-key", key)], timeout=60)
        messages.put(b"")
        next(answers)
        listed = json.loads(good("keys", "list", "--json", *data))
        [number] = [one["number"] for one in listed if key.endswith(one["hint"])]
        good("keys", "revoke", str(number), *data)
        until_status(server, key, 401, 2)
        messages.put(b"")
        with pytest.raises(grpc.RpcError) as ended:
            next(answers)
        messages.put(None)
    assert ended.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.sqlite
def test_a_scope_is_what_was_asked_for(server: Server) -> None:
    made = json.loads(
        good("keys", "create", "--project", "1", "--scope", "ingest", "--json", "--data", str(server.data))
    )
    assert made["scope"] == "ingest"
    until_status(server, made["key"], 403, 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("keys", "create", "--project", "nobody", "--scope", "read"), "nobody"),
        (("keys", "create", "--project", "1", "--scope", "root"), "root"),
        (("keys", "revoke", "99999"), "99999"),
    ],
)
def test_what_cannot_be_done_is_said(server: Server, arguments: tuple[str, ...], said: str) -> None:
    assert said in bad(*arguments, "--data", str(server.data))


def test_a_project_can_be_made_before_the_first_start(tmp_path: Path) -> None:
    made = json.loads(good("projects", "create", "Early", "--json", "--data", str(tmp_path / "new" / "data")))
    assert made["project_id"] == 1
    server = Server(tmp_path / "new")
    server.start()
    try:
        assert status(server, made["admin_key"]) == 200
    finally:
        server.close()


# --- monitors


FILE = """
monitors:
  - id: nightly
    cron: "30 2 * * *"
    time_zone: Europe/Vienna
    margin: 12d
    labels: {team: storage, code: 010, on: off}
  - id: often
    every: 5 minutes
"""


def test_a_file_of_monitors_is_applied_and_read_back(new_server: Callable[..., Server], tmp_path: Path) -> None:
    server = new_server()
    server.start()
    file = tmp_path / "monitors.yaml"
    file.write_text(FILE.replace("code: 010, ", ""))
    client = {"key": server.admin_key, "url": server.http_url}
    assert "2 monitors would be applied" in good("monitors", "apply", "--dry-run", str(file), **client)
    assert server.request("GET", server.monitor_path("nightly"))[0] == 404
    for _ in range(2):
        assert "2 monitors applied" in good("monitors", "apply", str(file), **client)
    nightly = json.loads(good("monitors", "get", "nightly", **client))
    assert nightly["labels"] == {"team": "storage", "on": "off"}
    assert nightly["tolerance"]["margin"] == "1036800s"
    assert nightly["schedules"][0]["timeZone"] == "Europe/Vienna"
    assert "nightly" in good("monitors", "list", **client)
    found = json.loads(good("monitors", "list", "--json", "--filter", "labels.team = storage", **client))
    assert [one["name"].rpartition("/")[2] for one in found] == ["nightly"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("monitors: {", "line"),
        ("- {id: a, cron: '* * * * *', every: hour}", "monitors[0]"),
        ("- &x {id: a}\n- *x", "aliases"),
        ("- {id: fine}\n- {id: b, cron: '61 * * * *'}", "requests[1].monitor.schedules[0].cron"),
        ("- {id: a, cron: '0 0 * * *', time_zone: Europe/Viena}", "Europe/Vienna"),
        ("- {id: a, color: red}", "color"),
        ("- {id: twice}\n- {id: twice}", "twice"),
        ("- {id: a, labels: {x: 7}}", "labels"),
        ("\x00", ""),
    ],
)
def test_a_bad_file_changes_nothing_and_says_where(server: Server, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "monitors.yaml"
    file.write_text(text)

    def configured() -> list[tuple[str, str]]:
        """What the file could have changed: how monitors of other tests are doing changes all the time."""
        found = server.get("/v1/projects/-/monitors?pageSize=1000")["monitors"]
        return [(monitor["name"], monitor["etag"]) for monitor in found]

    before = configured()
    assert said in bad("monitors", "apply", str(file), key=server.admin_key, url=server.http_url)
    assert configured() == before


def test_a_file_that_is_no_text_is_told(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "monitors.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    assert "monitors.yaml" in bad("monitors", "apply", str(file), key=server.admin_key, url=server.http_url)


def test_without_a_key_or_a_server_it_is_said_what_to_do(server: Server) -> None:
    assert "TOCSIN_KEY" in bad("monitors", "list", url=server.http_url)
    assert "unknown or revoked" in bad("monitors", "list", key="f" * 32, url=server.http_url)
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert nowhere in bad("monitors", "list", key="f" * 32, url=nowhere)
    assert "http://" in bad("monitors", "list", key="f" * 32, url="tocsin.example")
    assert "nobody" in bad("monitors", "get", "nobody", key=server.admin_key, url=server.http_url)


def test_a_schedule_is_previewed_without_a_server() -> None:
    text = good("monitors", "preview", "30 2 * * *", "--time-zone", "Europe/Vienna", "--from", "2026-03-27T00:00:00Z")
    times = re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    assert times == [  # the clocks go forward on 29 March: 02:30 is not there that day
        "2026-03-27T01:30:00Z",
        "2026-03-28T01:30:00Z",
        "2026-03-29T01:00:00Z",
        "2026-03-30T00:30:00Z",
        "2026-03-31T00:30:00Z",
    ]
    assert "clocks go forward 1 h on Sun 2026-03-29 at 02:00:00; moved: its time is skipped that day" in text


@pytest.mark.parametrize(
    ("arguments", "times"),
    [
        (("0 12 * * *",), ["01T12", "02T12"]),
        (("--at", "14:30", "--at", "02:00"), ["01T02", "01T14"]),
        (("--every", "2h"), ["01T02", "01T04"]),
        (("--every", "1month", "--until", "2026-02-01T00:00:00Z"), ["01T00"]),
        (("--within", "90m"), ["01T01", "01T03"]),
        (("--rrule", "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9"), ["30T09", "27T09"]),
        (("--on-calendar", "Fri 08:00"), ["02T08", "09T08"]),
        (("0 12 * * *", "--at", "13:00"), ["01T12", "01T13"]),
        (("0 12 * * *", "--before", "1", "--count", "1"), ["31T12", "01T12"]),
    ],
)
def test_every_kind_of_schedule_is_previewed(arguments: tuple[str, ...], times: list[str]) -> None:
    text = good("monitors", "preview", "--from", "2026-01-01T00:00:00Z", "--count", "2", *arguments)
    assert re.findall(r"\d{4}-\d\d-(\d\dT\d\d):\d\d:\d\dZ", text) == times
    assert "time zones 20" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("61 * * * *",), "minute"),
        (("0 0 30 2 *",), "never"),
        (("* * * * *", "--time-zone", "Mars/Olympus"), "Mars/Olympus"),
        (("* * * * *", "--from", "yesterday"), "yesterday"),
        (("* * * * *", "--count", "0"), "0"),
        ((), "--rrule"),
        (("--every", "2 fortnights"), "2 fortnights"),
        (("--within", "1month"), "no fixed length"),
        (("--rrule", "FREQ=DAILY;BYHOUR=25"), "BYHOUR: '25' is not 0 to 23"),
        (("* * * * *", "--from", "2026-01-02T00:00:00Z", "--until", "2026-01-01T00:00:00Z"), "--until"),
    ],
)
def test_a_preview_of_what_cannot_be_says_why(arguments: tuple[str, ...], said: str) -> None:
    assert said in bad("monitors", "preview", *arguments)


# --- behind a proxy


def test_everything_is_served_below_a_prefix_that_a_proxy_passes_on(new_server: Callable[..., Server]) -> None:
    server = new_server(
        environment={"TOCSIN_LISTEN__PATH_PREFIX": "/tocsin", "TOCSIN_LISTEN__PUBLIC_URL": "https://example.com/tocsin"}
    )
    server.start()
    server.create_monitor("job")
    key = server.ingest_key
    assert server.credentials()["sentry_dsn"] == f"https://{key}@example.com/tocsin/1"
    assert server.request("GET", "/tocsin/readyz")[0] == 200
    assert server.request("GET", "/tocsin/v1/projects/-/monitors/job")[0] == 200
    assert server.request("POST", f"/tocsin/report/job?key={key}", key="")[0] == 200
    assert server.request("GET", f"/tocsin/api/1/cron/job/{key}/?status=ok", key="")[0] in (200, 202)
    assert server.request("GET", "/tocsinx/readyz")[0] == 404
    assert len(server.check_ins("job")) == 2
