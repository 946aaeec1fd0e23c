"""`tocsin exec`: the job's exit code and signals pass through, its run is recorded, and a server that is away is no matter."""

import datetime
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.server import Server, free_port
from tocsin.cli import exec as exec_module


class Exec:
    """Runs `tocsin exec` with a spool of the test's own."""

    def __init__(self, spool: Path, url: str, key: str) -> None:
        self.spool = spool
        self.environment = {**os.environ, "TOCSIN_URL": url, "TOCSIN_KEY": key, "TOCSIN_SPOOL": str(spool)}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tocsin", "exec", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )

    def run(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        with self.start(*arguments) as process:
            out, err = process.communicate(stdin, timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def letters(self) -> list[dict[str, Any]]:
        """What waits to be sent, oldest first."""
        return [json.loads(file.read_text())["body"] for file in sorted(self.spool.glob("[0-9]*.json"))]


@pytest.fixture
def job(server: Server) -> str:
    name = f"exec-{uuid.uuid4().hex[:12]}"
    server.create_monitor(name)
    return name


@pytest.fixture
def run(server: Server, tmp_path: Path) -> Exec:
    return Exec(tmp_path / "spool", server.http_url, server.ingest_key)


def python(program: str) -> tuple[str, ...]:
    return ("--", sys.executable, "-c", program)


def instant(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


# -- the job


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_the_exit_code_passes_through(run: Exec, server: Server, job: str, code: int) -> None:
    done = run.run(job, *python(f"raise SystemExit({code})"))
    assert (done.returncode, done.stderr) == (code, "")
    (recorded,) = server.check_ins(job)
    assert recorded["exitCode"] == code
    assert recorded["state"] == ("STATE_ERROR" if code else "STATE_OK")


def test_input_and_output_are_the_jobs_own(run: Exec, job: str) -> None:
    program = "import sys; print(sys.stdin.read().upper()); print('aside', file=sys.stderr)"
    done = run.run(job, *python(program), stdin="hello")
    assert (done.stdout, done.stderr) == ("HELLO\n", "aside\n")


def test_the_jobs_options_are_the_jobs(run: Exec, job: str) -> None:
    done = run.run(job, "--", "echo", "--environment", "-x", "--", "--help")
    assert done.stdout == "--environment -x -- --help\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_reaches_the_job(run: Exec, server: Server, job: str, number: int) -> None:
    program = f"""
import signal, sys
signal.signal({int(number)}, lambda *_: sys.exit(42))
print("ready", flush=True)
signal.pause()
"""
    with run.start(job, *python(program)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(60) == 42
    (recorded,) = server.check_ins(job)
    assert (recorded["state"], recorded["exitCode"]) == ("STATE_ERROR", 42)


def test_a_job_that_a_signal_ends(run: Exec, server: Server, job: str) -> None:
    done = run.run(job, "--", "sh", "-c", "kill -9 $$")
    assert done.returncode == 128 + signal.SIGKILL
    assert server.check_ins(job)[0]["exitCode"] == 137


def test_a_command_that_is_not_there(run: Exec, server: Server, job: str) -> None:
    done = run.run(job, "--", "no-such-command-anywhere")
    assert done.returncode == 127
    assert "command not found" in done.stderr
    (recorded,) = server.check_ins(job)
    assert (recorded["state"], recorded["exitCode"]) == ("STATE_ERROR", 127)


def test_a_file_that_cannot_be_run(run: Exec, server: Server, job: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF no program")
    broken.chmod(0o755)
    done = run.run(job, "--", str(broken))
    assert done.returncode == 126
    (recorded,) = server.check_ins(job)
    assert (recorded["state"], recorded["exitCode"]) == ("STATE_ERROR", 126)


# -- the run


def test_the_run_is_open_while_the_job_runs(run: Exec, server: Server, job: str) -> None:
    with run.start(job, "--environment", "staging", *python("input()")) as process:
        deadline = time.monotonic() + 30
        while not (found := server.check_ins(job)):  # the opening is sent beside the job
            assert time.monotonic() < deadline
        assert found[0]["state"] == "STATE_IN_PROGRESS"
        process.communicate("go\n", timeout=60)
    (recorded,) = server.check_ins(job)
    assert (recorded["state"], recorded["environment"]) == ("STATE_OK", "staging")
    length = instant(recorded["endTime"]) - instant(recorded["startTime"])
    assert abs(length.total_seconds() - float(recorded["duration"][:-1])) < 0.5
    assert recorded["host"]


def test_a_schedule_makes_the_monitor(run: Exec, server: Server) -> None:
    name = f"exec-{uuid.uuid4().hex[:12]}"
    options = ("--schedule", "30 2 * * *", "--time-zone", "Asia/Tokyo", "--margin", "300s", "--max-runtime", "60s")
    assert run.run(name, *options, "--", "true").returncode == 0
    made = server.get(server.monitor_path(name))
    assert made["schedules"][0]["cron"]["expression"] == "30 2 * * *"
    assert made["schedules"][0]["timeZone"] == "Asia/Tokyo"
    assert (made["tolerance"]["margin"], made["tolerance"]["maxRuntime"]) == ("300s", "60s")
    assert server.check_ins(name)[0]["state"] == "STATE_OK"


# -- trouble


def test_a_refusal_is_told_and_not_kept(run: Exec) -> None:
    done = run.run("nobody-made-this-monitor", "--", "sh", "-c", "exit 5")
    assert done.returncode == 5
    assert "was refused" in done.stderr
    assert run.letters() == []


@pytest.mark.parametrize("key", ["", "0" * 32])
def test_a_job_runs_with_a_bad_key(run: Exec, job: str, key: str) -> None:
    run.environment["TOCSIN_KEY"] = key
    done = run.run(job, "--", "sh", "-c", "echo worked; exit 4")
    assert (done.returncode, done.stdout) == (4, "worked\n")
    assert "tocsin:" in done.stderr


def test_a_job_runs_with_a_bad_url(run: Exec, job: str) -> None:
    run.environment["TOCSIN_URL"] = "ftp://nowhere"
    done = run.run(job, "--", "sh", "-c", "exit 4")
    assert done.returncode == 4
    assert "http://" in done.stderr


def test_a_job_runs_where_nothing_can_be_kept(run: Exec, job: str, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    run.environment |= {"TOCSIN_SPOOL": str(blocked / "spool"), "TOCSIN_URL": f"http://127.0.0.1:{free_port()}"}
    done = run.run(job, "--", "sh", "-c", "echo worked; exit 4")
    assert (done.returncode, done.stdout) == (4, "worked\n")
    assert "could not be kept" in done.stderr


def test_what_could_not_be_sent_is_sent_later_with_its_own_times(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = new_server()
    server.start()
    server.create_monitor("nightly")
    server.stop()
    run = Exec(tmp_path / "spool", server.http_url, server.ingest_key)
    assert run.run("nightly", "--", "sh", "-c", "exit 3").returncode == 3
    assert run.run("nightly", "--", "true").returncode == 0
    kept = run.letters()
    assert [letter["checkIn"]["state"] for letter in kept] == [
        *("STATE_IN_PROGRESS", "STATE_ERROR"),
        *("STATE_IN_PROGRESS", "STATE_OK"),
    ]
    server.start()
    assert run.run("nightly", "--", "true").returncode == 0
    assert run.letters() == []
    newest, *delivered = server.check_ins("nightly")
    assert len(delivered) == 2
    by_id = {found["uid"]: found for found in delivered}
    for opening, closing in (kept[0:2], kept[2:4]):
        found = by_id[opening["checkInId"]]
        assert opening["checkInId"] == closing["checkInId"]
        assert found["state"] == closing["checkIn"]["state"]
        assert found["exitCode"] == closing["checkIn"]["exitCode"]
        assert instant(found["startTime"]) == instant(opening["checkIn"]["startTime"])
        assert instant(found["endTime"]) == instant(closing["checkIn"]["endTime"])
        assert float(found["duration"][:-1]) == float(closing["checkIn"]["duration"][:-1])
        assert instant(found["endTime"]) < instant(newest["startTime"])


def test_a_run_whose_end_was_lost_is_closed_later(new_server: Callable[..., Server], tmp_path: Path) -> None:
    server = new_server()
    server.start()
    server.create_monitor("nightly")
    run = Exec(tmp_path / "spool", server.http_url, server.ingest_key)
    with run.start("nightly", *python("input(); raise SystemExit(9)")) as process:
        deadline = time.monotonic() + 30
        while not server.check_ins("nightly"):
            assert time.monotonic() < deadline
        server.kill()
        process.communicate("go\n", timeout=60)
    assert process.returncode == 9
    (letter,) = run.letters()
    server.start()
    run.run("nightly", "--", "true")
    found = next(each for each in server.check_ins("nightly") if each["uid"] == letter["checkInId"])
    assert (found["state"], found["exitCode"]) == ("STATE_ERROR", 9)
    assert instant(found["endTime"]) == instant(letter["checkIn"]["endTime"])


def letter_file(folder: Path, nanoseconds: int | None = None) -> Path:
    return folder / f"{nanoseconds or time.time_ns():020d}-{uuid.uuid4().hex}.json"


def test_letters_that_are_no_letters_are_dropped_and_it_is_said(run: Exec, server: Server, job: str) -> None:
    run.spool.mkdir()
    letter_file(run.spool).write_text('{"path": "/v1/pro')
    letter_file(run.spool, time.time_ns() - 25 * 3600 * 10**9).write_text('{"path": "/v1/x", "body": {}}')
    done = run.run(job, "--", "true")
    assert done.returncode == 0
    assert "cannot be read" in done.stderr
    assert "older than 24 h" in done.stderr
    assert list(run.spool.iterdir()) == []
    assert len(server.check_ins(job)) == 1


def test_files_that_are_not_ours_are_no_matter(run: Exec, server: Server, job: str) -> None:
    run.spool.mkdir()
    (run.spool / "1x.json").write_text("{}")
    done = run.run(job, "--", "sh", "-c", "exit 6")
    assert (done.returncode, done.stderr) == (6, "")
    assert (run.spool / "1x.json").exists()
    assert len(server.check_ins(job)) == 1


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:99999", "http://"])
def test_a_job_runs_with_an_url_that_is_none(run: Exec, url: str) -> None:
    run.environment["TOCSIN_URL"] = url
    done = run.run("nightly", "--", "sh", "-c", "exit 4")
    assert done.returncode == 4
    assert "the job runs unreported" in done.stderr
    assert "Traceback" not in done.stderr


def without_a_home(run: Exec) -> None:
    del run.environment["TOCSIN_SPOOL"]
    run.environment.pop("XDG_STATE_HOME", None)
    run.environment["HOME"] = "~"  # what an unknown uid without HOME comes to


def test_a_job_without_a_home_is_reported(run: Exec, server: Server, job: str) -> None:
    without_a_home(run)
    done = run.run(job, "--", "sh", "-c", "exit 4")
    assert (done.returncode, done.stderr) == (4, "")
    assert server.check_ins(job)[0]["exitCode"] == 4


def test_a_job_without_a_home_and_a_server_runs(run: Exec) -> None:
    without_a_home(run)
    run.environment["TOCSIN_URL"] = f"http://127.0.0.1:{free_port()}"
    done = run.run("nightly", "--", "sh", "-c", "exit 4")
    assert done.returncode == 4
    assert done.stderr.count("is lost") == 1
    assert "Traceback" not in done.stderr


def test_a_key_with_a_line_end_is_the_key(run: Exec, server: Server, job: str) -> None:
    run.environment["TOCSIN_KEY"] += "\n"
    done = run.run(job, "--", "sh", "-c", "exit 4")
    assert (done.returncode, done.stderr) == (4, "")
    assert server.check_ins(job)[0]["exitCode"] == 4


def test_a_key_that_cannot_be_one(run: Exec) -> None:
    run.environment["TOCSIN_KEY"] = "abc…"
    done = run.run("nightly", "--", "sh", "-c", "exit 4")
    assert done.returncode == 4
    assert "TOCSIN_KEY" in done.stderr
    assert "abc" not in done.stderr


def test_what_no_request_can_carry_is_no_matter(run: Exec) -> None:
    done = run.run("nightly", "--environment", "\udc80", "--", "sh", "-c", "exit 4")
    assert done.returncode == 4
    assert "could not be kept" in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_who_listens_is_no_matter(run: Exec) -> None:
    """Full, as a disk may be: what cannot be said changes no exit code."""
    run.environment["TOCSIN_URL"] = f"http://127.0.0.1:{free_port()}"
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "tocsin", "exec", "nightly", "--", "sh", "-c", "exit 4"]
        assert subprocess.run(command, stderr=full, env=run.environment, check=False, timeout=60).returncode == 4


def test_it_says_once_that_the_server_is_away(run: Exec) -> None:
    run.environment["TOCSIN_URL"] = f"http://127.0.0.1:{free_port()}"
    done = run.run("nightly", "--", "true")
    assert done.stderr.count("the server is away") == 1
    assert len(run.letters()) == 2


def test_a_key_that_is_not_taken_loses_nothing(run: Exec, job: str) -> None:
    run.environment["TOCSIN_KEY"] = "0" * 32
    done = run.run(job, "--", "true")
    assert done.stderr.count("does not take this key") == 1
    assert len(run.letters()) == 2


def test_what_was_kept_goes_to_no_other_server_and_no_other_key(run: Exec, server: Server, job: str) -> None:
    good = run.environment["TOCSIN_KEY"]
    for wrong in ({"TOCSIN_URL": f"http://127.0.0.1:{free_port()}"}, {"TOCSIN_KEY": "0" * 32}):
        run.environment |= wrong
        run.run(job, "--", "true")
        run.environment |= {"TOCSIN_URL": server.http_url, "TOCSIN_KEY": good}
    kept = run.letters()
    assert len(kept) == 4
    assert run.run(job, "--", "true").returncode == 0
    assert run.letters() == kept
    assert len(server.check_ins(job)) == 1
    assert not [file for file in run.spool.iterdir() if good in file.read_text()]


# -- a server that takes its time


def test_the_job_does_not_wait_for_the_server(run: Exec) -> None:
    """Somebody listens and never answers. The job begins, and its end is kept once the listener is gone."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        run.environment["TOCSIN_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = run.start("nightly", *python("print('ready', flush=True); input(); raise SystemExit(9)"))
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    with process:
        _, err = process.communicate("go\n", timeout=60)
    assert process.returncode == 9
    assert err.count("tocsin:") == 1
    assert [letter["checkIn"]["state"] for letter in run.letters()] == ["STATE_IN_PROGRESS", "STATE_ERROR"]


class Stuck:
    """A server that holds every request beyond the deadline, whatever the timeout: as a name server may."""

    url = "http://stuck"
    key = "key"

    def __init__(self) -> None:
        self.release = threading.Event()
        self.asked: list[Any] = []

    def call(self, _method: str, _path: str, body: Any) -> None:
        self.asked.append(body)
        self.release.wait(60)


@pytest.fixture
def stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stuck]:
    stuck = Stuck()
    monkeypatch.setenv("TOCSIN_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setattr(exec_module, "_BUDGET_S", 0.2)
    monkeypatch.setattr(exec_module, "dataclasses", SimpleNamespace(replace=lambda rest, **_: rest))
    yield stuck
    stuck.release.set()


def reporter(rest: Stuck, notices: Any) -> Any:
    options = dict.fromkeys(("environment", "schedule", "time_zone", "margin", "max_runtime"))
    return exec_module._Reporter(rest, "nightly", options, notices)


def spooled(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(file.read_text())["body"] for file in sorted(folder.glob("[0-9]*.json"))]


def test_a_server_that_is_stuck_has_its_budget_and_no_more(stuck: Stuck, tmp_path: Path) -> None:
    said: list[str] = []
    notices = exec_module._Notices()
    notices.say = lambda text, matter=None: said.append(matter or text)  # type: ignore[method-assign]
    report = reporter(stuck, notices)
    report.open()
    report.close(3, 1.0)  # returns though nobody has answered: the request is still held
    assert not stuck.release.is_set()
    assert [body["checkIn"]["state"] for body in spooled(tmp_path / "spool")] == ["STATE_IN_PROGRESS", "STATE_ERROR"]
    assert set(said) == {"away"}


def test_what_does_not_fit_into_the_budget_stays_oldest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock moves 3 s with every answer: four fit into 10 s."""
    monkeypatch.setenv("TOCSIN_SPOOL", str(tmp_path / "spool"))
    asked: list[Any] = []
    server = Stuck()
    post = exec_module._Post(server, exec_module._Notices())  # type: ignore[arg-type]
    for number in range(6):
        post.keep("/x", {"n": number})
    monkeypatch.setattr(exec_module, "dataclasses", SimpleNamespace(replace=lambda rest, **_: rest))
    monkeypatch.setattr(exec_module, "time", SimpleNamespace(monotonic=lambda: 3.0 * len(asked)))
    monkeypatch.setattr(server, "call", lambda _method, _path, body: asked.append(body))
    assert not post.flush(10.0)
    assert asked == [{"n": number} for number in range(4)]
    assert spooled(tmp_path / "spool") == [{"n": 4}, {"n": 5}]
