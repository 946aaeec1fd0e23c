"""Asks the engine now and then for a review, slice by slice, and tells in the log what came of it."""

import asyncio
from typing import Final

import structlog

from tocsin.domain.commands import ReviewTracks
from tocsin.domain.errors import Unavailable
from tocsin.domain.incident import Incident
from tocsin.domain.instant import Clock
from tocsin.domain.receipt import Reviewed
from tocsin.journal.port import Journal
from tocsin.store.port import MonitorWithHealth, Store, StoreTrouble

EVERY_S: Final = 3_600.0
_BETWEEN_S: Final = 0.05  # two slices: check-ins are not to wait for a review

_log = structlog.get_logger("tocsin.reviewer")


class Reviewer:
    def __init__(self, journal: Journal, store: Store, clock: Clock) -> None:
        self._journal = journal
        self._store = store
        self._clock = clock

    async def review(self) -> None:
        """Looks at every environment once. Unavailable, StoreTrouble: some are left for the next time."""
        first = 0
        while True:
            receipt = await self._journal.append(self._clock.now(), ReviewTracks(first))
            if receipt.error is not None:
                raise receipt.error
            assert receipt.reviewed is not None
            await self._tell(receipt.reviewed)
            first = receipt.reviewed.following
            if not first:
                return
            await asyncio.sleep(_BETWEEN_S)

    async def run(self) -> None:
        while True:
            try:
                await self.review()
            except (Unavailable, StoreTrouble) as trouble:
                _log.warning("the review waits", trouble=str(trouble))
            await asyncio.sleep(EVERY_S)

    async def _tell(self, reviewed: Reviewed) -> None:
        """With the name and the owner of each monitor, which the engine does not keep."""
        known: dict[int, MonitorWithHealth | None] = {}

        async def particulars(project: int, number: int) -> dict[str, object]:
            if number not in known:
                known[number] = await asyncio.to_thread(self._store.get_monitor_by_number, project, number)
            found = known[number]
            return {"project": project} | ({"monitor": found.monitor.id, "owner": found.monitor.owner} if found else {})

        async def of(incident: Incident) -> dict[str, object]:
            return {
                **await particulars(incident.project, incident.monitor),
                "environment": incident.environment,
                "incident": incident.number,
                "open_since": incident.open_time,
            }

        for incident in reviewed.broken:
            _log.warning("an incident is old and everything still fails: does anybody care?", **await of(incident))
        for incident in reviewed.muted:
            _log.warning("nobody cared for a broken incident: its environment is muted", **await of(incident))
        for gone in reviewed.deleted:
            named = await particulars(gone.project, gone.monitor)
            log = _log.warning if gone.incident else _log.info
            log("an environment without reports is deleted", **named, environment=gone.environment)
