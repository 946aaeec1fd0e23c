"""Separate causes: misses, errors and assertions arise and end each for itself; an incident is open while any is left."""

import pytest

from support.engines import T0, World, instant, relative
from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.commands import AcknowledgeIncident, ResolveIncident
from tocsin.domain.facts import (
    IncidentAcknowledged,
    IncidentContinued,
    IncidentOpened,
    IncidentResolved,
)
from tocsin.domain.incident import Cause
from tocsin.domain.instant import MINUTE, SECOND
from tocsin.domain.schedule import Anchor, Cron, Interval, Unit
from tocsin.domain.track import Health, Verdict

FASTER = "metric.rows < 100"
FEW = "metric.rows > 5"
TEN_MINUTELY = (Cron("*/10 * * * *"),)  # slots at 10:00, 20:00, ... after T0


def job(**fields: object) -> World:
    """Slots every ten minutes, a minute of grace, a run on time at T0 + 10 s."""
    world = World()
    policy = {
        "schedules": TEN_MINUTELY,
        "margin_ms": MINUTE,
        "max_runtime_ms": 0,
        "miss_threshold": 1,
        "separate_causes": True,
        "assertions": (FEW,),
    }
    world.put(**policy | fields)
    world.ok("00:10", pair=False)
    return world


def told(world: World, since: int = 0) -> list[str]:
    """What became of incidents: +name opened with it or had it added, -name ended, x over, . went on."""
    words = []
    for fact in world.facts[since:]:
        if isinstance(fact, IncidentOpened):
            words += [f"+{name}" for name in fact.incident.causes]
        elif isinstance(fact, IncidentResolved):
            assert fact.incident.causes  # what was wrong last
            words.append("x")
        elif isinstance(fact, IncidentContinued):
            if fact.added:
                assert fact.added in fact.incident.causes
            words += [f"+{fact.added}"] * bool(fact.added) + [f"-{name}" for name in fact.ended]
            if not fact.added and not fact.ended:
                words.append(".")
    return words


def causes(world: World) -> tuple[str, ...]:
    """Those active now; health, the open incident and what is kept of it agree."""
    track = world.track()
    known = world.incidents(open_only=True)
    assert len(known) <= 1
    assert (track.health == Health.UNHEALTHY) == bool(known) == bool(track.incident)
    if not known:
        return ()
    assert known[0].number == track.incident
    assert world.engine.state.incidents[track.incident].causes == known[0].causes
    return known[0].causes


def play(world: World, line: str) -> list[str]:
    """Words with times: "20:05 start", "30:00 tick"; what each did to incidents, by word."""
    done = []
    for step in line.split(", "):
        at, word, *more = step.split()
        fields: dict[str, object] = {}
        for one in more:
            name, _, value = one.partition("=")
            fields |= {"metrics": {"rows": float(value)}} if name == "rows" else {name: value}
        before = len(world.facts)
        if word == "tick":
            world.tick(at)
        else:
            kind = {"run": "START", "complete": "OK", "fail": "ERROR", "ok": "RESET", "note": "NOTE", "beat": "BEAT"}
            pair = {} if word in ("run", "complete", "fail") else {"pair": False}
            world.report(at, ReportKind[kind[word]], **pair | fields)
        done.append(" ".join(told(world, before)) or "-")
    return done


@pytest.mark.parametrize(
    ("line", "effects", "left"),
    [
        # a miss arises when its margin is over, and any report but a note ends it
        ("11:01 tick, 12:00 complete", ["+missed", "x"], ()),
        ("11:01 tick, 12:00 run", ["+missed", "x"], ()),
        ("11:01 tick, 12:00 beat", ["+missed", "x"], ()),
        ("11:01 tick, 12:00 ok", ["+missed", "x"], ()),
        ("11:01 tick, 12:00 note", ["+missed", "-"], ("missed",)),
        # a failing report ends it too, and is a failure of its own
        ("11:01 tick, 12:00 fail", ["+missed", "+error -missed"], ("error",)),
        ("11:01 tick, 21:01 tick, 22:00 complete", ["+missed", ".", "x"], ()),
        # an error goes on through misses and starts, until a good end
        ("10:05 fail, 21:01 tick, 22:00 run", ["+error", "+missed", "-missed"], ("error",)),
        ("10:05 fail, 21:01 tick, 22:00 run, 22:05 complete", ["+error", "+missed", "-missed", "x"], ()),
        ("10:05 fail, 20:05 fail, 30:05 complete", ["+error", ".", "x"], ()),
        ("10:05 fail, 10:06 run, 10:07 note", ["+error", "-", "-"], ("error",)),
        # assertions end when they hold, whatever else does
        ("10:05 complete rows=3, 20:05 complete, 30:05 complete rows=6", [f"+{FEW}", "-", "x"], ()),
        ("10:05 complete rows=3, 20:05 fail, 30:05 complete", [f"+{FEW}", "+error", "-error"], (FEW,)),
        ("10:05 fail rows=3, 20:05 complete rows=3", [f"+error +{FEW}", "-error"], (FEW,)),
        ("10:05 fail rows=3, 20:05 complete rows=9", [f"+error +{FEW}", "x"], ()),
        ("10:05 complete rows=3, 21:01 tick, 22:00 complete rows=1", [f"+{FEW}", "+missed", "-missed"], (FEW,)),
        # a reset ends everything
        ("10:05 fail rows=3, 21:01 tick, 22:00 ok", [f"+error +{FEW}", "+missed", "x"], ()),
    ],
)
def test_causes_arise_and_end_each_for_itself(line: str, effects: list[str], left: tuple[str, ...]) -> None:
    world = job()
    assert play(world, line) == effects
    assert causes(world) == left


def test_what_is_together_is_one_cause() -> None:
    world = job(separate_causes=False)
    assert play(world, "11:01 tick, 12:00 run, 12:10 fail, 20:05 complete") == ["+missed", "-", ".", "x"]


def test_together_an_assertion_is_still_apart() -> None:
    world = job(separate_causes=False)
    line = "10:05 complete rows=3, 20:05 fail, 20:06 fail, 30:05 complete, 31:00 complete rows=9"
    assert play(world, line) == [f"+{FEW}", "+error", ".", "-error", "x"]
    first = world.incidents()[0]
    assert (first.cause, first.assertion, first.failure_count) == (Cause.ASSERTION, FEW, 3)


def test_together_a_recovery_threshold_keeps_only_what_it_is_about() -> None:
    world = job(separate_causes=False, recovery_threshold=2)
    line = "10:05 fail rows=3, 20:05 complete rows=9, 30:05 complete"
    assert play(world, line) == [f"+error +{FEW}", f"-{FEW}", "x"]


# -- tolerances


@pytest.mark.parametrize(
    ("line", "effects"),
    [
        # two consecutive misses are allowed, the third is the failure
        ("11:01 tick, 21:01 tick, 31:01 tick, 41:01 tick", ["-", "-", "+missed", "."]),
        # a report on schedule ends the row, also a failing one and a start
        ("11:01 tick, 21:01 tick, 30:05 complete, 41:01 tick, 51:01 tick", ["-"] * 5),
        ("11:01 tick, 21:01 tick, 30:05 run, 41:01 tick, 51:01 tick", ["-"] * 5),
        ("11:01 tick, 21:01 tick, 30:05 fail, 41:01 tick, 51:01 tick", ["-", "-", "+error", "-", "-"]),
        # a little early is on schedule
        ("11:01 tick, 21:01 tick, 29:05 run, 41:01 tick, 51:01 tick", ["-"] * 5),
        # one that comes late was there, and the slot was missed all the same
        ("11:01 tick, 15:00 complete, 21:01 tick, 25:00 complete, 31:01 tick", ["-"] * 4 + ["+missed"]),
        ("11:01 tick, 15:00 run, 16:00 complete, 21:01 tick, 31:01 tick", ["-"] * 4 + ["+missed"]),
        # a reset ends the row
        ("11:01 tick, 21:01 tick, 25:00 ok, 31:01 tick, 41:01 tick", ["-"] * 5),
    ],
)
def test_misses_in_a_row(line: str, effects: list[str]) -> None:
    assert play(job(miss_threshold=3), line) == effects


@pytest.mark.parametrize(
    ("anchor", "line", "effects"),
    [
        (Anchor.ANY_REPORT, "11:11 tick, 12:10 complete, 23:11 tick, 24:10 complete", ["-", "-", "+missed", "x"]),
        (Anchor.ANY_REPORT, "11:11 tick, 12:10 complete, 14:10 complete, 25:11 tick", ["-"] * 4),
        (
            Anchor.RUN_START,
            "11:11 tick, 12:10 run, 12:40 complete, 23:11 tick, 24:10 run",
            ["-"] * 3 + ["+missed", "x"],
        ),
        (Anchor.RUN_START, "11:11 tick, 12:10 run series=a, 14:10 run series=b, 25:11 tick", ["-"] * 4),
    ],
)
def test_misses_in_a_row_of_an_interval(anchor: Anchor, line: str, effects: list[str]) -> None:
    """Every ten minutes from the last report: whoever comes every twelve is late each time, and misses each time."""
    world = job(schedules=(Interval(10, Unit.MINUTE, anchor=anchor),), miss_threshold=2)
    assert play(world, line) == effects


@pytest.mark.parametrize(
    ("line", "effects"),
    [
        ("10:05 fail, 20:05 fail, 30:05 fail, 40:05 complete", ["-", "-", "+error", "x"]),
        ("10:05 fail, 20:05 fail, 30:05 complete, 40:05 fail, 50:05 fail", ["-"] * 5),
        ("10:05 fail, 20:05 fail, 30:05 ok, 40:05 fail, 50:05 fail", ["-"] * 5),
        ("10:05 fail, 20:05 run, 20:06 fail, 31:01 tick, 32:00 fail", ["-", "-", "-", "+missed", "+error -missed"]),
        # assertions ask no threshold
        ("10:05 complete rows=1, 10:06 fail", [f"+{FEW}", "-"]),
    ],
)
def test_failures_in_a_row(line: str, effects: list[str]) -> None:
    assert play(job(failure_threshold=3), line) == effects


def test_without_a_threshold_of_their_own_misses_are_apart_all_the_same() -> None:
    world = job(miss_threshold=0, failure_threshold=2)
    assert play(world, "11:01 tick, 20:05 fail, 31:01 tick, 41:01 tick") == ["-", "-", "-", "+missed"]
    assert (world.track().failures, world.track().misses) == (1, 2)


# -- order and overlap


def test_runs_overlap_and_each_counts_when_it_ends() -> None:
    world = job()
    line = (
        "10:01 run series=a, 10:02 run series=b, 10:03 complete series=b, 10:04 fail series=a, 10:05 complete series=c"
    )
    assert play(world, line) == ["-", "-", "-", "+error", "x"]
    together = job(separate_causes=False)
    assert play(together, line) == ["-"] * 5  # one that began later has spoken


def test_old_news_overrules_nothing() -> None:
    world = job()
    world.ok("12:00", time=instant("10:30"), series="b", pair=False)
    world.error("12:01", time=instant("10:10"), series="a", pair=False)
    assert causes(world) == ()
    world.error("12:02", time=instant("10:25"), series="c", pair=False)  # clocks differ
    assert causes(world) == ("error",)
    world.report("12:03", ReportKind.RESET, time=instant("09:00"))
    assert causes(world) == ()


def test_a_start_ends_a_miss_and_is_seen_to() -> None:
    world = job()
    world.tick("11:01")
    assert world.track().verdict == Verdict.MISSED
    world.start("12:00")
    assert world.track().verdict == Verdict.NONE


# -- the incident


def test_an_incident_counts_its_failures_and_names_the_newest() -> None:
    world = job()
    play(world, "10:05 fail rows=3, 20:05 fail, 30:05 complete rows=2")
    (incident,) = world.incidents()
    assert (incident.cause, incident.assertion, incident.causes) == (Cause.ERROR, "", (FEW,))
    assert incident.failure_count == 3
    newest = max(world.kept.check_ins)
    assert incident.last_check_in == world.kept.check_ins[newest].id
    assert relative(incident.open_time) == "0:10:05"


def test_a_restart_changes_nothing() -> None:
    lines = ["10:05 fail rows=3", "21:01 tick", "22:00 complete", "30:05 complete rows=9"]
    straight, restarted = job(), job()
    for line in lines:
        play(straight, line)
        restarted.restart()
        play(restarted, line)
    assert restarted.facts == straight.facts
    assert restarted.kept == straight.kept


def test_environments_have_causes_of_their_own() -> None:
    world = job()
    world.ok("00:20", environment="staging")
    world.error("10:05", environment="staging")
    assert world.track().health == Health.HEALTHY
    assert world.track("staging").health == Health.UNHEALTHY


def test_an_assertion_that_is_gone_is_no_cause() -> None:
    world = job()
    play(world, "10:05 fail rows=3")
    world.put(instant("11:30"), assertions=(FASTER,))
    assert causes(world) == ("error",)
    assert told(world)[-1] == f"-{FEW}"
    play(world, "20:05 complete rows=3")
    assert causes(world) == ()


def test_the_last_assertion_that_is_gone_ends_the_incident() -> None:
    world = job()
    play(world, "10:05 complete rows=3")
    world.put(instant("10:30"), assertions=())
    assert causes(world) == ()
    (incident,) = world.incidents()
    assert (relative(incident.resolve_time), incident.resolving_check_in) == ("0:10:30", "")


# -- by hand


def test_an_incident_is_resolved_by_hand() -> None:
    world = job(failure_threshold=2)
    play(world, "10:05 fail, 10:06 fail rows=3, 21:01 tick")
    assert len(causes(world)) == 3
    number = world.track().incident
    receipt = world.step("22:00", ResolveIncident(1, number, "ada", "known"))
    assert receipt.incident is not None
    assert (receipt.incident.resolved_by, receipt.incident.note) == ("ada", "known")
    assert relative(receipt.incident.resolve_time) == "0:22:00"
    assert causes(world) == ()
    track = world.track()
    assert (track.failures, track.misses, track.recoveries, track.verdict) == (0, 0, 0, Verdict.OK)
    assert told(world)[-1] == "x"
    assert play(world, "22:30 fail, 22:31 fail") == ["-", "+error"]  # what fails next fails anew
    assert world.track().incident != number


def test_what_was_due_before_belongs_to_it() -> None:
    world = job()
    play(world, "10:05 fail")
    world.step("22:00", ResolveIncident(1, world.track().incident))
    assert told(world) == ["+error", "+missed", "x"]
    assert relative(world.track().expected) == "0:30:00"


def test_an_incident_of_a_burst_and_after_a_restart_is_resolved() -> None:
    for restarts in (False, True):
        world = job()
        world.put("00:01", "other", schedules=TEN_MINUTELY, margin_ms=MINUTE)
        world.ok("00:11", monitor_id="other")
        world.tick("11:01")
        if restarts:
            world.restart()
        for number in (1, 2):
            assert world.step("12:00", ResolveIncident(1, number)).error is None
        assert not world.incidents(open_only=True)


@pytest.mark.parametrize("command", [ResolveIncident, AcknowledgeIncident])
def test_what_is_not_open_cannot_be_dealt_with(command: type[ResolveIncident]) -> None:
    world = job()
    play(world, "10:05 fail")
    number = world.track().incident
    for project, incident in ((1, number + 1), (2, number)):
        error = world.step("11:00", command(project, incident)).error
        assert error is not None
        assert error.reason == "INCIDENT_RESOLVED"
    assert world.step("11:00", AcknowledgeIncident(1, number, "ada")).error is None
    assert len(world.of(IncidentAcknowledged)) == 1


def test_a_burst_of_misses_opens_with_its_cause() -> None:
    world = World()
    for index in range(30):
        world.put(T0, f"job-{index}", schedules=TEN_MINUTELY, margin_ms=MINUTE, separate_causes=True, miss_threshold=1)
        world.ok(T0 + SECOND, monitor_id=f"job-{index}")
    world.tick("11:01")
    assert {one.causes for one in world.incidents()} == {("missed",)}
    assert len(world.incidents()) == 30
    world.start("12:00", monitor_id="job-3")
    assert len(world.incidents(open_only=True)) == 29
    assert [run.state for run in world.kept.check_ins.values()].count(State.IN_PROGRESS) == 1


def test_time_outs_are_a_cause_of_their_own() -> None:
    world = job(max_runtime_ms=2 * MINUTE, assertions=())
    assert play(world, "10:05 run, 12:06 tick, 12:30 fail, 20:05 complete") == ["-", "+timeout", "+error", "x"]
    assert world.track().timed_out_count == 1


# -- another schedule


def test_without_a_schedule_nothing_is_missing() -> None:
    world = job()
    play(world, "10:05 fail, 21:00.001 tick, 31:00.001 tick")
    assert causes(world) == ("error", "missed")
    assert world.track().misses
    world.put(instant("32:00"), schedules=())
    assert causes(world) == ("error",)
    assert told(world)[-1] == "-missed"
    assert world.track().misses == 0
    world.put(instant("33:00"), schedules=TEN_MINUTELY)
    play(world, "41:00.001 tick")
    assert causes(world) == ("error", "missed")


def test_an_incident_of_misses_alone_ends_with_the_schedule() -> None:
    world = job()
    play(world, "11:00.001 tick")
    assert causes(world) == ("missed",)
    world.put(instant("12:00"), schedules=())
    assert causes(world) == ()
    (incident,) = world.incidents()
    assert (relative(incident.resolve_time), incident.resolving_check_in) == ("0:12:00", "")
    assert world.track().verdict is Verdict.NONE


def test_together_a_schedule_that_is_taken_away_ends_a_miss_and_no_error() -> None:
    missing, failing = job(separate_causes=False), job(separate_causes=False)
    play(missing, "11:00.001 tick")
    play(failing, "10:05 fail")
    for world in (missing, failing):
        world.put(instant("12:00"), schedules=())
    assert causes(missing) == ()
    assert causes(failing) == ("error",)


def test_misses_that_are_not_yet_enough_are_forgotten_with_the_schedule() -> None:
    world = job(miss_threshold=2)
    play(world, "11:00.001 tick")
    world.put(instant("12:00"), schedules=())
    world.put(instant("13:00"), schedules=TEN_MINUTELY)
    play(world, "21:00.001 tick")
    assert causes(world) == ()
