"""Environments of a project: which are listed, and what deleting one does to monitors."""

import asyncio
from collections.abc import Sequence

import pytest

from tocsin.domain import errors
from tocsin.domain.commands import DeleteEnvironment
from tocsin.domain.environment import ProjectEnvironment
from tocsin.domain.project import Project, Scope
from tocsin.domain.receipt import Receipt
from tocsin.service.environments import Environments
from tocsin.service.principal import Principal
from tocsin.store.nouns_port import CountedEnvironment

NOW = 1_800_000_000_000
ADMIN = Principal(Project(1, "p", "P", "account", 0), Scope.ADMIN)
READER = Principal(Project(1, "p", "P", "account", 0), Scope.READ)


class World:
    def __init__(
        self, *keys: str, reported: Sequence[str] = (), errors_of: dict[str, errors.TocsinError] | None = None
    ):
        self.keys = set(keys)
        self.reported = list(reported)  # ids of monitors
        self.errors_of = errors_of or {}
        self.batches: list[list[DeleteEnvironment]] = []
        self.service = Environments(self, self)  # type: ignore[arg-type] # as much of both as it needs

    async def append_many(self, _at: int, commands: list[DeleteEnvironment]) -> list[Receipt]:
        self.batches.append(commands)
        return [Receipt(error=self.errors_of.get(command.monitor_id)) for command in commands]

    def monitors_in(self, _project: int, _environment: str) -> list[str]:
        return self.reported

    def delete_environment(self, _project: int, key: str) -> bool:
        found = key in self.keys
        self.keys.discard(key)
        return found

    def environments(self, project: int) -> list[CountedEnvironment]:
        return [CountedEnvironment(ProjectEnvironment(0, project, key), 0) for key in sorted(self.keys)]


def test_deleting_one_deletes_it_in_every_monitor() -> None:
    gone = errors.NotFound("gone", reason="MONITOR_NOT_FOUND")
    world = World("staging", reported=[f"m-{number}" for number in range(450)], errors_of={"m-3": gone})
    asyncio.run(world.service.delete(ADMIN, "staging", NOW))
    assert [len(batch) for batch in world.batches] == [200, 200, 50]
    assert world.batches[0][0] == DeleteEnvironment(1, "m-0", "staging")
    assert world.keys == set()


def test_what_is_only_reported_from_can_be_deleted_and_what_is_not_there_cannot() -> None:
    asyncio.run(World(reported=["a"]).service.delete(ADMIN, "staging", NOW))
    with pytest.raises(errors.NotFound) as refused:
        asyncio.run(World().service.delete(ADMIN, "staging", NOW))
    assert refused.value.reason == "PROJECT_ENVIRONMENT_NOT_FOUND"
    asyncio.run(World().service.delete(ADMIN, "staging", NOW, allow_missing=True))


def test_the_default_one_stays_and_so_does_all_after_an_error() -> None:
    world = World("production", reported=["a"])
    with pytest.raises(errors.FailedPrecondition) as refused:
        asyncio.run(world.service.delete(ADMIN, "production", NOW))
    assert (refused.value.reason, world.batches) == ("ENVIRONMENT_IS_DEFAULT", [])
    world = World("x", reported=["a"], errors_of={"a": errors.Unavailable("full", reason="QUEUE_FULL")})
    with pytest.raises(errors.Unavailable):
        asyncio.run(world.service.delete(ADMIN, "x", NOW))
    assert world.keys == {"x"}
    with pytest.raises(errors.PermissionDenied):
        asyncio.run(world.service.delete(READER, "x", NOW))


def test_pages_are_cut_by_key() -> None:
    world = World("a", "b", "c")
    first = asyncio.run(world.service.page(READER, size=2, token=""))
    assert [row.environment.key for row in first.rows] == ["a", "b"]
    world.keys -= {"b"}
    rest = asyncio.run(world.service.page(READER, size=2, token=first.next_token))
    assert ([row.environment.key for row in rest.rows], rest.next_token) == (["c"], "")
    with pytest.raises(errors.InvalidArgument):
        asyncio.run(world.service.page(READER, size=2, token="made up"))


@pytest.mark.parametrize(("key", "values"), [("a/b", {}), ("x" * 65, {}), ("x", {"display_name": "x" * 201})])
def test_what_is_wrong_is_refused(key: str, values: dict[str, object]) -> None:
    with pytest.raises(errors.InvalidArgument):
        asyncio.run(World().service.put(ADMIN, key, values, NOW))
