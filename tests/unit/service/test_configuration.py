"""Whether a monitor's configuration can be used: bounds, and schedules that compile; errors name the path."""

import pytest

from support.engines import compiler
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.monitor import MAX_MARGIN, MAX_MAX_RUNTIME, MAX_THRESHOLD, Kind, MonitorChange
from tocsin.domain.schedule import Cron, Daily
from tocsin.service.configuration import Configuration

CONFIGURATION = Configuration(compiler().zones)


def field_of(change):
    with pytest.raises(InvalidArgument) as refused:
        CONFIGURATION.check(change, "monitor")
    [violation] = refused.value.violations
    return violation


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("margin_ms", 0, MAX_MARGIN),
        ("max_runtime_ms", 0, MAX_MAX_RUNTIME),
        ("failure_threshold", 1, MAX_THRESHOLD),
        ("miss_threshold", 0, MAX_THRESHOLD),
        ("recovery_threshold", 1, MAX_THRESHOLD),
        ("alert_delay_ms", 0, MAX_MARGIN),
        ("early_ms", 0, MAX_MARGIN),
    ],
)
def test_numbers_are_within_bounds(name, low, high):
    for value in (low, high):
        CONFIGURATION.check(MonitorChange(tolerance={name: value}), "monitor")
    for value in (low - 1, high + 1):
        assert field_of(MonitorChange(tolerance={name: value})).field == f"monitor.tolerance.{name}"


def test_a_tolerance_may_be_unset():
    CONFIGURATION.check(MonitorChange(tolerance={"early_ms": None}), "monitor")


def test_a_schedule_that_does_not_compile_is_named_by_its_place():
    one = field_of(MonitorChange(policy={"schedules": (Cron("* * * 13 *"),)}))
    assert one.field == "monitor.schedules[0].cron.expression"
    two = field_of(MonitorChange(policy={"schedules": (Cron("* * * * *"), Daily(("25:00",)))}))
    assert two.field.startswith("monitor.schedules[1].")


@pytest.mark.parametrize("kind", [{}, {"kind": Kind.JOB}, {"kind": Kind.HEARTBEAT}])
@pytest.mark.parametrize("bad", ["metric.duration < 5 parsecs", "response.code = 200", "x"])
def test_an_assertion_that_cannot_be_used_is_named_by_its_place(kind, bad):
    good = "metric.duration < 5 min"
    CONFIGURATION.check(MonitorChange(policy=kind | {"assertions": (good,)}), "monitor")
    one = field_of(MonitorChange(policy=kind | {"assertions": (good, bad)}))
    assert one.field == "monitor.assertions[1]"
    assert bad in one.description


def test_a_change_without_schedules_is_fine():
    CONFIGURATION.check(MonitorChange(display_name="x"), "monitor")


def test_what_was_only_tried_is_forgotten():
    configuration = Configuration(compiler().zones)
    first, _ = configuration.compile((Cron("1 * * * *"),), "schedules[0]")
    for minute in range(1_000):
        last, _ = configuration.compile((Cron(f"{minute % 60} {minute // 60} * * *"),), "schedules[0]")
    assert last is not first
    assert len(last.timetables) < 1_000


def test_too_many_times_in_all_are_named():
    times = tuple(f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(0, 60, 5))
    several = tuple(Daily(times, zone) for zone in ("UTC", "Europe/Vienna", "Asia/Tokyo", "America/Lima"))
    with pytest.raises(InvalidArgument, match="too many times in all"):
        Configuration(compiler().zones).compile(several, "schedules")


def test_groups_and_tags_are_looked_at():
    CONFIGURATION.check(MonitorChange(group="A b:c%", tags=("x", "two words", "é" * 100)), "monitor")
    CONFIGURATION.check(MonitorChange(group="", tags=()), "monitor")
    for group in ("a/b", "-", "a\nb", "x" * 129):
        assert field_of(MonitorChange(group=group)).field == "monitor.group"
    for tag in ("", "x" * 101, "a\nb"):
        assert field_of(MonitorChange(tags=("fine", tag))).field == "monitor.tags[1]"
    assert field_of(MonitorChange(tags=("x",) * 101)).field == "monitor.tags"


def test_ping_tokens_are_looked_at():
    CONFIGURATION.check(MonitorChange(ping_token=""), "monitor")
    CONFIGURATION.check(MonitorChange(ping_token="0123456789abcdef" * 2), "monitor")
    for token in ("x" * 32, "A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n"):
        assert field_of(MonitorChange(ping_token=token)).field == "monitor.ping_token"
