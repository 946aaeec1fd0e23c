"""Notices: read, try again. The dispatcher makes and delivers them.

How many logs may be read at once is bounded: one counts all notices of hours, and others want to read too.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Final

from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.domain.notice import Notice, NoticeState
from tocsin.domain.project import Scope
from tocsin.service.lookup import find_monitor
from tocsin.service.principal import Principal
from tocsin.store.notice_searches import Search, SqlNoticeSearches
from tocsin.store.outbox import SqlOutbox
from tocsin.store.port import Page, Store

LOGS: Final = 2  # of the database's readers that may read logs at once


class Notices:
    def __init__(self, outbox: SqlOutbox, searches: SqlNoticeSearches, store: Store, wake: Callable[[], None]) -> None:
        """`wake()` tells the dispatcher that there is something to deliver."""
        self._outbox, self._searches, self._store, self._wake = outbox, searches, store, wake
        self._reading_logs = asyncio.Semaphore(LOGS)

    async def get(self, principal: Principal, number: int) -> Notice:
        """NotFound: there is none, or not any more."""
        principal.require(Scope.READ)
        found = await asyncio.to_thread(self._outbox.get, principal.project.number, number)
        if found is None:
            raise errors.NotFound(
                f"no notice {number} in this project", reason="NOTICE_NOT_FOUND", metadata={"notice": str(number)}
            )
        return found

    async def page(
        self,
        principal: Principal,
        *,
        monitor_id: str = "",
        incident: int | None = None,
        states: Collection[NoticeState] = (),
        size: int,
        token: str = "",
    ) -> Page[Notice]:
        """Newest first; of one monitor, one incident, in some states. NotFound: no such monitor."""
        principal.require(Scope.READ)
        project = principal.project.number
        monitor = (await find_monitor(self._store, project, monitor_id)).monitor.number if monitor_id else None
        return await asyncio.to_thread(
            self._outbox.page, project, monitor=monitor, incident=incident, states=states, size=size, token=token
        )

    async def told(
        self, principal: Principal, *, since: Instant, until: Instant, monitor: int = 0, size: int, offset: int = 0
    ) -> tuple[list[Notice], int]:
        """Alerts and recoveries decided in [since, until], newest first, each once whoever was told; and how many.

        `monitor`: of this number only. What nobody was to be told of is not among them.
        """
        principal.require(Scope.READ)
        search = Search(principal.project.number, since, until, monitor)
        async with self._reading_logs:
            return await asyncio.to_thread(self._searches.told, search, size=size, offset=offset)

    async def deliveries(
        self,
        principal: Principal,
        *,
        since: Instant,
        until: Instant,
        monitor: int = 0,
        destination: str = "",
        failed: bool | None = None,
        size: int,
        offset: int = 0,
    ) -> tuple[list[Notice], int]:
        """Likewise, one for each destination. `failed`: given up, or never to be delivered; False: the others."""
        principal.require(Scope.READ)
        search = Search(principal.project.number, since, until, monitor, destination, failed)
        async with self._reading_logs:
            return await asyncio.to_thread(self._searches.deliveries, search, size=size, offset=offset)

    async def retry(self, principal: Principal, numbers: Collection[int], now: Instant) -> int:
        """Those of them that were given up are tried again; no numbers: all of the project. How many."""
        principal.require(Scope.ADMIN)
        again = await asyncio.to_thread(self._outbox.retry, principal.project.number, numbers, now)
        if again:
            self._wake()
        return len(again)
