"""The report of an account: how well each of its checks did. What other types of checks fail of has no groups here."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from starlette.responses import Response

from tocsin.dialects.checkly import queries
from tocsin.dialects.checkly.call import Call, Calls
from tocsin.dialects.checkly.checks import finding
from tocsin.dialects.checkly.checks.schema import HEARTBEAT
from tocsin.dialects.checkly.history.figures import Tally, percent, tally_of
from tocsin.dialects.checkly.history.periods import asked
from tocsin.dialects.checkly.ids import dashed
from tocsin.dialects.checkly.replies import encoded, reply
from tocsin.dialects.checkly.services import Services
from tocsin.domain.monitor import Monitor

_SOME: Final = 500  # checks that are counted at once: others count in between


class ReportCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def report(self, call: Call) -> Response:
        """Of every check that the query leaves, oldest first. A heartbeat takes no time."""
        query = call.query
        period, tags = asked(query, call.received), frozenset(queries.many(query, "filterByTags", commas=True))
        switched = queries.flag(query, "deactivated") if query.get("deactivated", "").strip() else None
        monitors: list[Monitor] = []
        async for rows in finding.every(self._services, call):
            monitors += [row.monitor for row in rows if _wanted(row.monitor, tags, switched)]
        tallies: dict[int, Tally] = {}
        for start in range(0, len(monitors), _SOME):
            some = monitors[start : start + _SOME]
            found = await self._services.history.tallies(call.principal, some, period)
            tallies |= {number: tally_of(cells[0]) for number, cells in found.items()}
        return encoded(200, await asyncio.to_thread(_shown, monitors, tallies))

    async def error_groups(self, call: Call) -> Response:
        await finding.one(self._services, call, "checkId")
        return reply(200, [])


def _wanted(monitor: Monitor, tags: frozenset[str], switched: bool | None) -> bool:
    return (not tags or not tags.isdisjoint(monitor.tags)) and switched in (None, monitor.inactive)


def _shown(monitors: Sequence[Monitor], tallies: dict[int, Tally]) -> bytes:
    return msgspec.json.encode([_row(monitor, tallies.get(monitor.number, Tally())) for monitor in monitors])


def _row(monitor: Monitor, tally: Tally) -> dict[str, Any]:
    return {
        "name": monitor.display_name or monitor.id,
        "checkId": dashed(monitor.uid),
        "checkType": HEARTBEAT,
        "deactivated": monitor.inactive,
        "tags": monitor.tags,
        "aggregate": {"successRatio": percent(tally) or 0, "avg": 0, "p95": 0, "p99": 0},
    }


def calls(services: Services) -> Calls:
    reports = ReportCalls(services)
    return {
        "/v1/reporting": {"GET": reports.report},
        "/v1/error-groups/checks/{checkId}": {"GET": reports.error_groups},
    }
