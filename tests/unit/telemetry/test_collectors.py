"""What is read at scrape: it follows the engine, also when the loop has put another in its place."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from support.engines import T0, World
from tocsin.domain.schedule import Interval, Unit
from tocsin.telemetry.collectors import EngineCollector, EngineView


class Now:
    def __init__(self):
        self.at = T0

    def now(self):
        return self.at


@pytest.fixture
def world():
    return World()


@pytest.fixture
def clock():
    return Now()


@pytest.fixture
def scrape(world, clock):
    registry = CollectorRegistry()
    view = EngineView(lambda: world.engine, clock, lambda: 1_500, lambda: {1: "acme", 3: "other"})
    registry.register(EngineCollector(view))

    def read():
        return {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(generate_latest(registry).decode())
            for sample in family.samples
        }

    return read


def test_an_empty_engine_has_all_series_at_rest(scrape):
    found = scrape()
    assert found["tocsin_monitors", "acme", "ok"] == 0
    assert found["tocsin_monitors_unhealthy", "other"] == 0
    assert found["tocsin_deadline_lag_seconds",] == 0
    assert found["tocsin_ingest_lag_seconds",] == 1.5
    assert found["tocsin_heap_entries", "slot"] == 0


def test_monitors_are_counted_by_state(world, scrape, clock):
    world.put(schedules=(Interval(1, Unit.MINUTE),), margin_ms=0)
    world.ok("0")
    assert scrape()["tocsin_monitors", "acme", "ok"] == 1
    world.tick("1:00:00")
    clock.at = T0 + 3_600_000
    found = scrape()
    assert found["tocsin_monitors", "acme", "missed"] == 1
    assert found["tocsin_monitors", "acme", "ok"] == 0
    assert found["tocsin_monitors_unhealthy", "acme"] == 1


def test_a_lag_of_judging_shows(world, scrape, clock):
    world.put(schedules=(Interval(1, Unit.MINUTE),), margin_ms=0)
    world.ok("0")
    clock.at = T0 + 90_000
    assert scrape()["tocsin_deadline_lag_seconds",] == 30


def test_open_runs_and_heaps_are_seen(world, scrape):
    world.put(schedules=(Interval(1, Unit.MINUTE),))
    world.start("0")
    found = scrape()
    assert found["tocsin_open_runs",] == 1
    assert found["tocsin_heap_entries", "slot"] == 1
    assert found["tocsin_heap_entries", "run"] == 1


def test_the_memory_of_the_core_by_part_and_for_each_monitor(world, scrape):
    assert ("tocsin_core_monitor_bytes",) not in scrape()
    world.put(schedules=(Interval(1, Unit.MINUTE),))
    world.start("0")
    found = scrape()
    parts = {key[1]: size for key, size in found.items() if key[0] == "tocsin_core_bytes"}
    assert set(parts) == {"tracks", "monitors", "keys", "deadlines", "runs"}
    assert min(parts.values()) > 0
    assert found["tocsin_core_monitor_bytes",] == sum(parts.values())  # there is one monitor


def test_an_engine_loaded_anew_takes_the_old_ones_place(world, scrape):
    world.put(schedules=(Interval(1, Unit.MINUTE),))
    world.ok("0")
    world.restart()
    assert scrape()["tocsin_monitors", "acme", "ok"] == 1
