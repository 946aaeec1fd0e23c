"""Checks as use cases, over services that answer from memory: what happens between reading and writing."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from support.stores import NOW
from tocsin.dialects.checkly.checks import schema
from tocsin.dialects.checkly.checks.mapping import kept_of
from tocsin.dialects.checkly.checks.writing import Checks, Wish, monitor_id_of
from tocsin.dialects.checkly.problems import Problems, Refused
from tocsin.domain import errors
from tocsin.domain.group import Group
from tocsin.domain.monitor import Monitor
from tocsin.domain.notification import Channel
from tocsin.domain.project import Project, Scope
from tocsin.service.principal import Principal
from tocsin.store.port import MonitorWithHealth

ADMIN = Principal(Project(1, "p", "P", "", NOW), Scope.ADMIN)
BEAT = {"period": 1, "periodUnit": "hours", "grace": 10, "graceUnit": "minutes"}


class World:
    """Monitors by id; groups and channels by number. `meanwhile` happens after all was read, before it is written."""

    def __init__(self):
        self.monitors, self.groups, self.channels = {}, {7: Group(7, 1, "g")}, {1: Channel(1, 1, "one")}
        self.subscriptions = {}
        self.meanwhile = lambda: None
        self.written, self.sent = 0, []
        self.services = SimpleNamespace(
            monitors=SimpleNamespace(put_many=self.put_many),
            browsing=SimpleNamespace(find_exactly=self.find_exactly),
            groups=SimpleNamespace(named=self.named, get_by_number=self.get_by_number),
            channels=SimpleNamespace(every=self.every),
            subscriptions=SimpleNamespace(replace_of_monitors=self.replace),
            check=lambda change, field: None,
        )
        self.checks = Checks(self.services)

    async def put_many(self, principal, commands, received, *, most, checked):
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        made = {}
        self.sent.append([one.monitor_id for one in commands])
        for one in commands:
            known = self.monitors.get(one.monitor_id)
            if known is None and not one.create:
                raise errors.NotFound("gone", reason="MONITOR_NOT_FOUND")
            if known is not None and not one.update:
                raise errors.AlreadyExists("taken", reason="MONITOR_ALREADY_EXISTS")
            if known is not None and one.etag and one.etag != known.etag:
                raise errors.Aborted("changed", reason="ETAG_MISMATCH")
            blank = Monitor(len(self.monitors) + 1, 1, one.monitor_id, f"{len(self.monitors):032x}")
            made[one.monitor_id] = one.change.apply(known or blank, received)
        self.monitors |= made
        self.written += 1
        return [MonitorWithHealth(self.monitors[one.monitor_id], [], {}) for one in commands]

    async def find_exactly(self, principal, *, ids=(), numbers=()):
        found = [one for one in self.monitors.values() if one.id in ids or one.number in numbers]
        return [MonitorWithHealth(one, [], {}) for one in found]

    async def named(self, principal, keys):
        return {group.key: group for group in self.groups.values() if group.key in keys}

    async def get_by_number(self, principal, number):
        if number not in self.groups:
            raise errors.NotFound("no group", reason="GROUP_NOT_FOUND")
        return SimpleNamespace(group=self.groups[number])

    async def every(self, principal):
        return list(self.channels.values())

    async def replace(self, principal, wanted):
        if any(channel not in self.channels for some in wanted.values() for channel, _ in some):
            raise errors.NotFound("no channel", reason="CHANNEL_NOT_FOUND")
        self.subscriptions |= wanted

    def switch(self):
        group = self.groups[7]
        self.groups[7] = msgspec.structs.replace(group, inactive=not group.inactive)


def said(**body):
    problems = Problems()
    found = schema.read({"name": "job", "heartbeat": BEAT, **body}, problems)
    problems.done()
    return found


@pytest.fixture
def world():
    return World()


async def test_a_group_is_switched_while_its_check_is_written(world):
    for inactive in (True, False):
        world.meanwhile = world.switch
        row = await world.checks.create(ADMIN, said(groupId=7), NOW)
        assert row.monitor.inactive is inactive
        assert world.monitors[row.monitor.id] == row.monitor


async def test_a_check_that_somebody_else_changes_is_read_again(world):
    made = (await world.checks.create(ADMIN, said(), NOW)).monitor

    def rename():
        world.monitors[made.id] = msgspec.structs.replace(made, display_name="theirs", revision=made.revision + 1)

    world.meanwhile = rename
    row = await world.checks.update(ADMIN, made, {"muted": True}, NOW)
    assert (row.monitor.display_name, row.monitor.muted_until is None) == ("theirs", False)


async def test_any_number_change_one_check_in_turns(world):
    """All of them at once: each says something else, nothing of it is lost, and nobody is sent away."""
    made = (await world.checks.create(ADMIN, said(), NOW)).monitor
    find, put = world.find_exactly, world.put_many

    async def slow_find(*args, **fields):
        await asyncio.sleep(0)
        return await find(*args, **fields)

    async def slow_put(*args, **fields):
        await asyncio.sleep(0)
        return await put(*args, **fields)

    world.services.browsing.find_exactly, world.services.monitors.put_many = slow_find, slow_put
    names = [f"tag-{number}" for number in range(40)]
    said_by_each = [{"script": "s"}, {"description": "d"}, *({"tags": (name,)} for name in names)]
    await asyncio.gather(*(world.checks.update(ADMIN, made, one, NOW) for one in said_by_each))
    found = world.monitors[made.id]
    assert found.tags[0] in names
    assert {"script": "s", "description": "d"}.items() <= kept_of(found).members.items()


async def test_who_never_gets_through_shall_come_again(world):
    made = (await world.checks.create(ADMIN, said(), NOW)).monitor

    def forever():
        known = world.monitors[made.id]
        world.monitors[made.id] = msgspec.structs.replace(known, revision=known.revision + 1)
        world.meanwhile = forever

    world.meanwhile = forever
    with pytest.raises(errors.Unavailable):
        await world.checks.update(ADMIN, made, {"muted": True}, NOW)


async def test_a_check_that_goes_meanwhile_is_not_found(world):
    made = (await world.checks.create(ADMIN, said(), NOW)).monitor
    world.meanwhile = world.monitors.clear
    with pytest.raises(errors.NotFound):
        await world.checks.update(ADMIN, made, {"muted": True}, NOW)


async def test_a_channel_that_goes_meanwhile_is_left_out(world):
    world.channels[2] = Channel(2, 1, "two")
    both = said(alertChannelSubscriptions=[{"alertChannelId": one, "activated": True} for one in (1, 2)])
    world.meanwhile = lambda: world.channels.pop(2)
    row = await world.checks.create(ADMIN, both, NOW)
    assert world.subscriptions == {row.monitor.number: [(1, True)]}


async def test_all_or_none_and_all_problems_at_once(world):
    wishes = [
        Wish("a", said(), new=True),
        Wish("b", said(groupId=9), new=True, label="second"),
        Wish(
            "c",
            said(alertChannelSubscriptions=[{"alertChannelId": 5, "activated": True}]),
            new=True,
            label="third",
        ),
    ]
    with pytest.raises(Refused) as refusal:
        await world.checks.apply(ADMIN, wishes, NOW)
    assert refusal.value.more["validation"]["keys"] == ["groupId", "alertChannelSubscriptions[0].alertChannelId"]
    assert "second: groupId: there is no group 9; third: alertChannelSubscriptions[0]" in refusal.value.text
    assert (world.written, world.monitors) == (0, {})
    problems = Problems()
    await world.checks.check(ADMIN, wishes, NOW, problems)
    assert len(problems.found) == 2
    assert world.written == 0


async def test_names_that_are_taken(world):
    ids = [(await world.checks.create(ADMIN, said(name="Job: ünique!"), NOW)).monitor.id for _ in range(4)]
    assert ids[:2] == ["job-unique", "job-unique-2"]
    assert len(set(ids)) == 4
    assert monitor_id_of("日本").startswith("check-")
    assert monitor_id_of("x" * 500) == "x" * 100


async def test_what_is_kept_of_a_check_has_a_bound(world):
    """Each attribute by itself may be that long, and not all of them at once."""
    long = "x" * 100_000
    made = await world.checks.create(ADMIN, said(script=long, scriptPath=long), NOW)
    with pytest.raises(Refused) as refusal:
        await world.checks.update(ADMIN, made.monitor, {"localSetupScript": long}, NOW)
    assert (refusal.value.status, refusal.value.more["validation"]["keys"]) == (400, ["script"])


async def test_what_is_so_already_is_not_sent(world):
    wishes = [Wish(name, said(name=name, tags=[name], groupId=7), new=True) for name in ("a", "b", "c")]
    made = await world.checks.apply(ADMIN, wishes, NOW)
    again = [wish._replace(new=False) for wish in wishes]
    again[1] = again[1]._replace(said=said(name="b", tags=["other"], groupId=7))
    rows = await world.checks.apply(ADMIN, [*again, Wish("d", said(name="d"), new=True)], NOW + 1)
    assert world.sent[1:] == [["b", "d"]]
    assert [row.monitor.id for row in rows] == ["a", "b", "c", "d"]
    assert [rows[0].monitor, rows[2].monitor] == [made[0].monitor, made[2].monitor]
    assert rows[1].monitor.tags == ("other",)
    same = await world.checks.apply(ADMIN, again, NOW + 2)
    assert (world.sent[2:], same) == ([[]], rows[:3])


async def test_what_is_so_already_follows_its_group_and_its_subscriptions(world):
    made = (await world.checks.create(ADMIN, said(groupId=7), NOW)).monitor
    world.meanwhile = world.switch
    told = said(groupId=7, alertChannelSubscriptions=[{"alertChannelId": 1, "activated": True}])
    row = await world.checks.update(ADMIN, made, told, NOW)
    assert row.monitor.inactive
    assert world.subscriptions == {made.number: ((1, True),)}
