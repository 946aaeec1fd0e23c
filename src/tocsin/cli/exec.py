"""tocsin exec MONITOR -- CMD…: runs a job, opens and closes its check-in, passes the exit code through.

The job never waits for the server and never fails because of it: the opening check-in is sent beside the job, and what
cannot be sent is kept and sent by a later run with its own times. Once the job has ended, the server has `_BUDGET_S`.
"""

import contextlib
import dataclasses
import datetime
import os
import shutil
import signal
import socket
import subprocess  # running the user's command is what this is for
import sys
import threading
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from typing import Any, Final

import click

from tocsin.cli.rest import ApiError, Rest
from tocsin.cli.spool import Spool

_BUDGET_S: Final = 10.0  # for all that is sent when the job begins, and again when it ends
_PATIENCE_S: Final = 5.0  # for one answer
_DENIED: Final = (401, 403)
_NOT_FOUND: Final = 127
_NOT_STARTED: Final = 126
_FORWARDED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class _Exec(click.Command):
    """The first `--` is where the job begins, and what stands before it is ours. Without one it follows MONITOR."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            ctx.allow_interspersed_args, ctx.ignore_unknown_options = True, False
            ours, _, _ = self.make_parser(ctx).parse_args(args[: args.index("--")])
            if isinstance(begun := ours.get("command"), tuple) and begun:
                raise click.UsageError(f"write -- before the job, right after MONITOR: {' '.join(args)[:200]}", ctx)
        return super().parse_args(ctx, args)


@click.command("exec", cls=_Exec, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("monitor")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--environment", help="[default: production]")
@click.option("--schedule", help="Cron expression: makes or updates the monitor.")
@click.option("--time-zone", help="Time zone of --schedule.")
@click.option("--margin", help="How late the job may start: 60s.")
@click.option("--max-runtime", help="How long the job may run: 3600s.")
@click.option("--url", help="Server.  [default: TOCSIN_URL or http://127.0.0.1:8000]")
@click.option("--key", help="Ingest key.  [default: TOCSIN_KEY]")
def exec_(monitor: str, command: tuple[str, ...], url: str | None, key: str | None, **options: str | None) -> None:
    """Run COMMAND as a run of MONITOR."""
    notices = _Notices()
    reporter: _Reporter | None = None
    try:
        reporter = _Reporter(Rest.from_environment(url, key, _PATIENCE_S), monitor, options, notices)
    except Exception as error:  # whatever keeps us from reporting, the job comes first
        why = error.message if isinstance(error, click.ClickException) else repr(error)
        notices.say(f"{why}; the job runs unreported")
    code = _run(command, reporter, notices)
    notices.end()
    sys.exit(code)


def _run(command: tuple[str, ...], reporter: "_Reporter | None", notices: "_Notices") -> int:
    signals = _Signals()
    started = time.monotonic()
    if reporter:
        reporter.open()
    code = _job(command, signals, notices)
    if reporter:
        reporter.close(code, time.monotonic() - started)
    return code


class _Notices:
    """What we say on stderr: each matter once. Neither a full disk nor a reader that left may change the exit code."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: set[str] = set()
        self._ended = False

    def say(self, text: str, matter: str | None = None) -> None:
        with self._lock:
            if self._ended or (matter or text) in self._said:
                return
            self._said.add(matter or text)
            with contextlib.suppress(
                OSError, ValueError, AttributeError
            ):  # unbuffered: nothing is left to fail at exit
                os.write(sys.stderr.fileno(), f"tocsin: {text}\n".encode(errors="backslashreplace"))

    def end(self) -> None:
        """A sender that was given up says no more."""
        with self._lock:
            self._ended = True

    @contextlib.contextmanager
    def harmless(self, what: str) -> Iterator[None]:
        """The last line of defence: no error of ours, not even one nobody thought of, may cost the job its code."""
        try:
            yield
        except Exception as error:  # see above
            self.say(f"{what}: {error!r}")


class _Signals:
    """Signals are the job's: handed on while it runs, of no effect while we report, so that its exit code survives."""

    def __init__(self) -> None:
        self._job: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []  # what came before the job had started
        for number in _FORWARDED:
            signal.signal(number, self._received)

    def attach(self, job: "subprocess.Popen[bytes]") -> None:
        self._job = job
        for number in self._early:
            job.send_signal(number)

    def _received(self, number: int, _frame: object) -> None:
        if self._job is None:
            self._early.append(number)
        elif number != signal.SIGINT or not sys.stdin.isatty():  # a terminal sends Ctrl-C to the job as well
            self._job.send_signal(number)


def _job(command: tuple[str, ...], signals: _Signals, notices: _Notices) -> int:
    """The exit code as a shell would give it."""
    program = shutil.which(command[0])
    if program is None:
        notices.say(f"{command[0]}: command not found")
        return _NOT_FOUND
    try:
        job = subprocess.Popen([program, *command[1:]])  # noqa: S603 - the user's own command
    except OSError as error:
        notices.say(f"{command[0]}: {error.strerror or error}")
        return _NOT_STARTED
    with job:
        signals.attach(job)
        code = job.wait()
    return code if code >= 0 else 128 - code


class _Reporter:
    def __init__(self, rest: Rest, monitor: str, options: dict[str, str | None], notices: _Notices) -> None:
        self._post = _Post(rest, notices)
        self._notices = notices
        self._path = f"/v1/projects/-/monitors/{urllib.parse.quote(monitor, safe='')}/checkIns:report"
        self._id = uuid.uuid4().hex
        self._options = options
        self._host = socket.gethostname()[:200]
        self._opening: _Delivery | None = None

    def open(self) -> None:
        """Returns at once."""
        with self._notices.harmless("the check-in could not be opened"):
            check_in = self._check_in("STATE_IN_PROGRESS", startTime=_now())
            body: dict[str, Any] = {"checkInId": self._id, "checkIn": check_in}
            if self._options["schedule"]:
                body["monitor"] = _configuration(self._options)
            self._opening = _Delivery(self._post, self._path, body, time.monotonic() + _BUDGET_S)

    def close(self, code: int, seconds: float) -> None:
        """Returns within the budget, what is left of the opening included."""
        with self._notices.harmless("the check-in could not be closed"):
            deadline = time.monotonic() + _BUDGET_S
            state = "STATE_ERROR" if code else "STATE_OK"
            check_in = self._check_in(state, endTime=_now(), exitCode=code, duration=f"{seconds:.3f}s")
            if self._opening:
                self._opening.finish()
            _Delivery(self._post, self._path, {"checkInId": self._id, "checkIn": check_in}, deadline).finish()

    def _check_in(self, state: str, **fields: object) -> dict[str, object]:
        environment = self._options["environment"]
        return {"state": state, "host": self._host, **fields} | ({"environment": environment} if environment else {})


class _Post:
    """Where check-ins go: to the server, or into the spool if there is a place for one."""

    def __init__(self, rest: Rest, notices: _Notices) -> None:
        self.notices = notices
        self._rest = rest
        self._spool: Spool | None = None
        self._fate = "what cannot be sent is kept for a later run"
        try:
            self._spool = Spool(rest.url, rest.key, say=notices.say)
        except Exception as error:  # no home, say: it is reported all the same
            self._fate = f"what cannot be sent is lost, TOCSIN_SPOOL would name a folder for it ({error})"

    def flush(self, deadline: float) -> bool:
        """False: there is no use in sending more now."""
        going = True

        def send(path: str, body: object) -> bool:
            nonlocal going
            going = self.send(path, body, deadline)
            return going

        with self.notices.harmless("what was kept could not be sent"):
            if self._spool:
                self._spool.flush(send)
        return going

    def send(self, path: str, body: object, deadline: float) -> bool:
        """False: keep it. What is refused for what it says is told and not sent again."""
        left = deadline - time.monotonic()
        if left <= 0:
            self.late()
            return False
        try:
            dataclasses.replace(self._rest, timeout_s=min(_PATIENCE_S, left)).call("POST", path, body)
        except ApiError as error:
            if error.retryable:
                self.notices.say(f"the server is away, {self._fate}: {error}", "away")
                return False
            if error.status in _DENIED:
                self.notices.say(f"the server does not take this key, {self._fate}: {error}", "denied")
                return False
            self.notices.say(f"the check-in was refused: {error}")
        return True

    def late(self) -> None:
        self.notices.say(f"the server takes more than {_BUDGET_S:g} s, {self._fate}", "away")

    def keep(self, path: str, body: object) -> None:
        with self.notices.harmless("the check-in could not be kept"):
            if self._spool:
                self._spool.put(path, body)


class _Delivery:
    """A check-in on its way, in a thread: a name server or an answer that comes in drops knows no timeout of ours."""

    def __init__(self, post: _Post, path: str, body: dict[str, Any], deadline: float) -> None:
        self._post = post
        self._path = path
        self._body = body
        self._deadline = deadline
        self._settling = threading.Lock()
        self._settled = False
        self._thread = threading.Thread(target=self._deliver, daemon=True)
        with post.notices.harmless("the check-in could not be sent"):  # no thread to be had: finish() keeps it
            self._thread.start()

    def finish(self) -> None:
        """Sent or kept when it returns, by the deadline."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, self._deadline - time.monotonic()))
            if self._thread.is_alive():
                self._post.late()
        self._settle(sent=False)

    def _deliver(self) -> None:
        """What waits goes first, so that the order stays. Nothing here may fail the job, or ask twice who is away."""
        sent = False
        with self._post.notices.harmless("the check-in could not be sent"):
            sent = self._post.flush(self._deadline) and self._post.send(self._path, self._body, self._deadline)
        self._settle(sent=sent)

    def _settle(self, *, sent: bool) -> None:
        with self._settling:
            if not (sent or self._settled):
                self._post.keep(self._path, self._body)
            self._settled = True


def _configuration(options: dict[str, str | None]) -> dict[str, Any]:
    schedule: dict[str, Any] = {"cron": {"expression": options["schedule"]}}
    if options["time_zone"]:
        schedule["timeZone"] = options["time_zone"]
    tolerance = {"margin": options["margin"], "maxRuntime": options["max_runtime"]}
    return {
        "schedules": [schedule],
        "tolerance": {name: value for name, value in tolerance.items() if value},
    }


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
