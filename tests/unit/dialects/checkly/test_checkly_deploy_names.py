"""Programs of one account that declare the same logical ids: each has resources of its own, whatever came between."""

from types import SimpleNamespace

import pytest

from support.stores import NOW, open_sqlite
from tocsin.dialects.checkly.deploy import declared
from tocsin.dialects.checkly.deploy.check_kind import CheckKind
from tocsin.dialects.checkly.deploy.composition import kinds
from tocsin.dialects.checkly.deploy.deployer import Deployer
from tocsin.dialects.checkly.deploy.kinds import free_name, name_of
from tocsin.dialects.checkly.resources.channels import AlertChannels
from tocsin.dialects.checkly.resources.windows import Windows
from tocsin.domain import errors
from tocsin.domain.deployment import State
from tocsin.domain.names import check_monitor_id
from tocsin.domain.project import Project, Scope
from tocsin.service.deployments import Deployments
from tocsin.service.notification import Channels
from tocsin.service.principal import Principal
from tocsin.store.deploying import SqlDeployments
from tocsin.store.notification import SqlNotification

ADMIN = Principal(Project(1, "p", "", "", NOW), Scope.ADMIN)
THEIRS = {"display_name": "theirs", "url": "https://theirs.example"}


class Clock:
    def now(self):
        return NOW


class Kept:
    """Windows in memory; and where there are no groups and no checks."""

    def __init__(self):
        self.windows, self.numbers = {}, 0

    async def put(self, principal, command, received):
        known = self.windows.get(command.window_id)
        if known is not None and not command.update:
            raise errors.AlreadyExists("taken", reason="MAINTENANCE_WINDOW_ALREADY_EXISTS")
        if known is None and not command.create:
            raise errors.NotFound("gone", reason="MAINTENANCE_WINDOW_NOT_FOUND")
        self.numbers += known is None
        number = known.number if known else self.numbers
        made = command.window.__class__(
            number, 1, command.window_id, **{f: getattr(command.window, f) for f in command.fields}
        )
        self.windows[command.window_id] = made
        return made

    async def get(self, principal, key):
        if key not in self.windows:
            raise errors.NotFound("none", reason="MAINTENANCE_WINDOW_NOT_FOUND")
        return self.windows[key]

    async def page(self, principal, *, size, token):
        return SimpleNamespace(rows=list(self.windows.values()), next_token="")

    async def delete(self, principal, key, received, *, allow_missing):
        self.windows.pop(key, None)

    async def every(self, principal):
        return []

    async def delete_many(self, principal, names, received=0):
        assert not list(names)


class Account:
    def __init__(self, database):
        self.kept = kept = Kept()
        self.channels = Channels(SqlNotification(database))
        self.told = AlertChannels(self.channels, None, None, None, None, None)
        services = SimpleNamespace(
            channels=self.channels, windows=kept, monitors=kept, groups=kept, subscriptions=kept, browsing=None
        )
        windows = Windows(kept, kept, kept, lambda name, field: None)
        self.deployments = Deployments(SqlDeployments(database), Clock())
        self.deployer = Deployer(self.deployments, kinds(services, self.told, SimpleNamespace(remove=None), windows))

    async def prepare(self, program, *resources):
        body = {"project": {"logicalId": program, "name": program}, "resources": list(resources) or [email(), window()]}
        return await self.deployer.prepare(ADMIN, declared.read(body), NOW)

    async def apply(self, prepared):
        async def work(ongoing):
            return await self.deployer.apply(ADMIN, prepared, ongoing, NOW)

        ongoing = await self.deployments.begin(ADMIN, prepared.program.namespace, work)
        assert await ongoing.done()
        return ongoing.deployment

    async def deploy(self, program, *resources):
        return await self.apply(await self.prepare(program, *resources))

    async def destroy(self, program):
        found = await self.deployments.program(ADMIN, program)
        done = await self.apply(await self.deployer.prepare_removal(ADMIN, found, preserve=False))
        assert done.state is State.SUCCEEDED, done

    async def left(self):
        numbers = [one.number for one in await self.channels.every(ADMIN)]
        return sorted(numbers), sorted(one.number for one in self.kept.windows.values())


@pytest.fixture
def account(tmp_path):
    opened = open_sqlite(tmp_path)
    yield Account(opened.database)
    opened.close()


def email(address="ops@example.invalid"):
    payload = {"type": "EMAIL", "config": {"address": address}}
    return {"type": "alert-channel", "logicalId": "e", "member": True, "payload": payload}


def window():
    payload = {"name": "w", "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2030-01-01T01:00:00Z"}
    return {"type": "maintenance-window", "logicalId": "w", "member": True, "payload": payload}


def shown(deployment):
    assert deployment.state is State.SUCCEEDED, deployment
    return [(step.action.value, step.public) for step in deployment.steps]


async def test_planned_together_each_has_its_own(account):
    plans = [await account.prepare(name) for name in ("one", "two", "three")]
    made = [shown(await account.apply(plan)) for plan in plans]
    assert made == [[("CREATE", number), ("CREATE", number)] for number in (1, 2, 3)]
    await account.destroy("one")
    assert await account.left() == ([2, 3], [2, 3])


async def test_what_was_only_intended_is_not_what_another_program_made(account, monkeypatch):
    async def broken(*_, **__):
        raise errors.Unavailable("not now", reason="UNAVAILABLE")

    with monkeypatch.context() as patched:
        patched.setattr(account.channels, "put", broken)
        assert (await account.deploy("one")).state is State.FAILED
    assert shown(await account.deploy("two")) == [("CREATE", 1), ("CREATE", 1)]
    assert shown(await account.deploy("one")) == [("CREATE", 2), ("CREATE", 2)]
    await account.destroy("one")
    assert await account.left() == ([1], [1])


async def test_what_was_made_before_it_failed_is_gone_on_with(account, monkeypatch):
    async def broken(*_, **__):
        raise errors.Unavailable("not now", reason="UNAVAILABLE")

    with monkeypatch.context() as patched:
        patched.setattr(account.kept, "put", broken)
        assert (await account.deploy("one")).state is State.FAILED
    assert shown(await account.deploy("one")) == [("UPDATE", 1), ("CREATE", 1)]


async def test_what_the_program_gave_up_is_not_taken_back(account):
    await account.deploy("one")
    found = await account.deployments.program(ADMIN, "one")
    await account.apply(await account.deployer.prepare_removal(ADMIN, found, preserve=True))
    assert shown(await account.deploy("one")) == [("CREATE", 2), ("CREATE", 2)]


async def test_what_exists_by_the_time_it_is_made_is_not_taken_over(account):
    plan = await account.prepare("one")
    await account.channels.put(ADMIN, name_of("one", "e", ""), THEIRS, NOW)
    failed = await account.apply(plan)
    assert (failed.state, failed.error_code) == (State.FAILED, "CHANNEL_ALREADY_EXISTS")
    assert [one.display_name for one in await account.channels.every(ADMIN)] == ["theirs"]


async def test_what_is_gone_by_the_time_it_is_changed_is_not_made_in_passing(account):
    await account.deploy("one")
    plan = await account.prepare("one", email("other@example.invalid"), window())
    await account.told.delete(ADMIN, 1)
    failed = await account.apply(plan)
    assert (failed.state, failed.error_code) == (State.FAILED, "CHANNEL_NOT_FOUND")
    assert shown(await account.deploy("one")) == [("CREATE", 2), ("UPDATE", 1)]


async def test_another_that_has_come_under_its_name_is_not_removed(account):
    await account.deploy("one")
    (mine,) = await account.channels.every(ADMIN)
    found = await account.deployments.program(ADMIN, "one")
    plan = await account.deployer.prepare_removal(ADMIN, found, preserve=False)
    await account.channels.delete(ADMIN, mine.key)
    await account.channels.put(ADMIN, mine.key, THEIRS, NOW)
    await account.apply(plan)
    assert (await account.left())[0] == [2]


@pytest.mark.parametrize("logical_id", ["Nightly Backup!", "\u65e5\u672c", "x" * 1_000, "\ud800"])
def test_names_are_of_the_program_and_the_logical_id(logical_id):
    name = name_of("shop", logical_id, "check")
    assert check_monitor_id(free_name(name, ())) == name == name_of("shop", logical_id, "check")
    assert name != name_of("depot", logical_id, "check")
    assert name != name_of("shop", f"{logical_id}?", "check")
    other = check_monitor_id(free_name(name, (name,)))
    assert other.startswith(f"{name}-")


async def test_checks_are_called_so_too():
    async def none(*_, **__):
        return []

    kind = CheckKind(SimpleNamespace(), SimpleNamespace(), SimpleNamespace(find_exactly=none))
    one = SimpleNamespace(name="", declared=SimpleNamespace(logical_id="job"))
    names = [await kind.named(ADMIN, SimpleNamespace(namespace=name), [one], []) for name in ("one", "two")]
    assert names == [[name_of(name, "job", "")] for name in ("one", "two")]
