"""Events of a check, and what part of them passed."""

from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.checkly import queries
from tocsin.dialects.checkly.call import Call, Calls
from tocsin.dialects.checkly.checks import finding
from tocsin.dialects.checkly.history.event_json import events_json
from tocsin.dialects.checkly.history.figures import Tally, availability, tallies_of
from tocsin.dialects.checkly.history.periods import Period, period_of
from tocsin.dialects.checkly.ids import dashed
from tocsin.dialects.checkly.problems import Refused
from tocsin.dialects.checkly.replies import reply
from tocsin.dialects.checkly.services import Services
from tocsin.dialects.checkly.states import SHOWN
from tocsin.domain.check_in import CheckIn
from tocsin.domain.errors import NotFound
from tocsin.domain.instant import DAY, Instant
from tocsin.domain.monitor import Monitor
from tocsin.store.browse_port import Stretch

LIMIT: Final = 10
_NAMES: Final = ("startTime", "endTime")
_ALWAYS: Final = 2**62  # no check-in is recorded then or later


class EventCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def listed(self, call: Call) -> Response:
        """One object in an array, as the vendor has it: the newest events first, and how the last days were."""
        limit = queries.whole(call.query, "limit", default=LIMIT, least=1, most=LIMIT)
        stretch = _stretch(call)
        monitor = (await finding.one(self._services, call, "checkId")).monitor
        found = await self._services.history.page(call.principal, monitor, SHOWN, stretch, limit)
        events = await self._shown(call, monitor, found.rows)
        return reply(200, [{"events": events, "stats": await self._stats(call, monitor)}])

    async def one(self, call: Call) -> Response:
        event = call.uid("id")
        monitor = (await finding.one(self._services, call, "checkId")).monitor
        try:
            found = await self._services.check_ins.get(call.principal, monitor.id, event)
        except NotFound:
            found = None
        if found is None or found.state not in SHOWN:
            raise Refused(404, f"Not Found: the check has no event {dashed(event)}")
        (shown,) = await self._shown(call, monitor, [found])
        return reply(200, {"event": shown, "stats": await self._stats(call, monitor)})

    async def availability(self, call: Call) -> Response:
        period = period_of(call.query, call.received, names=_NAMES)
        monitor = (await finding.one(self._services, call, "checkId")).monitor
        previous, current = await self._tallies(call, monitor, period.cuts)
        return reply(200, availability(previous, current))

    async def _shown(self, call: Call, monitor: Monitor, rows: list[CheckIn]) -> list[dict[str, Any]]:
        policies = await self._services.browsing.policies(call.principal, rows)
        return events_json(rows, policies, monitor)

    async def _stats(self, call: Call, monitor: Monitor) -> dict[str, Any]:
        """Of the last day and of the last week, each beside the one before: days that are counted once."""
        now = call.received + 1  # an event of this very millisecond has been
        two_weeks, week = Period(now - 7 * DAY, now).cuts[:2]
        cuts = (two_weeks, week, *Period(now - DAY, now).cuts)
        before, early, yesterday, today = await self._tallies(call, monitor, cuts)
        return {
            "last24Hours": availability(yesterday, today),
            "last7Days": availability(before, early + yesterday + today),
        }

    async def _tallies(self, call: Call, monitor: Monitor, cuts: tuple[Instant, ...]) -> list[Tally]:
        found = await self._services.history.tallies(call.principal, [monitor], cuts)
        return tallies_of(found.get(monitor.number), len(cuts) - 1)


def _stretch(call: Call) -> Stretch:
    """Either end is optional."""
    since, until = (queries.moment(call.query, name) for name in _NAMES)
    if since is not None and until is not None and since > until:
        raise queries.bad(_NAMES[0], f"must not be after {_NAMES[1]}")
    return Stretch(since or 0, _ALWAYS if until is None else until)


def calls(services: Services) -> Calls:
    events = EventCalls(services)
    check = "/v1/checks/heartbeats/{checkId}"
    return {
        f"{check}/events": {"GET": events.listed},
        f"{check}/events/{{id}}": {"GET": events.one},
        f"{check}/availability": {"GET": events.availability},
    }
