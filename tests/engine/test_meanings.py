"""Reports whose meaning depends on the kind of their monitor, and monitors that reports make but do not change."""

import pytest

from support.engines import World
from tocsin.domain.check_in import Report, ReportKind, State
from tocsin.domain.commands import ReportCheckIn
from tocsin.domain.monitor import Kind, MonitorChange

MADE = {kind: MonitorChange(policy={"kind": kind}, tolerance={"max_runtime_ms": 0}) for kind in Kind}


def send(world: World, at: str, kind: ReportKind, creates: Kind = Kind.HEARTBEAT, **fields):
    report = Report(
        1, "job", kind, 0, upsert=MADE[creates], upsert_new_only=True, by_kind=kind is not ReportKind.RESET, **fields
    )
    receipt = world.step(at, ReportCheckIn(report))
    assert receipt.refusal is None
    assert receipt.check_in is not None
    return receipt.check_in


@pytest.fixture
def heartbeat():
    world = World()
    assert send(world, "0", ReportKind.NOTE).state is State.OK
    return world


@pytest.fixture
def job():
    world = World()
    assert send(world, "0", ReportKind.START, Kind.JOB).state is State.IN_PROGRESS
    return world


@pytest.mark.parametrize("kind", [ReportKind.NOTE, ReportKind.START, ReportKind.OK])
def test_whatever_shows_life_is_a_beat_of_a_heartbeat(heartbeat, kind):
    made = send(heartbeat, "10", kind)
    assert (made.state, made.start_time, made.end_time) == (State.OK, None, made.receive_time)
    assert heartbeat.track().open_runs == 0


def test_a_failure_of_a_heartbeat_stands_alone(heartbeat):
    assert send(heartbeat, "10", ReportKind.ERROR).state is State.ERROR
    assert send(heartbeat, "20", ReportKind.NOTE).state is State.OK


def test_what_names_no_outcome_is_a_note_to_a_job_that_runs(job):
    assert send(job, "10", ReportKind.NOTE).state is State.NOTE
    assert job.track().open_runs == 1
    assert send(job, "20", ReportKind.OK).state is State.OK
    assert send(job, "30", ReportKind.NOTE).state is State.NOTE


def test_to_a_job_that_never_says_when_it_begins_it_is_a_run():
    world = World()
    send(world, "0", ReportKind.OK, Kind.JOB)
    for second in ("10", "20"):
        made = send(world, second, ReportKind.NOTE)
        assert (made.state, made.start_time) == (State.OK, None)


def test_a_run_of_a_job_is_paired(job):
    made = send(job, "10", ReportKind.ERROR)
    assert (made.state, made.duration_ms) == (State.ERROR, 10_000)


def test_a_report_that_only_creates_changes_nothing(job):
    before = dict(job.kept.monitors)
    send(job, "10", ReportKind.OK, Kind.HEARTBEAT)
    assert job.kept.monitors == before
    assert [monitor.policy.kind for monitor, _ in before.values()] == [Kind.JOB]


def test_a_note_that_says_nothing_of_life_leaves_both_alone(heartbeat, job):
    for world in heartbeat, job:
        runs = world.track().open_runs
        receipt = world.step("10", ReportCheckIn(Report(1, "job", ReportKind.NOTE, 0, event="logs")))
        assert (receipt.check_in.state, receipt.check_in.event) == (State.NOTE, "logs")
        assert world.track().open_runs == runs


def test_what_a_report_is_called_and_where_it_came_from_stay_with_its_check_in(job):
    made = send(job, "10", ReportKind.OK, event="complete", address="192.0.2.7")
    assert (made.event, made.address) == ("complete", "192.0.2.7")
    assert job.kept.check_ins[made.number] == made
