"""What a scrape costs: totals over a million tracks, and the series of ten thousand monitors.

Method: `/metrics` is rendered as the server renders it, from a registry with the engine's collector over a loaded
engine; the tally over all tracks is timed apart. `/metrics/monitors` is what `render` makes of monitors in memory, all
families; the rival makes the same series with a custom collector of prometheus_client and `generate_latest`. Rounds
alternate; medians.
"""

import time
from statistics import median

from bench_engine import NOW, loaded
from common import Report, median_ratio
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from tocsin._core.sweep import tally
from tocsin.domain.monitor import Monitor, Policy
from tocsin.domain.schedule import Cron
from tocsin.domain.track import Track
from tocsin.telemetry.collectors import EngineCollector, EngineView
from tocsin.telemetry.exposition import FAMILIES, Selection, render, series_of
from tocsin.telemetry.metrics import Metrics


class Still:
    def now(self) -> int:
        return NOW + 1


def main() -> None:
    report = Report(__doc__)
    quick = report.parse().quick
    tracks, monitors, rounds = (100_000, 1_000, 3) if quick else (1_000_000, 10_000, 7)
    totals(report, tracks, rounds)
    per_monitor(report, monitors, rounds)
    report.end()


def totals(report: Report, tracks: int, rounds: int) -> None:
    engine = loaded(tracks)
    metrics = Metrics(CollectorRegistry(), lambda _number: "default")
    metrics.register_project("default")
    metrics.registry.register(EngineCollector(EngineView(lambda: engine, Still(), lambda: 0, lambda: {1: "default"})))
    state = engine.state
    swept = [timed(lambda: tally(state.tracks, state.monitors, NOW, 2))[0] for _ in range(rounds)]
    whole = [timed(lambda: generate_latest(metrics.registry)) for _ in range(rounds)]
    report.add(f"exposition: tally of {tracks:,} tracks", median(swept) * 1000, "ms")
    report.add("exposition: /metrics", median(seconds for seconds, _ in whole) * 1000, "ms", detail=size(whole[0][1]))


def per_monitor(report: Report, monitors: int, rounds: int) -> None:
    found = [
        (
            Monitor(number=number, project=1, id=f"monitor-{number}", uid=f"{number:032x}", policy=POLICY),
            [("production", Track(number, number, 1, 0, 1, 1, expected=NOW, deadline=NOW, last_check_in=NOW))],
        )
        for number in range(1, monitors + 1)
    ]
    selection = Selection()

    def ours() -> bytes:
        series = list(series_of("default", found, selection, NOW, lambda _monitor, _slot: 60_000))
        return b"".join(render(series, selection, max_samples=10_000_000))

    registry = CollectorRegistry()
    registry.register(Peer(found))
    pairs = [(timed(ours), timed(lambda: generate_latest(registry))) for _ in range(rounds)]
    lines = [sum(1 for line in text.splitlines() if not line.startswith(b"#")) for _, text in pairs[0]]
    if abs(lines[0] - lines[1]) > 2:  # ours adds two series about the scrape itself
        raise SystemExit(f"{lines[0]} series are ours and {lines[1]} the rival's")
    report.add(
        f"exposition: series of {monitors:,} monitors",
        median(our[0] for our, _ in pairs) * 1000,
        "ms",
        rival="prometheus_client collector",
        rival_figure=median(their[0] for _, their in pairs) * 1000,
        ratio=median_ratio((their[0], our[0]) for our, their in pairs),
        detail=f"{lines[0]:,} series, {size(pairs[0][0][1])}",
    )


POLICY = Policy(schedules=(Cron("*/5 * * * *", "Europe/Vienna"),))


class Peer:
    """The same samples through prometheus_client's families."""

    def __init__(self, found) -> None:
        self._found = found

    def collect(self):
        selection = Selection()
        series = list(series_of("default", self._found, selection, NOW, lambda _monitor, _slot: 60_000))
        for family in FAMILIES:
            kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
            metric = kind(family.name, family.text)
            for one in series:
                base = {"project": "default", "monitor": one.monitor.id, "environment": "production"}
                for more, value in family.samples(one, selection):
                    metric.add_sample(family.name, base | labels_of(more), float(value))
            yield metric


def labels_of(more: str) -> dict[str, str]:
    """',state="ok"' → {"state": "ok"}; the values here hold no comma and no quote."""
    return dict(part.replace('"', "").split("=", 1) for part in more.split(",") if part)


def timed(work):
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def size(text: bytes) -> str:
    return f"{len(text) / 2**20:.2f} MiB" if len(text) > 2**18 else f"{len(text):,} bytes"


if __name__ == "__main__":
    main()
