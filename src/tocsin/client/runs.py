"""One run of a job, and the calls that open it, keep it alive and close it. Sends nothing itself."""

import time
import traceback
import uuid
from contextvars import ContextVar
from threading import Lock
from typing import Any, Final, Generic, TypeVar

from tocsin.client.calls import Call
from tocsin.client.fields import now
from tocsin.client.report_calls import check_in
from tocsin.v1.check_in_pb2 import CheckIn

_MESSAGE_MAX: Final = 16_384  # characters; the server keeps no more
_entered: ContextVar[tuple[tuple[object, "Run"], ...]] = ContextVar("tocsin_runs", default=())


class Run:
    """A run that is open. The job may set what is sent when it ends, and say that it failed.

    `id` is that of the check-in. `message`, `exit_code` and `metrics` are sent at the end.
    """

    def __init__(self, monitor: str, environment: str | None, fields: dict[str, Any]) -> None:
        """`fields`: the monitor's configuration, sent with the start."""
        self.monitor = monitor
        self.id = uuid.uuid4().hex
        self.message = ""
        self.exit_code: int | None = None
        self.metrics: dict[str, float] = {}
        self.opened = False  # whether the server has said that it knows of it
        self._environment = environment
        self._fields = fields
        self._failed = False
        self._start_time, self._start = now(), time.monotonic()

    def fail(self, message: str = "") -> None:
        """The run ends badly, although no exception says so."""
        self._failed = True
        self.message = message or self.message

    def opening(self) -> Call[CheckIn]:
        return self._call("in_progress", start_time=self._start_time, **self._fields)

    def beating(self) -> Call[CheckIn]:
        return self._call("beat", end_time=now())

    def closing(self, problem: BaseException | None) -> Call[CheckIn]:
        good, exit_code, message = _outcome(problem)
        return self._call(
            "ok" if good and not self._failed else "error",
            end_time=now(),
            duration=time.monotonic() - self._start,
            exit_code=self.exit_code if exit_code is None else exit_code,
            message=(message or self.message)[:_MESSAGE_MAX],
            metrics=self.metrics,
        )

    def _call(self, status: Any, **more: Any) -> Call[CheckIn]:
        return check_in(self.monitor, status, check_in_id=self.id, environment=self._environment, **more)


R = TypeVar("R", bound=Run)


class Entered(Generic[R]):
    """The open runs of one `with` object, which many threads and tasks may be inside of at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._runs: list[R] = []

    def push(self, run: R) -> None:
        with self._lock:
            self._runs.append(run)
        _entered.set((*_entered.get(), (self, run)))

    def pop(self) -> R | None:
        """The run that this thread or task entered last. None: nobody knows which."""
        stack = _entered.get()
        with self._lock:
            mine = next((run for owner, run in reversed(stack) if owner is self and run in self._runs), None)
            if mine is None and len(self._runs) == 1:
                mine = self._runs[0]  # left in another context than it was entered in, but there is only one
            if mine is None:
                return None
            self._runs.remove(mine)
        _entered.set(tuple(entry for entry in stack if entry[1] is not mine))
        return mine


def _outcome(problem: BaseException | None) -> tuple[bool, int | None, str]:
    """Whether it went well, the exit code where there is one, and what to say."""
    if problem is None:
        return True, None, ""
    if isinstance(problem, SystemExit):
        if problem.code is None or isinstance(problem.code, int):
            return not problem.code, int(problem.code or 0), f"exit code {problem.code}" if problem.code else ""
        return False, 1, str(problem.code)
    return False, None, "".join(traceback.format_exception_only(problem)).strip()
