"""The monitors that a query is about."""

from typing import Final

from tocsin.dialects.cronitor import references
from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.mapping import DIALECT
from tocsin.dialects.cronitor.problems import Refused
from tocsin.dialects.cronitor.reading import type_of
from tocsin.dialects.cronitor.resources import query as queries
from tocsin.dialects.cronitor.resources.query import wrong
from tocsin.dialects.cronitor.resources.services import Services
from tocsin.dialects.cronitor.schema import TYPES
from tocsin.domain.monitor import Monitor
from tocsin.store.browse_port import Selection
from tocsin.store.port import MonitorWithHealth

MOST: Final = 1_000
"""Monitors of one question."""


async def monitors(services: Services, call: Call) -> list[MonitorWithHealth]:
    """Those that `monitor` names, or all; narrowed to `type`, `group` and `tag`.

    Refused 404 for one that is named and not there; Invalid for a type that does not exist and for too many.
    """
    types = tuple(TYPES[name] for name in queries.one_of(call.query, "type", tuple(TYPES)))
    groups, tags = queries.many(call.query, "group"), queries.many(call.query, "tag")
    named = queries.many(call.query, "monitor")
    if not named:
        only = Selection(DIALECT, types=types, groups=groups, tags=tags)
        found = await services.browsing.numbered(call.principal, only, now=call.received, size=MOST, offset=0)
        if found.total > MOST:
            raise wrong("monitor", f"there are more than {MOST} of them; ask for fewer at a time")
        return found.rows

    def holds(monitor: Monitor) -> bool:
        return (
            (not types or type_of(monitor) in types)
            and (not groups or monitor.group in groups)
            and (not tags or not set(tags).isdisjoint(monitor.tags))
        )

    rows: dict[int, MonitorWithHealth] = {}
    for reference, row in zip(named, await references.many(services, call, named), strict=True):
        if row is None:
            raise Refused(404, f"Not found: there is no monitor {reference[:255]!r}")
        if holds(row.monitor):
            rows[row.monitor.number] = row
    return list(rows.values())
