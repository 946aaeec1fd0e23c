"""What Prometheus may ask of this server: collectors of the process and the engine, and series of single monitors."""

import platform
from collections.abc import Iterator, Mapping
from typing import Any, Final

from prometheus_client import GCCollector, PlatformCollector, ProcessCollector

from tocsin import __version__
from tocsin.app.timezones import TimeZones
from tocsin.domain.instant import Clock, Instant
from tocsin.domain.monitor import Monitor
from tocsin.journal.local import LocalJournal
from tocsin.node.partition import Partition
from tocsin.service.principal import Principals
from tocsin.store import SqlStore
from tocsin.telemetry.collectors import EngineCollector, EngineView
from tocsin.telemetry.exposition import Selection, render, series_of
from tocsin.telemetry.metrics import Metrics

_PAGE: Final = 1_000


def register(
    metrics: Metrics, partition: Partition, clock: Clock, journal: LocalJournal, principals: Principals
) -> None:
    registry = metrics.registry
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    metrics.build_info.labels(__version__, platform.python_version(), "cython").set(1)
    registry.register(
        EngineCollector(
            EngineView(
                engine=lambda: partition.engine,
                clock=clock,
                ingest_lag_ms=journal.lag_ms,
                projects=lambda: {project.number: project.slug for project in principals.projects()},
            )
        )
    )


class MonitorSeries:
    """The series of a project's monitors that a query selects, as chunks of text."""

    def __init__(
        self, store: SqlStore, principals: Principals, clock: Clock, time_zones: TimeZones, max_samples: int
    ) -> None:
        self._store, self._principals, self._clock = store, principals, clock
        self._time_zones, self._max_samples = time_zones, max_samples

    def __call__(self, project: int, query: Mapping[str, str]) -> Iterator[bytes]:
        selection = Selection.parse(query)  # before the answer begins
        return self._chunks(project, selection)

    def _chunks(self, project: int, selection: Selection) -> Iterator[bytes]:
        found = ((row.monitor, row.tracks) for row in self._monitors(project))
        slug = self._principals.slug(project)
        series = list(series_of(slug, found, selection, self._clock.now(), self._interval))
        yield from render(series, selection, max_samples=self._max_samples)

    def _interval(self, monitor: Monitor, slot: Instant) -> int:
        compiler = self._time_zones.compiler
        return compiler.distance(compiler.compile(monitor.policy.schedules), slot)

    def _monitors(self, project: int) -> Iterator[Any]:
        token = ""
        while True:
            page = self._store.list_monitors(project, size=_PAGE, token=token)
            yield from page.rows
            token = page.next_token
            if not token:
                return
