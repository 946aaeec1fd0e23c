"""Tells people: woken by commits that open or end incidents and by time, it plans, and has delivered what is planned.

A commit writes nothing for it and does not wait for it. While nothing happens it sleeps, whatever is watched.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Final

import structlog

from tocsin.domain.facts import (
    EnvironmentMuted,
    Fact,
    IncidentAcknowledged,
    IncidentContinued,
    IncidentOpened,
    IncidentResolved,
)
from tocsin.domain.instant import Clock, Instant
from tocsin.engine.delta import Delta
from tocsin.node.delivering import Delivering
from tocsin.node.planning import Planning
from tocsin.store.outbox import SqlOutbox
from tocsin.store.port import StoreTrouble

_TROUBLE_S: Final = 1.0  # after something that may pass
_BROKEN_S: Final = 5.0  # after something that should not be
_LONGEST_S: Final = 3_600.0  # a clock that is set is found at the latest then

_log = structlog.get_logger("tocsin.dispatcher")


class Dispatcher:
    def __init__(self, outbox: SqlOutbox, planning: Planning, clock: Clock) -> None:
        self._outbox, self._planning, self._clock = outbox, planning, clock
        self._delivering: Delivering | None = None
        self._wake = asyncio.Event()
        self._started = False
        self._new = self._events = self._all = False
        self._planned = True  # not in the middle of planning
        self._tracking = True  # whether anybody is being told of anything; known after the first turn
        self._incidents: set[int] = set()  # to be looked at again
        self._monitors: set[int] = set()  # whose incidents are
        self._heard: tuple[set[int], set[int]] = set(), set()  # monitors and groups that somebody hears of now
        self._counted: dict[int, int] = {}  # failures of incidents that went on while it planned

    def deliver(self, delivering: Delivering) -> None:
        """With what; until then notices wait."""
        self._delivering = delivering

    def wake(self) -> None:
        self._wake.set()

    def look_at(self, monitors: Collection[int]) -> None:
        """Of which something has changed that decides who is told; by number."""
        if self._tracking and monitors:
            self._monitors.update(monitors)
            self._wake.set()

    def heard(self, monitors: Collection[int], groups: Collection[int]) -> None:
        """Of which somebody hears now; by number. Perhaps nobody did when their incidents opened."""
        for all_of_them, some in zip(self._heard, (monitors, groups), strict=True):
            all_of_them.update(some)
        if any(self._heard):
            self._wake.set()

    def observe(self, delta: Delta) -> None:
        """Called once for each committed delta; cheap where nothing is for us."""
        if delta.opened:
            self._new = True
        if delta.notices:
            self._events = True
        if delta.incidents or (self._tracking and delta.facts):
            for fact in delta.facts:
                if look := _LOOKS.get(type(fact)):
                    look(self, fact)
        if self._tracking and (delta.monitors or delta.deleted_monitors or delta.deleted_tracks):
            self._monitors.update(delta.monitors, delta.deleted_monitors, delta.deleted_tracks.values())
        if self._tracking and delta.project_settings:  # perhaps its escalation
            self._all = True
        if self._new:
            self._tracking = True
        if self._new or self._events or self._all or self._incidents or self._monitors:
            self._wake.set()

    async def run(self) -> None:
        try:
            while True:
                self._wake.clear()
                try:
                    until = await self.turn()
                except StoreTrouble as trouble:
                    _log.warning("telling waits", trouble=str(trouble))
                    await asyncio.sleep(_TROUBLE_S)
                    continue
                except Exception:  # check-ins must be taken and judged whatever telling meets
                    _log.exception("telling broke; it begins again")
                    await asyncio.sleep(_BROKEN_S)
                    continue
                await self._sleep(until)
        finally:
            if self._delivering is not None:
                await self._delivering.close()

    async def turn(self) -> Instant | None:
        """Plans what there is to plan and begins what there is to deliver; when there will be more to do."""
        await self._plan()
        times = [await asyncio.to_thread(self._outbox.next_look)]
        if self._delivering is not None:
            times.append(await self._delivering.turn())
        return min((time for time in times if time is not None), default=None)

    async def _plan(self) -> None:
        new, events = self._new or not self._started, self._events or not self._started
        incidents, monitors, everything = self._incidents, self._monitors, self._all or not self._started
        heard = self._heard
        self._new, self._events, self._all, self._incidents, self._monitors = False, False, False, set(), set()
        self._heard = set(), set()
        self._planned = False
        try:
            if everything:
                await self._planning.again_all()
            if new:
                await self._planning.new()
            await self._planning.again(incidents)
            await self._planning.again_of(monitors)
            if any(heard):
                await self._planning.heard(*heard)
            await self._planning.again_due()
            if events:
                await self._planning.events()
        except BaseException:
            self._new, self._events, self._all = self._new or new, self._events or events, self._all or everything
            self._incidents |= incidents
            self._monitors |= monitors
            self.heard(*heard)
            raise
        finally:
            self._planned = True
            for number, failures in self._counted.items():
                self._count(number, failures)
            self._counted.clear()
        self._started = True
        self._tracking = bool(await asyncio.to_thread(self._outbox.tracked_after, 0, 1))

    async def _sleep(self, until: Instant | None) -> None:
        seconds = None if until is None else min(max((until - self._clock.now()) / 1000, 0.0), _LONGEST_S)
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    # --- facts that matter

    def _opened(self, _fact: Fact) -> None:
        self._new = True

    def _happened(self, fact: IncidentResolved | IncidentAcknowledged) -> None:
        self._incidents.add(fact.incident.number)

    def _continued(self, fact: IncidentContinued) -> None:
        number, failures = fact.incident.number, fact.incident.failure_count
        if getattr(fact, "added", "") or getattr(fact, "ended", ()):  # something else is wrong too, or is no more
            self._incidents.add(number)
        elif self._planned:
            self._count(number, failures)
        else:  # what it counts for may just be being found out
            self._counted[number] = failures

    def _count(self, number: int, failures: int) -> None:
        """Looks at an incident again that waits for so many failures."""
        needed = self._planning.counting.get(number)
        if needed is not None and failures >= needed:
            self._incidents.add(number)
            self._wake.set()

    def _muted(self, fact: EnvironmentMuted) -> None:
        self._monitors.add(fact.monitor)


_LOOKS: Final[dict[type, Callable[..., None]]] = {
    IncidentOpened: Dispatcher._opened,  # noqa: SLF001 - its own
    IncidentResolved: Dispatcher._happened,  # noqa: SLF001
    IncidentAcknowledged: Dispatcher._happened,  # noqa: SLF001
    IncidentContinued: Dispatcher._continued,  # noqa: SLF001
    EnvironmentMuted: Dispatcher._muted,  # noqa: SLF001
}
