"""Browsing: lists for people, turned in both directions, and counts by time. Reads only, never on the event loop."""

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final

from tocsin.domain import errors
from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.incident import Incident
from tocsin.domain.instant import Instant, Millis
from tocsin.domain.monitor import Monitor, Policy
from tocsin.domain.project import Scope
from tocsin.service.principal import Principal
from tocsin.store.browse_port import Browse, Count, IncidentSearch, Leaf, MonitorSearch, Numbered, Selection, Told, Turn
from tocsin.store.port import Brief, CheckInFilter, MonitorWithHealth, chunks

_UID: Final = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PIECE: Final = 2_000  # briefs that are read at once


def uid_of(reference: str) -> str | None:
    """32 lower-case hex characters of a UUID, dashed or not; None for anything else."""
    return reference.replace("-", "").lower() if _UID.fullmatch(reference) else None


class Browsing:
    def __init__(self, browse: Browse) -> None:
        self._browse = browse

    async def find(self, principal: Principal, reference: str) -> MonitorWithHealth:
        """The monitor of a uid or an id; NotFound. An id may look like a uid: the uid wins."""
        found = await self.find_many(principal, [reference])
        if found[0] is None:
            raise errors.NotFound(
                f"no monitor {reference[:128]!r} in this project",
                reason="MONITOR_NOT_FOUND",
                metadata={"monitor": reference[:128]},
            )
        return found[0]

    async def find_many(self, principal: Principal, references: Sequence[str]) -> list[MonitorWithHealth | None]:
        """As many as there are references, in their order; None where there is no such monitor."""
        principal.require(Scope.READ)
        uids = [uid for reference in references if (uid := uid_of(reference)) is not None]
        rows = await asyncio.to_thread(
            self._browse.monitors_of, principal.project.number, uids=uids, ids=list(references)
        )
        by_uid = {row.monitor.uid: row for row in rows}
        by_id = {row.monitor.id: row for row in rows}
        return [by_uid.get(uid_of(reference) or "") or by_id.get(reference) for reference in references]

    async def find_exactly(
        self, principal: Principal, *, ids: Sequence[str] = (), numbers: Sequence[int] = ()
    ) -> list[MonitorWithHealth]:
        """Those of the key's project that have one of the ids, then those of the numbers; in no order."""
        principal.require(Scope.READ)
        project = principal.project.number
        found = await asyncio.to_thread(self._browse.monitors_of, project, uids=(), ids=ids) if ids else []
        if numbers:
            found += await asyncio.to_thread(self._browse.monitors_numbered, project, numbers)
        return found

    async def anybodys(self, number: int) -> MonitorWithHealth | None:
        """The monitor of this number, of whatever project: for who was told of it in another way than by a key."""
        return await asyncio.to_thread(self._browse.monitor_of_any_project, number)

    async def anybodys_uid(self, uid: str) -> MonitorWithHealth | None:
        """Likewise, by 32 hex characters."""
        return await asyncio.to_thread(self._browse.monitor_of_uid, uid)

    async def monitors(
        self, principal: Principal, search: MonitorSearch, *, now: Instant, size: int, turn: Turn
    ) -> Leaf[MonitorWithHealth]:
        principal.require(Scope.READ)
        return await asyncio.to_thread(
            self._browse.monitors, principal.project.number, search, now=now, size=size, turn=turn
        )

    async def told(self, principal: Principal) -> list[Told]:
        """Whom each monitor of the project tells, by its id."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._browse.told, principal.project.number)

    async def incidents(
        self, principal: Principal, only: IncidentSearch, *, size: int, offset: int
    ) -> Numbered[Incident]:
        """A page of what is found from `offset` on, and how many there are in all."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._browse.incidents, principal.project.number, only, size=size, offset=offset)

    async def numbered(
        self, principal: Principal, only: Selection, *, now: Instant, size: int, offset: int
    ) -> Numbered[MonitorWithHealth]:
        """A page by its number, and how many there are in all."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(
            self._browse.numbered, principal.project.number, only, now=now, size=size, offset=offset
        )

    async def briefs(self, principal: Principal) -> AsyncIterator[list[Brief]]:
        """Of all monitors whose one schedule is a rolling one, oldest first, some at a time."""
        principal.require(Scope.READ)
        project = principal.project.number
        for some in chunks(await asyncio.to_thread(self._browse.rolling, project), _PIECE):
            yield await asyncio.to_thread(self._browse.briefs, project, some)

    async def newest(
        self, principal: Principal, tracks: Sequence[tuple[int, int, Instant]], states: Collection[State]
    ) -> dict[int, CheckIn]:
        """By track; see `Browse.newest`. The tracks are of monitors that the principal has read."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._browse.newest, tracks, states)

    async def newest_incidents(self, principal: Principal, tracks: Sequence[tuple[int, int]]) -> dict[int, Incident]:
        """Likewise."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._browse.newest_incidents, tracks)

    async def check_ins(
        self, principal: Principal, only: CheckInFilter, environments: Sequence[str], *, size: int, turn: Turn
    ) -> Leaf[CheckIn]:
        """Newest first."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(
            self._browse.check_ins, principal.project.number, only, environments, size=size, turn=turn
        )

    async def refusals(
        self, principal: Principal, monitor_id: str | None, *, size: int, turn: Turn
    ) -> Leaf[CheckInRefused]:
        """Newest first; of one monitor id, whether there is such a monitor or not, or of the whole project."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(
            self._browse.refusals, principal.project.number, monitor_id, size=size, turn=turn
        )

    async def policies(self, principal: Principal, check_ins: Sequence[CheckIn]) -> dict[int, Policy]:
        """What the monitors of these check-ins were judged by when they were recorded, by `CheckIn.policy`."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._browse.policies, {check_in.policy for check_in in check_ins})

    async def counts(
        self,
        principal: Principal,
        monitors: Sequence[Monitor],
        *,
        since: Instant,
        until: Instant,
        width: Millis,
        environments: Sequence[str] = (),
    ) -> list[Count]:
        """Of monitors of the key's project; see `Browse.counts`."""
        principal.require(Scope.READ)
        numbers = [monitor.number for monitor in monitors if monitor.project == principal.project.number]
        return await asyncio.to_thread(
            self._browse.counts, numbers, since=since, until=until, width=width, environments=environments
        )
