"""How many monitors and environments there may be, and which of them reports may make (spec 7.5, pain 13)."""

import pytest

from support.engines import World
from tocsin.domain.check_in import ReportKind
from tocsin.domain.commands import PutMonitor, PutMonitors, PutProjectSettings
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.project_settings import ProjectSettings
from tocsin.domain.receipt import Receipt
from tocsin.domain.schedule import Cron

UPSERT = MonitorChange(policy={"schedules": (Cron("0 * * * *"),)})


def world(**settings: object) -> World:
    made = World()
    made.step("00:00", PutProjectSettings(1, ProjectSettings(**settings), tuple(settings)))  # type: ignore[arg-type] # as named
    return made


def make(one: World, monitor_id: str, environment: str = "") -> Receipt:
    return one.report("00:01", ReportKind.OK, monitor_id, environment=environment, upsert=UPSERT)


def monitors(one: World) -> list[str]:
    return sorted(monitor.id for monitor, _ in one.kept.monitors.values())


def test_a_report_beyond_the_limit_makes_no_monitor() -> None:
    one = world(max_monitors=2)
    for name in ("a", "b"):
        assert make(one, name).refusal is None
    refusal = make(one, "c").refusal
    assert (refusal.reason, refusal.data) == ("MONITOR_LIMIT_EXCEEDED", {"limit": "max_monitors", "quota": "2"})
    assert "max_monitors" in refusal.detail
    assert refusal.dropped
    assert make(one, "a").refusal is None
    assert monitors(one) == ["a", "b"]


def test_a_person_is_told_the_limit_and_the_way_out() -> None:
    one = world(max_monitors=1)
    one.put(0, "a")
    error = one.step("00:01", PutMonitor(1, "b", MonitorChange())).error
    assert (error.code, error.reason) == ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")
    assert error.metadata == {"limit": "max_monitors", "quota": "1"}
    assert "delete some, or raise it" in error.message
    assert one.step("00:02", PutMonitor(1, "a", MonitorChange(owner="me"))).error is None


@pytest.mark.parametrize(("quota", "kept"), [(3, 0), (4, 3)])
def test_a_batch_counts_its_own(quota: int, kept: int) -> None:
    one = world(max_monitors=quota)
    one.put(0, "first")
    puts = tuple(PutMonitor(1, name, MonitorChange()) for name in ("a", "b", "c"))
    receipt = one.step("00:01", PutMonitors(puts))
    assert (len(receipt.monitors), len(monitors(one)) - 1) == (kept, kept)


def test_deleting_makes_room_and_a_restart_counts_again() -> None:
    one = world(max_monitors=2)
    make(one, "a")
    make(one, "b")
    one.delete("00:02", "a")
    assert make(one, "c").refusal is None
    one.restart()
    assert make(one, "d").refusal.reason == "MONITOR_LIMIT_EXCEEDED"
    assert one.engine.state.monitor_counts == {1: 2}


def test_other_projects_have_limits_of_their_own() -> None:
    one = world(max_monitors=1)
    make(one, "a")
    assert one.step("00:02", PutMonitor(2, "a", MonitorChange())).error is None
    assert one.step("00:02", PutMonitor(2, "b", MonitorChange())).error is None


def test_a_report_beyond_the_limit_makes_no_environment() -> None:
    one = world(max_environments=2)
    for environment in ("", "staging"):
        assert make(one, "a", environment).refusal is None
    refusal = make(one, "a", "third").refusal
    assert refusal.reason == "MONITOR_ENVIRONMENT_LIMIT_EXCEEDED"
    assert refusal.data == {"limit": "max_environments", "quota": "2"}
    assert make(one, "a", "staging").refusal is None
    one.delete_environment("00:02", "production", "a")
    assert make(one, "a", "third").refusal is None
    assert one.environments("a") == ["staging", "third"]


def test_reports_make_only_monitors_that_the_project_allows() -> None:
    one = world(allowed_monitors=("nightly-*",), denied_monitors=("*-test",))
    for name, made in (("nightly-backup", True), ("hourly", False), ("nightly-test", False)):
        refusal = make(one, name).refusal
        assert (refusal is None) == made
        assert made or (refusal.reason, "denied_monitors" in refusal.detail) == ("MONITOR_NOT_FOUND", True)
    one.put("00:02", "hourly")  # a person may
    assert make(one, "hourly").refusal is None
    assert monitors(one) == ["hourly", "nightly-backup"]


def test_reports_make_only_environments_that_the_project_allows() -> None:
    one = world(denied_environments=("pr-*",))
    one.put(0, "a")
    refusal = make(one, "a", "pr-17").refusal
    assert (refusal.reason, "denied_environments" in refusal.detail) == ("MONITOR_INVALID_ENVIRONMENT", True)
    assert make(one, "b", "pr-17").refusal.reason == "MONITOR_INVALID_ENVIRONMENT"
    assert monitors(one) == ["a"]  # no monitor without any environment is left behind
    assert make(one, "a", "staging").refusal is None


def test_without_limits_there_are_none() -> None:
    one = world()
    for number in range(20):
        assert make(one, f"job-{number}", f"environment-{number}").refusal is None
