"""Environments muted, unmuted and deleted, in any order with reports, deletions of monitors and restarts."""

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from support.engines import T0, World
from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.commands import ChangeEnvironment, DeleteEnvironment, DeleteMonitor
from tocsin.domain.facts import EnvironmentCreated, EnvironmentDeleted, EnvironmentMuted, IncidentOpened
from tocsin.domain.instant import MINUTE, NEVER
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.refusals import RefusalReason
from tocsin.domain.schedule import Cron
from tocsin.domain.track import TrackFlag
from tocsin.engine.deadlines import RUN, SLOT

A, B = "a" * 32, "b" * 32
MINUTELY = (Cron("* * * * *"),)


def world(**fields: object) -> World:
    made = World()
    made.put(**{"schedules": MINUTELY, "margin_ms": 10_000, **fields})
    return made


def muted(one: World, environment: str) -> bool:
    return bool(one.track(environment).flags & TrackFlag.MUTED)


def test_a_muted_environment_is_judged_and_its_incident_says_that_nobody_was_told() -> None:
    one = world()
    one.ok("00:01", environment="staging")
    one.mute_environment("00:02", "staging")
    one.ok("00:03")
    one.tick("1:11")
    assert {fact.incident.environment: fact.incident.muted for fact in one.of(IncidentOpened)} == {
        "staging": True,
        "production": False,
    }


def test_muting_twice_and_unmuting_what_is_not_muted_do_nothing() -> None:
    one = world()
    assert one.mute_environment("00:01", "production").error is None
    assert one.mute_environment("00:02", "production").error is None
    assert muted(one, "production")
    one.mute_environment("00:03", "production", muted=False)
    one.mute_environment("00:04", "production", muted=False)
    assert not muted(one, "production")
    assert [fact.muted for fact in one.of(EnvironmentMuted)] == [True, False]


def test_what_was_due_before_the_mute_is_told() -> None:
    one = world()
    one.ok("00:01")
    one.mute_environment("1:11", "production")
    assert [fact.incident.muted for fact in one.of(IncidentOpened)] == [False]


def test_a_new_environment_is_muted_if_all_that_there_are_are_muted() -> None:
    one = world()
    one.ok("00:01", environment="one")
    one.mute_environment("00:02", "production")
    one.ok("00:03", environment="two")
    assert not muted(one, "two")
    one.mute_environment("00:04", "one")
    one.mute_environment("00:04", "two")
    one.ok("00:05", environment="three")
    assert muted(one, "three")


def test_the_first_environment_of_a_monitor_is_not_muted() -> None:
    one = World()
    change = MonitorChange(policy={"schedules": MINUTELY}, origin="sentry")
    one.ok("00:01", upsert=change, environment="staging")
    assert not muted(one, "staging")


def test_an_environment_that_is_not_there_is_named() -> None:
    one = world()
    for receipt in (one.mute_environment("00:01", "staging"), one.delete_environment("00:01", "staging")):
        assert receipt.error.reason == "ENVIRONMENT_NOT_FOUND"
        assert receipt.error.metadata == {"monitor": "job", "environment": "staging"}
    assert one.delete_environment("00:01", "production", "no-job").error.reason == "MONITOR_NOT_FOUND"


def test_deleting_an_environment_leaves_nothing_of_it() -> None:
    one = world(failure_threshold=1, max_runtime_ms=20_000)
    one.error("00:01", environment="staging")
    one.start("00:02", environment="staging", check_in_id=A)
    one.start("00:02", check_in_id=B)
    assert len(one.incidents(open_only=True)) == 1
    one.delete_environment("00:03", "staging")
    assert one.of(EnvironmentDeleted)[-1].environment == "staging"
    state = one.engine.state
    assert (len(state.tracks), len(state.runs), state.incidents) == (1, 1, {})
    assert (one.environments(), one.incidents()) == (["production"], [])
    assert all(run.environment == "production" for run in one.kept.check_ins.values())
    assert one.tick("00:30")  # the other run times out
    assert [run.state for run in one.kept.check_ins.values()] == [State.TIMED_OUT]


def test_an_immediate_report_makes_a_fresh_environment() -> None:
    one = world()
    one.start("00:01", environment="staging", check_in_id=A)
    old = one.track("staging").number
    one.mute_environment("00:01", "staging")
    one.delete_environment("00:02", "staging")
    receipt = one.start("00:02", environment="staging", check_in_id=A)
    assert receipt.created
    track = one.track("staging")
    assert (track.number != old, track.started_count, track.flags) == (True, 1, 0)
    assert len(one.of(EnvironmentCreated)) == 3


def test_a_report_behind_the_deletion_in_one_batch_is_a_new_run() -> None:
    one = world()
    one.ok("00:01", environment="staging", check_in_id=A)
    receipts = one.together(
        ("00:02", DeleteEnvironment(1, "job", "staging")),
        ("00:02", one.command(ReportKind.OK, "00:02", environment="staging", check_in_id=A)),
        ("00:02", one.command(ReportKind.OK, "00:02", environment="other", check_in_id=B)),
        ("00:02", DeleteEnvironment(1, "job", "other")),
    )
    assert receipts[1].created
    assert [run.id for run in one.kept.check_ins.values()] == [A]
    assert one.environments() == ["production", "staging"]


def test_a_run_of_a_deleted_environment_is_nobodys() -> None:
    one = world()
    one.start("00:01", environment="staging", check_in_id=A)
    one.delete_environment("00:02", "staging")
    receipt = one.ok("00:03", check_in_id=A)
    assert (receipt.refusal, receipt.created) == (None, True)
    assert one.environments() == ["production"]


def test_deleting_the_environment_in_which_a_check_in_was_opened_frees_its_id_for_another() -> None:
    one = world()
    one.start("00:01", environment="staging", check_in_id=A)
    refused = one.ok("00:02", environment="production", check_in_id=A).refusal
    assert refused.reason == RefusalReason.CHECKIN_ENVIRONMENT_MISMATCH.name
    one.delete_environment("00:03", "staging")
    assert one.ok("00:04", environment="production", check_in_id=A).refusal is None


def test_a_monitor_without_environments_goes_on() -> None:
    one = world()
    one.delete_environment("00:01", "production")
    assert one.engine.next_deadline() is None
    one.put("00:02", display_name="still here")
    one.restart()
    assert one.ok("00:03").refusal is None
    assert one.track().deadline == T0 + MINUTE + 10_000


class Environments(RuleBasedStateMachine):
    """Two monitors and their environments as dictionaries: name → muted, in order of making."""

    jobs = st.sampled_from(["one", "two"])
    names = st.sampled_from(["production", "a", "b", "c", "d"])

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.now = T0
        self.model: dict[str, dict[str, bool]] = {}
        self.ids: dict[tuple[str, str], str] = {}  # the open run of each environment

    def later(self) -> int:
        self.now += 1
        return self.now

    @rule(job=jobs)
    def put(self, job: str) -> None:
        self.world.put(self.later(), job, schedules=MINUTELY, display_name=str(self.now))
        self.model.setdefault(job, {"production": False})

    @rule(job=jobs, name=names, upsert=st.booleans())
    def report(self, job: str, name: str, upsert: bool) -> None:
        change = MonitorChange(policy={"schedules": MINUTELY}) if upsert else None
        run = f"{self.later():032x}"
        receipt = self.world.report(self.now, ReportKind.START, job, environment=name, check_in_id=run, upsert=change)
        if job not in self.model and not upsert:
            assert receipt.refusal is not None
            return
        assert receipt.created
        known = self.model.setdefault(job, {})
        known.setdefault(name, bool(known) and all(known.values()))
        self.ids[job, name] = run

    @rule(job=jobs, name=names)
    def finish(self, job: str, name: str) -> None:
        if (job, name) in self.ids:
            run = self.ids.pop((job, name))
            receipt = self.world.report(self.later(), ReportKind.OK, job, check_in_id=run)
            assert receipt.check_in.environment == name
            assert not receipt.created

    @rule(job=jobs, name=names, mute=st.booleans())
    def mute(self, job: str, name: str, mute: bool) -> None:
        receipt = self.world.mute_environment(self.later(), name, job, muted=mute)
        if name in self.model.get(job, {}):
            self.model[job][name] = mute
        assert (receipt.error is None) == (name in self.model.get(job, {}))

    @rule(job=jobs, name=names)
    def delete_environment(self, job: str, name: str) -> None:
        receipt = self.world.delete_environment(self.later(), name, job)
        assert (receipt.error is None) == (name in self.model.get(job, {}))
        self.model.get(job, {}).pop(name, None)
        self.ids.pop((job, name), None)

    @rule(job=jobs, names=st.lists(names, max_size=4), whole=st.booleans())
    def several_at_once(self, job: str, names: list[str], whole: bool) -> None:
        """One batch: environments muted and deleted, and then perhaps the monitor."""
        at = self.later()
        commands = [(at, DeleteEnvironment(1, job, name)) for name in names]
        commands += [(at, ChangeEnvironment(1, job, name, True)) for name in names]
        self.world.together(*commands, *[(at, DeleteMonitor(1, job))] * whole, (at, DeleteEnvironment(1, job, "a")))
        for name in [*names, "a"]:
            self.model.get(job, {}).pop(name, None)
            self.ids.pop((job, name), None)
        if whole:
            self.forget(job)

    @rule(job=jobs)
    def delete_monitor(self, job: str) -> None:
        self.world.delete(self.later(), job)
        self.forget(job)

    def forget(self, job: str) -> None:
        self.model.pop(job, None)
        for key in [key for key in self.ids if key[0] == job]:
            del self.ids[key]

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @invariant()
    def the_same_environments_in_memory_and_in_the_store(self) -> None:
        state = self.world.engine.state
        assert {m.id for m, _ in self.world.kept.monitors.values()} == set(self.model)
        for job, known in self.model.items():
            assert sorted(self.world.environments(job)) == sorted(known)
            monitor = state.monitor(state.find_monitor(1, job))
            slots = state.tracks_of(monitor)
            names = [state.environments[state.peek(slot).environment] for slot in slots]
            assert names == self.world.environments(job)[::-1]
            for name, slot in zip(names, slots, strict=True):
                assert state.find_track(monitor, name) == slot
                assert bool(state.peek(slot).flags & TrackFlag.MUTED) == known[name]
                assert muted_in_store(self.world, job, name) == known[name]
            for name in {"production", "a", "b", "c", "d"} - known.keys():
                assert state.find_track(monitor, name) == 0xFFFFFFFF

    @invariant()
    def nothing_is_left_of_what_is_gone(self) -> None:
        state = self.world.engine.state
        every = sum(map(len, self.model.values()))
        assert len(state.tracks) == len(self.world.kept.tracks) == every
        assert len(state.track_keys) == every - sum(bool(known) for known in self.model.values())
        assert len(state.runs) == sum(run.state is State.IN_PROGRESS for run in self.world.kept.check_ins.values())
        slots, runs = state.deadlines.counts()
        tracks = self.world.kept.tracks.values()
        assert slots == sum(track.deadline != NEVER for track in tracks)
        assert runs == sum(track.run_deadline != NEVER for track in tracks)


def muted_in_store(one: World, job: str, name: str) -> bool:
    return bool(one.track(name, job).flags & TrackFlag.MUTED)


Environments.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestEnvironments = Environments.TestCase
assert (SLOT, RUN) == (0, 1)  # the order of `counts`
