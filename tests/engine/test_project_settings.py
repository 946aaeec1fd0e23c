"""What a project decides: for monitors made by what they send, and that nothing else is touched."""

import msgspec
import pytest

from support.engines import World
from tocsin.domain.check_in import ReportKind
from tocsin.domain.commands import PutProjectSettings
from tocsin.domain.facts import CheckInRefused, Missed, MonitorCreated
from tocsin.domain.instant import MINUTE
from tocsin.domain.monitor import Kind, MonitorChange
from tocsin.domain.project_settings import DEFAULTS, ProjectSettings
from tocsin.domain.schedule import PROJECT_ZONE, Cron
from tocsin.engine.engine import EngineSettings

HOURLY = MonitorChange(policy={"schedules": (Cron("0 * * * *", ""),)}, origin="sentry")


def upserted(world: World, at: str = "00:10", change: MonitorChange = HOURLY, name: str = "job"):
    world.ok(at, monitor_id=name, upsert=change, dialect="sentry")
    return next(monitor for monitor, _ in world.kept.monitors.values() if monitor.id == name)


def test_nothing_decided_is_as_it_is_for_everybody() -> None:
    monitor = upserted(World())
    assert monitor.policy.tolerance.margin_ms == MINUTE
    assert monitor.policy.tolerance.max_runtime_ms == 30 * MINUTE
    assert monitor.policy.schedules == (Cron("0 * * * *", "UTC"),)
    assert monitor.policy.miss_while_running is True


def test_a_project_decides_for_monitors_that_are_made() -> None:
    world = World()
    world.decide(
        "00:01",
        margin_ms=5 * MINUTE,
        max_runtime_ms=7 * MINUTE,
        failure_threshold=3,
        recovery_threshold=2,
        time_zone="Europe/Vienna",
        miss_while_running=False,
    )
    policy = upserted(world).policy
    assert (policy.tolerance.margin_ms, policy.tolerance.max_runtime_ms) == (5 * MINUTE, 7 * MINUTE)
    assert (policy.tolerance.failure_threshold, policy.tolerance.recovery_threshold) == (3, 2)
    assert policy.schedules == (Cron("0 * * * *", "Europe/Vienna"),)
    assert policy.miss_while_running is False


def test_what_a_configuration_names_wins() -> None:
    world = World()
    world.decide("00:01", margin_ms=5 * MINUTE, time_zone="Europe/Vienna", failure_threshold=3)
    change = MonitorChange(
        policy={"schedules": (Cron("0 * * * *", "Asia/Tokyo"),), "miss_while_running": False},
        tolerance={"margin_ms": 9 * MINUTE, "early_ms": None},
    )
    policy = upserted(world, change=change).policy
    assert policy.tolerance.margin_ms == 9 * MINUTE
    assert policy.tolerance.early_ms is None
    assert policy.tolerance.failure_threshold == 3
    assert policy.schedules == (Cron("0 * * * *", "Asia/Tokyo"),)
    assert policy.miss_while_running is False


def test_a_monitor_that_exists_keeps_what_it_has() -> None:
    world = World()
    before = upserted(world).policy
    world.decide("00:20", margin_ms=5 * MINUTE, time_zone="Europe/Vienna")
    change = msgspec.structs.replace(HOURLY, tolerance={"failure_threshold": 2})
    after = upserted(world, "00:30", change).policy
    assert after.tolerance.margin_ms == before.tolerance.margin_ms
    assert after.schedules == before.schedules


def test_null_goes_back_to_what_the_project_decides() -> None:
    world = World()
    named = MonitorChange(policy={"schedules": (Cron("0 * * * *", "Asia/Tokyo"),)}, tolerance={"margin_ms": 9 * MINUTE})
    upserted(world, change=named)
    world.decide("00:20", margin_ms=5 * MINUTE, time_zone="Europe/Vienna")
    null = MonitorChange(
        policy={"schedules": (Cron("0 * * * *", PROJECT_ZONE),)}, tolerance={"margin_ms": None, "max_runtime_ms": None}
    )
    policy = upserted(world, "00:30", null).policy
    assert policy.tolerance.margin_ms == 5 * MINUTE
    assert policy.tolerance.max_runtime_ms == DEFAULTS.max_runtime_ms
    assert policy.schedules == (Cron("0 * * * *", "Europe/Vienna"),)


def test_what_is_made_by_hand_does_not_follow() -> None:
    world = World()
    world.decide("00:01", margin_ms=5 * MINUTE)
    assert world.put("00:02").policy.tolerance.margin_ms == MINUTE


def test_by_hand_too_the_defaults_of_the_project_may_be_asked_for() -> None:
    world = World()
    world.decide("00:01", margin_ms=5 * MINUTE, time_zone="Europe/Vienna")
    for at in ("00:02", "00:03"):  # made, then changed
        policy = world.put(at, schedules=(Cron("0 * * * *", PROJECT_ZONE),), margin_ms=None).policy
        assert policy.tolerance.margin_ms == 5 * MINUTE
        assert policy.schedules == (Cron("0 * * * *", "Europe/Vienna"),)
    assert policy.tolerance.max_runtime_ms == 30 * MINUTE


def test_the_server_decides_for_projects_that_do_not() -> None:
    server = msgspec.structs.replace(DEFAULTS, margin_ms=3 * MINUTE, max_runtime_ms=4 * MINUTE)
    world = World(EngineSettings(projects=server))
    world.decide("00:01", max_runtime_ms=7 * MINUTE)
    tolerance = upserted(world).policy.tolerance
    assert (tolerance.margin_ms, tolerance.max_runtime_ms) == (3 * MINUTE, 7 * MINUTE)


def test_a_decision_can_be_given_back_and_others_stay() -> None:
    world = World()
    world.decide("00:01", margin_ms=5 * MINUTE, failure_threshold=3)
    receipt = world.decide("00:02", margin_ms=None)
    assert receipt.settings == ProjectSettings(failure_threshold=3)
    assert world.engine.state.settings_of(1).margin_ms == DEFAULTS.margin_ms
    assert world.engine.state.settings_of(2) is DEFAULTS


def test_a_restart_remembers_and_another_project_is_not_touched() -> None:
    world = World()
    world.decide("00:01", margin_ms=5 * MINUTE)
    world.restart()
    assert world.engine.state.settings_of(1).margin_ms == 5 * MINUTE
    assert world.engine.state.settings_of(2).margin_ms == MINUTE


def test_the_same_again_writes_nothing() -> None:
    world = World()
    world.decide("00:01", margin_ms=5 * MINUTE)
    world.kept.project_settings.clear()
    assert world.decide("00:02", margin_ms=5 * MINUTE).settings == ProjectSettings(margin_ms=5 * MINUTE)
    assert world.kept.project_settings == {}


def test_a_decision_and_a_configuration_that_come_together_go_by_the_decision() -> None:
    world = World()
    upserted(world)
    decided = PutProjectSettings(1, ProjectSettings(time_zone="Europe/Vienna"), ("time_zone",))
    again = world.command(ReportKind.OK, "00:20", upsert=HOURLY, dialect="sentry")
    assert world.together(("00:20", decided), ("00:20", again))[1].check_in is not None
    ((monitor, _),) = world.kept.monitors.values()
    assert monitor.policy.schedules == (Cron("0 * * * *", "UTC"),)  # an open zone keeps what the monitor has


def test_a_setting_that_does_not_exist_is_refused() -> None:
    receipt = World().step("00:01", PutProjectSettings(1, ProjectSettings(), ("colour",)))
    assert receipt.error is not None
    assert "colour" in receipt.error.message


def test_a_zone_that_is_gone_does_not_break_reports() -> None:
    world = World(EngineSettings(projects=msgspec.structs.replace(DEFAULTS, time_zone="Nowhere/Land")))
    assert upserted(world).policy.schedules == (Cron("0 * * * *", "UTC"),)


# --- create_from_check_in


def test_a_report_of_nobody_is_refused_unless_the_project_wants_it() -> None:
    world = World()
    world.ok("00:01")
    assert world.last.refusal is not None
    assert world.last.refusal.reason == "MONITOR_NOT_FOUND"
    world.decide("00:02", create_from_check_in=True, max_runtime_ms=5 * MINUTE, margin_ms=2 * MINUTE)
    world.start("00:03", dialect="sentry")
    assert world.last.refusal is None
    ((monitor, _),) = world.kept.monitors.values()
    assert (monitor.origin, monitor.policy.kind, monitor.policy.schedules) == ("sentry", Kind.JOB, ())
    assert monitor.policy.tolerance.max_runtime_ms == 5 * MINUTE
    assert len(world.of(MonitorCreated)) == 1
    world.tick("10:00:00")
    assert world.of(Missed) == []
    assert world.history() == [("timeout", None)]


def test_a_bad_configuration_does_not_keep_the_monitor_from_being_made() -> None:
    world = World()
    world.decide("00:01", create_from_check_in=True)
    world.ok("00:03", upsert_error="no such unit")
    (remark,) = world.of(CheckInRefused)
    assert (remark.reason, remark.dropped) == ("MONITOR_INVALID_CONFIG", False)
    assert world.history() == [("ok", None)]


def test_a_configuration_that_comes_later_gives_it_a_schedule() -> None:
    world = World()
    world.decide("00:01", create_from_check_in=True, time_zone="Europe/Vienna")
    world.ok("00:03")
    assert upserted(world, "00:10").policy.schedules == (Cron("0 * * * *", "UTC"),)
    world.tick("2:00:00")
    assert [state for state, _ in world.history()] == ["ok", "ok", "missed"]


@pytest.mark.parametrize("kind", [ReportKind.OK, ReportKind.ERROR, ReportKind.START])
def test_only_once(kind: ReportKind) -> None:
    world = World()
    world.decide("00:01", create_from_check_in=True)
    for second in range(3):
        world.report(f"{second + 2}:00", kind)
    assert len(world.kept.monitors) == 1
