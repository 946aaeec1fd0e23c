"""History: what was recorded of single monitors, newest first, and how much of it between two instants.

Reads only, never on the event loop; how many may be under way is bounded, because one of them may look at millions of
check-ins and others want to read too.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Final

from tocsin.domain.check_in import State
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Monitor
from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.domain.project import Scope
from tocsin.service.principal import Principal
from tocsin.store.browse_port import Browse, Passage, Stretch

COUNTS: Final = 3  # of the database's readers that may count at once

Tallies = dict[int, list[dict[State, int]]]


class History:
    """Of monitors of the key's project; those of another are passed over.

    In the default environment, or in the first by name of a monitor that has not that one.
    """

    def __init__(self, browse: Browse) -> None:
        self._browse = browse
        self._counting = asyncio.Semaphore(COUNTS)

    async def tallies(self, principal: Principal, monitors: Sequence[Monitor], cuts: Sequence[Instant]) -> Tallies:
        """By `Monitor.number`; see `Browse.tallies`."""
        principal.require(Scope.READ)
        numbers = [monitor.number for monitor in monitors if monitor.project == principal.project.number]
        async with self._counting:
            return await asyncio.to_thread(self._browse.tallies, numbers, DEFAULT_ENVIRONMENT, cuts)

    async def page(
        self, principal: Principal, monitor: Monitor, states: Collection[State], stretch: Stretch, limit: int
    ) -> Passage:
        """See `Browse.recorded`."""
        principal.require(Scope.READ)
        if monitor.project != principal.project.number:
            return Passage([], 0)
        return await asyncio.to_thread(
            self._browse.recorded, monitor.number, DEFAULT_ENVIRONMENT, states, stretch, limit
        )
