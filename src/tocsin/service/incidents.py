"""Incidents and outages: read, acknowledge, resolve by hand."""

import asyncio

from tocsin.domain import errors
from tocsin.domain.commands import AcknowledgeIncident, ResolveIncident
from tocsin.domain.incident import Incident, Outage
from tocsin.domain.instant import Instant
from tocsin.domain.project import Scope
from tocsin.journal.port import Journal
from tocsin.service.lookup import find_monitor
from tocsin.service.principal import Principal
from tocsin.store.port import IncidentFilter, Page, Store


class Incidents:
    def __init__(self, journal: Journal, store: Store) -> None:
        self._journal = journal
        self._store = store

    async def get(self, principal: Principal, number: int) -> Incident:
        principal.require(Scope.READ)
        found = await asyncio.to_thread(self._store.get_incident, principal.project.number, number)
        if found is None:
            raise errors.NotFound(
                f"no incident {number} in this project", reason="INCIDENT_NOT_FOUND", metadata={"incident": str(number)}
            )
        return found

    async def page(
        self,
        principal: Principal,
        *,
        monitor_id: str,
        open_only: bool,
        size: int,
        token: str,
        filter: str = "",
        since: Instant | None = None,
        until: Instant | None = None,
    ) -> Page[Incident]:
        """Newest first; `filter` as in `store.incident_filters`, opened in [since, until)."""
        principal.require(Scope.READ)
        project = principal.project.number
        monitor = (await find_monitor(self._store, project, monitor_id)).monitor.number if monitor_id else None
        return await asyncio.to_thread(
            self._store.list_incidents,
            project,
            monitor=monitor,
            open_only=open_only,
            only=IncidentFilter(filter, since, until),
            size=size,
            token=token,
        )

    async def acknowledge(self, principal: Principal, number: int, by: str, note: str, received: Instant) -> Incident:
        principal.require(Scope.ADMIN)
        await self.get(principal, number)
        command = AcknowledgeIncident(principal.project.number, number, by[:200], note[:2000])
        return await self._do(principal, command, received)

    async def resolve(self, principal: Principal, number: int, by: str, note: str, received: Instant) -> Incident:
        """INCIDENT_NOT_FOUND; INCIDENT_RESOLVED: it is over already."""
        principal.require(Scope.ADMIN)
        await self.get(principal, number)
        command = ResolveIncident(principal.project.number, number, by[:200], note[:2000])
        return await self._do(principal, command, received)

    async def _do(
        self, principal: Principal, command: AcknowledgeIncident | ResolveIncident, received: Instant
    ) -> Incident:
        receipt = await self._journal.append(received, command)
        if receipt.error is not None:
            raise receipt.error
        return await self.get(principal, command.incident)

    async def outages(self, principal: Principal, *, show_short: bool, size: int, token: str) -> Page[Outage]:
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._store.list_outages, shown_only=not show_short, size=size, token=token)
