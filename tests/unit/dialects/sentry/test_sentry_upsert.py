"""Spec section 3.4: the table of what a configuration that comes with a check-in does, row by row."""

from sentry_world import SentryWorld

from tocsin.domain.check_in import State
from tocsin.domain.facts import MonitorChanged
from tocsin.domain.schedule import Cron, Interval, Unit

CRON = {"schedule": {"type": "crontab", "value": "0 * * * *"}}
DAILY = {"schedule": {"type": "interval", "value": 1, "unit": "day"}}
BAD = {"schedule": {"type": "crontab", "value": "61 * * * *"}, "max_runtime": 5}
MINUTE = 60_000


async def known(**config: object) -> SentryWorld:
    made = SentryWorld()
    assert await made.check_in(check_in_id="1" * 32, monitor_config={**CRON, **config}) == []
    return made.at("01:00")


async def test_no_monitor_and_a_valid_configuration():
    sentry = await known(owner="team:ops", checkin_margin=3, timezone="Europe/Vienna")
    monitor = sentry.monitor()
    assert (monitor.display_name or monitor.id, monitor.disabled, monitor.origin) == ("job", False, "sentry")
    assert monitor.policy.schedules == (Cron("0 * * * *", "Europe/Vienna"),)
    assert (monitor.policy.tolerance.margin_ms, monitor.policy.tolerance.max_runtime_ms) == (3 * MINUTE, 30 * MINUTE)
    assert monitor.owner == "team:ops"


async def test_no_monitor_and_an_invalid_configuration():
    sentry = SentryWorld()
    found = await sentry.check_in(monitor_config=BAD)
    assert [refused.reason for refused in found] == ["MONITOR_INVALID_CONFIG", "MONITOR_NOT_FOUND"]
    assert (sentry.monitor(), sentry.world.kept.check_ins) == (None, {})


async def test_no_monitor_and_no_configuration():
    sentry = SentryWorld()
    for config in (..., None):
        (refused,) = await sentry.check_in(monitor_config=config)
        assert refused.reason == "MONITOR_NOT_FOUND"
    assert sentry.monitor() is None


async def test_a_known_monitor_and_a_different_configuration():
    sentry = await known(checkin_margin=3, max_runtime=7)
    assert await sentry.check_in(monitor_config={**DAILY, "max_runtime": None}) == []
    policy = sentry.monitor().policy
    (schedule,) = policy.schedules
    assert isinstance(schedule, Interval)
    assert (schedule.count, schedule.unit) == (1, Unit.DAY)
    assert policy.tolerance.margin_ms == 3 * MINUTE  # not named: kept
    assert policy.tolerance.max_runtime_ms == 30 * MINUTE  # null: the default


async def test_a_known_monitor_and_an_invalid_configuration():
    sentry = await known(max_runtime=7)
    (remark,) = await sentry.check_in(monitor_config=BAD)
    assert (remark.reason, remark.dropped) == ("MONITOR_INVALID_CONFIG", False)
    assert sentry.monitor().policy.tolerance.max_runtime_ms == 7 * MINUTE
    assert len(sentry.world.kept.check_ins) == 2


async def test_a_disabled_monitor():
    sentry = await known()
    sentry.put("job", disabled=True)
    (refused,) = await sentry.check_in(monitor_config={**DAILY})
    assert (refused.reason, refused.dropped) == ("MONITOR_DISABLED", True)
    assert isinstance(sentry.monitor().policy.schedules[0], Interval)
    assert (sentry.monitor().disabled, len(sentry.world.kept.check_ins)) == (True, 1)


async def test_a_muted_monitor():
    sentry = await known()
    sentry.put("job", muted_until=2**47)
    assert await sentry.check_in(status="error") == []
    assert [run.state for run in sentry.world.kept.check_ins.values()] == [State.OK, State.ERROR]
    assert sentry.monitor().muted_until == 2**47


async def test_an_owner_is_replaced_and_never_cleared_by_absence():
    sentry = await known(owner="team:ops")
    await sentry.check_in(monitor_config={**CRON, "owner": "user:ada"})
    assert sentry.monitor().owner == "user:ada"
    for number, config in enumerate((CRON, {**CRON, "owner": None}, {**DAILY, "owner": ""})):
        assert await sentry.check_in(check_in_id=f"{number + 5}" * 32, monitor_config=config) == []
        assert sentry.monitor().owner == "user:ada"


async def test_an_owner_that_is_none_costs_only_itself():
    sentry = await known(owner="team:ops")
    (remark,) = await sentry.check_in(monitor_config={**DAILY, "owner": "ops"})
    assert (remark.reason, remark.dropped) == ("CHECKIN_VALIDATION_FAILED", False)
    assert sentry.monitor().owner == "team:ops"
    assert isinstance(sentry.monitor().policy.schedules[0], Interval)


async def test_a_configuration_counts_on_every_check_in_and_an_equal_one_changes_nothing():
    sentry = await known()
    changes = len(sentry.world.of(MonitorChanged))
    for status in ("in_progress", "ok"):
        assert await sentry.check_in(status=status, monitor_config=CRON) == []
    assert len(sentry.world.of(MonitorChanged)) == changes
    await sentry.check_in(check_in_id="2" * 32, status="in_progress", monitor_config=DAILY)
    assert isinstance(sentry.monitor().policy.schedules[0], Interval)


async def test_a_changed_runtime_does_not_touch_open_runs():
    sentry = await known(max_runtime=10)
    await sentry.check_in(check_in_id="2" * 32, status="in_progress")
    (run,) = [one for one in sentry.world.kept.check_ins.values() if one.state is State.IN_PROGRESS]
    await sentry.check_in(check_in_id="3" * 32, monitor_config={**CRON, "max_runtime": 1})
    assert sentry.world.kept.check_ins[run.number].timeout_time == run.timeout_time


async def test_misplaced_keys_are_remarked_upon():
    sentry = await known()
    (remark,) = await sentry.check_in(monitor_config={"schedule": {**CRON["schedule"], "timezone": "Europe/Vienna"}})
    assert (remark.reason, remark.dropped) == ("MONITOR_INVALID_CONFIG", False)
    assert "did you mean $.monitor_config.timezone?" in remark.detail
