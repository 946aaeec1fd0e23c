"""Broken incidents are told and muted, idle environments go: in days, by a review every hour (spec 7.4, pain 13)."""

import itertools

import msgspec
import pytest

from support.engines import T0, World
from tocsin.domain.check_in import ReportKind
from tocsin.domain.commands import PutMonitor, ReviewTracks, Tick
from tocsin.domain.facts import EnvironmentDeleted, EnvironmentMuted, IncidentBroken, IncidentMuted
from tocsin.domain.incident import Incident
from tocsin.domain.instant import DAY, HOUR, MINUTE, NEVER
from tocsin.domain.monitor import ExpectFrom, MonitorChange
from tocsin.domain.project_settings import ProjectSettings
from tocsin.domain.schedule import Cron
from tocsin.domain.track import TrackFlag
from tocsin.engine import review

OWN = ProjectSettings()
DAILY = (Cron("0 10 * * *"),)  # T0 is a slot


def settle(world: World, settings: ProjectSettings) -> None:
    world.decide(T0 - HOUR, **msgspec.structs.asdict(settings))


class Days:
    """A daily job, its reports and reviews, by the day."""

    def __init__(self, settings: ProjectSettings = OWN, **fields: object) -> None:
        self.world = World()
        settle(self.world, settings)
        self.world.put(T0 - MINUTE, **{"schedules": DAILY, **fields})

    def fail(self, days: range, kind: ReportKind = ReportKind.ERROR) -> None:
        for day in days:
            self.world.report(T0 + day * DAY, kind, pair=False)

    def review(self, day: float) -> None:
        self.world.review(T0 + round(day * DAY))

    @property
    def incident(self) -> Incident:
        return self.world.incidents()[-1]

    @property
    def muted(self) -> bool:
        return bool(self.world.track().flags & TrackFlag.MUTED)


def broken(**fields: object) -> Days:
    """Since day 0 every run has failed; found so on day 14."""
    days = Days(**fields)
    days.fail(range(15))
    days.review(14.01)
    return days


def test_an_incident_that_is_two_weeks_old_and_still_fails_is_broken_and_told_once() -> None:
    days = Days()
    days.fail(range(14))
    days.review(13.99)
    assert days.incident.broken_time is None
    days.fail(range(14, 15))
    days.review(14)
    assert days.incident.broken_time == T0 + 14 * DAY
    days.review(14.1)
    days.world.restart()
    days.review(14.2)
    assert len(days.world.of(IncidentBroken)) == 1
    assert days.world.of(IncidentBroken)[0].incident.monitor_id == "job"


def test_two_weeks_after_that_its_environment_is_muted() -> None:
    days = broken()
    days.fail(range(15, 28))
    days.review(28)
    assert not days.muted
    days.fail(range(28, 30))
    days.review(28.02)
    assert days.muted
    assert days.incident.broken_mute_time == T0 + round(28.02 * DAY)
    assert days.incident.resolve_time is None
    assert len(days.world.of(IncidentMuted)) == len(days.world.of(EnvironmentMuted)) == 1


def test_where_causes_are_apart_it_is_told_and_never_muted() -> None:
    """Its rule is another: alerts without end mute, until it recovers. Nothing would lift this mute."""
    days = broken(separate_causes=True)
    days.fail(range(15, 40))
    days.review(40)
    assert days.incident.broken_time is not None
    assert not days.muted
    assert days.incident.broken_mute_time is None


def test_who_unmutes_it_is_not_overruled() -> None:
    days = broken()
    days.fail(range(15, 30))
    days.review(29)
    days.world.mute_environment(T0 + 30 * DAY, "production", muted=False)
    days.fail(range(31, 60))
    days.review(60)
    assert not days.muted


def test_recovery_resolves_the_incident_and_clears_nothing_else() -> None:
    days = broken()
    days.fail(range(15, 30))
    days.review(29.1)
    days.fail(range(30, 31), ReportKind.OK)
    assert days.incident.resolve_time == T0 + 30 * DAY
    assert days.incident.broken_time is not None
    assert days.muted
    days.fail(range(31, 32))
    days.review(31.5)
    assert days.incident.broken_time is None  # another incident, and a young one


@pytest.mark.parametrize("kinds", list(itertools.product("em", repeat=3)))
def test_misses_and_errors_are_bad_verdicts_alike(kinds: tuple[str, ...]) -> None:
    days = Days()
    days.fail(range(12))
    for day, kind in enumerate(kinds, start=12):
        if kind == "e":
            days.fail(range(day, day + 1))
    days.world.tick(T0 + 14 * DAY + HOUR)
    days.review(14.5)
    assert days.incident.broken_time is not None


def test_four_bad_verdicts_are_needed() -> None:
    """A recovery that takes three good runs: the incident is open, and the newest verdicts are not all bad."""
    days = Days(recovery_threshold=3)
    days.fail(range(12))
    days.fail(range(12, 13), ReportKind.OK)
    days.fail(range(13, 16))
    days.review(15.1)
    assert days.incident.broken_time is None
    days.fail(range(16, 17))
    days.review(16.1)
    assert days.incident.broken_time is not None


@pytest.mark.parametrize("apart", [0, 2])
def test_misses_that_are_counted_apart_count_too(apart: int) -> None:
    days = Days(miss_threshold=apart)
    days.fail(range(2))
    days.world.tick(T0 + 14 * DAY + HOUR)
    days.review(14.5)
    assert days.incident.broken_time is not None


@pytest.mark.parametrize(
    "quiet", [{"disabled": True}, {"inactive": True}, {"muted_until": NEVER}, {"paused_until": NEVER}]
)
def test_what_is_muted_paused_or_disabled_is_left_alone(quiet: dict[str, object]) -> None:
    days = Days()
    days.fail(range(10))
    days.world.put(T0 + 10 * DAY, **quiet)
    days.review(20)
    assert days.world.of(IncidentBroken) == []


def test_a_muted_environment_is_left_alone() -> None:
    days = Days()
    days.fail(range(10))
    days.world.mute_environment(T0 + 10 * DAY, "production")
    days.review(20)
    assert days.world.of(IncidentBroken) == []


@pytest.mark.parametrize(
    ("settings", "told", "muted"),
    [
        (ProjectSettings(broken_after_days=0), False, False),
        (ProjectSettings(broken_after_days=1, broken_mute_days=0), True, False),
        (ProjectSettings(broken_after_days=2, broken_mute_days=1), True, True),
    ],
)
def test_a_project_says_how_long(settings: ProjectSettings, told: bool, muted: bool) -> None:
    days = Days(settings)
    for day in range(20):
        days.fail(range(day, day + 1))
        days.review(day + 0.5)
    assert (len(days.world.of(IncidentBroken)), days.muted) == (told, muted)


def test_a_review_is_an_entry_among_others() -> None:
    """In one batch with a report that resolves the incident, and with one that opens another."""
    days = Days()
    days.fail(range(14))
    at = T0 + 14 * DAY
    receipts = days.world.together(
        (at, days.world.command(ReportKind.OK, at, pair=False)),
        (at, ReviewTracks()),
        (at + 1, PutMonitor(1, "other", MonitorChange())),
        (at + 1, ReviewTracks()),
    )
    assert receipts[1].reviewed.broken == receipts[3].reviewed.broken == ()


# -- idle environments

IDLE = ProjectSettings(idle_environment_days=30)


def idle(settings: ProjectSettings = IDLE, **fields: object) -> World:
    """Production and staging reported on day 0; nothing is scheduled unless said."""
    days = Days(settings, **{"schedules": (), **fields})
    for environment in ("production", "staging"):
        days.world.ok(T0, environment=environment)
    return days.world


def test_an_environment_without_reports_goes_and_its_next_report_makes_a_new_one() -> None:
    world = idle()
    world.ok(T0 + 20 * DAY)
    world.review(T0 + 30 * DAY - 1)
    assert world.environments() == ["production", "staging"]
    (reviewed,) = world.review(T0 + 30 * DAY)
    assert world.environments() == ["production"]
    gone = EnvironmentDeleted(1, 1, "staging", idle=True)
    assert (list(reviewed.deleted), world.of(EnvironmentDeleted)) == ([gone], [gone])
    world.ok(T0 + 31 * DAY, environment="staging")
    assert world.track("staging").ok_count == 1


def test_unless_the_project_says_so_none_goes() -> None:
    world = idle(ProjectSettings())
    world.review(T0 + 3000 * DAY)
    assert world.environments() == ["production", "staging"]


def test_a_failing_environment_that_is_silent_goes_with_its_incident_once_it_is_muted() -> None:
    world = idle(schedules=DAILY)
    world.step(T0 + 40 * DAY, Tick())
    assert len(world.incidents(open_only=True)) == 2
    world.review(T0 + 40 * DAY)
    assert len(world.environments()) == 2
    for environment in ("production", "staging"):
        world.mute_environment(T0 + 40 * DAY, environment)
    world.review(T0 + 40 * DAY)
    assert all(gone.incident for gone in world.of(EnvironmentDeleted))
    assert (world.environments(), world.incidents(), world.engine.state.incidents) == ([], [], {})
    assert world.engine.next_deadline() is None


def test_a_paused_monitor_keeps_its_environments() -> None:
    world = idle()
    world.put(T0 + DAY, paused_until=NEVER)
    world.review(T0 + 400 * DAY)
    assert len(world.environments()) == 2


def test_an_open_run_keeps_its_environment() -> None:
    world = idle(max_runtime_ms=0)
    world.start(T0 + DAY, environment="staging")
    world.review(T0 + 400 * DAY)
    assert world.environments() == ["staging"]


def test_the_environment_that_is_waited_for_from_creation_on_stays() -> None:
    world = idle(expect_from=ExpectFrom.CREATION, schedules=DAILY)
    world.tick(T0 + 400 * DAY)
    for environment in ("production", "staging"):
        world.mute_environment(T0 + DAY, environment)
    world.review(T0 + 400 * DAY)
    assert world.environments() == ["production"]


def test_an_environment_that_never_had_a_report_stays() -> None:
    days = Days(IDLE)
    days.review(400)
    assert days.world.environments() == ["production"]


@pytest.mark.parametrize("restarts", [False, True])
def test_time_in_which_we_could_not_listen_is_nobodys_silence(restarts: bool) -> None:
    world = idle()
    world.deaf(T0 + DAY, T0 + 41 * DAY)
    if restarts:
        world.restart()
    world.review(T0 + 69 * DAY)
    assert len(world.environments()) == 2
    world.review(T0 + 70 * DAY)
    assert world.environments() == []


def test_a_review_goes_slice_by_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "SLICE", 3)
    world = World()
    settle(world, IDLE)
    for number in range(10):
        world.put(T0, f"job-{number}")
        for environment in ("production", f"a-{number}", "b"):
            world.ok(T0, monitor_id=f"job-{number}", environment=environment)
    slices = world.review(T0 + 30 * DAY)
    assert max(len(one.deleted) for one in slices) == 3
    assert sum(len(one.deleted) for one in slices) == 30
    assert len(world.engine.state.tracks) == 0
    world.restart()
    assert world.ok(T0 + 31 * DAY, monitor_id="job-3", environment="b").created


def test_many_idle_environments_of_one_monitor_go_at_once() -> None:
    world = idle()
    for number in range(300):
        world.ok(T0 + (number % 2) * 20 * DAY, environment=f"pr-{number}")
    world.review(T0 + 30 * DAY)
    assert world.environments() == [f"pr-{number}" for number in range(300) if number % 2]
    for number in range(1, 300, 2):
        assert world.ok(T0 + 31 * DAY, environment=f"pr-{number}").created
    assert len(world.kept.tracks) == 150


def test_an_environment_between_two_runs_or_just_resumed_is_not_idle() -> None:
    world = idle(ProjectSettings(idle_environment_days=7), schedules=(Cron("0 10 1 * *"),))
    world.review(T0 + 8 * DAY)
    assert len(world.environments()) == 2
    world = idle(ProjectSettings(idle_environment_days=7), schedules=DAILY)
    world.put(T0 + HOUR, paused_until=NEVER)
    world.put(T0 + 30 * DAY + HOUR, paused_until=None)
    world.review(T0 + 30 * DAY + 2 * HOUR)
    assert len(world.environments()) == 2


@pytest.mark.parametrize("how", ["unmuted", "resumed"])
def test_who_deals_with_a_broken_incident_has_the_whole_time_again(how: str) -> None:
    days = broken()
    at = T0 + 40 * DAY
    if how == "unmuted":
        days.world.mute_environment(T0 + 15 * DAY, "production")
        days.world.mute_environment(at, "production", muted=False)
    else:
        days.world.put(T0 + 15 * DAY, paused_until=NEVER)
        days.world.put(at, paused_until=None)
    days.review(40.01)
    assert not days.muted
    days.fail(range(41, 56))
    days.review(55.1)
    assert (len(days.world.of(IncidentBroken)), days.muted) == (2, False)
