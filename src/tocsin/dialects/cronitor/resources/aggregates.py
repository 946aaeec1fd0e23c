"""Aggregates and metrics: what monitors did over a stretch of time, as a whole and piece by piece."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.replies import reply
from tocsin.dialects.cronitor.resources import asked, figures, shown
from tocsin.dialects.cronitor.resources import query as queries
from tocsin.dialects.cronitor.resources.periods import Period, period_of
from tocsin.dialects.cronitor.resources.query import wrong
from tocsin.dialects.cronitor.resources.services import Services
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Monitor
from tocsin.store.browse_port import DURATION, Statistic
from tocsin.store.port import MonitorWithHealth

_QUANTILES: Final = tuple(figures.QUANTILES.values())
_SUMS: Final = ("count", "error_count")
POINTS: Final = 100_000
"""Of one answer, the empty ones counted in."""
_Place = tuple[int, str]  # a monitor's number and an environment


class FigureCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def aggregates(self, call: Call) -> Response:
        """`monitor`, `type`, `group`, `tag`, `time` or `start` and `end`, `env`."""
        period, environments, rows = await self._asked(call)
        monitors = [row.monitor for row in rows]
        whole = period.whole(environments)
        use = self._services.statistics
        measures = (DURATION, *_SUMS)
        statistics = await use.by_time(call.principal, monitors, whole, measures=measures, quantiles=_QUANTILES)
        alerts = await use.incident_counts(call.principal, monitors, whole)
        downtimes = await use.downtimes(call.principal, monitors, whole)
        known = {(found.monitor, found.environment): found for found in statistics}
        opened = {(found.monitor, found.environment): found.number for found in alerts}
        down = {(found.monitor, found.environment): found.length for found in downtimes}
        answer: dict[str, dict[str, Any]] = {}
        for row in rows:
            monitor = row.monitor
            existed = period.until - max(period.since, min(monitor.create_time, period.until))
            answer[shown.key_of(monitor)] = {
                name: figures.aggregate_json(
                    known.get((monitor.number, name)) or _nothing(monitor, name, period.since),
                    monitor.policy.kind,
                    alerts=opened.get((monitor.number, name), 0),
                    downtime=down.get((monitor.number, name), 0),
                    length=existed,
                )
                for name in _environments(row, environments)
            }
        return reply(200, {"monitors": answer})

    async def metrics(self, call: Call) -> Response:
        """The same, `field` and `withNulls`."""
        fields = queries.one_of(call.query, "field", figures.FIELDS)
        if not fields:
            raise wrong("field", f"required: one or several of {', '.join(figures.FIELDS)}")
        with_nulls = queries.flag(call.query, "withNulls")
        period, environments, rows = await self._asked(call)
        places = sum(len(_environments(row, environments)) for row in rows)
        if places * len(period.starts()) > POINTS:
            raise wrong("monitor", f"more than {POINTS} points; ask for fewer monitors or a shorter time")
        monitors = [row.monitor for row in rows]
        pieces = period.pieces(environments)
        use = self._services.statistics
        measures = figures.measures_in(fields)
        statistics = await use.by_time(call.principal, monitors, pieces, measures=measures, quantiles=_QUANTILES)
        alerts = await use.incident_counts(call.principal, monitors, pieces)
        series: dict[_Place, dict[Instant, Statistic]] = defaultdict(dict)
        for found in statistics:
            series[found.monitor, found.environment][found.start] = found
        opened: dict[_Place, dict[Instant, int]] = defaultdict(dict)
        for count in alerts:
            opened[count.monitor, count.environment][count.start] = count.number
        answer: dict[str, Any] = {}
        for row in rows:
            answer[shown.key_of(row.monitor)] = {
                name: _points(
                    row.monitor,
                    name,
                    series[row.monitor.number, name],
                    opened[row.monitor.number, name],
                    period,
                    fields,
                    with_nulls=with_nulls,
                )
                for name in _environments(row, environments)
            }
        return reply(200, {"monitors": answer})

    async def _asked(self, call: Call) -> tuple[Period, tuple[str, ...], list[MonitorWithHealth]]:
        period = period_of(call.query, call.received)
        environments = queries.many(call.query, "env")
        return period, environments, await asked.monitors(self._services, call)


def _points(
    monitor: Monitor,
    environment: str,
    statistics: dict[Instant, Statistic],
    opened: dict[Instant, int],
    period: Period,
    fields: Sequence[str],
    *,
    with_nulls: bool,
) -> list[dict[str, Any]]:
    """With nulls one of each piece; without them those in which something happened, and what is known of it."""
    starts = period.starts() if with_nulls else sorted(statistics.keys() | opened.keys())
    found = []
    for start in starts:
        statistic = statistics.get(start) or _nothing(monitor, environment, start)
        values = figures.point(statistic, monitor.policy.kind, opened.get(start, 0), fields)
        if not with_nulls:
            values = {name: value for name, value in values.items() if value is not None}
        if values:
            found.append({"stamp": start // 1000, **values})
    return found


def _environments(row: MonitorWithHealth, wanted: tuple[str, ...]) -> list[str]:
    return [name for name, _ in row.tracks if not wanted or name in wanted]


def _nothing(monitor: Monitor, environment: str, start: Instant) -> Statistic:
    return Statistic(monitor.number, environment, start, {}, 0, {})
