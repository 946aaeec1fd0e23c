"""A deployment from the request to the end, with kinds of resources that are kept in a dictionary."""

import itertools

import pytest

from support.stores import NOW, open_sqlite
from tocsin.dialects.checkly.deploy import declared
from tocsin.dialects.checkly.deploy.deployer import Deployer
from tocsin.dialects.checkly.deploy.plan import Here
from tocsin.dialects.checkly.deploy.world import resolved
from tocsin.dialects.checkly.problems import Refused
from tocsin.domain.deployment import Binding, State
from tocsin.domain.errors import NotFound
from tocsin.domain.project import Project, Scope
from tocsin.service.deployments import Deployments
from tocsin.service.principal import Principal
from tocsin.store.deploying import SqlDeployments

ADMIN = Principal(Project(1, "p", "", "", NOW), Scope.ADMIN)


class Clock:
    def now(self):
        return NOW


class Shelf:
    """A kind. What is named "x->y" gets another number with each other y."""

    def __init__(self, log, numbers):
        self.kept, self.log, self.numbers = {}, log, numbers
        self.broken = False

    async def there(self, _principal, bindings):
        found = {}
        for one in bindings:
            for name, (number, _) in self.kept.items():
                if one.resource == str(number) or one.intended == name:
                    found[one.resource] = Here(name, number)
        return found

    async def find(self, _principal, public):
        return next((name for name, (number, _) in self.kept.items() if number == public), None)

    async def named(self, _principal, _world, items, _problems):
        return [item.name or item.declared.logical_id for item in items]

    async def check(self, _principal, world, items, _received, problems):
        for item in items:
            resolved(world, item.declared.payload)
            if "wrong" in item.declared.payload:
                problems.wrong("", f"{item.declared.told}: is wrong")

    async def put(self, _principal, world, items, _received):
        made = []
        for item in items:
            if self.broken:
                raise NotFound("gone", reason="MONITOR_NOT_FOUND")
            payload = resolved(world, item.declared.payload)
            number = self.kept.get(item.name, (next(self.numbers),))[0]
            if payload.get("moves"):
                number = next(self.numbers)
            self.kept[item.name] = (number, payload)
            self.log.append(("put", item.declared.logical_id))
            made.append(number)
        return made

    def bound(self, public):
        return str(public)

    async def remove(self, _principal, removed, _received):
        for one in removed:
            self.log.append(("remove", one.name or one.public))
            if self.kept.get(one.name, (0,))[0] == one.public:
                del self.kept[one.name]


class Account:
    def __init__(self, store):
        self.log, numbers = [], itertools.count(1)
        self.shelves = {kind: Shelf(self.log, numbers) for kind in declared.TYPES}
        self.deployments = Deployments(store, Clock())
        self.deployer = Deployer(self.deployments, self.shelves)

    async def prepare(self, *resources):
        body = {"project": {"logicalId": "shop", "name": "Shop"}, "resources": list(resources)}
        return await self.deployer.prepare(ADMIN, declared.read(body), NOW)

    async def apply(self, prepared):
        async def work(ongoing):
            return await self.deployer.apply(ADMIN, prepared, ongoing, NOW)

        ongoing = await self.deployments.begin(ADMIN, "shop", work)
        assert await ongoing.done()
        return ongoing.deployment

    async def deploy(self, *resources):
        return await self.apply(await self.prepare(*resources))

    async def bindings(self):
        return await self.deployments.bindings(ADMIN, "shop")


@pytest.fixture
def account(tmp_path):
    opened = open_sqlite(tmp_path)
    yield Account(SqlDeployments(opened.database))
    opened.close()


def one(kind, logical_id, **payload):
    return {"type": kind, "logicalId": logical_id, "member": True, "payload": payload}


TOLD = one("alert-channel-subscription", "s", alertChannelId={"ref": "e"}, checkId={"ref": "a"})


async def test_in_the_order_of_the_types_and_back(account):
    done = await account.deploy(
        TOLD, one("check", "a", groupId={"ref": "g"}), one("alert-channel", "e"), one("check-group", "g")
    )
    assert (done.state, done.progress) == (State.SUCCEEDED, 100)
    assert account.log == [("put", "g"), ("put", "e"), ("put", "a"), ("put", "s")]
    assert account.shelves["check"].kept["a"] == (3, {"groupId": 1})
    assert account.shelves["alert-channel-subscription"].kept["s"] == (4, {"alertChannelId": 2, "checkId": 3})
    assert sorted(await account.bindings()) == [
        Binding("alert-channel", "e", "2"),
        Binding("alert-channel-subscription", "s", "4"),
        Binding("check", "a", "3"),
        Binding("check-group", "g", "1"),
    ]
    account.log.clear()
    prepared = await account.deployer.prepare_removal(ADMIN, done.program, preserve=False)
    await account.apply(prepared)
    assert account.log == [("remove", "s"), ("remove", "a"), ("remove", "e"), ("remove", "g")]
    assert await account.bindings() == []
    assert await account.deployments.program(ADMIN, "shop") is None


async def test_nothing_begins_before_everything_was_checked(account):
    with pytest.raises(Refused) as raised:
        await account.prepare(one("check", "a"), one("check", "b", wrong=True), one("alert-channel", "e", wrong=True))
    assert raised.value.text.count("is wrong") == 2
    assert account.log == []


async def test_what_failed_halfway_is_gone_on_with(account):
    account.shelves["check"].broken = True
    failed = await account.deploy(one("check", "a"), one("check-group", "g"))
    assert (failed.state, failed.error_code, failed.program) == (State.FAILED, "MONITOR_NOT_FOUND", None)
    assert sorted(await account.bindings()) == [Binding("check", "a", "?a"), Binding("check-group", "g", "?g")]
    account.shelves["check"].broken = False
    done = await account.deploy(one("check", "a"), one("check-group", "g"))
    assert [(step.logical_id, step.action.value) for step in done.steps] == [("g", "UPDATE"), ("a", "CREATE")]
    assert account.shelves["check-group"].kept["g"][0] == 1
    assert not any(binding.intended for binding in await account.bindings())


async def test_a_plan_that_was_overtaken_is_made_anew(account):
    early = await account.prepare(one("check", "a"))
    await account.deploy(one("check", "a"), one("check", "b"))
    done = await account.apply(early)
    assert [(step.logical_id, step.action.value) for step in done.steps] == [("a", "UPDATE"), ("b", "DELETE")]
    assert account.shelves["check"].kept.keys() == {"a"}
    removal = await account.deployer.prepare_removal(ADMIN, done.program, preserve=False)
    await account.deploy(one("check", "a"), one("check", "c"))
    await account.apply(removal)
    assert account.shelves["check"].kept == {}


async def test_an_overtaken_plan_that_is_wrong_by_now_fails(account):
    spoken = {"type": "alert-channel", "logicalId": "x", "member": False, "physicalId": 1, "payload": None}
    await account.deploy(one("alert-channel", "e"))
    early = await account.prepare(one("check", "a"), spoken)
    await account.deploy(one("check", "b"))
    failed = await account.apply(early)
    assert failed.state is State.FAILED
    assert "there is no alert-channel '1'" in failed.error


async def test_what_takes_the_place_of_another_takes_it_away(account):
    await account.deploy(TOLD, one("check", "a"), one("alert-channel", "e"))
    account.log.clear()
    moved = {**TOLD, "payload": {**TOLD["payload"], "moves": True}}
    done = await account.deploy(moved, one("check", "a"), one("alert-channel", "e"))
    assert account.log[-1] == ("remove", "s")
    (step,) = [step for step in done.steps if step.logical_id == "s"]
    number = account.shelves["alert-channel-subscription"].kept["s"][0]
    assert (step.action.value, step.public) == ("UPDATE", number)
    assert Binding("alert-channel-subscription", "s", str(number)) in await account.bindings()


async def test_what_is_only_spoken_of_is_neither_bound_nor_removed(account):
    account.shelves["alert-channel"].kept["theirs"] = (77, {})
    spoken = {"type": "alert-channel", "logicalId": "x", "member": False, "physicalId": 77, "payload": None}
    await account.deploy(one("check", "a"), spoken)
    assert await account.bindings() == [Binding("check", "a", "1")]
    await account.deploy(one("check", "a"))
    assert account.shelves["alert-channel"].kept == {"theirs": (77, {})}
