"""What groups do to monitors, over a journal that is a list and a store that is a dictionary."""

import asyncio
from typing import Any

import pytest

from tocsin.domain import errors
from tocsin.domain.commands import PutMonitors
from tocsin.domain.group import Group
from tocsin.domain.instant import NEVER
from tocsin.domain.monitor import Escalation, Monitor
from tocsin.domain.project import Project, Scope
from tocsin.domain.receipt import Receipt
from tocsin.service.groups import MEMBERS_MAX, Groups
from tocsin.service.principal import Principal
from tocsin.store.nouns_port import CountedGroup
from tocsin.store.port import Page

NOW = 1_800_000_000_000
ADMIN = Principal(Project(1, "p", "P", "account", 0), Scope.ADMIN)
READER = Principal(Project(1, "p", "P", "account", 0), Scope.READ)


class World:
    """A journal that applies what groups write, and nouns that read it."""

    def __init__(self, *groups: str, **monitors: str) -> None:
        self.groups = {key: Group(number, 1, key) for number, key in enumerate(groups, 1)}
        self.monitors = {
            name: Monitor(number, 1, name, "", group=group) for number, (name, group) in enumerate(monitors.items(), 1)
        }
        self.entries: list[PutMonitors] = []
        self.gone: set[str] = set()  # deleted after they were read
        self.ensured: list[tuple[Any, ...]] = []
        self.service = Groups(self, self)  # type: ignore[arg-type] # as much of both as groups need

    async def append(self, at: int, command: PutMonitors) -> Receipt:
        self.entries.append(command)
        for put in command.puts:
            if put.monitor_id in self.gone:
                where = {"monitor": put.monitor_id}
                return Receipt(error=errors.NotFound("gone", reason="MONITOR_NOT_FOUND", metadata=where))
            assert not put.create
        for put in command.puts:
            self.monitors[put.monitor_id] = put.change.apply(self.monitors[put.monitor_id], at)
        return Receipt()

    def put_group(self, project: int, key: str, values: Any, at: int, *, create: bool, update: bool) -> CountedGroup:
        self.groups[key] = Group(len(self.groups) + 1, project, key, **values)
        return CountedGroup(self.groups[key], 0)

    def get_group(self, _project: int, key: str) -> CountedGroup | None:
        group = self.groups.get(key)
        return group and CountedGroup(group, len(self.members(1, [key])[key]))

    def list_groups(self, _project: int, *, size: int, token: str = "") -> Page[CountedGroup]:
        keys = [key for key in sorted(self.groups) if key > token]
        found = [CountedGroup(self.groups[key], 0) for key in keys[:1]]  # a page may be short
        return Page(found, keys[0] if len(keys) > 1 else "")

    def known_groups(self, _project: int, keys: Any) -> set[str]:
        return self.groups.keys() & set(keys)

    def ensure_groups(self, project: int, keys: Any, _at: int, *, validate_only: bool = False) -> None:
        self.ensured.append((project, *sorted(keys), validate_only))
        if not validate_only:
            self.groups |= {key: Group(0, project, key, key) for key in keys}

    def delete_group(self, _project: int, key: str) -> bool:
        return self.groups.pop(key, None) is not None

    def members(self, _project: int, keys: Any) -> dict[str, list[Monitor]]:
        return {key: [one for one in self.monitors.values() if one.group == key] for key in keys}

    def known_monitors(self, _project: int, ids: Any) -> set[str]:
        return self.monitors.keys() & set(ids)

    def of(self, key: str) -> set[str]:
        return {name for name, monitor in self.monitors.items() if monitor.group == key}


def test_members_are_set_and_only_who_moves_is_written() -> None:
    world = World("g", a="g", b="g", c="other", d="")
    found = asyncio.run(world.service.set_members(ADMIN, "g", ["b", "c", "c"], NOW, origin="cronitor"))
    assert (world.of("g"), found.monitors) == ({"b", "c"}, 2)
    assert [put.monitor_id for entry in world.entries for put in entry.puts] == ["c", "a"]
    assert world.monitors["c"].written_by == "cronitor"
    assert world.monitors["c"].locks == ()  # nobody named the field of the monitor


def test_members_that_do_not_exist_change_nothing() -> None:
    world = World("g", a="g", b="")
    with pytest.raises(errors.NotFound, match=r"monitors\[1\]") as refused:
        asyncio.run(world.service.set_members(ADMIN, "g", ["b", "x"], NOW))
    assert refused.value.reason == "MONITOR_NOT_FOUND"
    with pytest.raises(errors.NotFound) as refused:
        asyncio.run(world.service.set_members(ADMIN, "no", ["b"], NOW))
    assert refused.value.reason == "GROUP_NOT_FOUND"
    with pytest.raises(errors.InvalidArgument):
        asyncio.run(world.service.set_members(ADMIN, "g", ["b"] * (MEMBERS_MAX + 1), NOW))
    assert world.entries == []


def test_all_members_are_muted_and_unmuted() -> None:
    world = World("g", **{f"m{number}": "g" for number in range(2500)}, other="")
    asyncio.run(world.service.mute(ADMIN, "g", NOW + 1, NOW))
    assert [len(entry.puts) for entry in world.entries] == [1000, 1000, 500]
    assert {one.muted_until for one in world.monitors.values() if one.group} == {NOW + 1}
    assert world.monitors["other"].muted_until is None
    asyncio.run(world.service.mute(ADMIN, "g", NEVER, NOW))
    assert world.monitors["m7"].muted_until == NEVER
    asyncio.run(world.service.mute(ADMIN, "g", None, NOW))
    assert world.monitors["m7"].muted_until is None
    with pytest.raises(errors.InvalidArgument):
        asyncio.run(world.service.mute(ADMIN, "g", NOW, NOW))
    with pytest.raises(errors.NotFound):
        asyncio.run(world.service.mute(ADMIN, "no", None, NOW))


def test_who_is_deleted_meanwhile_holds_nobody_up() -> None:
    world = World("g", a="g", b="g", c="g")
    world.gone = {"a", "c"}
    asyncio.run(world.service.mute(ADMIN, "g", NEVER, NOW))
    assert world.monitors["b"].muted_until == NEVER


def test_another_error_is_passed_on() -> None:
    world = World("g", a="g")

    async def full(at: int, command: object) -> Receipt:
        return Receipt(error=errors.Unavailable("full", reason="QUEUE_FULL"))

    world.append = full  # type: ignore[method-assign]
    with pytest.raises(errors.Unavailable):
        asyncio.run(world.service.mute(ADMIN, "g", NEVER, NOW))


def test_a_deleted_group_leaves_its_monitors() -> None:
    world = World("g", a="g", b="")
    asyncio.run(world.service.delete(ADMIN, "g", NOW))
    assert (world.groups, world.of("g"), len(world.monitors)) == ({}, set(), 2)
    with pytest.raises(errors.NotFound):
        asyncio.run(world.service.delete(ADMIN, "g", NOW))
    asyncio.run(world.service.delete(ADMIN, "g", NOW, allow_missing=True))


def test_groups_that_are_missing_are_made_with_their_keys_for_names() -> None:
    world = World("g")
    asyncio.run(world.service.ensure(ADMIN, ["g", "", "Næw", "Næw"], NOW))
    assert {key: group.display_name for key, group in world.groups.items()} == {"g": "", "Næw": "Næw"}
    with pytest.raises(errors.InvalidArgument):
        asyncio.run(world.service.ensure(ADMIN, ["a/b"], NOW))
    found = asyncio.run(world.service.every(READER))
    assert [row.group.key for row in found] == ["Næw", "g"]


def test_a_group_that_is_required_is_named_with_its_field() -> None:
    world = World("g")
    asyncio.run(world.service.require(ADMIN, {}))
    asyncio.run(world.service.require(ADMIN, {"g": "monitor.group"}))
    with pytest.raises(errors.InvalidArgument) as refused:
        asyncio.run(world.service.require(ADMIN, {"g": "a", "x": "requests[3].monitor.group"}))
    assert (refused.value.reason, refused.value.violations[0].field) == ("GROUP_UNKNOWN", "requests[3].monitor.group")


def test_readers_change_nothing() -> None:
    world = World("g", a="g")
    for call in (
        world.service.put(READER, "x", {}, NOW),
        world.service.mute(READER, "g", None, NOW),
        world.service.set_members(READER, "g", [], NOW),
        world.service.delete(READER, "g", NOW),
    ):
        with pytest.raises(errors.PermissionDenied):
            asyncio.run(call)
    assert world.entries == []


def test_a_name_that_is_too_long_is_named() -> None:
    with pytest.raises(errors.InvalidArgument, match="display_name"):
        asyncio.run(World().service.put(ADMIN, "g", {"display_name": "x" * 201}, NOW))


def test_missing_groups_are_made_together() -> None:
    world = World("g")
    asyncio.run(world.service.ensure(ADMIN, ["g", "b", "", "a"], NOW))
    asyncio.run(world.service.ensure(ADMIN, ["g", "c"], NOW, validate_only=True))
    asyncio.run(world.service.ensure(ADMIN, ["g", ""], NOW))
    assert world.ensured == [(1, "a", "b", False), (1, "c", True)]
    with pytest.raises(errors.InvalidArgument):
        asyncio.run(world.service.ensure(ADMIN, ["c", "a/b"], NOW))
    with pytest.raises(errors.PermissionDenied):
        asyncio.run(world.service.ensure(READER, ["c"], NOW))
    assert len(world.ensured) == 2


async def test_who_tells_is_asked_to_look_where_a_group_decides_of_it():
    world = World("g", a="g", b="")
    seen: list[list[int]] = []
    service = Groups(world, world, seen.append)  # type: ignore[arg-type] # as above
    world.put_group = lambda _project, key, _values, _at, **_: CountedGroup(world.groups[key], 1)
    await service.put(ADMIN, "g", {"display_name": "G", "tags": ("x",)}, NOW)
    assert seen == []
    await service.put(ADMIN, "g", {"muted": False}, NOW)
    assert seen == [[1]]
    with pytest.raises(errors.InvalidArgument, match=r"group\.tags\[0\]"):
        await service.put(ADMIN, "g", {"tags": ("",)}, NOW)
    with pytest.raises(errors.InvalidArgument, match=r"group\.escalation\.failure_threshold"):
        await service.put(ADMIN, "g", {"escalation": Escalation(failures=0)}, NOW)
