"""Values read at scrape, not counted: monitors by state, lag, heap entries, memory of the core."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tocsin._core.sweep import STATES, tally
from tocsin.domain.instant import Clock
from tocsin.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class EngineView:
    """What the collectors look at. The engine is asked for, because the loop replaces it when it breaks."""

    engine: Callable[[], Engine]
    clock: Clock
    ingest_lag_ms: Callable[[], int]
    projects: Callable[[], dict[int, str]]  # number → slug


class EngineCollector(Collector):
    def __init__(self, view: EngineView) -> None:
        self._view = view

    def collect(self) -> Iterator[Metric]:
        started = time.perf_counter()
        view, now = self._view, self._view.clock.now()
        engine = view.engine()
        state = engine.state
        yield from self._monitors(now)
        due = engine.next_deadline()
        lag = max(now - due, 0) / 1000 if due is not None else 0.0
        yield _gauge(
            "tocsin_deadline_lag_seconds", "Now minus the earliest deadline not judged yet; 0 if none is due.", lag
        )
        # The process's own clock never runs back; what it stands above the wall is time in which nothing is judged.
        ahead = max(engine.clock / 1000 - time.time(), 0.0)
        yield _gauge("tocsin_clock_ahead_seconds", "How far what was judged lies ahead of this machine's clock.", ahead)
        yield _gauge(
            "tocsin_ingest_lag_seconds",
            "Age of the oldest accepted check-in not applied yet.",
            view.ingest_lag_ms() / 1000,
        )
        yield _gauge(
            "tocsin_environments_unjudgeable",
            "Environments of monitors that are not judged because judging them failed; the log says which.",
            engine.left_out,
        )
        heap = GaugeMetricFamily("tocsin_heap_entries", "Entries in the deadline heaps.", labels=["heap"])
        for name, count in zip(("slot", "run"), state.deadlines.counts(), strict=True):
            heap.add_metric([name], count)
        yield heap
        # One partition, and it is ours: the series are there so that rules for several servers work on one.
        for name, text in (
            ("tocsin_leader", "1 on the instance that judges this shard."),
            ("tocsin_shard_info", "The shard this instance serves, always 1."),
        ):
            family = GaugeMetricFamily(name, text, labels=["shard"])
            family.add_metric(["0"], 1)
            yield family
        yield _gauge("tocsin_shards", "How many shards there are.", 1)
        yield from self._memory()
        yield _gauge("tocsin_open_runs", "Runs started and not finished.", len(state.runs))
        yield _gauge(
            "tocsin_scrape_duration_seconds", "Time this scrape took to read the core.", time.perf_counter() - started
        )

    def _memory(self) -> Iterator[Metric]:
        state = self._view.engine().state
        parts = state.memory()
        memory = GaugeMetricFamily(
            "tocsin_core_bytes", "Memory of the core by part, room for growth included.", labels=["part"]
        )
        for part, size in parts.items():
            memory.add_metric([part], size)
        yield memory
        if state.monitors:
            each = sum(parts.values()) / len(state.monitors)
            yield _gauge("tocsin_core_monitor_bytes", "Memory of the core for each monitor; absent without one.", each)

    def _monitors(self, now: int) -> Iterator[Metric]:
        state = self._view.engine().state
        projects = self._view.projects()
        counts = tally(state.tracks, state.monitors, now, max(projects, default=0) + 1)
        by_state = GaugeMetricFamily(
            "tocsin_monitors", "Monitors by state, each environment once.", labels=["project", "state"]
        )
        unhealthy = GaugeMetricFamily(
            "tocsin_monitors_unhealthy", "Monitors past their failure threshold, not muted.", labels=["project"]
        )
        for number, slug in projects.items():
            row = counts[number]
            for name, count in zip(STATES, row, strict=False):
                by_state.add_metric([slug, name], count)
            unhealthy.add_metric([slug], row[len(STATES)])
        yield by_state
        yield unhealthy


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)
