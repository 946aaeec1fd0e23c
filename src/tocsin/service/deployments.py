"""Deployments: done beside the request that began it, one after the other in a project; what programs own here.

A second one in the same namespace is refused while the first is on its way; those of other namespaces wait their turn.
What is on its way is known to the process that does it. A row that says so of what nobody here works on is left over
from another process: that deployment has failed.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final, NamedTuple
from weakref import WeakValueDictionary

import msgspec
import structlog

from tocsin.domain.deployment import Binding, Deployment, Owner, Program, State, Step
from tocsin.domain.errors import TocsinError
from tocsin.domain.instant import Clock
from tocsin.domain.project import Scope
from tocsin.service.principal import Principal
from tocsin.store.deploying import SqlDeployments

INTERRUPTED: Final = "INTERRUPTED"
INTERNAL: Final = "INTERNAL"
_log = structlog.get_logger("tocsin.deployments")


class Running(Exception):
    """Another deployment of the namespace is on its way."""

    def __init__(self, deployment: str) -> None:
        super().__init__(deployment)
        self.deployment = deployment


class Cancelled(Exception):
    """Somebody asked for the end of a deployment before it had written anything."""


class Outcome(NamedTuple):
    """What came of a deployment that went well."""

    program: Program
    steps: tuple[Step, ...]
    bound: tuple[Binding, ...] = ()  # of what is there now
    unbound: tuple[Binding, ...] = ()
    program_gone: bool = False


class Ongoing:
    """A deployment on its way, for those who do it and those who watch."""

    def __init__(self, deployment: Deployment, store: SqlDeployments, clock: Clock) -> None:
        self.deployment = deployment
        self.problem: TocsinError | None = None  # why it failed, where that is known
        self._store, self._clock = store, clock
        self._changed = asyncio.Event()

    def progress(self, percent: int) -> None:
        """Only those who watch hear of it."""
        self._show(progress=percent)

    def cancel(self) -> None:
        """Asks for its end, which comes if it has not begun to write."""
        if self.deployment.cancel_time is None and not self.deployment.state.final:
            self._show(cancel_time=self._clock.now())

    async def intend(self, program: Program, new: Sequence[Binding]) -> None:
        """Before anything is made: what will stand for what. From here on it cannot be cancelled. Cancelled."""
        if self.deployment.cancel_time is not None:
            raise Cancelled
        self._show(state=State.RUNNING, start_time=self._clock.now())
        await asyncio.to_thread(self._store.intend, self.deployment, program, new)

    async def changed(self, within_s: float) -> bool:
        """Waits until it has changed, or so long."""
        try:
            await asyncio.wait_for(self._changed.wait(), within_s)
        except TimeoutError:
            return False
        return True

    async def done(self, within_s: float | None = None) -> bool:
        """Waits until it is over, or so long."""
        try:
            async with asyncio.timeout(within_s):
                while not self.deployment.state.final:
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def end(self, state: State, outcome: Outcome | None = None, **fields: Any) -> None:
        """Keeps how it ended, then tells of it."""
        if outcome is not None:
            fields |= {"program": outcome.program, "steps": outcome.steps, "progress": 100}
        now = self._clock.now()
        bound, unbound = (outcome.bound, outcome.unbound) if outcome else ((), ())
        ended = msgspec.structs.replace(self.deployment, state=state, end_time=now, **fields)
        program_gone = outcome.program_gone if outcome else False
        try:
            await asyncio.to_thread(self._store.finish, ended, bound, unbound, program_gone=program_gone)
        except BaseException:
            self._show(state=State.FAILED, end_time=now, error_code=INTERRUPTED, error="how it ended could not be kept")
            raise
        self._show(state=state, end_time=now, **fields)

    def _show(self, **fields: Any) -> None:
        self.deployment = msgspec.structs.replace(self.deployment, **fields)
        self._changed.set()
        self._changed = asyncio.Event()


Work = Callable[[Ongoing], Awaitable[Outcome]]
"""Does a deployment: calls `intend` before it writes. Cancelled, and any TocsinError."""


class Deployments:
    def __init__(self, store: SqlDeployments, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._ongoing: dict[str, Ongoing] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()  # by project

    # --- programs

    async def program(self, principal: Principal, namespace: str) -> Program | None:
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._store.program, principal.project.number, namespace)

    async def programs(self, principal: Principal, *, skip: int, size: int) -> tuple[list[Program], int]:
        """A page of those of the project, oldest first, and how many there are."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._store.programs, principal.project.number, skip=skip, size=size)

    async def bindings(self, principal: Principal, namespace: str) -> list[Binding]:
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._store.bindings, principal.project.number, namespace)

    async def owners(self, principal: Principal, type: str, resources: Collection[str]) -> dict[str, Owner]:
        """By resource, those of these that a program declares."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._store.owners, principal.project.number, type, resources)

    async def elsewhere(
        self, principal: Principal, namespace: str, type: str, resources: Collection[str]
    ) -> Collection[str]:
        """Those of these resources that other programs of the project have too."""
        principal.require(Scope.READ)
        if not resources:
            return ()
        return await asyncio.to_thread(self._store.elsewhere, principal.project.number, namespace, type, resources)

    # --- deployments

    async def begin(self, principal: Principal, namespace: str, work: Work) -> Ongoing:
        """Does `work` beside whoever asks. Running: another one of the namespace is on its way."""
        principal.require(Scope.ADMIN)
        now = self._clock.now()
        made = Deployment(str(uuid.uuid4()), principal.project.number, namespace, create_time=now)
        ongoing = self._ongoing[made.id] = Ongoing(made, self._store, self._clock)
        try:
            other = await self._keep(principal, made)
        except BaseException:
            del self._ongoing[made.id]
            raise
        if other:
            del self._ongoing[made.id]
            raise Running(other)
        task = asyncio.create_task(self._run(ongoing, work), name=f"deployment-{made.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return ongoing

    async def _keep(self, principal: Principal, made: Deployment) -> str:
        """The id of the one that is on its way in its namespace, if there is one; then it is not kept."""
        while other := await asyncio.to_thread(self._store.begin, made):
            if other in self._ongoing:
                return other
            await self._found(principal, other)  # it has failed now
        return ""

    async def find(self, principal: Principal, namespace: str, id: str) -> Deployment | None:
        principal.require(Scope.READ)
        found = await self._found(principal, id)
        return found if found is not None and found.namespace == namespace else None

    def ongoing(self, deployment: Deployment) -> Ongoing | None:
        """None: it is over."""
        return self._ongoing.get(deployment.id)

    async def _found(self, principal: Principal, id: str) -> Deployment | None:
        ongoing = self._ongoing.get(id)
        if ongoing is not None:
            return ongoing.deployment if ongoing.deployment.project == principal.project.number else None
        found = await asyncio.to_thread(self._store.deployment, principal.project.number, id)
        if found is None or found.state.final or id in self._ongoing:
            return found
        left = Ongoing(found, self._store, self._clock)
        await left.end(
            State.FAILED,
            error_code=INTERRUPTED,
            error="the server stopped in the middle of it; deploy again, which goes on where this one ended",
        )
        return left.deployment

    async def _run(self, ongoing: Ongoing, work: Work) -> None:
        turn = self._turns.setdefault(ongoing.deployment.project, asyncio.Lock())
        try:
            async with turn:  # what one finds free no other takes, until it is bound
                await self._end(ongoing, work)
        except Exception as error:  # nobody else would hear of it; whoever asks for it later finds it failed
            _log.error("the end of a deployment was not kept", deployment=ongoing.deployment.id, exc_info=error)
        finally:
            del self._ongoing[ongoing.deployment.id]

    async def _end(self, ongoing: Ongoing, work: Work) -> None:
        try:
            outcome = await work(ongoing)
        except Cancelled:
            await ongoing.end(State.CANCELLED)
        except TocsinError as problem:
            ongoing.problem = problem
            await ongoing.end(State.FAILED, error_code=problem.reason, error=problem.message)
        except Exception as error:
            _log.error("a deployment failed", deployment=ongoing.deployment.id, exc_info=error)
            await ongoing.end(
                State.FAILED, error_code=INTERNAL, error="internal error; the log of the server says more"
            )
        else:
            await ongoing.end(State.SUCCEEDED, outcome)
