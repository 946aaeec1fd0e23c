"""Monitors that are checks: one by its UUID, a page of them, all of them piece by piece."""

from collections.abc import AsyncIterator
from typing import Final

from starlette.datastructures import QueryParams

from tocsin.dialects.checkly import queries
from tocsin.dialects.checkly.call import DIALECT, Call
from tocsin.dialects.checkly.checks.mapping import is_check
from tocsin.dialects.checkly.checks.schema import HEARTBEAT
from tocsin.dialects.checkly.ids import dashed
from tocsin.dialects.checkly.paging import Paging
from tocsin.dialects.checkly.services import Services
from tocsin.domain.errors import NotFound
from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.domain.track import Track
from tocsin.store.browse_port import Numbered, Selection
from tocsin.store.port import MonitorWithHealth

STATUSES: Final = ("passing", "failing", "degraded")
_PIECE: Final = 2_000  # checks that are read at once where all are wanted
_SEARCH_MAX: Final = 200


async def one(services: Services, call: Call, name: str = "id") -> MonitorWithHealth:
    """The check whose UUID is in the path. Refused 400 for what is no UUID; NotFound."""
    uid = call.uid(name)
    (row,) = await services.browsing.find_many(call.principal, [uid])
    if row is None or row.monitor.uid != uid or not is_check(row.monitor):
        raise NotFound(f"there is no check {dashed(uid)}", reason="MONITOR_NOT_FOUND", metadata={})
    return row


def selection_of(query: QueryParams) -> Selection | None:
    """What a list is narrowed to; None: nothing can fit. Refused 400."""
    status = queries.one_of(query, "status", STATUSES)
    kind, pattern = query.get("checkType", "").strip(), query.get("apiCheckUrlFilterPattern", "")
    tags, search = queries.many(query, "tag"), query.get("search", "").strip()
    if len(search) > _SEARCH_MAX:
        raise queries.bad("search", f"must have at most {_SEARCH_MAX} characters")
    if status == "degraded" or kind not in ("", HEARTBEAT) or pattern:
        return None
    return Selection(
        DIALECT,
        rolling=True,
        tags=tags,
        name_parts=(search,) if search else (),
        failed={"passing": False, "failing": True}.get(status),
        environment="",
    )


async def page(services: Services, call: Call, only: Selection | None, paging: Paging) -> Numbered[MonitorWithHealth]:
    """Oldest first."""
    if only is None:
        return Numbered([], 0)
    return await services.browsing.numbered(
        call.principal, only, now=call.received, size=paging.limit, offset=paging.offset
    )


async def every(services: Services, call: Call) -> AsyncIterator[list[MonitorWithHealth]]:
    """All checks of the account, oldest first, some at a time."""
    after = 0
    while True:
        only = Selection(DIALECT, rolling=True, after=after)
        found = await services.browsing.numbered(call.principal, only, now=call.received, size=_PIECE, offset=0)
        if found.rows:
            yield found.rows
        if len(found.rows) >= found.total:
            return
        after = found.rows[-1].monitor.number


def track_of(row: MonitorWithHealth) -> Track | None:
    """A check has one state: that of production, or of the one environment that there is."""
    by_name = dict(row.tracks)
    return by_name.get(DEFAULT_ENVIRONMENT) or next(iter(by_name.values()), None)
