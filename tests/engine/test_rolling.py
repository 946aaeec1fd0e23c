"""Rolling timers: each signal re-arms them, and so do a deadline, a change of the period and being switched on."""

import json
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from support.engines import T0, World, instant, relative
from support.oracle.rolling import RollingTimer
from tocsin.domain.check_in import CheckIn
from tocsin.domain.commands import DeleteMaintenanceWindow, PutMaintenanceWindow, PutMonitor
from tocsin.domain.facts import IncidentOpened, IncidentResolved
from tocsin.domain.incident import BY_DEACTIVATION
from tocsin.domain.instant import DAY, HOUR, MINUTE, NEVER, SECOND
from tocsin.domain.maintenance import FIELDS, MaintenanceWindow
from tocsin.domain.monitor import ExpectFrom, Kind, MonitorChange
from tocsin.domain.schedule import Cron, Rolling
from tocsin.domain.track import Health, Verdict
from tocsin.engine.engine import EngineSettings

TIMELINE = json.loads(
    (Path(__file__).parents[1] / "contract/fixtures/checkly/timer-timeline.json").read_text(encoding="utf-8")
)


def timer(period: int = HOUR, grace: int = 10 * MINUTE, **fields: object) -> World:
    world = World()
    world.put(**{"schedules": (Rolling(period),), "margin_ms": grace, "kind": Kind.HEARTBEAT, **fields})
    return world


def window(world: World, at: str, start: str, end: str, window_id: str = "w", **fields: object) -> None:
    made = MaintenanceWindow(0, 1, window_id, start_time=instant(start), end_time=instant(end), **fields)  # type: ignore[arg-type]
    assert world.step(at, PutMaintenanceWindow(1, window_id, made, FIELDS)).error is None


def remove(world: World, at: str, window_id: str = "w") -> None:
    assert world.step(at, DeleteMaintenanceWindow(1, window_id)).error is None


def expected(world: World) -> str | None:
    return relative(world.track().expected)


def newest(world: World) -> CheckIn:
    return world.kept.check_ins[max(world.kept.check_ins)]


def missed(world: World) -> list[str | None]:
    """When each miss was called one."""
    return [relative(run.update_time) for _, run in sorted(world.kept.check_ins.items()) if run.state.value == "missed"]


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("kernels", [False, True])
def test_the_published_timeline(*, kernels: bool, restarts: bool) -> None:
    def clock(minute: int) -> int:
        return T0 + minute * MINUTE

    world = World(EngineSettings(kernels=kernels))
    period, grace = TIMELINE["period_min"] * MINUTE, TIMELINE["grace_min"] * MINUTE
    world.put(schedules=(Rolling(period),), margin_ms=grace, kind=Kind.HEARTBEAT)
    world.ok(clock(TIMELINE["start_expected_min"]) - period)
    for step in TIMELINE["steps"]:
        if restarts:
            world.restart()
        told = (len(world.of(IncidentOpened)), len(world.of(IncidentResolved)))
        assert world.track().expected == clock(step["expected_before_min"])
        if step["kind"] == "ping":
            world.ok(clock(step["at_min"]))
            assert state_of(newest(world), grace) == step["state"]
        else:
            assert world.tick(clock(step["at_min"])) == []
            world.tick(clock(step["at_min"]) + 1)
            assert (newest(world).state.value, newest(world).update_time) == ("missed", clock(step["at_min"]))
        assert world.track().expected == clock(step["next_expected_min"])
        alert = step.get("alert")
        assert len(world.of(IncidentOpened)) - told[0] == (alert == "ALERT_FAILURE")
        assert len(world.of(IncidentResolved)) - told[1] == (alert == "ALERT_RECOVERY")


def state_of(run: CheckIn, grace: int) -> str:
    """As the vendor calls a signal, by what was expected when it came."""
    if run.expected_time is None or run.receive_time // SECOND == run.expected_time // SECOND:
        return "RECEIVED"
    if run.receive_time < run.expected_time:
        return "EARLY"
    return "GRACE" if run.receive_time <= run.expected_time + grace else "LATE"


def test_it_never_fails_before_the_first_signal() -> None:
    world = timer()
    assert world.tick("999:00:00") == []
    run = world.ok("999:00:00").check_in
    assert run is not None
    assert run.expected_time is None
    assert expected(world) == "1000:00:00"


def test_a_job_that_is_dead_fails_after_each_period_and_grace() -> None:
    world = timer(period=30 * SECOND, grace=0)
    world.ok("00:00")
    world.tick("02:00.001")
    assert missed(world) == ["0:00:30", "0:01:00", "0:01:30", "0:02:00"]
    assert len(world.incidents(open_only=True)) == 1
    assert world.incidents()[0].failure_count == 4


def test_a_signal_after_a_miss_answers_what_is_expected_then() -> None:
    world = timer()
    world.ok("00:00")
    world.tick("1:10:00.001")
    run = world.ok("1:12:00").check_in
    assert run is not None
    assert (relative(run.expected_time), run.late, run.satisfies) == ("2:10:00", False, None)
    assert (expected(world), world.track().failures, world.track().verdict) == ("2:12:00", 0, Verdict.OK)


# -- changes


def test_another_period_starts_it_anew() -> None:
    world = timer()
    world.ok("00:00")
    world.put("30:00", schedules=(Rolling(2 * HOUR),))
    assert expected(world) == "2:30:00"
    world.put("40:00", schedules=(Rolling(MINUTE),))
    assert expected(world) == "0:41:00"


def test_another_period_leaves_it_alone_before_the_first_signal() -> None:
    world = timer()
    world.put("30:00", schedules=(Rolling(2 * HOUR),))
    assert world.track().expected == NEVER
    assert world.tick("999:00:00") == []


def test_another_period_starts_one_anew_that_has_failed() -> None:
    world = timer()
    world.ok("00:00")
    world.tick("1:10:00.001")
    world.put("1:30:00", schedules=(Rolling(3 * HOUR),))
    assert (expected(world), world.track().failures) == ("4:30:00", 1)
    assert len(world.incidents(open_only=True)) == 1


@pytest.mark.parametrize(("grace", "deadline"), [(0, "1:00:00"), (MINUTE, "1:01:00"), (2 * HOUR, "3:00:00")])
def test_another_grace_moves_only_the_deadline(grace: int, deadline: str) -> None:
    world = timer()
    world.ok("00:00")
    world.put("30:00", margin_ms=grace)
    assert (expected(world), relative(world.track().deadline)) == ("1:00:00", deadline)


def test_a_grace_that_has_run_out_by_its_change_fails_at_once_and_once() -> None:
    world = timer(period=MINUTE, grace=HOUR)
    world.ok("00:00")
    world.put("40:00.250", margin_ms=0)
    assert missed(world) == ["0:40:00.250"]
    assert newest(world).expected_time == instant("01:00")
    assert expected(world) == "0:41:00.250"
    assert len(world.incidents(open_only=True)) == 1
    world.tick("41:01")
    assert len(missed(world)) == 1


def test_a_grace_that_ends_this_moment_has_not_run_out() -> None:
    world = timer(period=MINUTE, grace=HOUR)
    world.ok("00:00")
    world.put("02:00", margin_ms=MINUTE)
    assert (missed(world), expected(world)) == ([], "0:01:00")


@pytest.mark.parametrize(
    "change",
    [
        {"display_name": "x"},
        {"tags": ("a",)},
        {"group": "g"},
        {"schedules": (Rolling(HOUR),), "margin_ms": 10 * MINUTE},
        {"ping_token": "a" * 32},
        {"inactive": False},
    ],
)
def test_other_changes_and_the_same_values_touch_nothing(change: dict[str, object]) -> None:
    world = timer()
    world.ok("00:00")
    before = world.track()
    world.put("30:00", **change)
    assert world.track() == before


# -- switched off and on


def test_switched_off_it_is_disarmed_and_all_is_forgotten() -> None:
    world = timer()
    world.ok("00:00")
    world.tick("1:10:00.001")
    world.put("1:20:00", inactive=True)
    track = world.track()
    assert world.tick("99:00:00") == []
    assert (track.failures, track.misses, track.verdict, track.health) == (0, 0, Verdict.NONE, Health.NEW)
    assert (track.incident, track.last_lapse, track.missed_count, track.ok_count) == (0, 0, 1, 1)
    incident = world.incidents()[0]
    assert (incident.resolve_time, incident.resolving_check_in) == (instant("1:20:00"), "")
    assert incident.resolved_by == BY_DEACTIVATION
    assert len(world.of(IncidentResolved)) == 1


def test_switched_off_while_all_is_well() -> None:
    world = timer()
    world.ok("00:00")
    world.put("20:00", inactive=True)
    assert world.tick("99:00:00") == []
    assert world.track().health == Health.NEW


def test_what_was_due_before_it_was_switched_off_has_failed() -> None:
    world = timer()
    world.ok("00:00")
    world.put("1:20:00", inactive=True)
    assert missed(world) == ["1:10:00"]
    assert world.incidents()[0].resolved_by == BY_DEACTIVATION


@pytest.mark.parametrize("pinged", [False, True])
def test_switched_on_it_starts_whether_it_was_pinged_or_not(*, pinged: bool) -> None:
    world = timer(inactive=not pinged)
    if pinged:
        world.ok("00:00")
        world.put("10:00", inactive=True)
    world.put("30:00", inactive=False)
    assert expected(world) == "1:30:00"
    world.restart()
    assert expected(world) == "1:30:00"
    world.tick("1:40:00.001")
    assert missed(world) == ["1:40:00"]


def test_one_that_was_switched_on_and_never_pinged_starts_anew_with_another_period() -> None:
    world = timer(inactive=True)
    world.put("30:00", inactive=False)
    world.put("40:00", schedules=(Rolling(2 * HOUR),))
    assert expected(world) == "2:40:00"


def test_switched_on_while_it_is_paused_it_starts_after_the_pause() -> None:
    world = timer(inactive=True, paused_until=instant("5:00:00"))
    world.put("30:00", inactive=False)
    assert world.tick("4:59:00") == []
    world.restart()
    world.tick("5:00:01")
    assert expected(world) == "6:00:00"


def test_paused_in_the_change_that_switches_it_on_it_starts_after_the_pause() -> None:
    world = timer(inactive=True)
    world.put("30:00", inactive=False, paused_until=instant("1:20:00"))
    world.tick("2:30:00.001")
    assert missed(world) == ["2:30:00"]


@pytest.mark.parametrize("until", ["1:20:00", None])
def test_one_that_was_switched_on_and_never_pinged_outlives_a_pause(until: str | None) -> None:
    world = timer(inactive=True)
    world.put("30:00", inactive=False)
    world.put("1:10:00", paused_until=instant(until) if until else NEVER)
    world.tick("1:15:00")
    world.restart()
    if until is None:
        world.put("1:20:00", paused_until=None)
    world.tick("1:20:01")
    assert expected(world) == "2:20:00"
    world.tick("2:30:00.001")
    assert missed(world) == ["2:30:00"]


def test_one_that_was_never_switched_on_nor_pinged_waits_for_nothing_after_a_pause() -> None:
    world = timer()
    world.put("10:00", paused_until=instant("20:00"))
    world.tick("30:00")
    assert world.tick("99:00:00") == []
    world.put("99:10:00", inactive=True)
    world.put("99:20:00", paused_until=instant("99:30:00"))
    assert world.tick("999:00:00") == []


def test_one_that_was_switched_on_and_off_waits_for_nothing() -> None:
    world = timer(inactive=True)
    world.put("30:00", inactive=False)
    world.put("40:00", inactive=True, paused_until=instant("50:00"))
    assert world.tick("99:00:00") == []


def test_what_is_not_rolling_keeps_its_state_while_it_is_switched_off() -> None:
    world = timer(schedules=(Cron("0 * * * *"),))
    world.ok("00:00")
    world.tick("1:10:00.001")
    world.put("1:20:00", inactive=True)
    assert (world.track().verdict, len(world.incidents(open_only=True))) == (Verdict.MISSED, 1)


# -- maintenance


@pytest.mark.parametrize(
    ("start", "end", "after"),
    [
        ("55:00", "1:05:00", "2:05:00"),  # what is expected lies inside
        ("1:00:00", "1:01:00", "2:01:00"),
        ("1:05:00", "2:00:00", "3:00:00"),  # the deadline does
        ("1:10:00", "1:10:01", "2:10:01"),
        ("50:00", "2:00:00.500", "3:00:00.500"),  # both do
    ],
)
def test_it_does_not_fail_in_a_window_and_has_its_period_after_it(start: str, end: str, after: str) -> None:
    world = timer()
    world.ok("00:00")
    window(world, "00:01", start, end)
    world.tick("2:00:01")
    assert (missed(world), expected(world)) == ([], after)
    world.tick("9:00:00")
    assert missed(world)[0] == relative(-(-(instant(after) + 10 * MINUTE) // SECOND) * SECOND)


@pytest.mark.parametrize(
    ("start", "end"), [("30:00", "1:00:00"), ("1:00:00.001", "1:10:00"), ("1:10:00.001", "9:00:00")]
)
def test_windows_beside_it_do_not_count(start: str, end: str) -> None:
    world = timer()
    world.ok("00:00")
    window(world, "00:01", start, end)
    world.tick("1:10:01")
    assert missed(world) == ["1:10:00"]


def test_windows_that_follow_each_other_are_one() -> None:
    world = timer()
    world.ok("00:00")
    window(world, "00:01", "50:00", "2:00:00", "a")
    window(world, "00:02", "2:00:00", "3:00:00", "b")
    world.tick("3:30:00")
    assert (missed(world), expected(world)) == ([], "4:00:00")


def test_windows_that_never_end_are_maintenance_for_ever() -> None:
    world = timer()
    world.ok("00:00")
    made = MaintenanceWindow(0, 1, "w", recurrence=Cron("0 * * * *"), duration_ms=HOUR)
    world.step("00:01", PutMaintenanceWindow(1, "w", made, FIELDS))
    world.tick("900:00:00")
    assert missed(world) == []


def test_a_daily_window_at_the_time_of_a_daily_job_hides_one_day() -> None:
    world = timer(period=DAY, grace=HOUR)
    world.ok("00:00")
    made = MaintenanceWindow(0, 1, "w", recurrence=Cron("0 10 * * *"), duration_ms=HOUR)
    world.step("00:01", PutMaintenanceWindow(1, "w", made, FIELDS))
    world.tick("60:00:00.001")
    assert missed(world) == ["50:00:00"]


def test_a_signal_in_a_window_counts_as_ever() -> None:
    world = timer()
    world.ok("00:00")
    window(world, "00:01", "1:05:00", "4:00:00")
    world.tick("1:30:00")
    run = world.ok("1:40:00").check_in
    assert run is not None
    assert (world.track().ok_count, relative(run.expected_time)) == (2, "5:00:00")
    world.tick("9:00:00")
    assert missed(world)[0] == "5:10:00"


def test_a_window_that_was_made_longer() -> None:
    world = timer()
    world.ok("00:00")
    window(world, "00:01", "50:00", "2:00:00")
    world.tick("1:30:00")
    window(world, "1:40:00", "50:00", "3:00:00")
    world.tick("3:00:01")
    assert (missed(world), expected(world)) == ([], "4:00:00")


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("kernels", [False, True])
def test_a_window_that_was_taken_away_ends_then(*, kernels: bool, restarts: bool) -> None:
    world = World(EngineSettings(kernels=kernels))
    world.put(schedules=(Rolling(HOUR),), margin_ms=10 * MINUTE)
    world.ok("00:00")
    window(world, "00:01", "50:00", "99:00:00")
    world.tick("1:30:00")
    remove(world, "1:40:00.250")
    if restarts:
        world.restart()
    world.tick("2:50:01")
    assert (missed(world), expected(world)) == ([], "2:40:00.250")
    world.tick("2:50:01.001")
    assert missed(world) == ["2:50:01"]


def test_a_window_that_only_silences_from_now_on() -> None:
    world = timer()
    world.ok("00:00")
    window(world, "00:01", "50:00", "99:00:00")
    world.tick("1:30:00")
    window(world, "1:40:00", "50:00", "99:00:00", pause=False, silence_all=True)
    world.tick("2:50:00.001")
    assert missed(world) == ["2:50:00"]


def test_another_window_leaves_it_where_it_is() -> None:
    world = timer()
    world.ok("00:00")
    window(world, "00:01", "50:00", "2:00:00", "a")
    world.tick("1:30:00")
    window(world, "1:55:00", "9:00:00", "9:30:00", "b")
    remove(world, "1:56:00", "b")
    world.tick("2:00:01")
    assert (missed(world), expected(world)) == ([], "3:00:00")


@pytest.mark.parametrize(("tags", "after"), [(("a",), "3:00:00"), ((), "2:30:00")])
def test_a_monitor_that_a_window_does_not_cover_any_more(tags: tuple[str, ...], after: str) -> None:
    world = timer(tags=("a", "b"))
    world.ok("00:00")
    window(world, "00:01", "50:00", "2:00:00", tags=("a",))
    world.tick("1:20:00")
    world.put("1:30:00", tags=tags)
    world.tick("2:00:01")
    assert (missed(world), expected(world)) == ([], after)


def test_the_grace_may_change_while_it_stands_still() -> None:
    world = timer()
    world.ok("00:00")
    window(world, "00:01", "50:00", "2:00:00")
    world.tick("1:30:00")
    world.put("1:40:00", margin_ms=MINUTE)
    world.tick("3:01:00.001")
    assert missed(world) == ["3:01:00"]


def test_deaf_time_over_the_end_of_a_window_blames_nobody() -> None:
    world = timer()
    world.ok("00:00")
    window(world, "00:01", "50:00", "2:00:00")
    world.tick("1:30:00")
    world.deaf("1:50:00", "2:30:00")
    world.tick("2:30:00")
    assert [state for state, _ in world.history()] == ["ok"]
    assert instant("3:00:00") <= world.track().expected <= instant("3:31:00")


# -- random histories, beside the oracle

PERIODS = st.sampled_from([SECOND, 30 * SECOND, 90_500, 10 * MINUTE])
GRACES = st.sampled_from([0, 1, SECOND, 45_250, 5 * MINUTE])
GAPS = st.one_of(st.integers(0, 3 * SECOND), st.integers(0, 2 * MINUTE), st.integers(0, 25 * MINUTE))
STEPS = st.lists(
    st.tuples(
        GAPS,
        st.one_of(
            st.sampled_from(["ping"] * 4 + ["tick"] * 2 + ["off", "on", "restart"]),
            st.tuples(st.just("period"), PERIODS),
            st.tuples(st.just("grace"), GRACES),
        ),
    ),
    max_size=30,
)
WINDOWS = st.lists(st.tuples(st.integers(0, 3 * HOUR), st.integers(1, HOUR)), max_size=3)


@settings(max_examples=300, deadline=None)
@given(PERIODS, GRACES, WINDOWS, STEPS, st.booleans())
def test_it_does_what_the_oracle_does(
    period: int, grace: int, windows: list[tuple[int, int]], steps: list, kernels: bool
) -> None:
    known = [(T0 + start, T0 + start + length) for start, length in windows]
    world, oracle = World(EngineSettings(kernels=kernels)), RollingTimer(period, grace, known)
    for number, (start, end) in enumerate(known):
        made = MaintenanceWindow(0, 1, f"w{number}", start_time=start, end_time=end)
        world.step(T0, PutMaintenanceWindow(1, made.id, made, FIELDS))
    put(world, T0, period=period, grace=grace)
    at = T0
    for gap, what in [*steps, (0, "tick"), (30 * MINUTE, "tick")]:
        at += gap
        match what:
            case "ping":
                world.ok(at)
                oracle.ping(at)
            case "tick":
                world.tick(at)
                oracle.run_up_to(at)
            case "restart":
                world.restart()
            case "off" | "on":
                world.put(at, inactive=what == "off")
                oracle.switch(at, active=what == "on")
            case "period", period:
                put(world, at, period=period)
                oracle.change_period(at, period)
            case "grace", grace:
                put(world, at, grace=grace)
                oracle.change_grace(at, grace)
    track = world.track()
    assert relative(track.expected) == relative(oracle.expected if oracle.expected is not None else 2**63 - 1)
    assert track.failures == oracle.failures
    rows = [
        (run.state.value, run.receive_time if run.state.value == "ok" else run.update_time, run.expected_time)
        for _, run in sorted(world.kept.check_ins.items())
    ]
    assert rows == oracle.events
    assert [(one.open_time, one.resolve_time) for one in world.incidents()] == oracle.incidents


def put(world: World, at: int, *, period: int | None = None, grace: int | None = None) -> None:
    change = MonitorChange(
        policy={"expect_from": ExpectFrom.FIRST_CHECK_IN} | ({"schedules": (Rolling(period),)} if period else {}),
        tolerance={} if grace is None else {"margin_ms": grace},
    )
    assert world.step(at, PutMonitor(1, "job", change)).error is None
