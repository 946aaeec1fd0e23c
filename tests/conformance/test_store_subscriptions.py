"""Subscriptions are what was written, in either database, and end with their monitor, group or channel."""

import msgspec
import pytest
from msgspec.structs import replace

from support.stores import NOW, commit, count, delta, monitor, with_monitors
from support.writes import Writes
from tocsin.domain import errors
from tocsin.domain.facts import MonitorDeleted
from tocsin.domain.notification import Subscription
from tocsin.store.notification import SqlNotification
from tocsin.store.nouns import SqlNouns
from tocsin.store.subscriptions import SqlSubscriptions, Whose, active_of


@pytest.fixture
def world(store):
    """Two monitors, a group and three channels (by their numbers) of project 1; one of each of project 2."""
    with_monitors(store, monitor(1), monitor(2), monitor(3, project=2, id="other"))
    shelf = SqlNotification(store.database).channels
    for project, key in ((1, "a"), (1, "b"), (1, "c"), (2, "d")):
        shelf.put(project, key, {"url": "https://example.org/"}, NOW, create=True, update_known=True)
    for project in (1, 2):
        SqlNouns(store.database).put_group(project, "g", {}, NOW, create=True, update=True)
    return SqlSubscriptions(store.database)


def put(world, channel: int, *, active: bool = True, **whose: int) -> Subscription:
    return world.put(Subscription(0, 1, channel, active=active, **whose))


def shown(found) -> list[tuple[int, int, int, bool]]:
    return [(one.channel, one.monitor, one.group, one.active) for one in found]


def test_one_of_a_channel_and_a_monitor_or_group(store, world):
    first = put(world, 1, monitor=1)
    assert put(world, 1, monitor=1) == first
    changed = put(world, 1, monitor=1, active=False)
    assert (changed.number, changed.active) == (first.number, False)
    second = put(world, 1, group=1)
    third = put(world, 2, monitor=1)
    assert world.of(1, Whose.CHANNEL, [1, 2, 3]) == {1: [changed, second], 2: [third], 3: []}
    assert world.of(1, Whose.MONITOR, [1, 2]) == {1: [changed, third], 2: []}
    assert world.of(1, Whose.GROUP, [1]) == {1: [second]}
    assert world.of(2, Whose.MONITOR, [1]) == {1: []}
    assert world.of(1, Whose.MONITOR, [0]) == {0: []}  # which is what those of groups say
    with store.database.read() as connection:
        assert active_of(connection, Whose.MONITOR, [1, 2]) == {1: [2]}
        assert active_of(connection, Whose.GROUP, [1]) == {1: [1]}


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (Subscription(0, 1, 9, monitor=1), "CHANNEL_NOT_FOUND"),
        (Subscription(0, 1, 4, monitor=1), "CHANNEL_NOT_FOUND"),
        (Subscription(0, 1, 1, monitor=9), "MONITOR_NOT_FOUND"),
        (Subscription(0, 1, 1, monitor=3), "MONITOR_NOT_FOUND"),
        (Subscription(0, 1, 1, group=2), "GROUP_NOT_FOUND"),
    ],
)
def test_what_it_is_of_must_be_there(store, world, wanted, reason):
    with pytest.raises(errors.NotFound) as raised:
        world.put(wanted)
    assert raised.value.reason == reason
    assert count(store, "subscriptions") == 0


def test_all_of_a_monitor_are_replaced_in_order(store, world):
    put(world, 1, monitor=1)
    put(world, 1, monitor=2)
    kept = put(world, 2, monitor=1)
    found = world.replace(1, Whose.MONITOR, {1: [(3, True), (2, False)], 2: []})
    assert shown(found[1]) == [(3, 1, 0, True), (2, 1, 0, False)]
    assert found[1][1].number == kept.number
    assert found[2] == world.of(1, Whose.MONITOR, [2])[2] == []
    assert shown(world.of(1, Whose.MONITOR, [1])[1]) == [(2, 1, 0, False), (3, 1, 0, True)]
    with pytest.raises(errors.NotFound):
        world.replace(1, Whose.MONITOR, {1: [], 2: [(9, True)]})
    with pytest.raises(errors.NotFound):
        world.replace(1, Whose.GROUP, {1: [(1, True)], 2: [(1, True)]})
    assert count(store, "subscriptions") == 2
    assert shown(world.replace(1, Whose.GROUP, {1: [(1, True)]})[1]) == [(1, 0, 1, True)]


def test_they_end_with_what_they_are_of(store, world):
    put(world, 1, monitor=1)
    put(world, 2, monitor=2)
    put(world, 2, group=1)
    put(world, 3, group=1)
    SqlNotification(store.database).channels.delete(1, "b")
    assert count(store, "subscriptions") == 2
    SqlNotification(store.database).lists.delete(1, "a", allow_missing=True)
    SqlNouns(store.database).delete_group(1, "g")
    assert count(store, "subscriptions") == 1
    commit(store, delta(deleted_monitors={1}, facts=[MonitorDeleted(1, 1, "m-1")]))
    assert count(store, "subscriptions") == 0


def test_many_are_put_or_none_and_taken_away(store, world):
    wanted = [Subscription(0, 1, 1, monitor=1), Subscription(0, 1, 2, group=1, active=False)]
    made = world.put_many(1, wanted)
    assert shown(made) == [(1, 1, 0, True), (2, 0, 1, False)]
    assert world.put_many(1, wanted) == made
    changed = world.put_many(
        1, [Subscription(0, 1, 3, group=1), *(replace(one, active=not one.active) for one in made)]
    )
    assert shown(changed) == [(3, 0, 1, True), (1, 1, 0, False), (2, 0, 1, True)]
    assert world.numbered(1, [one.number for one in changed]) == {one.number: one for one in changed}
    world.delete_many(1, [changed[0].number])
    assert world.put_many(1, wanted) == made
    assert world.put_many(1, [*wanted, wanted[0]]) == [*made, made[0]]
    with pytest.raises(errors.NotFound):
        world.put_many(1, [Subscription(0, 1, 3, monitor=1), Subscription(0, 1, 9, monitor=1)])
    with pytest.raises(errors.NotFound):
        world.put_many(1, [Subscription(0, 1, 0, monitor=1)])
    assert count(store, "subscriptions") == 2
    assert world.numbered(1, [made[0].number, made[1].number, 99]) == {one.number: one for one in made}
    assert world.numbered(2, [made[0].number]) == {}
    world.delete_many(2, [one.number for one in made])
    assert count(store, "subscriptions") == 2
    world.delete_many(1, [made[0].number, 99])
    assert world.of(1, Whose.CHANNEL, [1, 2]) == {1: [], 2: [made[1]]}


def crowd(store) -> list[int]:
    with_monitors(store, *(monitor(number) for number in range(10, 510)))
    return list(range(10, 510))


def test_many_hold_the_writer_for_a_moment_each_time(store, world):
    wanted = [Subscription(0, 1, channel, number) for number in crowd(store) for channel in (1, 2)]
    writes = Writes(store)
    made = world.put_many(1, wanted)
    assert [(one.channel, one.monitor) for one in made] == [(one.channel, one.monitor) for one in wanted]
    assert [one.number for one in made] == sorted(one.number for one in made)
    assert sum(writes.rows) == 1_000
    assert max(writes.rows) <= 200
    assert max(writes.statements) <= 10
    changed = [msgspec.structs.replace(one, active=False) for one in made[:3]]
    del writes.rows[:]
    assert world.put_many(1, [*changed, *wanted[3:]]) == [*changed, *made[3:]]
    assert len(writes.rows) == 1
    del writes.rows[:]
    world.delete_many(1, [one.number for one in made])
    assert len(writes.rows) > 1
    assert count(store, "subscriptions") == 0


def test_replacing_many_holds_the_writer_for_a_moment_each_time(store, world):
    wanted = {number: [(1, True), (2, False)] for number in crowd(store)}
    writes = Writes(store)
    made = world.replace(1, Whose.MONITOR, wanted)
    assert made == world.of(1, Whose.MONITOR, wanted)
    assert max(writes.rows) <= 200
    assert max(writes.statements) <= 10
    assert world.replace(1, Whose.MONITOR, {number: [(3, True)] for number in wanted}).keys() == made.keys()
    assert max(writes.rows) <= 200
    assert count(store, "subscriptions") == 500


def test_what_is_as_wanted_is_not_written(store, world):
    wanted = [Subscription(0, 1, 1, monitor=1), Subscription(0, 1, 2, group=1, active=False)]
    made = world.put_many(1, wanted)
    writes = Writes(store)
    assert world.put_many(1, wanted) == made
    assert world.replace(1, Whose.MONITOR, {1: [(1, True)], 2: []}) == {1: made[:1], 2: []}
    assert world.replace(1, Whose.GROUP, {1: [(2, False)]}) == {1: made[1:]}
    assert writes.rows == []


def test_the_last_word_on_one_holds(store, world):
    said = [Subscription(0, 1, 1, monitor=1), Subscription(0, 1, 1, monitor=1, active=False)]
    assert shown(world.put_many(1, said)) == [(1, 1, 0, False)] * 2
    assert shown(world.put_many(1, said[::-1])) == [(1, 1, 0, True)] * 2
    assert count(store, "subscriptions") == 1
