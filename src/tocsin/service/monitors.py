"""Monitors: put, delete, pause, mute, read, preview. Writes go through the journal and answer with what is stored."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from tocsin.domain import errors
from tocsin.domain.commands import (
    ChangeEnvironment,
    Command,
    DeleteEnvironment,
    DeleteMonitor,
    PutMonitor,
    PutMonitors,
)
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Monitor, MonitorChange
from tocsin.domain.project import Scope
from tocsin.domain.receipt import Receipt
from tocsin.domain.schedule import Schedule
from tocsin.journal.port import Journal
from tocsin.schedule import FireTime, describe, fire_times, fire_times_before
from tocsin.service.configuration import Configuration
from tocsin.service.lookup import find_monitor
from tocsin.service.principal import Principal
from tocsin.store.port import MonitorWithHealth, Page, Store, chunks

BATCH_MAX = 1_000
_SLICE = 200  # monitors between two turns of others
PREVIEW_DEFAULT, PREVIEW_MAX = 5, 1_000


class Preview(NamedTuple):
    """What schedules would do."""

    times: list[FireTime]
    previous: list[FireTime]
    words: list[str]  # of each schedule
    database: str  # release of the time zone database


class Monitors:
    def __init__(self, journal: Journal, store: Store, configuration: Configuration) -> None:
        self._journal = journal
        self._store = store
        self._configuration = configuration

    async def put(self, principal: Principal, command: PutMonitor, received: Instant) -> MonitorWithHealth:
        principal.require(Scope.ADMIN)
        self._configuration.check(command.change, "monitor")
        receipt = await self._write(received, command)
        if command.validate_only:
            return MonitorWithHealth(receipt.monitors[0], [], {})
        return await self._read_back(receipt.monitors[0])

    async def put_many(
        self,
        principal: Principal,
        commands: Sequence[PutMonitor],
        received: Instant,
        *,
        most: int = BATCH_MAX,
        checked: bool = False,
    ) -> list[MonitorWithHealth]:
        """All or none, in one transaction; at most `most`, each monitor once. Others get a turn in between.

        `checked`: the caller has asked `Configuration.check` about each change, to say in its own words what is wrong.
        """
        principal.require(Scope.ADMIN)
        if len(commands) > most:
            raise errors.invalid("requests", f"at most {most}, not {len(commands)}")
        seen: set[str] = set()
        for index, command in enumerate(commands):
            if command.monitor_id in seen:
                raise errors.invalid(f"requests[{index}].monitor.name", f"{command.monitor_id!r} is in the batch twice")
            seen.add(command.monitor_id)
            if not checked:
                self._configuration.check(command.change, f"requests[{index}].monitor")
            if index % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)
        if not commands:
            return []
        receipt = await self._write(received, PutMonitors(tuple(commands)))
        if any(command.validate_only for command in commands):
            return [MonitorWithHealth(monitor, [], {}) for monitor in receipt.monitors]
        return await asyncio.to_thread(self._read_back_many, principal.project.number, receipt.monitors)

    async def delete(
        self, principal: Principal, monitor_id: str, received: Instant, *, etag: str = "", allow_missing: bool = False
    ) -> None:
        principal.require(Scope.ADMIN)
        try:
            await self._write(received, DeleteMonitor(principal.project.number, monitor_id, etag))
        except errors.NotFound:
            if not allow_missing:
                raise

    async def delete_many(self, principal: Principal, monitor_ids: Sequence[str], received: Instant) -> None:
        """Each for itself, in few transactions; one that is gone already does not matter."""
        principal.require(Scope.ADMIN)
        project = principal.project.number
        for some in chunks(monitor_ids, _SLICE):
            receipts = await asyncio.gather(
                *(self._journal.append(received, DeleteMonitor(project, monitor_id)) for monitor_id in some)
            )
            for receipt in receipts:
                if receipt.error is not None and not isinstance(receipt.error, errors.NotFound):
                    raise receipt.error

    async def change(
        self, principal: Principal, monitor_id: str, change: MonitorChange, received: Instant
    ) -> MonitorWithHealth:
        """Pause, resume, mute, unmute: a change of a monitor that must exist."""
        command = PutMonitor(principal.project.number, monitor_id, change, create=False)
        return await self.put(principal, command, received)

    async def change_environment(
        self, principal: Principal, monitor_id: str, environment: str, received: Instant, *, muted: bool
    ) -> MonitorWithHealth:
        """Mutes or unmutes one environment. `NotFound`: the monitor or the environment does not exist."""
        principal.require(Scope.ADMIN)
        command = ChangeEnvironment(principal.project.number, monitor_id, _named(environment), muted)
        receipt = await self._write(received, command)
        return await self._read_back(receipt.monitors[0])

    async def delete_environment(
        self,
        principal: Principal,
        monitor_id: str,
        environment: str,
        received: Instant,
        *,
        allow_missing: bool = False,
    ) -> None:
        """With its check-ins and incidents. `NotFound`: the monitor or the environment does not exist."""
        principal.require(Scope.ADMIN)
        try:
            await self._write(received, DeleteEnvironment(principal.project.number, monitor_id, _named(environment)))
        except errors.NotFound:
            if not allow_missing:
                raise

    async def get(self, principal: Principal, monitor_id: str) -> MonitorWithHealth:
        principal.require(Scope.READ)
        return await find_monitor(self._store, principal.project.number, monitor_id)

    async def owner(self, number: int) -> tuple[int, str] | None:
        """Project and id of the monitor of a number, for an edge at which a number is all that a client names."""
        return await asyncio.to_thread(self._store.monitor_owner, number)

    async def page(
        self, principal: Principal, *, size: int, token: str, filter: str, order_by: str
    ) -> Page[MonitorWithHealth]:
        principal.require(Scope.READ)
        return await asyncio.to_thread(
            self._store.list_monitors,
            principal.project.number,
            size=size,
            token=token,
            filter=filter,
            order_by=order_by,
        )

    def preview(
        self,
        schedules: tuple[Schedule, ...],
        start: Instant,
        *,
        count: int = 0,
        end: Instant | None = None,
        previous: int = 0,
    ) -> Preview:
        """The next `count` times after `start` up to `end`, and as many before. Intervals count from `start`."""
        count = count or (PREVIEW_DEFAULT if end is None else PREVIEW_MAX)
        for field, number, least in (("count", count, 1), ("previous_count", previous, 0)):
            if not least <= number <= PREVIEW_MAX:
                raise errors.invalid(field, f"must be {least} to {PREVIEW_MAX}, not {number}")
        if end is not None and end < start:
            raise errors.invalid("end_time", "must not lie before start_time")
        if not schedules:
            raise errors.invalid("schedules", "at least one schedule", reason="SCHEDULE_INVALID")
        field = "schedules[0]" if len(schedules) == 1 else "schedules"
        compiler, _ = self._configuration.compile(schedules, field)
        return Preview(
            times=fire_times(compiler, schedules, start, count, until_ms=end, field=field),
            previous=fire_times_before(compiler, schedules, start, previous, field=field),
            words=[describe((schedule,)) for schedule in schedules],
            database=self._configuration.database,
        )

    async def _write(self, received: Instant, command: Command) -> Receipt:
        receipt = await self._journal.append(received, command)
        if receipt.error is not None:
            raise receipt.error
        return receipt

    async def _read_back(self, monitor: Monitor) -> MonitorWithHealth:
        found = await asyncio.to_thread(self._store.get_monitor, monitor.project, monitor.id)
        return found or MonitorWithHealth(monitor, [], {})  # deleted by somebody else since

    def _read_back_many(self, project: int, monitors: Sequence[Monitor]) -> list[MonitorWithHealth]:
        found = {row.monitor.number: row for row in self._store.get_monitors(project, [one.number for one in monitors])}
        return [found.get(monitor.number) or MonitorWithHealth(monitor, [], {}) for monitor in monitors]


def _named(environment: str) -> str:
    """Elsewhere no name means production; what is deleted or muted must be named."""
    if not environment:
        raise errors.invalid("environment", "name the environment", reason="ENVIRONMENT_INVALID")
    return environment
