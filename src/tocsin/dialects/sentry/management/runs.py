"""The check-ins of a monitor, and how many of each kind there were over time."""

import asyncio
from typing import Any, Final
from uuid import UUID

from starlette.responses import Response

from tocsin.dialects.sentry.management.call import Call
from tocsin.dialects.sentry.management.check_in_json import (
    SHOWN,
    check_in_json,
    grouped_stats_json,
    groups_json,
    stats_json,
)
from tocsin.dialects.sentry.management.config_json import config_json
from tocsin.dialects.sentry.management.paging import links, size_of, turn_of
from tocsin.dialects.sentry.management.replies import Refused, reply
from tocsin.dialects.sentry.management.search import check_projects, environments_of
from tocsin.dialects.sentry.management.services import Services
from tocsin.dialects.sentry.management.times import range_of, series_of
from tocsin.domain.check_in import State
from tocsin.store.port import CheckInFilter

_STATES: Final = {state.value: state for state in SHOWN}
_MANY: Final = 100  # monitors of one question


class RunCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def check_ins(self, call: Call) -> Response:
        """Newest first; `statsPeriod` or `start` and `end`, `environment`, `status`, `expand=groups`."""
        found = await self._services.named(call)
        since, until = range_of(call.query, call.received)
        only = CheckInFilter(found.monitor.number, None, _states(call), since, until)
        leaf = await self._services.browsing.check_ins(
            call.principal, only, environments_of(call.query), size=size_of(call.query), turn=turn_of(call.query)
        )
        policies = await self._services.browsing.policies(call.principal, leaf.rows)
        configs = {number: config_json(policy) for number, policy in policies.items()}
        now = config_json(found.monitor.policy)
        rows = [check_in_json(check_in, configs.get(check_in.policy, now)) for check_in in leaf.rows]
        if "groups" in call.query.getlist("expand"):
            known = await self._services.check_ins.errors_behind(call.principal, leaf.rows)
            for row, check_in in zip(rows, leaf.rows, strict=True):
                row["groups"] = groups_json(known.get(check_in.trace_id))
        return reply(200, rows, links(call, leaf))

    async def stats(self, call: Call) -> Response:
        series = series_of(call.query, call.received)
        found = await self._services.named(call)
        counts = await self._services.browsing.counts(
            call.principal,
            [found.monitor],
            since=series.since,
            until=series.until,
            width=series.width,
            environments=environments_of(call.query),
        )
        return await asyncio.to_thread(lambda: reply(200, stats_json(counts, series)))

    async def many_stats(self, call: Call) -> Response:
        """`monitor` (uuid or slug, repeat) → {uuid: [[ts, {environment: {status: count}}], …]}."""
        check_projects(call.query, call.principal)
        series = series_of(call.query, call.received)
        asked = list(dict.fromkeys(call.query.getlist("monitor")))
        if not 1 <= len(asked) <= _MANY:
            raise Refused(400, f"monitor: name 1 to {_MANY} monitors by id or slug")
        if len(asked) * len(series.starts()) > 100_000:
            raise Refused(400, "resolution: too many buckets for so many monitors; ask for fewer of either")
        rows = await self._services.browsing.find_many(call.principal, asked)
        monitors = {row.monitor.number: row.monitor for row in rows if row is not None}
        counts = await self._services.browsing.counts(
            call.principal,
            list(monitors.values()),
            since=series.since,
            until=series.until,
            width=series.width,
            environments=environments_of(call.query),
        )
        by_monitor: dict[int, list[Any]] = {number: [] for number in monitors}
        for count in counts:
            by_monitor[count.monitor].append(count)
        uids = {number: str(UUID(monitor.uid)) for number, monitor in monitors.items()}
        return await asyncio.to_thread(
            lambda: reply(200, {uid: grouped_stats_json(by_monitor[number], series) for number, uid in uids.items()})
        )


def _states(call: Call) -> frozenset[State]:
    """Those of `status`, all when it names none; an unknown word is 400."""
    asked = [status for status in call.query.getlist("status") if status]
    unknown = [status for status in asked if status not in _STATES]
    if unknown:
        raise Refused(400, f"status: {unknown[0][:40]!r} is none of {', '.join(sorted(_STATES))}")
    return frozenset(_STATES[status] for status in asked) or SHOWN
