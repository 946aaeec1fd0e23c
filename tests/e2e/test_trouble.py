"""Trouble from outside, against real servers: promises are kept, and nothing is invented while nobody could listen.

A full disk is made twice: by a limit on the size of the server's files (RLIMIT_FSIZE by prlimit, everywhere: SQLite
gets EFBIG where a disk would give ENOSPC), and on a tmpfs of two megabytes where we may mount one. A page limit of
SQLite would not do: it belongs to one connection, and that is the server's.
"""

import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from support.server import Server, free_port

EVERY_SECOND = [{"interval": {"count": 1, "unit": "UNIT_SECOND"}}]
EVERY_TWO = [{"interval": {"count": 2, "unit": "UNIT_SECOND"}}]
NO_LIMIT = {"margin": "0s", "maxRuntime": "0s"}
IMPATIENT = {"TOCSIN_ENGINE__ANSWER_WITHIN_MS": "700", "TOCSIN_STORE__BUSY_TIMEOUT_MS": "200"}


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def until(condition: Callable[[], bool], what: str, patience_s: float = 20.0) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience_s} s: {what}"
        time.sleep(0.02)


class Load(threading.Thread):
    """One client on one connection; keeps what was acknowledged and what was answered otherwise."""

    def __init__(self, server: Server, monitor: str) -> None:
        super().__init__(daemon=True)
        self.server, self.monitor, self.key = server, monitor, server.ingest_key
        self.acknowledged: list[str] = []
        self.turned_away: list[tuple[int, str | None]] = []
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._send()
            self.stop.wait(0.01)

    def _send(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.http_port, timeout=20)
        try:
            while not self.stop.is_set():
                run = uuid.uuid4().hex
                connection.request("POST", f"/report/{self.monitor}?run={run}", headers={"X-API-Key": self.key})
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    self.acknowledged.append(run)
                else:
                    self.turned_away.append((response.status, response.headers.get("retry-after")))
                    self.stop.wait(0.05)
        finally:
            connection.close()


@contextlib.contextmanager
def load(server: Server, clients: int = 4) -> Iterator[list[Load]]:
    loads = [Load(server, f"load-{number}") for number in range(clients)]
    for one in loads:
        server.create_monitor(one.monitor, tolerance={"maxRuntime": "0s"})
    for one in loads:
        one.start()
    try:
        yield loads
    finally:
        for one in loads:
            one.stop.set()
        for one in loads:
            one.join()


def nothing_is_lost(server: Server, loads: list[Load]) -> None:
    for one in loads:
        stored = [run["uid"] for run in server.check_ins(one.monitor)]
        assert len(stored) == len(set(stored)), "a check-in is stored twice"
        assert not set(one.acknowledged) - set(stored), "an acknowledged check-in is lost"


def no_miss_overlaps(server: Server, monitor: str, since: float, until_: float) -> None:
    for run in server.check_ins(monitor):
        if run["state"] == "STATE_MISSED":
            slot, deadline = seconds(run["expectedTime"]), seconds(run["updateTime"])
            assert not (slot < until_ and deadline > since), (
                f"{slot}..{deadline} is called missed within {since}..{until_}"
            )


def outages(server: Server) -> list[dict[str, str]]:
    found: list[dict[str, str]] = server.get("/v1/outages?showShort=true&pageSize=1000").get("outages", [])
    return found


# --- a database that takes nothing


@pytest.mark.sqlite
def test_a_locked_database_is_waited_for_and_nothing_is_lost(new_server: Callable[..., Server]) -> None:
    server = new_server(environment=IMPATIENT)
    server.start()
    with load(server) as loads:
        until(lambda: all(one.acknowledged for one in loads), "first answers")
        lock = sqlite3.connect(server.data / "tocsin.db", isolation_level=None, timeout=20)
        lock.execute("BEGIN EXCLUSIVE")
        until(lambda: all(one.turned_away for one in loads), "refusals while another process holds the lock")
        assert server.request("GET", "/healthz")[0] == 200
        assert server.metric('tocsin_store_write_errors_total{backend="sqlite"}') > 0
        lock.execute("ROLLBACK")
        lock.close()
        counts = [len(one.acknowledged) for one in loads]
        until(
            lambda: all(len(one.acknowledged) > count + 3 for one, count in zip(loads, counts, strict=True)), "recovery"
        )
    assert {status for one in loads for status, _ in one.turned_away} == {503}
    assert all(retry and int(retry) >= 1 for one in loads for _, retry in one.turned_away)
    nothing_is_lost(server, loads)
    assert server.stop() == 0


@pytest.mark.sqlite
def test_a_database_that_stays_locked_does_not_keep_the_server_from_stopping(new_server: Callable[..., Server]) -> None:
    server = new_server(environment=IMPATIENT | {"TOCSIN_LISTEN__DRAIN_SECONDS": "1"})
    server.start()
    server.create_monitor("job", tolerance={"maxRuntime": "0s"})
    lock = sqlite3.connect(server.data / "tocsin.db", isolation_level=None, timeout=20)
    lock.execute("BEGIN EXCLUSIVE")
    assert server.request("POST", f"/report/job?key={server.ingest_key}", key="")[0] == 503
    assert server.stop() == 1  # what was queued is not recorded, and whoever supervises is told
    lock.close()


@pytest.mark.sqlite
def test_a_database_that_is_locked_at_the_start_is_told_and_waited_for(new_server: Callable[..., Server]) -> None:
    server = new_server(environment=IMPATIENT)
    server.start()
    assert server.stop() == 0
    lock = sqlite3.connect(server.data / "tocsin.db", isolation_level=None, timeout=20)
    lock.execute("BEGIN IMMEDIATE")
    server.start(wait=False)
    until(lambda: "database is locked" in server.log.read_text(), "a word about the lock")
    assert server.request("GET", "/readyz")[0] == 503
    lock.close()
    server.wait_ready()
    assert server.stop() == 0


def expect_every_two_seconds(server: Server) -> None:
    server.create_monitor("due", schedules=EVERY_TWO, tolerance=NO_LIMIT)
    server.request("POST", f"/report/due?key={server.ingest_key}", key="")


def fill_up(server: Server, loads: list[Load], take_space: Callable[[], None], give_space: Callable[[], None]) -> None:
    """No space, then space again: the same story for every way to run out of it."""
    until(lambda: all(one.acknowledged for one in loads), "first answers")
    take_space()
    full = time.time()
    counts = [len(one.turned_away) for one in loads]
    until(
        lambda: all(len(one.turned_away) > count + 2 for one, count in zip(loads, counts, strict=True)),
        "refusals while there is no space",
        40,
    )
    assert server.process is not None
    assert server.process.poll() is None, server.log.read_text()
    give_space()
    free = time.time()
    counts = [len(one.acknowledged) for one in loads]
    until(
        lambda: all(len(one.acknowledged) > count + 3 for one, count in zip(loads, counts, strict=True)), "recovery", 40
    )
    assert {status for one in loads for status, _ in one.turned_away} == {503}
    assert all(retry and int(retry) >= 1 for one in loads for _, retry in one.turned_away)
    assert any(outage["reason"] == "overload" for outage in outages(server)), outages(server)
    assert any(full - 1 < seconds(outage["startTime"]) < free for outage in outages(server))
    for outage in outages(server):
        no_miss_overlaps(server, "due", seconds(outage["startTime"]), seconds(outage["endTime"]))


SMALL_QUEUE = IMPATIENT | {"TOCSIN_ENGINE__QUEUE_LIMIT": "3"}


@pytest.mark.sqlite
def test_files_that_cannot_grow_lose_nothing_and_invent_nothing(new_server: Callable[..., Server]) -> None:
    server = new_server(environment=SMALL_QUEUE)
    server.start()
    expect_every_two_seconds(server)
    assert server.process is not None
    process = server.process.pid
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)

    def take() -> None:
        size = (server.data / "tocsin.db-wal").stat().st_size
        resource.prlimit(process, resource.RLIMIT_FSIZE, (size, before[1]))

    with load(server) as loads:
        fill_up(server, loads, take, lambda: resource.prlimit(process, resource.RLIMIT_FSIZE, before) and None)
    nothing_is_lost(server, loads)
    server.kill()
    server.start()
    nothing_is_lost(server, loads)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system can only be mounted by root; the limit on file sizes is tested everywhere")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.sqlite
def test_a_full_disk_with_the_log_on_it_loses_nothing_and_invents_nothing(
    new_server: Callable[..., Server], small_disk: Path
) -> None:
    server = new_server(environment=SMALL_QUEUE)
    server.data, server.log = small_disk / "data", small_disk / "server.log"
    server.start()
    expect_every_two_seconds(server)
    ballast = small_disk / "ballast"

    def take() -> None:
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 512)

    with load(server) as loads:
        fill_up(server, loads, take, ballast.unlink)
    nothing_is_lost(server, loads)
    assert server.stop() == 0


# --- a process that does not run


def test_a_stopped_process_was_deaf(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    names = [f"each-{number}" for number in range(8)]
    for name in names:
        server.create_monitor(name, schedules=EVERY_TWO, tolerance={"margin": "1s", "maxRuntime": "0s"})
    for name in names:  # their deadlines lie on either side of the loop's next look at the clock
        server.request("POST", f"/report/{name}?key={server.ingest_key}", key="")
    stopped = time.time()
    server.signal(signal.SIGSTOP)
    time.sleep(5)  # being stopped is what is tested
    server.signal(signal.SIGCONT)
    until(lambda: any(seconds(one["endTime"]) > stopped for one in outages(server)), "the outage")
    gap = next(one for one in outages(server) if seconds(one["endTime"]) > stopped)
    assert gap["reason"] == "stall"
    assert seconds(gap["startTime"]) < stopped + 0.5
    assert seconds(gap["endTime"]) > stopped + 4.9
    for name in names:
        no_miss_overlaps(server, name, stopped, stopped + 4.9)
        states = [run["state"] for run in server.check_ins(name) if run.get("expectedTime")]
        assert "STATE_UNKNOWN" in states
    for incident in server.get(f"/v1/projects/{server.project_id}/incidents").get("incidents", []):
        opened = seconds(incident["openTime"])
        assert not stopped < opened < stopped + 5


def test_time_spent_draining_is_not_judged(new_server: Callable[..., Server]) -> None:
    """A call that never ends keeps the server from ending for as long as it may; nobody can report meanwhile."""
    server = new_server(environment={"TOCSIN_LISTEN__DRAIN_SECONDS": "4"})
    server.start()
    server.create_monitor("due", schedules=EVERY_SECOND, tolerance=NO_LIMIT)
    server.create_monitor("stuck", tolerance={"maxRuntime": "0s"})
    key = server.ingest_key
    with socket.create_connection(("127.0.0.1", server.http_port)) as stuck:
        stuck.sendall(
            f"POST /report/stuck HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Length: 9\r\n\r\n1".encode()
        )
        server.request("POST", f"/report/due?key={key}", key="")
        told = time.time()
        server.stop()
        ended = time.time()
    assert ended - told > 2, "the test needs a drain that takes its time"
    server.start()
    no_miss_overlaps(server, "due", told + 0.5, ended)
    assert any(run["state"] == "STATE_UNKNOWN" for run in server.check_ins("due"))


# --- the end


def test_sigterm_under_load_keeps_every_promise(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    with load(server, 6) as loads:
        until(lambda: all(len(one.acknowledged) > 20 for one in loads), "load")
        assert server.stop() == 0
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", server.http_port), timeout=1).close()
        for one in loads:
            one.stop.set()
    for one in loads:
        assert not [status for status, _ in one.turned_away if status != 503]
    server.start()
    nothing_is_lost(server, loads)


def test_an_open_watch_does_not_lose_what_is_sent_while_the_server_stops(new_server: Callable[..., Server]) -> None:
    server = new_server(environment={"TOCSIN_LISTEN__DRAIN_SECONDS": "2"})
    server.start()
    request = urllib.request.Request(f"{server.http_url}/v1/projects/-/monitors:watch")
    request.add_header("Authorization", f"Bearer {server.admin_key}")
    with urllib.request.urlopen(request, timeout=10) as stream:
        assert json.loads(stream.readline())
        before = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - before < 8


# --- many


@pytest.mark.slow
def test_ten_thousand_idle_connections_keep_nobody_waiting(new_server: Callable[..., Server]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 10_000
    if hard != resource.RLIM_INFINITY and hard < wanted + 500:
        pytest.skip(f"this machine allows {hard} open files, {wanted + 500} are needed")
    server = new_server()
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))  # the server raises its own
    try:
        server.start()
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted + 500, hard))
        idle: list[socket.socket] = []
        try:
            for number in range(wanted):
                connection = socket.create_connection(("127.0.0.1", server.http_port), timeout=10)
                if number % 2:
                    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost:")  # and never says which
                idle.append(connection)
            server.create_monitor("job")
            for _ in range(5):
                before = time.monotonic()
                assert server.request("POST", f"/report/job?key={server.ingest_key}", key="")[0] == 200
                assert time.monotonic() - before < 1
            assert server.metric("process_open_fds") > wanted
        finally:
            for connection in idle:
                connection.close()
        assert server.stop() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# --- what cannot start


def run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tocsin", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **(environment or {})},
    )


def test_a_second_server_on_the_same_folder_refuses(server: Server) -> None:
    assert server.process is not None
    done = run("serve", "--data", str(server.data), "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0")
    assert done.returncode != 0
    assert str(server.data) in done.stderr
    assert str(server.process.pid) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.sqlite
def test_the_schema_is_not_changed_beside_a_server(server: Server) -> None:
    done = run("db", "upgrade", "--data", str(server.data))
    assert done.returncode != 0
    assert "in use" in done.stderr
    assert run("db", "check", "--data", str(server.data)).returncode == 0


@pytest.mark.parametrize("door", ["http", "grpc"])
def test_a_port_in_use_is_named(tmp_path: Path, door: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        doors = {"http": f"127.0.0.1:{free_port()}", "grpc": f"127.0.0.1:{free_port()}", door: address}
        done = run("serve", "--data", str(tmp_path), "--http", doors["http"], "--grpc", doors["grpc"])
    assert done.returncode != 0
    assert address in done.stderr
    assert f"listen.{door}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "credentials.json").exists(), "keys were made and shown to nobody"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"TOCSIN_ENGINE__QUEUE_LIMIT": "lots"}, "engine.queue_limit"),
        ({"TOCSIN_LISTEN__HTPP": "x"}, "htpp"),
        ({"TOCSIN_LISTEN__HTTP": "nowhere"}, "listen.http"),
        ({"TOCSIN_LISTEN__TLS_CERTIFICATE": "a.pem"}, "listen.tls"),
        ({"TOCSIN_STORE__URL": "mysql://x/y"}, "sqlite:///"),
        ({"TOCSIN_CONFIG": "/nowhere/tocsin.toml"}, "/nowhere/tocsin.toml"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, environment: dict[str, str], named: str) -> None:
    done = run("serve", "--data", str(tmp_path), environment=environment)
    assert done.returncode != 0
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    for command in (("serve",), ("db", "upgrade")):
        done = run(*command, environment={"TOCSIN_STORE__DATA": str(tmp_path / "data")})
        assert done.returncode != 0
        assert "Traceback" not in done.stderr


def test_a_database_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "tocsin.db").write_bytes(b"this is no database\n" * 500)
    done = run("serve", "--data", str(tmp_path), "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0")
    assert done.returncode != 0
    assert "not a database" in done.stderr
    assert "Traceback" not in done.stderr
