"""Groups that are switched while a request fails half-way, over services that answer from memory."""

from types import SimpleNamespace

import msgspec
import pytest

from support.stores import NOW
from tocsin.dialects.checkly.resources.groups import CheckGroups
from tocsin.domain import errors
from tocsin.domain.group import Group
from tocsin.domain.monitor import Monitor
from tocsin.domain.notification import Channel
from tocsin.domain.project import Project, Scope
from tocsin.service.principal import Principal

ADMIN = Principal(Project(1, "p", "P", "", NOW), Scope.ADMIN)
MEMBERS = 1_200


class World:
    """One group and its members. `left`: how many writes of members succeed before one fails; None: all."""

    def __init__(self, members=3):
        self.group = Group(7, 1, "g", "G")
        self.monitors = {str(n): Monitor(n, 1, str(n), f"{n:032x}", group="g") for n in range(1, members + 1)}
        self.left, self.sizes, self.subscriptions = None, [], None
        self.channels = [Channel(n, 1, str(n)) for n in (2, 9, 3, 1)]
        groups = SimpleNamespace(get_by_number=self.get_by_number, put=self.put, named=self.named, members=self.members)
        self.groups = CheckGroups(
            groups,
            SimpleNamespace(put_many=self.put_many),
            SimpleNamespace(every=self.every),
            SimpleNamespace(replace=self.replace),
            SimpleNamespace(),
            SimpleNamespace(),
            SimpleNamespace(),
        )

    async def get_by_number(self, principal, number):
        return SimpleNamespace(group=self.group)

    async def named(self, principal, keys):
        return {"g": self.group}

    async def put(self, principal, key, values, received, *, create=True, update=True):
        self.group = msgspec.structs.replace(self.group, **values)
        return SimpleNamespace(group=self.group)

    async def members(self, principal, keys):
        return {"g": list(self.monitors.values())}

    async def put_many(self, principal, commands, received, *, most, checked):
        if self.left is not None:
            if not self.left:
                raise errors.Unavailable("not now", reason="UNAVAILABLE")
            self.left -= 1
        self.sizes.append(len(commands))
        for one in commands:
            self.monitors[one.monitor_id] = one.change.apply(self.monitors[one.monitor_id], received)

    async def every(self, principal):
        return self.channels

    async def replace(self, principal, wanted, *, group):
        self.subscriptions = wanted

    async def switch(self, activated):
        await self.groups.put(ADMIN, {"activated": activated}, NOW, number=7)

    @property
    def off(self):
        return sum(monitor.inactive for monitor in self.monitors.values())


@pytest.mark.parametrize("left", range(3))
@pytest.mark.parametrize("activated", [True, False])
async def test_the_same_request_again_completes_what_failed(left: int, activated: bool) -> None:
    world = World(MEMBERS)
    if activated:
        await world.switch(False)
        assert world.off == MEMBERS
    world.left = left
    with pytest.raises(errors.Unavailable):
        await world.switch(activated)
    world.left = None
    await world.switch(activated)
    assert (world.group.inactive, world.off) == (not activated, 0 if activated else MEMBERS)


async def test_who_was_left_behind_follows_a_group_that_is_switched_already() -> None:
    world = World()
    await world.switch(False)
    world.group = msgspec.structs.replace(world.group, inactive=False)
    await world.switch(True)
    assert world.off == 0
    world.group = msgspec.structs.replace(world.group, inactive=True)
    await world.switch(False)
    assert world.off == 3


async def test_who_is_off_by_itself_stays_off() -> None:
    world = World()
    world.monitors["2"] = msgspec.structs.replace(world.monitors["2"], inactive=True)
    await world.switch(False)
    world.left = 0
    with pytest.raises(errors.Unavailable):
        await world.switch(True)
    world.left = None
    await world.switch(True)
    assert [monitor.inactive for monitor in world.monitors.values()] == [False, True, False]


async def test_a_new_group_is_told_to_all_channels_oldest_first() -> None:
    world = World()
    await world.groups.put(ADMIN, {"name": "new"}, NOW, assign=True)
    assert world.subscriptions == [(1, True), (2, True), (3, True), (9, True)]


async def test_others_get_a_turn_between_some_hundreds_of_members() -> None:
    world = World(MEMBERS)
    await world.switch(False)
    assert sum(world.sizes) == MEMBERS
    assert max(world.sizes) <= 500
