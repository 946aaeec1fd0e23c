"""Statistics: how monitors did over time, in numbers. Reads only, never on the event loop."""

import asyncio
from collections.abc import Sequence

from tocsin.domain.monitor import Monitor
from tocsin.domain.project import Scope
from tocsin.service.principal import Principal
from tocsin.store.browse_port import Browse, Downtime, IncidentCount, Statistic, Window


class Statistics:
    """Of monitors of the key's project; those of another are passed over."""

    def __init__(self, browse: Browse) -> None:
        self._browse = browse

    async def by_time(
        self,
        principal: Principal,
        monitors: Sequence[Monitor],
        window: Window,
        *,
        measures: Sequence[str] = (),
        quantiles: tuple[float, ...] = (),
    ) -> list[Statistic]:
        """See `Browse.statistics`."""
        numbers = _numbers(principal, monitors)
        return await asyncio.to_thread(self._browse.statistics, numbers, window, measures=measures, quantiles=quantiles)

    async def incident_counts(
        self, principal: Principal, monitors: Sequence[Monitor], window: Window
    ) -> list[IncidentCount]:
        """See `Browse.incident_counts`."""
        return await asyncio.to_thread(self._browse.incident_counts, _numbers(principal, monitors), window)

    async def downtimes(self, principal: Principal, monitors: Sequence[Monitor], window: Window) -> list[Downtime]:
        """See `Browse.downtimes`."""
        return await asyncio.to_thread(self._browse.downtimes, _numbers(principal, monitors), window)


def _numbers(principal: Principal, monitors: Sequence[Monitor]) -> list[int]:
    principal.require(Scope.READ)
    return [monitor.number for monitor in monitors if monitor.project == principal.project.number]
