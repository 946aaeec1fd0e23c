"""Groups and environments of projects are what was written, in either database."""

import pytest

from support.stores import NOW, commit, delta, monitor, track, with_monitors
from tocsin.domain import errors
from tocsin.store.nouns import SqlNouns


@pytest.fixture
def nouns(store):
    return SqlNouns(store.database)


def put(nouns, key, at=NOW, *, project=1, create=True, update=True, **values):
    return nouns.put_group(project, key, values, at, create=create, update=update)


def test_a_group_is_put_read_and_removed(nouns):
    made = put(nouns, "Nächte 1", display_name="a\0b")
    assert (made.group.key, made.group.display_name, made.monitors) == ("Nächte 1", "a\ufffdb", 0)
    assert nouns.get_group(1, "Nächte 1") == made
    assert nouns.get_group(1, "nächte 1") is None
    assert nouns.get_group(2, "Nächte 1") is None
    assert put(nouns, "Nächte 1", NOW + 1) == made  # nothing was written
    changed = put(nouns, "Nächte 1", NOW + 1, display_name="n")
    assert (changed.group.number, changed.group.create_time, changed.group.update_time) == (
        made.group.number,
        NOW,
        NOW + 1,
    )
    with pytest.raises(errors.AlreadyExists):
        put(nouns, "Nächte 1", update=False)
    with pytest.raises(errors.NotFound):
        put(nouns, "x", create=False)
    assert nouns.delete_group(1, "Nächte 1")
    assert not nouns.delete_group(1, "Nächte 1")
    assert put(nouns, "Nächte 1").group.number > made.group.number


def test_groups_are_paged_by_key(nouns):
    for key in ("b", "a", "B", "é", "a b"):
        put(nouns, key)
    put(nouns, "other", project=2)
    keys, token = [], ""
    while True:
        page = nouns.list_groups(1, size=2, token=token)
        keys += [row.group.key for row in page.rows]
        token = page.next_token
        if not token:
            break
    assert keys == ["B", "a", "a b", "b", "é"]
    assert nouns.known_groups(1, {"a", "other", "c", "é"}) == {"a", "é"}
    assert nouns.known_groups(1, ()) == set()
    with pytest.raises(errors.InvalidArgument):
        nouns.list_groups(2, size=2, token=nouns.list_groups(1, size=2).next_token)


def test_members_are_the_monitors_that_say_so(store, nouns):
    with_monitors(
        store,
        monitor(1, id="z", group="night", tags=("x",)),
        monitor(2, id="a", group="night"),
        monitor(3, id="b", group="Night"),
        monitor(4, id="c"),
        monitor(5, id="a", group="night", project=2),
    )
    put(nouns, "night")
    found = nouns.members(1, ["night", "Night", "none"])
    assert {key: [one.id for one in some] for key, some in found.items()} == {
        "night": ["a", "z"],
        "Night": ["b"],
        "none": [],
    }
    assert found["night"][1].tags == ("x",)
    assert nouns.get_group(1, "night").monitors == 2
    assert nouns.list_groups(1, size=9).rows[0].monitors == 2
    assert nouns.known_monitors(1, ["a", "c", "nobody"]) == {"a", "c"}
    changed = delta()
    changed.deleted_monitors.add(2)
    commit(store, changed)
    assert [one.id for one in nouns.members(1, ["night"])["night"]] == ["z"]


def put_environment(nouns, key, at=NOW, *, create=True, update=True, **values):
    return nouns.put_environment(1, key, values, at, create=create, update=update)


def test_environments_are_those_decided_on_and_those_reported_from(store, nouns):
    with_monitors(store, monitor(1), monitor(2), monitor(3, project=2))
    commit(store, delta(track(11, 1, 2), track(12, 2, 2)))
    names = [row.environment.key for row in nouns.environments(1)]
    assert "production" in names
    assert [row.environment.number for row in nouns.environments(1)] == [0] * len(names)
    made = put_environment(nouns, "Zoo", with_alerts=False, display_name="The zoo")
    assert (made.environment.with_alerts, made.environment.default, made.monitors) == (False, False, 0)
    assert [row.environment.key for row in nouns.environments(1)] == sorted([*names, "Zoo"])
    assert nouns.environments_without_alerts(1) == {"Zoo"}
    assert nouns.environments_without_alerts(2) == frozenset()
    put_environment(nouns, "production", NOW + 1, with_alerts=False)
    assert nouns.environments_without_alerts(1) == {"Zoo", "production"}
    changed = put_environment(nouns, "Zoo", NOW + 2, with_alerts=True)
    assert (changed.environment.number, changed.environment.display_name) == (made.environment.number, "The zoo")
    assert (changed.environment.create_time, changed.environment.update_time) == (NOW, NOW + 2)
    assert nouns.get_environment(1, "Zoo") == changed
    assert nouns.delete_environment(1, "Zoo")
    assert not nouns.delete_environment(1, "Zoo")
    assert nouns.get_environment(1, "Zoo") is None


def test_an_environment_that_is_only_reported_from(store, nouns):
    with_monitors(store, monitor(1), monitor(2))
    commit(store, delta(track(11, 1, 2), track(12, 2, 2)))
    (name,) = [row.environment.key for row in nouns.environments(1) if row.environment.key != "production"]
    assert nouns.monitors_in(1, name) == ["m-1", "m-2"]
    assert nouns.monitors_in(2, name) == []
    assert nouns.monitors_in(1, "nowhere") == []
    found = nouns.get_environment(1, name)
    assert (found.environment.number, found.environment.with_alerts, found.monitors) == (0, True, 2)
    assert nouns.get_environment(1, "production").environment.default
    with pytest.raises(errors.AlreadyExists):
        put_environment(nouns, name, update=False)
    with pytest.raises(errors.NotFound):
        put_environment(nouns, "nowhere", create=False)
    assert put_environment(nouns, name, create=False).environment.number > 0
