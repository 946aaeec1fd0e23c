"""Results of a check: its events once more, in the shape that results of every type of check have."""

from typing import Final

from starlette.responses import Response

from tocsin.dialects.checkly import queries
from tocsin.dialects.checkly.call import Call, Calls
from tocsin.dialects.checkly.checks import finding
from tocsin.dialects.checkly.history.event_json import result_json
from tocsin.dialects.checkly.history.figures import tallies_of
from tocsin.dialects.checkly.history.periods import window_of
from tocsin.dialects.checkly.ids import dashed
from tocsin.dialects.checkly.paging import LIMIT, LIMIT_MAX, page_reply, paging_of
from tocsin.dialects.checkly.problems import Refused
from tocsin.dialects.checkly.replies import reply
from tocsin.dialects.checkly.services import Services
from tocsin.dialects.checkly.states import FAILED, PASSED, SHOWN
from tocsin.domain.check_in import State
from tocsin.domain.errors import NotFound
from tocsin.domain.instant import HOUR
from tocsin.store.browse_port import Stretch

FINAL: Final = "FINAL"
TYPES: Final = (FINAL, "ATTEMPT", "ALL")
LONGEST: Final = 6 * HOUR  # of the list of version 1
_NUMBER_DIGITS: Final = 19
_ALWAYS: Final = 2**62  # no check-in is recorded then or later


class ResultCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def listed(self, call: Call) -> Response:
        """Version 2: a page says where the next one goes on."""
        query = call.query
        limit = queries.whole(query, "limit", default=LIMIT, least=1, most=LIMIT_MAX)
        since, until = queries.moment(query, "from"), queries.moment(query, "to")
        stretch = Stretch(since or 0, _ALWAYS if until is None else until, _below(query.get("nextId", "").strip()))
        states, fields = _states(call), queries.many(query, "fields", commas=True)
        monitor = (await finding.one(self._services, call, "checkId")).monitor
        found = await self._services.history.page(call.principal, monitor, states, stretch, limit + 1)
        rows = found.rows[:limit]
        entries = [result_json(row, monitor, fields) for row in rows]
        rest = rows[-1].number if len(found.rows) > limit else found.rest
        next_id = str(rest) if rest else None
        return reply(200, {"length": len(entries), "entries": entries, "nextId": next_id})

    async def paged(self, call: Call) -> Response:
        """Version 1: pages by number, of six hours at most."""
        paging, states = paging_of(call.query), _states(call)
        period = window_of(call.query, call.received + 1, LONGEST)
        monitor = (await finding.one(self._services, call, "checkId")).monitor
        found = await self._services.history.tallies(call.principal, [monitor], period)
        (tally,) = tallies_of(found.get(monitor.number), 1)
        total = (tally.passed if states >= PASSED else 0) + (tally.failed if states >= FAILED else 0)
        stretch = Stretch(period.since, period.until, offset=paging.offset)
        rows = []
        if states and paging.offset < total:
            rows = (await self._services.history.page(call.principal, monitor, states, stretch, paging.limit)).rows
        return page_reply([result_json(row, monitor) for row in rows], paging, total)

    async def one(self, call: Call) -> Response:
        wanted = call.uid("id")
        monitor = (await finding.one(self._services, call, "checkId")).monitor
        try:
            found = await self._services.check_ins.get(call.principal, monitor.id, wanted)
        except NotFound:
            found = None
        if found is None or found.state not in SHOWN:
            raise Refused(404, f"Not Found: the check has no result {dashed(wanted)}")
        return reply(200, result_json(found, monitor))


def _states(call: Call) -> frozenset[State]:
    """What `hasFailures` and `resultType` leave. Every event is final: there are no attempts."""
    kind = queries.one_of(call.query, "resultType", TYPES)
    if kind == "ATTEMPT":
        return frozenset()
    if not call.query.get("hasFailures", "").strip():
        return SHOWN
    return FAILED if queries.flag(call.query, "hasFailures") else PASSED


def _below(text: str) -> int:
    if not text:
        return Stretch(0, 0).below
    if not (text.isascii() and text.isdecimal() and len(text) <= _NUMBER_DIGITS and int(text) < 2**63):
        raise queries.bad("nextId", f"{text[:40]!r} is none; send what the page before said")
    return int(text)


def calls(services: Services) -> Calls:
    results = ResultCalls(services)
    return {
        "/v2/check-results/{checkId}": {"GET": results.listed},
        "/v1/check-results/{checkId}": {"GET": results.paged},
        "/v1/check-results/{checkId}/{id}": {"GET": results.one},
    }
