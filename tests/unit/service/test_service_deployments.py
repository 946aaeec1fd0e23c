"""Deployments are done beside who asks, one at a time in a namespace, and end as they ended."""

import asyncio

import pytest

from support.stores import NOW, open_sqlite
from tocsin.domain.deployment import Action, Binding, Program, State, Step
from tocsin.domain.errors import FailedPrecondition, PermissionDenied
from tocsin.domain.project import Project, Scope
from tocsin.service.deployments import Deployments, Outcome, Running
from tocsin.service.principal import Principal
from tocsin.store.deploying import SqlDeployments
from tocsin.store.port import StoreTrouble

SHOP = Program("1", "shop", "The shop")
HOOK = Binding("alert-channel", "hook", "checkly-1")


def principal(project=1, scope=Scope.ADMIN):
    return Principal(Project(project, f"p{project}", "", "", NOW), scope)


ADMIN = principal()


class Ticking:
    def __init__(self):
        self.at = NOW

    def now(self):
        self.at += 1
        return self.at


@pytest.fixture
def store(tmp_path):
    opened = open_sqlite(tmp_path)
    yield SqlDeployments(opened.database)
    opened.close()


@pytest.fixture
def deployments(store):
    return Deployments(store, Ticking())


class Job:
    """Work that goes on when it is told to."""

    def __init__(self, outcome=None, error=None):
        self.outcome = outcome or Outcome(SHOP, (Step("alert-channel", "hook", Action.CREATE, 7),))
        self.error = error
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, ongoing):
        await self.go.wait()
        await ongoing.intend(SHOP, [HOOK])
        ongoing.progress(40)
        if self.error:
            raise self.error
        return self.outcome


async def test_it_goes_on_beside_who_asks(deployments):
    job = Job()
    ongoing = await deployments.begin(ADMIN, "shop", job)
    first = ongoing.deployment
    assert (first.state, first.progress, first.program, first.end_time) == (State.PENDING, 0, None, None)
    assert await deployments.find(ADMIN, "shop", first.id) == first
    assert await deployments.find(ADMIN, "other", first.id) is None
    assert await deployments.find(principal(2), "shop", first.id) is None
    assert deployments.ongoing(first) is ongoing
    assert not await ongoing.done(0)
    job.go.set()
    assert await ongoing.done()
    done = ongoing.deployment
    assert (done.state, done.progress, done.program, done.steps) == (*(State.SUCCEEDED, 100, SHOP, job.outcome.steps),)
    assert first.create_time < done.start_time < done.end_time
    assert await deployments.program(ADMIN, "shop") == SHOP
    assert await deployments.bindings(ADMIN, "shop") == [HOOK]
    assert (await deployments.owners(ADMIN, "alert-channel", ["checkly-1"]))["checkly-1"].program == SHOP
    assert await deployments.find(ADMIN, "shop", first.id) == done
    assert await deployments.programs(ADMIN, skip=0, size=5) == ([SHOP], 1)


async def test_one_at_a_time_in_a_namespace(deployments):
    jobs = [Job(), Job()]
    first = await deployments.begin(ADMIN, "shop", jobs[0])
    with pytest.raises(Running) as raised:
        await deployments.begin(ADMIN, "shop", jobs[1])
    assert raised.value.deployment == first.deployment.id
    other = await deployments.begin(principal(2), "shop", jobs[1])
    for job in jobs:
        job.go.set()
    assert await first.done()
    assert await other.done()
    job = Job()
    job.go.set()
    assert await (await deployments.begin(ADMIN, "shop", job)).done()


async def test_one_at_a_time_in_a_project(deployments):
    jobs, seen = [Job(), Job(), Job()], []

    def work(job, name):
        async def done(ongoing):
            seen.append(name)
            return await job(ongoing)

        return done

    first = await deployments.begin(ADMIN, "shop", work(jobs[0], "first"))
    second = await deployments.begin(ADMIN, "depot", work(jobs[1], "second"))
    for job in jobs[1:]:
        job.go.set()
    other = await deployments.begin(principal(2), "shop", work(jobs[2], "other"))
    assert await other.done()
    assert (seen, second.deployment.state) == (["first", "other"], State.PENDING)
    jobs[0].go.set()
    assert await second.done()
    assert first.deployment.state is State.SUCCEEDED
    assert seen == ["first", "other", "second"]


async def test_who_waits_for_a_turn_can_be_cancelled(deployments):
    jobs = [Job(), Job()]
    await deployments.begin(ADMIN, "shop", jobs[0])
    second = await deployments.begin(ADMIN, "depot", jobs[1])
    second.cancel()
    for job in jobs:
        job.go.set()
    assert await second.done()
    assert second.deployment.state is State.CANCELLED


async def test_only_who_may_write_deploys(deployments):
    with pytest.raises(PermissionDenied):
        await deployments.begin(principal(scope=Scope.READ), "shop", Job())


async def test_it_can_be_cancelled_until_it_writes(deployments, store):
    job = Job()
    ongoing = await deployments.begin(ADMIN, "shop", job)
    ongoing.cancel()
    asked = ongoing.deployment.cancel_time
    ongoing.cancel()
    assert ongoing.deployment.cancel_time == asked
    job.go.set()
    assert await ongoing.done()
    assert (ongoing.deployment.state, ongoing.deployment.start_time) == (State.CANCELLED, None)
    assert store.program(1, "shop") is None
    late = Job()

    async def work(ongoing):
        late.go.set()
        outcome = await late(ongoing)
        ongoing.cancel()
        return outcome

    ongoing = await deployments.begin(ADMIN, "shop", work)
    assert await ongoing.done()
    assert ongoing.deployment.state is State.SUCCEEDED
    ongoing.cancel()
    assert ongoing.deployment.state is State.SUCCEEDED


async def test_what_fails_says_why(deployments):
    job = Job(error=FailedPrecondition("not so", reason="SOMETHING"))
    job.go.set()
    ongoing = await deployments.begin(ADMIN, "shop", job)
    assert await ongoing.done()
    failed = ongoing.deployment
    assert (failed.state, failed.error_code, failed.error, failed.program) == (
        State.FAILED,
        "SOMETHING",
        "not so",
        None,
    )
    assert ongoing.problem is job.error
    assert await deployments.bindings(ADMIN, "shop") == [HOOK]  # the next one goes on from there
    job = Job(error=RuntimeError("a mistake"))
    job.go.set()
    ongoing = await deployments.begin(ADMIN, "shop", job)
    assert await ongoing.done()
    assert (ongoing.deployment.error_code, ongoing.problem) == ("INTERNAL", None)
    assert "a mistake" not in ongoing.deployment.error


async def test_what_another_process_left_has_failed(deployments, store):
    job = Job()
    left = (await deployments.begin(ADMIN, "shop", job)).deployment
    after = Deployments(store, Ticking())  # a start
    found = await after.find(ADMIN, "shop", left.id)
    assert (found.state, found.error_code) == (State.FAILED, "INTERRUPTED")
    job.go.set()


async def test_the_next_deployment_does_not_wait_for_what_another_process_left(deployments, store):
    stuck, job = Job(), Job()
    left = (await deployments.begin(ADMIN, "shop", stuck)).deployment
    after = Deployments(store, Ticking())
    job.go.set()
    ongoing = await after.begin(ADMIN, "shop", job)
    assert await ongoing.done()
    assert (await after.find(ADMIN, "shop", left.id)).state is State.FAILED
    stuck.go.set()


async def test_an_end_that_cannot_be_kept_is_a_failure(deployments, store, monkeypatch):
    def broken(*_, **__):
        raise StoreTrouble("the disk is full")

    monkeypatch.setattr(store, "finish", broken)
    job = Job()
    job.go.set()
    ongoing = await deployments.begin(ADMIN, "shop", job)
    assert await ongoing.done()
    assert ongoing.deployment.state is State.FAILED
    monkeypatch.undo()
    assert deployments.ongoing(ongoing.deployment) is None
    found = await deployments.find(ADMIN, "shop", ongoing.deployment.id)
    assert (found.state, found.error_code) == (State.FAILED, "INTERRUPTED")


async def test_who_watches_hears_of_changes(deployments):
    job = Job()
    ongoing = await deployments.begin(ADMIN, "shop", job)
    assert not await ongoing.changed(0)
    waiting = asyncio.create_task(ongoing.changed(60))
    await asyncio.sleep(0)
    ongoing.progress(3)
    assert await waiting
    assert ongoing.deployment.progress == 3
    job.go.set()
    assert await ongoing.done()
