"""Members of groups and subscribers of channels by their uids, in either database: heartbeats, and nobody else's."""

import pytest

from support.stores import NOW, commit, delta, drain, monitor
from tocsin.domain.monitor import Policy
from tocsin.domain.notification import Subscription
from tocsin.domain.schedule import Cron, Rolling
from tocsin.store.members import SqlMembers, Subscriber
from tocsin.store.notification import SqlNotification
from tocsin.store.nouns import SqlNouns
from tocsin.store.subscriptions import SqlSubscriptions

BEAT = Policy(schedules=(Rolling(60_000),))


def uid(number: int) -> str:
    return f"{number:032x}"


@pytest.fixture
def members(store) -> SqlMembers:
    made = [
        monitor(1, policy=BEAT, uid=uid(1), group="b"),
        monitor(2, policy=BEAT, uid=uid(2), group="a"),
        monitor(3, policy=BEAT, uid=uid(3)),
        monitor(4, policy=Policy(schedules=(Cron("@daily"),)), uid=uid(4), group="a"),
        monitor(5, policy=Policy(schedules=(Rolling(1_000), Rolling(2_000))), uid=uid(5), group="a"),
        monitor(6, policy=BEAT, uid=uid(6), group="a"),
        monitor(7, project=2, id="other", policy=BEAT, uid=uid(7), group="a"),
    ]
    by_policy = {1: BEAT, 2: made[3].policy, 3: made[4].policy}
    drain(store.load())
    first = delta(policies=by_policy, environments={1: "production"})
    numbers = {policy: number for number, policy in by_policy.items()}
    first.monitors.update((one.number, (one, numbers[one.policy])) for one in made)
    commit(store, first)
    shelf = SqlNotification(store.database).channels
    for project, key in ((1, "x"), (1, "y"), (2, "z")):
        shelf.put(project, key, {"url": "https://example.org/"}, NOW, create=True, update_known=True)
    SqlNouns(store.database).put_group(1, "a", {}, NOW, create=True, update=True)
    told = SqlSubscriptions(store.database)
    for channel, number, active in ((1, 3, True), (1, 1, False), (2, 2, True), (1, 4, True)):
        told.put(Subscription(0, 1, channel, monitor=number, active=active))
    told.put(Subscription(0, 1, 1, group=1))
    told.put(Subscription(0, 2, 3, monitor=7))
    return SqlMembers(store.database)


def test_members_of_groups(members):
    assert members.of_groups(1, ["a", "b", "none"]) == {"a": [uid(2), uid(6)], "b": [uid(1)], "none": []}
    assert members.of_groups(2, ["a"]) == {"a": [uid(7)]}
    assert members.of_groups(1, []) == {}


def test_subscribers_of_channels(members):
    found = members.of_channels(1, [1, 2, 3])
    assert found[1] == [
        Subscriber(1, active=True, uid=uid(3), group=0),
        Subscriber(2, active=False, uid=uid(1), group=0),
        Subscriber(5, active=True, uid="", group=1),
    ]
    assert [one.uid for one in found[2]] == [uid(2)]
    assert found[3] == []  # of another project
    assert [one.uid for one in members.of_channels(2, [3])[3]] == [uid(7)]
