"""monitor(): a decorator and a context manager that open a run before a job and close it after.

The job comes first: whatever goes wrong with reporting is logged as a warning of `tocsin.client`, and the job's own
exceptions pass through.
"""

import asyncio
import functools
import inspect
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast

from tocsin.client.calls import Call
from tocsin.client.fields import MonitorFields, monitor_message
from tocsin.client.methods import AsyncSender, SyncSender
from tocsin.client.retry import Retry
from tocsin.client.runs import Entered, Run
from tocsin.v1.check_in_pb2 import CheckIn

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", bound=Run)
_OPENING_S: Final = 2.0  # a job does not wait longer before it starts; the start is then sent with its end
_log = logging.getLogger("tocsin.client")


class MonitorOptions(MonitorFields, total=False):
    """The monitor's configuration, and how its runs are reported."""

    environment: str  # "production" when not given
    patience: float  # seconds that a server that is away may hold the job up at its end; 10 when not given


class SyncRun(Run):
    """A run inside a `with`."""

    sender: Callable[[str, Run, Call[CheckIn]], bool]

    def beat(self) -> None:
        """Keeps the run alive: its time-out is counted from now."""
        self.sender("a beat", self, self.beating())


class AsyncRun(Run):
    """A run inside an `async with`."""

    sender: Callable[[str, Run, Call[CheckIn]], Coroutine[Any, Any, bool]]

    async def beat(self) -> None:
        """Keeps the run alive: its time-out is counted from now."""
        await self.sender("a beat", self, self.beating())


class _Base(Generic[R]):
    """What both kinds share: the configuration, and which run belongs to which `with`."""

    def __init__(self, monitor: str, options: MonitorOptions) -> None:
        fields: dict[str, Any] = dict(options)
        self._monitor = monitor
        self._environment: str | None = fields.pop("environment", None)
        patience = float(fields.pop("patience", 10.0))
        self._late = Retry(total=patience, attempt=max(patience / 2, 0.1))
        self._early = Retry(total=min(patience, _OPENING_S), attempt=min(max(patience, 0.1), _OPENING_S))
        monitor_message(fields)  # a mistake in the configuration shows where it was made, not when the job runs
        self._fields = fields
        self._entered: Entered[R] = Entered()

    def _leave(self) -> R | None:
        run = self._entered.pop()
        if run is None:
            _log.warning("monitor %s: a run was left where it was not entered; it stays open", self._monitor)
        return run


class Monitored(_Base[SyncRun]):
    """`with client.monitor("backup", schedule="30 2 * * *") as run:` or `@client.monitor("backup")`.

    Decorates functions and coroutine functions. One object may be used by many threads at once, and inside itself: each
    use is a run of its own.
    """

    def __init__(self, client: Callable[[], SyncSender], monitor: str, options: MonitorOptions) -> None:
        """`client` is called when it is needed. TypeError, ValueError: the configuration makes no sense."""
        super().__init__(monitor, options)
        self._client = client

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{function!r} is a generator; put `with monitor(…)` inside it")
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
                run = await asyncio.to_thread(self._open)
                try:
                    result = await function(*args, **kwargs)
                except BaseException as problem:
                    await asyncio.to_thread(self._close, run, problem)
                    raise
                await asyncio.to_thread(self._close, run, None)
                return result

            return cast("Callable[P, T]", awaited)

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> T:
            run = self._open()
            try:
                result = function(*args, **kwargs)
            except BaseException as problem:
                self._close(run, problem)
                raise
            self._close(run, None)
            return result

        return called

    def __enter__(self) -> SyncRun:
        run = self._open()
        self._entered.push(run)
        return run

    def __exit__(self, _kind: object, problem: BaseException | None, _traceback: object) -> None:
        if (run := self._leave()) is not None:
            self._close(run, problem)

    def _open(self) -> SyncRun:
        run = SyncRun(self._monitor, self._environment, self._fields)
        run.sender = self._send
        run.opened = self._send("the start", run, run.opening(), self._early)
        return run

    def _close(self, run: SyncRun, problem: BaseException | None) -> None:
        if run.opened or self._send("the start", run, run.opening()):
            self._send("the end", run, run.closing(problem))

    def _send(self, what: str, run: Run, call: Call[CheckIn], retry: Retry | None = None) -> bool:
        try:
            self._client().send(call, retry or self._late)
        except Exception as problem:  # the job comes first
            _log.warning("monitor %s: %s of run %s was not reported: %s", self._monitor, what, run.id, problem)
            return False
        return True


class AsyncMonitored(_Base[AsyncRun]):
    """`async with client.monitor("backup") as run:` or `@client.monitor("backup")` before a coroutine function.

    One object may be used by many tasks at once, and inside itself: each use is a run of its own.
    """

    def __init__(self, client: AsyncSender, monitor: str, options: MonitorOptions) -> None:
        """TypeError, ValueError: the configuration makes no sense."""
        super().__init__(monitor, options)
        self._client = client

    def __call__(self, function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"{function!r} is no coroutine function; Client.monitor decorates plain ones")

        @functools.wraps(function)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> T:
            run = await self._open()
            try:
                result = await function(*args, **kwargs)
            except BaseException as problem:
                await self._close(run, problem)
                raise
            await self._close(run, None)
            return result

        return awaited

    async def __aenter__(self) -> AsyncRun:
        run = await self._open()
        self._entered.push(run)
        return run

    async def __aexit__(self, _kind: object, problem: BaseException | None, _traceback: object) -> None:
        if (run := self._leave()) is not None:
            await self._close(run, problem)

    async def _open(self) -> AsyncRun:
        run = AsyncRun(self._monitor, self._environment, self._fields)
        run.sender = self._send
        run.opened = await self._send("the start", run, run.opening(), self._early)
        return run

    async def _close(self, run: AsyncRun, problem: BaseException | None) -> None:
        if run.opened or await self._send("the start", run, run.opening()):
            await self._send("the end", run, run.closing(problem))

    async def _send(self, what: str, run: Run, call: Call[CheckIn], retry: Retry | None = None) -> bool:
        try:
            await self._client.send(call, retry or self._late)
        except Exception as problem:  # the job comes first
            _log.warning("monitor %s: %s of run %s was not reported: %s", self._monitor, what, run.id, problem)
            return False
        return True
