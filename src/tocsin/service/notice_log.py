"""The log of telling: which alerts there were in a stretch of time, and to whom each went. Reads only."""

import asyncio

from tocsin.domain.project import Scope
from tocsin.service.principal import Principal
from tocsin.store.notice_log import Asked, Logged, SqlNoticeLog


class NoticeLog:
    def __init__(self, store: SqlNoticeLog) -> None:
        self._store = store

    async def notices(self, principal: Principal, asked: Asked, *, size: int, offset: int) -> Logged:
        """Newest first. Of the key's project, whatever is asked."""
        principal.require(Scope.READ)
        mine = asked._replace(project=principal.project.number)
        return await asyncio.to_thread(self._store.notices, mine, size=size, offset=offset)

    async def alerts(self, principal: Principal, asked: Asked, *, size: int, offset: int) -> Logged:
        """Likewise; of each alert the first of its notices."""
        principal.require(Scope.READ)
        mine = asked._replace(project=principal.project.number)
        return await asyncio.to_thread(self._store.alerts, mine, size=size, offset=offset)
