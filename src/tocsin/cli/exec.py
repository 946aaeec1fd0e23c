"""tocsin exec MONITOR -- CMD…: runs a job, opens and closes its check-in, passes the exit code through.

The job never waits for the server and never fails because of it: the opening check-in is sent beside the job, and what
cannot be sent is kept and sent by a later run with its own times.
"""

import datetime
import shutil
import signal
import socket
import subprocess  # running the user's command is what this is for
import sys
import threading
import time
import urllib.parse
import uuid
from typing import Any, Final

import click

from tocsin.cli.rest import ApiError, Rest
from tocsin.cli.spool import Spool

_PATIENCE_S: Final = 5.0
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
    try:
        rest: Rest | None = Rest.from_environment(url, key, _PATIENCE_S)
    except click.ClickException as error:
        rest = None  # the job comes first; it is told below why nothing was reported
        click.echo(f"tocsin: {error.message}; the job runs unreported", err=True)
    sys.exit(_run(command, _Reporter(rest, monitor, options) if rest else None))


def _run(command: tuple[str, ...], reporter: "_Reporter | None") -> int:
    signals = _Signals()
    started = time.monotonic()
    opening = threading.Thread(target=reporter.open if reporter else lambda: None)
    opening.start()
    code = _job(command, signals)
    opening.join()
    if reporter:
        reporter.close(code, time.monotonic() - started)
    return code


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


def _job(command: tuple[str, ...], signals: _Signals) -> int:
    """The exit code as a shell would give it."""
    program = shutil.which(command[0])
    if program is None:
        click.echo(f"tocsin: {command[0]}: command not found", err=True)
        return _NOT_FOUND
    try:
        job = subprocess.Popen([program, *command[1:]])  # noqa: S603 - the user's own command
    except OSError as error:
        click.echo(f"tocsin: {command[0]}: {error.strerror or error}", err=True)
        return _NOT_STARTED
    with job:
        signals.attach(job)
        code = job.wait()
    return code if code >= 0 else 128 - code


class _Reporter:
    def __init__(self, rest: Rest, monitor: str, options: dict[str, str | None]) -> None:
        self._rest = rest
        self._path = f"/v1/projects/-/monitors/{urllib.parse.quote(monitor, safe='')}/checkIns:report"
        self._id = uuid.uuid4().hex
        self._options = options
        self._spool = Spool()
        self._away = False

    def open(self) -> None:
        body: dict[str, Any] = {"checkInId": self._id, "checkIn": self._check_in("STATE_IN_PROGRESS", startTime=_now())}
        if self._options["schedule"]:
            body["monitor"] = _configuration(self._options)
        self._deliver(body)

    def close(self, code: int, seconds: float) -> None:
        state = "STATE_ERROR" if code else "STATE_OK"
        check_in = self._check_in(state, endTime=_now(), exitCode=code, duration=f"{seconds:.3f}s")
        self._deliver({"checkInId": self._id, "checkIn": check_in})

    def _check_in(self, state: str, **fields: object) -> dict[str, object]:
        environment = self._options["environment"]
        return {"state": state, "host": socket.gethostname()[:200], **fields} | (
            {"environment": environment} if environment else {}
        )

    def _deliver(self, body: dict[str, Any]) -> None:
        """What waits goes first, so that the order stays. Nothing here may fail the job, or ask twice who is away."""
        self._away = False
        try:
            self._spool.flush(self._send)
            if self._away or not self._send(self._path, body):
                self._spool.put(self._path, body)
        except OSError as error:
            click.echo(f"tocsin: the check-in could not be kept: {error}", err=True)

    def _send(self, path: str, body: object) -> bool:
        """False: nobody answered, keep it. A refusal is told and not sent again."""
        try:
            self._rest.call("POST", path, body)
        except ApiError as error:
            if error.retryable:
                click.echo(f"tocsin: the server is away, the check-in is kept: {error}", err=True)
                self._away = True
                return False
            click.echo(f"tocsin: the check-in was refused: {error}", err=True)
        return True


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
