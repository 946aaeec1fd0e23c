"""A bulk PUT that the journal refuses leaves nothing behind; groups are made when the monitors are there."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tocsin.dialects.cronitor import writing
from tocsin.domain import errors
from tocsin.domain.project import Project, Scope
from tocsin.service.principal import Principal


class World:
    """Services that keep nothing but what was called, in its order."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.called: list[str] = []
        self.monitors = self.browsing = self.shared = self
        self.principal = Principal(Project(1, "p", "P", "account", 0), Scope.ADMIN)
        self.call: Any = SimpleNamespace(
            principal=self.principal, received=0, client="", codes=SimpleNamespace(number_of=lambda _: None)
        )

    def zone(self, _call: Any) -> str:
        return "UTC"

    def check(self, _change: Any, _field: str) -> None: ...

    def check_zone(self, _zone: str, _field: str) -> None: ...

    async def find_exactly(self, _principal: Any, **_only: Any) -> list[Any]:
        return []

    async def ensure_groups(self, _principal: Any, keys: Any, _received: int, *, validate_only: bool = False) -> None:
        self.called += [("asked for " if validate_only else "made ") + key for key in sorted(keys)]

    async def put_many(self, _principal: Any, commands: Any, _received: int, **_: Any) -> list[Any]:
        self.called.append("written")
        if self.error:
            raise self.error
        return [SimpleNamespace(monitor=SimpleNamespace(id=command.monitor_id)) for command in commands]

    def save(self, **options: Any) -> None:
        wish = writing.wish_of({"key": "a", "type": "job", "group": "g"}, 0)
        asyncio.run(writing.save(self, self.call, [wish], **options))  # type: ignore[arg-type] # as much as is used


def test_groups_are_made_after_the_monitors() -> None:
    world = World()
    world.save()
    assert world.called == ["asked for g", "written", "made g"]


def test_a_refused_write_makes_no_group() -> None:
    world = World(errors.ResourceExhausted("full", reason="QUOTA_EXCEEDED", metadata={}))
    with pytest.raises(errors.ResourceExhausted):
        world.save()
    assert world.called == ["asked for g", "written"]


def test_a_trial_makes_no_group() -> None:
    world = World()
    world.save(validate_only=True)
    assert world.called == ["asked for g", "written"]
