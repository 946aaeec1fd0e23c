"""When an incident opens, goes on and ends: counted together, apart, and through everything that does not count."""

import itertools

import pytest

from support.engines import T0, World, instant
from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.commands import AcknowledgeIncident, ResolveIncident
from tocsin.domain.facts import IncidentContinued, IncidentOpened, IncidentResolved
from tocsin.domain.incident import Cause
from tocsin.domain.instant import MINUTE
from tocsin.domain.monitor import ExpectFrom
from tocsin.domain.schedule import Cron
from tocsin.domain.track import Health, Verdict

A = "a" * 32
MINUTELY = (Cron("* * * * *"),)


class Line:
    """A job that lives by a line of letters: o ok, e error, s start, u unknown slot, t time-out, m miss, n note.

    Slots are whole minutes; each letter takes one or two of them, and what is not a miss reports on time.
    """

    def __init__(self, **fields: object) -> None:
        self.world = World()
        self.world.put(**{"schedules": MINUTELY, "margin_ms": 30_000, "max_runtime_ms": 10_000, **fields})
        self.now = T0

    def play(self, letters: str) -> str:
        """What each letter did to incidents: O opened, C continued, R resolved, . nothing."""
        return "".join(self.one(letter) for letter in letters)

    def one(self, letter: str) -> str:
        world, before = self.world, len(self.world.facts)
        self.now += MINUTE
        match letter:
            case "o":
                world.ok(self.now, pair=False)
            case "e":
                world.error(self.now, pair=False)
            case "n":
                world.report(self.now, ReportKind.NOTE)
                world.report(self.now, ReportKind.BEAT)
            case "s":
                world.start(self.now, check_in_id=f"{self.now:032x}")
            case "t":
                world.start(self.now, check_in_id=f"{self.now:032x}")
                world.tick(self.now + 11_000)
            case "m":
                world.tick(self.now + 30_001)
            case "u":
                world.deaf(self.now + 1, self.now + 30_000)
        kinds = {IncidentOpened: "O", IncidentContinued: "C", IncidentResolved: "R"}
        done = "".join(kinds[type(fact)] for fact in world.facts[before:] if type(fact) in kinds)
        assert len(done) <= 1
        return done or "."


@pytest.mark.parametrize(
    ("fields", "letters", "effects"),
    [
        ({}, "oe", ".O"),
        ({}, "e", "O"),
        ({}, "oeeo", ".OCR"),
        ({}, "omo", ".OR"),
        ({}, "oto", ".OR"),
        ({}, "oetmo", ".OCCR"),
        # N real verdicts are required, also of a new monitor (Sentry alarms on the first)
        ({"failure_threshold": 3}, "eee", "..O"),
        ({"failure_threshold": 3}, "oeeoeee", "......O"),
        ({"failure_threshold": 3}, "oetm", "...O"),
        ({"failure_threshold": 3}, "ommm", "...O"),
        # a threshold fires once
        ({"failure_threshold": 2}, "oeeeee", "..OCCC"),
        # slots that nobody could hear neither count nor break the row
        ({"failure_threshold": 3}, "oeueue", ".....O"),
        ({"failure_threshold": 2}, "ouuuu", "....."),
        ({"recovery_threshold": 2}, "oeouo", ".O..R"),
        # recovery
        ({"recovery_threshold": 3}, "oeoooo", ".O..R."),
        ({"recovery_threshold": 3}, "oeooeooo", ".O..C..R"),
        ({"recovery_threshold": 2}, "oeomoo", ".O.C.R"),
        ({"recovery_threshold": 3, "failure_threshold": 2}, "eeoooeoee", ".O..R...O"),
        # misses counted apart
        ({"miss_threshold": 2}, "omm", "..O"),
        ({"miss_threshold": 2}, "ome", "..O"),
        ({"miss_threshold": 2, "failure_threshold": 3}, "omemm", "....O"),
        ({"miss_threshold": 3, "failure_threshold": 2}, "ommtm", "....."),
        ({"miss_threshold": 3, "failure_threshold": 2}, "ommee", "....O"),
        ({"miss_threshold": 2}, "omom", "...."),
        ({"miss_threshold": 2}, "omum", "...O"),
        # the first ok of a new monitor makes it healthy and resolves nothing
        ({"failure_threshold": 2}, "eoe", "..."),
        ({"recovery_threshold": 3}, "o", "."),
    ],
)
def test_a_line_of_outcomes(fields: dict[str, int], letters: str, effects: str) -> None:
    assert Line(**fields).play(letters) == effects


def test_starts_and_notes_do_not_count() -> None:
    line = Line(failure_threshold=3, recovery_threshold=3, max_runtime_ms=0)
    assert line.play("esnensne") == ".......O"
    assert line.play("osnonso") == "......R"


@pytest.mark.parametrize("threshold", [1, 2, 5])
@pytest.mark.parametrize("letters", ["e" * 5, "m" * 5, "t" * 5, "etmet"])
def test_exactly_at_the_threshold(threshold: int, letters: str) -> None:
    line = Line(failure_threshold=threshold)
    line.play("o")
    assert line.play(letters[: threshold - 1]) == "." * (threshold - 1)
    assert line.play(letters[threshold - 1 :]) == "O" + "C" * (5 - threshold)


@pytest.mark.parametrize("miss_threshold", [0, 2])
@pytest.mark.parametrize(("failures", "recoveries"), [(1, 1), (2, 1), (1, 2), (2, 3)])
def test_all_short_lines_against_the_words_of_the_spec(miss_threshold: int, failures: int, recoveries: int) -> None:
    """Every line of five outcomes: opened when N bad ones end the line, resolved when M good ones do."""
    for letters in itertools.product("oem", repeat=5):
        line = Line(failure_threshold=failures, recovery_threshold=recoveries, miss_threshold=miss_threshold)
        line.play("o")
        is_open, real = False, "o"
        for letter in letters:
            real += letter
            effect = line.play(letter)
            if letter == "o":
                ends = is_open and real.endswith("o" * recoveries)
                assert effect == ("R" if ends else ".")
                is_open = is_open and not ends
            else:
                assert effect == ("C" if is_open else "O" if too_bad(real, failures, miss_threshold) else ".")
                is_open = is_open or effect == "O"
            assert len(line.world.incidents(open_only=True)) == is_open


def too_bad(real: str, failures: int, misses: int) -> bool:
    if not misses:
        return "o" not in real[-failures:] and len(real) >= failures
    if real.endswith("m"):
        return real.endswith("m" * misses)
    return real.rpartition("o")[2].count("e") >= failures  # a miss between two errors does not part them


# -- HEALTH, cell by cell: (health, outcome) driven by a line, and health after it


@pytest.mark.parametrize(
    ("before", "letter", "effect", "health"),
    [
        ("", "o", ".", Health.HEALTHY),  # new: good enough is reached by nothing to recover from
        ("", "e", ".", Health.NEW),
        ("e", "e", "O", Health.UNHEALTHY),
        ("", "s", ".", Health.NEW),
        ("o", "o", ".", Health.HEALTHY),
        ("oo", "o", ".", Health.HEALTHY),
        ("o", "e", ".", Health.HEALTHY),
        ("oe", "e", "O", Health.UNHEALTHY),
        ("o", "u", ".", Health.HEALTHY),
        ("ee", "o", ".", Health.UNHEALTHY),
        ("eeo", "o", "R", Health.HEALTHY),
        ("ee", "e", "C", Health.UNHEALTHY),
        ("eeo", "e", "C", Health.UNHEALTHY),
        ("ee", "u", ".", Health.UNHEALTHY),
        ("e", "u", ".", Health.NEW),
    ],
)
def test_health(before: str, letter: str, effect: str, health: Health) -> None:
    line = Line(failure_threshold=2, recovery_threshold=2)
    line.play(before)
    assert line.play(letter) == effect
    assert line.world.track().health == health
    incident = line.world.track().incident
    assert bool(incident) == (health is Health.UNHEALTHY)
    assert [one.number for one in line.world.incidents(open_only=True)] == ([incident] if incident else [])


# -- what an incident tells


def test_an_incident_names_its_failures() -> None:
    line = Line(failure_threshold=2)
    line.play("oee")
    second = line.world.last.check_in.id
    line.play("em")
    (incident,) = line.world.incidents()
    assert (incident.first_check_in, incident.failure_count, incident.cause) == (second, 4, Cause.ERROR)
    missed = next(run for run in line.world.kept.check_ins.values() if run.state is State.MISSED)
    assert incident.last_check_in == missed.id
    line.play("o")
    (incident,) = line.world.incidents()
    assert (incident.resolving_check_in, incident.resolve_time) == (line.world.last.check_in.id, line.now)


@pytest.mark.parametrize(("letter", "cause"), [("e", Cause.ERROR), ("m", Cause.MISSED), ("t", Cause.TIMED_OUT)])
def test_the_cause_is_that_of_the_failure_that_opened_it(letter: str, cause: Cause) -> None:
    line = Line()
    line.play("o" + letter)
    assert line.world.incidents()[0].cause is cause


def test_an_incident_of_silence_opens_at_the_deadline_not_at_the_tick() -> None:
    line = Line()
    line.play("o")
    line.world.tick("02:30")
    assert line.world.of(IncidentOpened) == []
    line.world.tick("09:00")
    assert [fact.incident.open_time for fact in line.world.of(IncidentOpened)] == [instant("02:30")]


def test_a_late_ok_on_a_timed_out_run_recovers_nothing_the_next_run_does() -> None:
    world = World()
    world.put(max_runtime_ms=MINUTE)
    world.start("00:00", check_in_id=A)
    world.tick("02:00")
    assert len(world.incidents(open_only=True)) == 1
    world.ok("03:00", check_in_id=A)
    assert len(world.incidents(open_only=True)) == 1
    assert world.track().verdict == Verdict.TIMED_OUT
    world.ok("04:00")
    assert world.incidents(open_only=True) == []


def test_a_new_incident_has_a_new_number() -> None:
    line = Line()
    assert line.play("oeoeo") == ".OROR"
    assert [one.number for one in line.world.incidents()] == [1, 2]


def test_environments_have_incidents_apart() -> None:
    world = World()
    world.put()
    world.error("00:00", environment="production")
    world.error("00:01", environment="staging")
    world.ok("00:02", environment="staging")
    assert [one.environment for one in world.incidents(open_only=True)] == ["production"]


def test_acknowledged_once_open_and_refused_when_resolved() -> None:
    line = Line()
    line.play("oe")
    (incident,) = line.world.incidents()
    receipt = line.world.step(line.now, AcknowledgeIncident(1, incident.number, by="me", note="on it"))
    assert (receipt.incident.acknowledged_by, receipt.incident.note) == ("me", "on it")
    line.play("e")
    assert line.world.incidents()[0].acknowledge_time is not None  # more failures do not take it back
    assert line.world.step(line.now, AcknowledgeIncident(2, incident.number)).error is not None  # another project's
    line.play("o")
    assert line.world.step(line.now, AcknowledgeIncident(1, incident.number)).error.reason == "INCIDENT_RESOLVED"


def test_resolved_by_hand_counts_anew() -> None:
    line = Line(failure_threshold=2)
    line.play("oee")
    line.world.error(line.now, environment="staging")
    (incident,) = line.world.incidents()
    assert line.world.step(line.now, ResolveIncident(2, incident.number)).error is not None  # another project's
    line.world.step(line.now, AcknowledgeIncident(1, incident.number, by="me", note="on it"))
    resolved = line.world.step(line.now, ResolveIncident(1, incident.number, by="you")).incident
    assert (resolved.acknowledged_by, resolved.resolved_by, resolved.note) == ("me", "you", "on it")
    assert resolved.resolve_time is not None
    assert resolved.resolving_check_in == ""
    assert line.world.incidents() == [resolved]
    assert isinstance(line.world.facts[-1], IncidentResolved)
    again = line.world.step(line.now, ResolveIncident(1, incident.number))
    assert again.error.reason == "INCIDENT_RESOLVED"
    line.world.restart()
    assert line.play("e") == "."
    assert line.play("e") == "O"
    assert [one.number for one in line.world.incidents(open_only=True)] == [2]


def test_one_of_a_burst_is_resolved_by_hand() -> None:
    world = World()
    for number in range(3):
        world.put(0, f"m-{number}", expect_from=ExpectFrom.CREATION, schedules=MINUTELY)
    world.tick("02:30")
    incidents = world.incidents(open_only=True)
    assert len(incidents) == 3
    world.step("02:31", ResolveIncident(1, incidents[1].number, note="known"))
    left = {incidents[0].number, incidents[2].number}
    assert {one.number for one in world.incidents(open_only=True)} == left
    world.tick("03:30")
    assert {one.number for one in world.incidents(open_only=True)} > left


def test_lowering_a_threshold_judges_nothing_by_itself() -> None:
    line = Line(failure_threshold=5)
    line.play("oee")
    line.world.put(line.now, failure_threshold=2)
    assert line.world.incidents() == []
    assert line.play("e") == "O"
