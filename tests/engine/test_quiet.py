"""Quiet states, changes of monitors, upserts: what is refused, recorded, judged and told, and what takes effect when."""

import pytest

from support.engines import T0, World, instant, relative
from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.commands import DeleteMonitor, PutMonitor, PutMonitors
from tocsin.domain.facts import (
    CheckInRefused,
    EnvironmentCreated,
    IncidentOpened,
    Missed,
    MonitorChanged,
    MonitorCreated,
    MonitorDeleted,
    TimedOut,
)
from tocsin.domain.instant import HOUR, MINUTE, NEVER
from tocsin.domain.monitor import ExpectFrom, Monitor, MonitorChange
from tocsin.domain.schedule import Cron, Interval, Rolling, Unit
from tocsin.domain.track import Health

A, B = "a" * 32, "b" * 32
MINUTELY = (Cron("* * * * *"),)
HOURLY = (Cron("0 * * * *"),)
TEN_MINUTES = (Interval(10, Unit.MINUTE),)


def job(**fields: object) -> World:
    world = World()
    world.put(**{"schedules": MINUTELY, "margin_ms": MINUTE, "max_runtime_ms": 10 * MINUTE, **fields})
    return world


def missed(world: World) -> list[str | None]:
    return [relative(fact.check_in.expected_time) for fact in world.of(Missed)]


def configured(world: World, monitor_id: str = "job") -> Monitor:
    return next(monitor for monitor, _ in world.kept.monitors.values() if monitor.id == monitor_id)


QUIET = {
    "disabled": {"disabled": True},
    "inactive": {"inactive": True},
    "paused": {"paused_until": NEVER},
    "paused for a while": {"paused_until": T0 + HOUR},
}
LOUD = {"disabled": False, "inactive": False, "paused_until": None}


# -- nothing is judged in a quiet state


@pytest.mark.parametrize("change", QUIET.values(), ids=QUIET)
def test_no_slot_and_no_run_is_judged(change: dict[str, object]) -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    world.put("00:30", **change)
    assert world.tick("59:59") == []
    assert world.incidents() == []


@pytest.mark.parametrize("change", QUIET.values(), ids=QUIET)
def test_what_was_due_before_is_judged_by_what_held_then(change: dict[str, object]) -> None:
    """Whether the loop was quick enough to tick in between must not matter."""
    world = job()
    world.ok("00:00")
    world.put("02:30", **change)
    assert missed(world) == ["0:01:00"]


@pytest.mark.parametrize("change", QUIET.values(), ids=QUIET)
def test_afterwards_everything_has_a_fresh_chance(change: dict[str, object]) -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    world.put("00:30", **change)
    world.put("20:30", **LOUD)
    run = world.kept.check_ins[min(world.kept.check_ins)]
    assert (relative(world.track().expected), relative(world.track().deadline)) == ("0:21:00", "0:22:00")
    assert relative(run.timeout_time) == "0:30:30"
    world.tick("22:00.001")
    assert missed(world) == ["0:21:00"]
    world.tick("30:30.001")
    assert len(world.of(TimedOut)) == 1


def test_a_slot_met_early_is_not_due_again_after_a_pause() -> None:
    world = job(schedules=HOURLY)
    world.ok("10:00")
    world.ok("59:58")
    world.put("1:00:10", paused_until=NEVER)
    world.put("1:00:40", paused_until=None)
    assert relative(world.track().expected) == "2:00:00"


def test_a_monitor_that_never_reported_waits_for_nothing_after_a_pause() -> None:
    world = job(paused_until=T0 + HOUR)
    world.tick("3:00:00")
    world.put("3:00:01", disabled=True)
    world.put("3:00:02", disabled=False)
    assert world.tick("9:00:00") == []


def test_expected_from_creation_means_from_the_end_of_the_pause() -> None:
    world = job(paused_until=T0 + HOUR, expect_from=ExpectFrom.CREATION)
    world.tick("1:02:00.001")
    assert missed(world) == ["1:01:00"]


# -- disabled


def test_disabled_refuses_and_records_nothing() -> None:
    world = job(disabled=True)
    receipt = world.ok("00:00", check_in_id=A)
    assert (receipt.refusal.reason, receipt.refusal.dropped, receipt.check_in) == ("MONITOR_DISABLED", True, None)
    assert world.kept.check_ins == {}


def test_an_upsert_of_a_disabled_monitor_counts_and_its_report_does_not() -> None:
    world = job(disabled=True)
    receipt = world.ok("00:00", upsert=MonitorChange(tolerance={"margin_ms": 7000}))
    assert receipt.refusal.reason == "MONITOR_DISABLED"
    assert configured(world).policy.tolerance.margin_ms == 7000
    assert configured(world).disabled


# -- inactive


def test_inactive_answers_and_records_nothing() -> None:
    world = job(inactive=True)
    receipt = world.ok("00:00", environment="new")
    assert (receipt.refusal, receipt.error, receipt.check_in) == (None, None, None)
    assert world.kept.check_ins == {}
    assert len(world.kept.tracks) == 1


# -- paused


def test_paused_records_and_does_not_judge() -> None:
    world = job(paused_until=NEVER)
    world.start("00:00", check_in_id=A)
    world.error("01:00", check_in_id=A)
    world.ok("02:00")
    assert world.history() == [("error", None), ("ok", None)]
    assert world.incidents() == []
    assert world.track().health == Health.NEW
    assert (world.track().ok_count, world.track().error_count, world.track().started_count) == (1, 1, 1)
    assert relative(world.track().last_check_in) == "0:02:00"
    assert world.tick("9999:00:00") == []


def test_an_incident_stays_open_over_a_pause() -> None:
    world = job()
    world.error("00:00")
    world.put("00:10", paused_until=T0 + HOUR)
    world.ok("30:00")
    assert len(world.incidents(open_only=True)) == 1
    world.ok("1:00:30")
    assert world.incidents(open_only=True) == []


@pytest.mark.parametrize("reported", [False, True])
def test_a_pause_ends_by_itself_and_rearms(reported: bool) -> None:
    world = job()
    world.ok("00:00")
    world.put("00:10", paused_until=T0 + HOUR)
    if reported:
        world.ok("30:00")
    assert world.tick("1:02:00") == []
    world.tick("1:02:00.001")
    assert missed(world) == ["1:01:00"]


def test_a_first_report_in_a_pause_is_a_first_report() -> None:
    world = job(paused_until=T0 + HOUR)
    world.ok("30:00")
    world.tick("1:02:00.001")
    assert missed(world) == ["1:01:00"]


def test_a_pause_ends_for_all_environments_at_once() -> None:
    world = job(schedules=TEN_MINUTES)
    world.ok("00:00")
    world.ok("00:00", environment="staging")
    world.put("00:10", paused_until=T0 + HOUR)
    world.ok("30:00", environment="new")
    world.ok("1:05:00")
    assert [relative(world.track(name).expected) for name in ("production", "staging", "new")] == [
        "1:15:00",
        "1:10:00",
        "1:10:00",
    ]


def test_a_run_of_a_pause_has_its_longest_time_from_the_end_of_it() -> None:
    world = job(schedules=(), paused_until=T0 + HOUR)
    world.start("30:00", check_in_id=A)
    world.start("31:00", check_in_id=A)
    assert world.last.check_in.timeout_time is None
    assert world.tick("1:10:00") == []
    assert [type(fact) for fact in world.tick("1:10:00.001")] == [IncidentOpened, TimedOut]


def test_the_end_of_a_pause_that_a_report_noticed_is_not_applied_again_after_a_restart() -> None:
    """The heap holds whole seconds: a report may notice the end before the tick does."""
    world = job(schedules=(), paused_until=T0 + 1500)
    world.start("00:00", check_in_id=A)
    world.start("00:01.600", check_in_id=A)
    limit = world.last.check_in.timeout_time
    world.restart()
    world.tick("00:05")
    assert world.engine.next_deadline() == limit == instant("10:02")


def test_a_longer_limit_in_a_pause_does_not_start_the_clock() -> None:
    world = job(schedules=(), paused_until=T0 + HOUR)
    world.start("30:00", check_in_id=A)
    world.put("31:00", max_runtime_ms=MINUTE)
    assert world.tick("1:01:00") == []
    assert [type(fact) for fact in world.tick("1:01:00.001")] == [IncidentOpened, TimedOut]


def test_a_pause_may_be_moved() -> None:
    world = job()
    world.ok("00:00")
    world.put("00:10", paused_until=T0 + HOUR)
    world.put("30:00", paused_until=T0 + 2 * HOUR)
    assert world.tick("1:59:00") == []
    world.put("1:59:00", paused_until=T0 + 2 * HOUR + 30 * MINUTE)
    world.tick("2:32:00.001")
    assert missed(world) == ["2:31:00"]


def test_forgetting_a_pause_that_is_over_changes_nothing() -> None:
    world = job(schedules=TEN_MINUTES)
    world.ok("00:00")
    world.put("00:10", paused_until=T0 + HOUR)
    world.tick("1:09:00")
    before = world.track()
    world.put("1:09:30", paused_until=None)
    assert world.track() == before


@pytest.mark.parametrize("restart", [False, True])
def test_a_pause_long_over_does_not_end_again(restart: bool) -> None:
    """The monitor still says until when it was paused; a new environment must not take its siblings back there."""
    world = job(schedules=TEN_MINUTES)
    world.ok("00:00")
    world.put("00:10", paused_until=T0 + HOUR)
    world.tick("1:05:00")
    world.ok("1:09:00")
    world.tick("1:15:00")
    if restart:
        world.restart()
    world.ok("1:15:30", environment="staging")
    assert relative(world.track().expected) == "1:19:00"


def test_a_pause_told_after_its_end_is_none() -> None:
    world = job(schedules=TEN_MINUTES)
    world.ok("00:00")
    world.ok("1:30:00")
    world.put("1:31:00", paused_until=T0 + HOUR)
    world.ok("1:32:00", environment="staging")
    assert relative(world.track().expected) == "1:40:00"


# -- muted


def test_muted_is_judged_and_its_incident_says_so() -> None:
    world = job(schedules=HOURLY, muted_until=T0 + HOUR)
    world.error("00:00")
    assert [one.muted for one in world.incidents()] == [True]
    world.ok("01:00")
    world.ok("50:00")
    world.tick("1:10:00")
    assert [one.muted for one in world.incidents()] == [True, False]  # opened at the deadline, 1:01:00


def test_muting_changes_nothing_that_is_waited_for() -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    before = world.track()
    world.put("00:30", muted_until=NEVER)
    assert world.track() == before


@pytest.mark.parametrize("state", [*QUIET.values(), {"muted_until": NEVER}], ids=[*QUIET, "muted"])
def test_none_is_cleared_by_a_check_in_or_an_upsert(state: dict[str, object]) -> None:
    world = job()
    world.ok("00:00")
    world.put("00:10", **state)
    world.ok("00:20", upsert=MonitorChange(policy={"schedules": HOURLY}))
    world.error("00:30")
    after = configured(world)
    for field, value in state.items():
        assert getattr(after, field) == value
    assert after.policy.schedules == HOURLY


# -- upserts (spec 3.4)


def test_an_upsert_creates_the_monitor_and_the_environment_of_its_report() -> None:
    world = World()
    change = MonitorChange(policy={"schedules": HOURLY}, origin="sentry")
    receipt = world.start("00:00", environment="staging", upsert=change, check_in_id=A)
    assert receipt.check_in.environment == "staging"
    assert (configured(world).origin, configured(world).revision) == ("sentry", 0)
    assert list(world.kept.environments.values()) == ["staging"]
    assert relative(world.track("staging").expected) == "1:00:00"


def test_a_bad_configuration_of_an_unknown_monitor_is_told_twice() -> None:
    world = World()
    receipt = world.ok("00:00", upsert_error="schedule: what?")
    assert receipt.refusal.reason == "MONITOR_NOT_FOUND"
    assert [(fact.reason, fact.dropped) for fact in world.of(CheckInRefused)] == [
        ("MONITOR_INVALID_CONFIG", True),
        ("MONITOR_NOT_FOUND", True),
    ]


def test_a_bad_configuration_of_a_known_monitor_is_a_remark() -> None:
    world = job()
    receipt = world.ok("00:00", upsert_error="schedule: what?")
    assert (receipt.refusal, receipt.check_in.state) == (None, State.OK)
    assert [(fact.reason, fact.dropped) for fact in world.of(CheckInRefused)] == [("MONITOR_INVALID_CONFIG", False)]
    assert configured(world).revision == 0


def test_only_named_keys_change() -> None:
    world = job(display_name="Nightly", owner="me", failure_threshold=3)
    before = configured(world)
    world.ok("00:00", upsert=MonitorChange(policy={"schedules": HOURLY}, tolerance={"margin_ms": 5000}))
    after = configured(world)
    assert (after.policy.schedules, after.policy.tolerance.margin_ms) == (HOURLY, 5000)
    assert after.policy.tolerance.failure_threshold == 3
    assert (after.display_name, after.owner, after.uid) == ("Nightly", "me", before.uid)
    assert after.revision == before.revision + 1


def test_the_same_upsert_again_changes_nothing() -> None:
    world = job()
    change = MonitorChange(tolerance={"margin_ms": 5000})
    for at in ("00:00", "00:10", "00:20"):
        world.ok(at, upsert=change)
    assert len(world.of(MonitorChanged)) == 1
    world.restart()
    world.ok("00:30", upsert=change)
    assert len(world.of(MonitorChanged)) == 1


def test_the_same_upsert_again_after_an_edit_wins_again() -> None:
    """An edit that is not by hand locks nothing: see test_locks."""
    world = job()
    change = MonitorChange(tolerance={"margin_ms": 5000})
    world.ok("00:00", upsert=change)
    world.put("00:10", margin_ms=9000)
    world.ok("00:20", upsert=change)
    assert configured(world).policy.tolerance.margin_ms == 5000


def test_two_upserts_in_one_batch() -> None:
    world = job()
    first, second = (MonitorChange(tolerance={"margin_ms": ms}) for ms in (5000, 6000))
    world.ok("00:00", upsert=first)
    world.together(*((0, world.command(ReportKind.OK, T0 + 1000, upsert=one)) for one in (second, first, second)))
    assert configured(world).policy.tolerance.margin_ms == 6000


def test_a_report_with_an_upsert_is_judged_by_the_policy_that_held_while_it_was_waited_for() -> None:
    world = job()
    world.ok("00:00")
    world.ok("02:30", upsert=MonitorChange(tolerance={"margin_ms": HOUR}))
    assert missed(world) == ["0:01:00"]


# -- a change takes effect (spec 5.2)


def test_a_new_schedule_counts_from_the_last_check_in() -> None:
    world = job()
    world.ok("05:00")
    world.put("05:30", schedules=(Interval(20, Unit.MINUTE),))
    assert relative(world.track().expected) == "0:25:00"


def test_a_new_schedule_does_not_make_a_miss_of_what_nobody_waited_for() -> None:
    world = job(schedules=HOURLY)
    world.ok("05:00")
    world.put("30:00", schedules=TEN_MINUTES)
    assert world.tick("40:00") == []
    assert relative(world.track().expected) == "0:40:00"


def test_a_new_schedule_waits_for_no_slot_before_the_change() -> None:
    """Not even where the grace of that slot would last until after it."""
    world = job(schedules=HOURLY, margin_ms=5 * MINUTE)
    world.ok("05:00")
    world.put("32:00", schedules=(Cron("*/30 * * * *"),))
    assert relative(world.track().expected) == "1:00:00"
    assert world.tick("1:05:00") == []
    world.tick("1:05:00.001")
    assert missed(world) == ["1:00:00"]


def test_a_slot_at_the_moment_of_the_change_is_waited_for() -> None:
    world = job(schedules=HOURLY, margin_ms=5 * MINUTE)
    world.ok("05:00")
    world.put("29:59", schedules=(Cron("*/30 * * * *"),))
    assert relative(world.track().expected) == "0:30:00"


def test_a_new_margin_moves_the_deadline_and_not_the_slot() -> None:
    world = job(schedules=HOURLY)
    world.ok("05:00")
    world.put("30:00", margin_ms=5 * MINUTE)
    assert (relative(world.track().expected), relative(world.track().deadline)) == ("1:00:00", "1:05:00")
    assert world.engine.next_deadline() == instant("1:05:00")


def test_a_new_limit_by_hand_counts_from_the_start_of_open_runs() -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    world.put("00:30", max_runtime_ms=3 * MINUTE)
    assert relative(world.kept.check_ins[min(world.kept.check_ins)].timeout_time) == "0:03:00"
    world.put("00:40", max_runtime_ms=0)
    assert world.kept.check_ins[min(world.kept.check_ins)].timeout_time is None


def test_taking_the_schedule_away_waits_for_nothing() -> None:
    world = job()
    world.ok("00:00")
    world.put("00:30", schedules=())
    assert world.tick("99:00:00") == []
    assert (world.track().expected, world.engine.next_deadline()) == (NEVER, None)


def test_a_change_of_words_moves_nothing() -> None:
    world = job(schedules=(Rolling(10 * MINUTE),))
    world.ok("00:00")
    before = world.track()
    world.put("05:00", display_name="New name", owner="you", failure_threshold=4)
    assert world.track() == before


def test_expecting_from_creation_starts_when_it_is_said() -> None:
    world = job()
    world.put("10:30", expect_from=ExpectFrom.CREATION)
    assert relative(world.track().expected) == "0:11:00"


# -- put, create, update, etag, batches


def test_create_and_update_flags() -> None:
    world = World()
    gone = world.step(0, PutMonitor(1, "job", MonitorChange(), create=False))
    assert (gone.error.code, gone.error.reason) == ("NOT_FOUND", "MONITOR_NOT_FOUND")
    made = world.step(0, PutMonitor(1, "job", MonitorChange(), update=False))
    assert (made.created, made.error, len(world.of(MonitorCreated))) == (True, None, 1)
    again = world.step(0, PutMonitor(1, "job", MonitorChange(), update=False))
    assert again.error.code == "ALREADY_EXISTS"
    assert not world.step(0, PutMonitor(1, "job", MonitorChange())).created


def test_etag() -> None:
    world = job()
    old = configured(world).etag
    world.put("00:10", owner="me")
    refused = world.step("00:20", PutMonitor(1, "job", MonitorChange(owner="you"), etag=old))
    assert (refused.error.code, refused.error.reason) == ("ABORTED", "ETAG_MISMATCH")
    assert configured(world).owner == "me"
    taken = world.step("00:30", PutMonitor(1, "job", MonitorChange(owner="you"), etag=configured(world).etag))
    assert taken.monitors[0].owner == "you"


def test_a_put_that_changes_nothing_is_no_fact_and_keeps_the_etag() -> None:
    world = job(owner="me")
    before, facts = configured(world), len(world.facts)
    world.put("00:10", owner="me")
    assert (configured(world), len(world.facts)) == (before, facts)


def test_validate_only_answers_and_keeps_nothing() -> None:
    world = World()
    receipt = world.step(0, PutMonitor(1, "job", MonitorChange(owner="me"), validate_only=True))
    assert (receipt.monitors[0].owner, receipt.created) == ("me", True)
    assert (world.kept.monitors, world.facts) == ({}, [])


def test_a_batch_is_all_or_none() -> None:
    world = job()
    new = PutMonitor(1, "new", MonitorChange())
    stale = PutMonitor(1, "job", MonitorChange(owner="x"), etag="stale-1")
    assert world.step("00:10", PutMonitors((new, stale))).error.code == "ABORTED"
    assert [monitor.id for monitor, _ in world.kept.monitors.values()] == ["job"]
    receipt = world.step("00:20", PutMonitors((new, PutMonitor(1, "job", MonitorChange(owner="x")))))
    assert [(monitor.id, monitor.owner) for monitor in receipt.monitors] == [("new", ""), ("job", "x")]


def test_projects_do_not_see_each_other() -> None:
    world = job()
    other = world.step(0, PutMonitor(2, "job", MonitorChange(owner="two"))).monitors[0]
    assert other.number != configured(world).number
    world.delete("00:10")
    assert [monitor.project for monitor, _ in world.kept.monitors.values()] == [2]


# -- delete


def test_delete_frees_the_name_at_once_and_a_new_monitor_is_another_one() -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    old = configured(world)
    world.error("00:01", pair=False)
    world.delete("00:10")
    assert (world.kept.tracks, world.kept.check_ins, world.kept.incidents) == ({}, {}, {})
    assert world.engine.next_deadline() is None
    assert world.tick("30:00") == []
    world.put("30:00", schedules=MINUTELY)
    new = configured(world)
    assert new.number != old.number
    assert new.uid != old.uid
    assert world.start("31:00", check_in_id=A).created
    assert world.track().open_runs == 1
    assert [fact.number for fact in world.of(MonitorDeleted)] == [old.number]


def test_deleted_and_made_again_in_one_batch() -> None:
    world = job()
    world.start("00:00", check_in_id=A)
    world.together(
        ("01:00", DeleteMonitor(1, "job")),
        ("01:00", PutMonitor(1, "job", MonitorChange(policy={"schedules": HOURLY}))),
        ("01:00", world.command(ReportKind.OK, "01:00")),
    )
    assert world.history() == [("ok", None)]
    assert configured(world).policy.schedules == HOURLY


def test_delete_wants_the_monitor_and_its_etag() -> None:
    world = job()
    assert world.delete("00:00", "nobody").error.code == "NOT_FOUND"
    assert world.step("00:00", DeleteMonitor(1, "job", etag="x-1")).error.code == "ABORTED"
    assert world.delete("00:00").error is None


# -- environments


def test_an_environment_begins_with_its_first_check_in() -> None:
    world = job()
    world.ok("00:00", environment="staging")
    world.ok("00:01", environment="Staging")  # case matters
    made = [fact.environment for fact in world.of(EnvironmentCreated)]
    assert made == ["production", "staging", "Staging"]
    assert world.track("production").expected == NEVER
    world.tick("02:00.001")
    assert {run.environment for run in world.kept.check_ins.values() if run.state is State.MISSED} == {
        "staging",
        "Staging",
    }


def test_a_refused_report_makes_no_environment() -> None:
    world = job(disabled=True)
    world.ok("00:00", environment="staging")
    assert list(world.kept.environments.values()) == ["production"]
