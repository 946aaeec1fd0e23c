"""Analytics: how available checks were, each for itself in detail or many at once."""

from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.checkly import bodies, queries
from tocsin.dialects.checkly.call import Call, Calls
from tocsin.dialects.checkly.checks import finding
from tocsin.dialects.checkly.checks.mapping import is_check
from tocsin.dialects.checkly.checks.schema import HEARTBEAT
from tocsin.dialects.checkly.history.figures import Tally, percent, tally_of
from tocsin.dialects.checkly.history.periods import Period, asked, quick, quick_name
from tocsin.dialects.checkly.ids import dashed
from tocsin.dialects.checkly.paging import paging_of
from tocsin.dialects.checkly.problems import wrong
from tocsin.dialects.checkly.replies import reply
from tocsin.dialects.checkly.services import Services
from tocsin.dialects.checkly.times import iso
from tocsin.domain.monitor import Monitor
from tocsin.service.browsing import uid_of

TYPES: Final = (*("API", "BROWSER", HEARTBEAT, "MULTI_STEP", "TCP", "PLAYWRIGHT", "URL", "DNS", "ICMP", "AGENTIC"),)
MOST: Final = 100  # checks of one request
AVAILABILITY: Final = "availability"
METRICS: Final = {
    AVAILABILITY: {"unit": "percentage", "label": "Availability", "aggregation": "avg"},
    "retries": {"unit": "count", "label": "Retries", "aggregation": "sum"},
}
"""What is known of heartbeats: they are not run, so nothing of them takes time, and nothing is tried again."""


class AnalyticsCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def one(self, call: Call) -> Response:
        metrics = queries.many(call.query, "metrics", commas=True) or (AVAILABILITY,)
        for metric in metrics:
            if metric not in METRICS:
                raise queries.bad("metrics", f"{metric[:40]!r} is none of {', '.join(METRICS)}")
        paging, period = paging_of(call.query), asked(call.query, call.received)
        monitor = (await finding.one(self._services, call)).monitor
        tally = (await self._tallies(call, [monitor], period)).get(monitor.number, Tally())
        values = {AVAILABILITY: percent(tally), "retries": 0}
        found = {
            **_about(monitor),
            "activated": not monitor.inactive,
            "muted": monitor.muted_until is not None and monitor.muted_until > call.received,
            "frequency": None,
            "from": iso(period.since),
            "to": iso(period.until),
            "tags": monitor.tags,
            "series": [{"data": [{metric: values[metric] for metric in metrics}]}],
            "pagination": {"page": paging.page, "limit": paging.limit},
            "metadata": {metric: METRICS[metric] for metric in metrics},
        }
        return reply(200, found)

    async def many(self, call: Call) -> Response:
        """In the order in which they are asked for; what is no check of the account is left out."""
        period = quick(quick_name(call.query), call.received)
        wanted = _ids(await call.json(bodies.IDS_MAX))
        rows = await self._services.browsing.find_many(call.principal, wanted)
        found = {row.monitor.uid: row.monitor for row in rows if row is not None and is_check(row.monitor)}
        monitors = [found[uid] for uid in wanted if uid in found]
        tallies = await self._tallies(call, monitors, period)
        shown = [
            {**_about(monitor), AVAILABILITY: percent(tallies.get(monitor.number, Tally()))} for monitor in monitors
        ]
        return reply(200, shown)

    async def metrics(self, call: Call) -> Response:
        kind = queries.one_of(call.query, "checkType", TYPES) or HEARTBEAT
        shown = [
            {"name": name, "unit": metric["unit"], "label": metric["label"], "type": metric["unit"], "aggregated": True}
            for name, metric in METRICS.items()
        ]
        return reply(200, shown if kind == HEARTBEAT else [])

    async def _tallies(self, call: Call, monitors: list[Monitor], period: Period) -> dict[int, Tally]:
        found = await self._services.history.tallies(call.principal, monitors, period)
        return {number: tally_of(cells[0]) for number, cells in found.items()}


def _about(monitor: Monitor) -> dict[str, Any]:
    return {"checkId": dashed(monitor.uid), "name": monitor.display_name or monitor.id, "checkType": HEARTBEAT}


def _ids(body: dict[str, Any]) -> list[str]:
    """32 hex characters each, each once."""
    given = body.get("checkIds")
    if not isinstance(given, list) or not 1 <= len(given) <= MOST:
        raise wrong("checkIds", f"must be a list of 1 to {MOST} ids of checks")
    found: dict[str, None] = {}
    for place, text in enumerate(given):
        uid = uid_of(text) if isinstance(text, str) else None
        if uid is None:
            raise wrong(f"checkIds[{place}]", f"{str(text)[:64]!r} must be a UUID")
        found[uid] = None
    return list(found)


def calls(services: Services) -> Calls:
    analytics = AnalyticsCalls(services)
    return {
        "/v1/analytics/heartbeat-checks/{id}": {"GET": analytics.one},
        "/v1/analytics/metrics": {"GET": analytics.metrics},
    }


def many_calls(services: Services) -> Calls:
    """A POST that reads."""
    return {"/v1/analytics/checks": {"POST": AnalyticsCalls(services).many}}
