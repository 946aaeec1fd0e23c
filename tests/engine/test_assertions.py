"""Assertions: when each is judged, by what, and the timer that an upper bound of the duration is."""

import pytest

from support.engines import World, instant, relative
from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.facts import IncidentContinued, IncidentOpened
from tocsin.domain.incident import Cause
from tocsin.domain.instant import DAY, NEVER
from tocsin.domain.monitor import Kind
from tocsin.domain.schedule import Cron
from tocsin.domain.track import Verdict
from tocsin.engine.open_runs import SPOOL_GRACE

START, OK, ERROR, NOTE, BEAT = (
    ReportKind.START,
    ReportKind.OK,
    ReportKind.ERROR,
    ReportKind.NOTE,
    ReportKind.BEAT,
)
MIDNIGHT = (Cron("0 0 * * *"),)
FAST = "metric.duration < 10 s"
A = "a" * 32


def monitor(*assertions: str, **fields: object) -> World:
    world = World()
    world.put(
        **{"schedules": MIDNIGHT, "max_runtime_ms": 0, "assertions": assertions, "separate_causes": True} | fields
    )
    return world


def violated(world: World, environment: str = "production") -> tuple[str, ...]:
    incident = next((one for one in world.incidents(open_only=True) if one.environment == environment), None)
    return incident.causes if incident else ()


@pytest.mark.parametrize(
    ("assertion", "reports", "broken"),
    [
        # the duration: the run's own, or the one that was sent
        (FAST, [("10", START, {}), ("19", OK, {})], False),
        (FAST, [("10", START, {}), ("20", OK, {})], True),
        ("metric.duration <= 10 s", [("10", START, {}), ("20", OK, {})], False),
        (FAST, [("10", START, {}), ("20", ERROR, {})], True),
        (FAST, [("10", OK, {"duration_ms": 10_000})], True),
        (FAST, [("10", START, {}), ("20", OK, {"duration_ms": 9_000})], False),
        (FAST, [("10", OK, {})], False),
        ("metric.duration = 5 s", [("10", START, {}), ("16", OK, {})], True),
        # a lower bound at a good end only
        ("metric.duration > 5 s", [("10", START, {}), ("12", OK, {})], True),
        ("metric.duration > 5 s", [("10", START, {}), ("12", ERROR, {})], False),
        ("metric.duration >= 5 s", [("10", OK, {})], False),
        ("metric.duration >= 5 s", [("10", OK, {"duration_ms": 4_999})], True),
        # counts are sums over the run, other metrics the last value
        ("metric.count > 5", [("10", START, {"count": 3.0}), ("12", OK, {"count": 3.0})], False),
        ("metric.count < 5", [("10", START, {"count": 3.0}), ("12", OK, {"count": 3.0})], True),
        ("metric.rows > 5", [("10", START, {"rows": 9.0}), ("12", OK, {"rows": 3.0})], True),
        ("metric.rows < 5", [("10", START, {"rows": 9.0}), ("12", OK, {"rows": 3.0})], False),
        ("metric.rows < 5", [("10", START, {"rows": 9.0}), ("12", OK, {})], True),
        ("metric.count < 5", [("10", START, {}), ("11", NOTE, {"count": 9.0}), ("12", OK, {})], True),
        ("metric.count > 5", [("10", START, {}), ("11", NOTE, {"count": 4.0}), ("12", OK, {"count": 4.0})], False),
        ("metric.error_count = 0", [("10", START, {}), ("12", ERROR, {"error_count": 1.0})], True),
        # rates over the run
        (
            "metric.error_rate < 10%",
            [("10", START, {"count": 10.0, "error_count": 1.0}), ("12", OK, {"count": 10.0})],
            False,
        ),
        ("metric.error_rate < 10%", [("10", OK, {"count": 10.0, "error_count": 1.0})], True),
        ("metric.error_rate < 10%", [("10", OK, {"error_count": 1.0})], True),
        ("metric.error_rate < 10%", [("10", OK, {"count": 10.0})], False),
        # nothing before the end
        ("metric.rows > 5", [("10", START, {"rows": 3.0})], False),
        ("metric.rows > 5", [("10", START, {}), ("11", NOTE, {"rows": 3.0})], False),
        ("metric.rows > 5", [("10", NOTE, {"rows": 3.0})], False),
        ("metric.rows > 5", [("10", ReportKind.RESET, {"rows": 3.0})], False),
        # what was not measured is not judged
        ("metric.rows > 5", [("10", START, {}), ("12", OK, {})], False),
        ("metric.ROWS > 5", [("10", OK, {"rows": 3.0})], True),
    ],
)
def test_a_job_is_judged_at_the_end_of_a_run(
    assertion: str, reports: list[tuple[str, ReportKind, dict[str, float]]], broken: bool
) -> None:
    world = monitor(assertion)
    for at, kind, said in reports:
        fields: dict[str, object] = {"duration_ms": said["duration_ms"]} if "duration_ms" in said else {"metrics": said}
        world.report(f"00:{at}", kind, **fields)
    others = {"error"} if reports[-1][1] is ERROR else set()
    assert set(violated(world)) - others == ({assertion} if broken else set())


@pytest.mark.parametrize(
    ("assertion", "kind", "fields", "broken"),
    [
        (FAST, OK, {"duration_ms": 10_000}, True),
        (FAST, ERROR, {"duration_ms": 10_000}, True),
        (FAST, OK, {}, False),
        ("metric.duration > 5 s", ERROR, {"duration_ms": 10}, True),
        ("metric.rows > 5", OK, {"metrics": {"rows": 3.0}}, True),
        ("metric.rows > 5", OK, {"metrics": {"rows": 6.0}}, False),
        ("metric.rows > 5", START, {"metrics": {"rows": 3.0}}, True),
        ("metric.rows > 5", BEAT, {"metrics": {"rows": 3.0}}, True),
        ("metric.rows > 5", NOTE, {"metrics": {"rows": 3.0}}, False),
        ("metric.error_rate < 10%", OK, {"metrics": {"count": 10.0, "error_count": 1.0}}, True),
    ],
)
def test_a_heartbeat_is_judged_with_each_report(
    assertion: str, kind: ReportKind, fields: dict[str, object], broken: bool
) -> None:
    world = monitor(assertion, kind=Kind.HEARTBEAT)
    world.report("00:10", kind, **fields)
    assert (assertion in violated(world)) == broken


def test_reports_of_a_heartbeat_are_judged_each_for_itself() -> None:
    world = monitor("metric.count > 5", kind=Kind.HEARTBEAT)
    for at, count, broken in (("10", 3, True), ("20", 4, True), ("30", None, True), ("40", 6, False), ("50", 5, True)):
        world.ok(f"00:{at}", metrics={} if count is None else {"count": float(count)})
        assert bool(violated(world)) == broken


def test_who_names_the_run_by_its_id_replaces_counts() -> None:
    world = monitor("metric.count < 5")
    world.start("00:10", check_in_id=A, metrics={"count": 3.0})
    world.ok("00:20", check_in_id=A, metrics={"count": 4.0})
    assert violated(world) == ()


def test_the_incident_says_which_assertion_it_was() -> None:
    world = monitor(FAST, "metric.rows > 5")
    world.ok("00:10", duration_ms=10_000, metrics={"rows": 1.0})
    (opened,) = world.of(IncidentOpened)
    assert (opened.incident.cause, opened.incident.assertion) == (Cause.ASSERTION, FAST)
    assert opened.incident.causes == (FAST, "metric.rows > 5")
    assert opened.incident.failure_count == 1
    assert world.track().verdict == Verdict.OK  # the run went well


def test_an_assertion_that_stands_twice_is_one() -> None:
    world = monitor(FAST, FAST)
    world.ok("00:10", duration_ms=10_000)
    assert violated(world) == (FAST,)


def test_what_cannot_be_read_is_left_alone() -> None:
    """From before anybody looked at them."""
    world = monitor("be fast", "response.code = 200", FAST)
    world.ok("00:10", duration_ms=10_000)
    assert violated(world) == (FAST,)


def test_nothing_is_judged_in_a_pause() -> None:
    world = monitor("metric.rows > 5", paused_until=NEVER)
    world.ok("00:10", metrics={"rows": 3.0})
    assert violated(world) == ()


# -- the timer


def test_a_run_that_takes_too_long_is_told_of_while_it_runs() -> None:
    world = monitor(FAST)
    world.start("01:00.200")
    world.tick("01:11")
    assert violated(world) == ()
    world.tick("01:11.001")
    assert violated(world) == (FAST,)
    (incident,) = world.incidents()
    assert (relative(incident.open_time), incident.failure_count) == ("0:01:11", 1)
    (run,) = world.kept.check_ins.values()
    assert (run.state, run.id) == (State.IN_PROGRESS, incident.first_check_in)
    assert (world.track().verdict, world.track().open_runs) == (Verdict.NONE, 1)
    assert world.tick("10:00") == []


def test_its_end_counts_it_once_and_the_next_good_run_ends_it() -> None:
    world = monitor(FAST)
    world.start("01:00", series="a")
    world.tick("01:30")
    world.ok("01:40", series="a")
    assert world.incidents()[0].failure_count == 1
    assert world.of(IncidentContinued) == []
    world.start("02:00", series="b")
    world.ok("02:20", series="b")
    assert world.incidents()[0].failure_count == 2
    world.start("03:00", series="c")
    world.ok("03:05", series="c")
    assert violated(world) == ()


def test_an_end_that_says_it_was_fast_ends_it() -> None:
    world = monitor(FAST)
    world.start("01:00")
    world.tick("01:30")
    world.ok("01:40", duration_ms=9_000)
    assert violated(world) == ()


def test_each_bound_is_a_time_of_its_own() -> None:
    slow = "metric.duration <= 1 min"
    world = monitor(slow, FAST, "metric.duration > 1 s", "metric.duration < 1 h")
    world.start("01:00")
    for at, expected in (
        ("01:10.001", (FAST,)),
        ("02:00", (FAST,)),
        ("02:00.001", (FAST, slow)),
        ("30:00", (FAST, slow)),
    ):
        world.tick(at)
        assert violated(world) == expected
    assert [fact.added for fact in world.of(IncidentContinued)] == [slow]
    assert relative(world.track().run_deadline) == "1:01:00"


def test_each_run_has_a_timer() -> None:
    world = monitor(FAST)
    for at, series in (("01:00", "a"), ("01:05", "b"), ("01:08", "c")):
        world.start(at, series=series)
    world.ok("01:09", series="b")
    world.tick("01:10.001")
    assert world.incidents()[0].failure_count == 1
    world.tick("02:00")
    assert world.incidents()[0].failure_count == 2


def test_several_runs_due_at_once_are_judged_at_once() -> None:
    world = monitor(FAST)
    for series in "abc":
        world.start("01:00", series=series)
    world.tick("02:00")
    assert world.incidents()[0].failure_count == 3


@pytest.mark.parametrize("stop", range(6))
def test_a_restart_at_any_time_changes_nothing(stop: int) -> None:
    straight, restarted = (monitor("metric.duration <= 30 s", FAST, abandon_runs=True) for _ in range(2))
    for world in (straight, restarted):
        for place, at in enumerate(("01:00", "01:05", "01:10.001", "01:20", "01:30.001", "02:00")):
            if world is restarted and place == stop:
                world.restart()
            if place == 0:
                world.start(at, series="s")
            else:
                world.tick(at)
        world.ok("02:10", series="s")
    assert restarted.facts == straight.facts
    assert restarted.kept == straight.kept


def test_a_run_that_may_have_ended_unheard_is_not_blamed() -> None:
    world = monitor(FAST)
    world.start("01:00", series="s")
    world.deaf("01:05", "01:06")
    assert world.track().run_deadline == NEVER
    world.tick("10:00")
    assert violated(world) == ()
    world.ok("10:01", series="s")
    assert violated(world) == (FAST,)


def test_a_pause_stops_the_timer_and_its_end_starts_it_for_what_is_still_to_come() -> None:
    slow = "metric.duration < 10 min"
    world = monitor(FAST, slow)
    world.start("01:00")
    world.put("01:05", paused_until=instant("05:00"))
    world.tick("04:00")
    assert violated(world) == ()
    world.tick("10:59")
    assert violated(world) == ()
    world.tick("11:01")
    assert violated(world) == (slow,)


def test_a_new_bound_counts_for_open_runs_from_now_on() -> None:
    world = monitor()
    world.start("01:00")
    world.put("01:30", assertions=(FAST, "metric.duration < 1 min"))
    world.tick("10:00")
    assert violated(world) == ("metric.duration < 1 min",)


def test_a_bound_that_is_gone_is_no_time_any_more() -> None:
    world = monitor(FAST)
    world.start("01:00")
    world.put("01:05", assertions=())
    world.tick("10:00")
    assert violated(world) == ()
    assert world.track().run_deadline == NEVER


@pytest.mark.parametrize(("stamp", "told"), [("59", 69_000), ("30", 62_000 + SPOOL_GRACE)], ids=["soon", "long ago"])
def test_a_start_that_was_delivered_late_has_time_to_deliver_its_end(stamp: str, told: int) -> None:
    world = monitor(FAST)
    world.start("01:02", time=instant(f"00:{stamp}"), series="s")
    due = instant("00:00") + told
    world.tick(due)
    assert violated(world) == ()
    world.tick(due + 1)
    assert violated(world) == (FAST,)


def test_an_end_before_its_start_has_a_duration_in_the_end() -> None:
    world = monitor(FAST)
    world.ok("01:30", time=instant("01:29"), series="s")
    assert violated(world) == ()
    world.start("01:31", time=instant("01:00"), series="s")
    assert violated(world) == (FAST,)


# -- runs that nobody ends


def test_a_run_that_nobody_ends_is_abandoned_silently() -> None:
    world = monitor(abandon_runs=True, schedules=())
    world.start("01:00", series="s")
    world.tick("24:01:00")
    assert world.track().open_runs == 1
    facts = world.tick("24:01:01")
    (run,) = world.kept.check_ins.values()
    assert (run.state, relative(run.update_time)) == (State.ABANDONED, "24:01:00")
    assert [type(fact).__name__ for fact in facts] == ["Abandoned"]
    track = world.track()
    assert (track.open_runs, track.run_deadline, track.verdict, track.failures) == (0, NEVER, Verdict.NONE, 0)


@pytest.mark.parametrize(
    ("schedule", "days"), [("*/5 * * * *", 1), ("0 0 * * *", 3), ("0 0 * * MON", 21)], ids=["minutes", "day", "week"]
)
def test_it_is_given_three_slots_and_a_day_at_least(schedule: str, days: int) -> None:
    world = monitor(abandon_runs=True, schedules=(Cron(schedule),))
    world.start("01:00")
    assert world.track().run_deadline == instant("01:00") + days * DAY


def test_the_next_slot_is_expected_all_the_same() -> None:
    world = monitor(abandon_runs=True, schedules=(Cron("*/10 * * * *"),), miss_threshold=1)
    world.start("00:10", series="s")
    world.tick("11:01")
    assert violated(world) == ("missed",)


def test_a_late_end_by_its_series_stands_alone() -> None:
    world = monitor(FAST, abandon_runs=True, schedules=())
    world.start("01:00", series="s")
    world.tick("25:00:00")
    world.ok("25:00:01", series="s")
    assert [run.state for _, run in sorted(world.kept.check_ins.items())] == [State.ABANDONED, State.OK]


def test_runs_are_abandoned_in_a_pause_too() -> None:
    world = monitor(FAST, abandon_runs=True, schedules=(), paused_until=NEVER)
    world.start("01:00")
    world.tick("25:00:00")
    assert [run.state for run in world.kept.check_ins.values()] == [State.ABANDONED]
