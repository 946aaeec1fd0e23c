"""Groups, environments and incidents by hand are what was written, in either database."""

import msgspec
import pytest

from support.stores import NOW, commit, delta, monitor, track, with_monitors
from tocsin.domain import errors
from tocsin.domain.manual_incident import Progress, Severity
from tocsin.domain.monitor import Escalation
from tocsin.store import groups
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


def test_a_group_keeps_all_that_it_decides(nouns):
    decided = {
        "tags": ("a", "b\0"),
        "muted": True,
        "inactive": True,
        "escalation": Escalation(failures=2, delay_ms=5, repeat_interval_ms=6, repeat_limit=7),
        "project_escalation": False,
        "extras": {"checkly": msgspec.Raw(b'{"x":1}')},
    }
    made = put(nouns, "g", display_name="G", **decided).group
    assert {name: getattr(made, name) for name in decided} == {**decided, "tags": ("a", "b\ufffd")}
    assert put(nouns, "g", NOW + 1, **decided).group == made  # nothing was written
    changed = put(nouns, "g", NOW + 1, muted=False, extras={"other": msgspec.Raw(b"[]")}).group
    assert (changed.muted, changed.inactive, changed.display_name, changed.update_time) == (False, True, "G", NOW + 1)
    assert changed.extras == {"checkly": msgspec.Raw(b'{"x":1}'), "other": msgspec.Raw(b"[]")}
    assert nouns.get_group_by_number(1, made.number).group == changed
    assert nouns.get_group_by_number(2, made.number) is None
    assert put(nouns, "g", escalation=None, project_escalation=None).group.escalation is None


def test_groups_in_the_order_they_were_made(nouns):
    for key in ("b", "a", "c"):
        put(nouns, key)
    put(nouns, "other", project=2)
    rows, total = nouns.numbered_groups(1, size=2, offset=1)
    assert ([row.group.key for row in rows], total) == (["a", "c"], 3)
    assert nouns.numbered_groups(1, size=2, offset=3) == ([], 3)
    found = nouns.groups_named(1, {"a", "other", "b"})
    assert [(key, group.number) for key, group in sorted(found.items())] == [("a", 2), ("b", 1)]


def test_missing_groups_are_made_all_or_none(nouns, monkeypatch):
    put(nouns, "b", display_name="B", at=NOW - 1)
    nouns.ensure_groups(1, {"b", "c\0", "é"}, NOW, validate_only=True)
    assert nouns.known_groups(1, {"b", "c\ufffd", "é"}) == {"b"}
    for _ in range(2):
        nouns.ensure_groups(1, {"b", "c\0", "é"}, NOW)
    rows = [row.group for row in nouns.list_groups(1, size=9).rows]
    assert [(row.key, row.display_name, row.create_time) for row in rows] == [
        ("b", "B", NOW - 1),
        ("c\ufffd", "c\ufffd", NOW),
        ("é", "é", NOW),
    ]
    monkeypatch.setattr(groups, "GROUPS_MAX", 4)
    with pytest.raises(errors.ResourceExhausted):
        nouns.ensure_groups(1, {"x", "y"}, NOW)
    with pytest.raises(errors.ResourceExhausted):
        nouns.ensure_groups(1, {"x", "y"}, NOW, validate_only=True)
    assert nouns.known_groups(1, {"x", "y"}) == set()
    nouns.ensure_groups(1, {"b", "x"}, NOW)


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


def put_incident(nouns, key, at=NOW, *, create=True, update=True, **values):
    return nouns.put_manual_incident(1, key, values, at, create=create, update=update)


def test_an_incident_that_was_written_down(nouns):
    made = put_incident(nouns, "dns", title="DNS\0", monitors=("a", "b"), note="n")
    assert (made.title, made.state, made.severity) == ("DNS\ufffd", Progress.UNRESOLVED, Severity.OUTAGE)
    assert (made.open_time, made.create_time, made.resolve_time) == (NOW, NOW, None)
    assert nouns.get_manual_incident(1, "dns") == made
    assert nouns.get_manual_incident(2, "dns") is None
    assert put_incident(nouns, "dns", NOW + 1, note="n") == made  # nothing was written
    over = put_incident(nouns, "dns", NOW + 2, state=Progress.RESOLVED, severity=Severity.MINOR_OUTAGE)
    assert (over.resolve_time, over.update_time, over.monitors) == (NOW + 2, NOW + 2, ("a", "b"))
    assert put_incident(nouns, "dns", NOW + 3, note="m").resolve_time == NOW + 2
    assert put_incident(nouns, "dns", NOW + 4, state=Progress.MONITORING).resolve_time is None
    with pytest.raises(errors.AlreadyExists):
        put_incident(nouns, "dns", update=False)
    with pytest.raises(errors.NotFound):
        put_incident(nouns, "x", create=False)
    assert nouns.delete_manual_incident(1, "dns")
    assert not nouns.delete_manual_incident(1, "dns")
    assert put_incident(nouns, "dns", title="again").number > made.number


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "display_name"),
        ({"title": " "}, "display_name"),
        ({"title": "x" * 201}, "display_name"),
        ({"title": "x", "note": "x" * 2001}, "note"),
        ({"title": "x", "assigned_to": "x" * 201}, "assigned_to"),
        ({"title": "x", "environment": "a/b"}, "environment"),
        ({"title": "x", "monitors": ("a", "A b")}, "monitors[1]"),
        ({"title": "x", "monitors": ("a",) * 1001}, "monitors"),
    ],
)
def test_what_is_wrong_with_one_is_named_and_nothing_is_kept(nouns, values, field):
    with pytest.raises(errors.InvalidArgument) as refused:
        put_incident(nouns, "dns", **values)
    assert refused.value.violations[0].field == f"manual_incident.{field}"
    assert nouns.get_manual_incident(1, "dns") is None


def test_those_written_down_are_paged_newest_first(nouns):
    for number in range(4):
        put_incident(nouns, f"i-{number}", title="x", state=Progress.RESOLVED if number == 2 else Progress.UNRESOLVED)
    first = nouns.list_manual_incidents(1, size=3)
    rest = nouns.list_manual_incidents(1, size=3, token=first.next_token)
    assert [one.key for one in first.rows + rest.rows] == ["i-3", "i-2", "i-1", "i-0"]
    assert rest.next_token == ""
    assert [one.key for one in nouns.list_manual_incidents(1, open_only=True, size=9).rows] == ["i-3", "i-1", "i-0"]
    assert nouns.list_manual_incidents(2, size=9).rows == []
