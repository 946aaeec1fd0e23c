"""What a deployment asks of each type of resource, and the answers of those that have a number and a key."""

import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tocsin.dialects.checkly.deploy.plan import Item
from tocsin.dialects.checkly.deploy.world import Public, World, about, resolved
from tocsin.dialects.checkly.problems import Problems
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import Instant
from tocsin.domain.names import slugify
from tocsin.service.principal import Principal

NAME_LENGTH: Final = 100  # characters of a logical id that become a key


class Kind(Protocol):
    """Resources are named by what is in the bindings: the id of a monitor, the key of a noun."""

    async def there(self, principal: Principal, resources: Collection[str]) -> dict[str, Public]:
        """Those of these that are here, and how each is shown."""

    async def find(self, principal: Principal, public: Public) -> str | None:
        """The resource that is shown so; None: there is none."""

    async def named(self, principal: Principal, world: World, items: Sequence[Item], problems: Problems) -> list[str]:
        """What they are called, or will be. Whose name is another than before takes the place of that resource."""

    async def check(
        self, principal: Principal, world: World, items: Sequence[Item], received: Instant, problems: Problems
    ) -> None:
        """Tells everything that would be refused; nothing is written."""

    async def put(self, principal: Principal, world: World, items: Sequence[Item], received: Instant) -> list[Public]:
        """Makes and changes them; a payload that says what is so already changes nothing. How each is shown."""

    async def remove(self, principal: Principal, resources: Sequence[str], received: Instant) -> None:
        """What is gone already does not matter."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A kind of nouns that have a key, which we choose, and a number, which is shown."""

    every: Callable[[Principal], Awaitable[Mapping[str, int]]]  # numbers by key
    plan: Callable[[Mapping[str, Any], Instant], object]  # InvalidArgument about a payload
    change: Callable[[Principal, Mapping[str, Any], Instant, str], Awaitable[int]]  # of that key; its number
    drop: Callable[[Principal, str, Instant], Awaitable[None]]  # of that key, if it is there
    defaults: Mapping[str, Any]  # of what a payload does not say: a project declares all of a resource

    async def there(self, principal: Principal, resources: Collection[str]) -> dict[str, Public]:
        if not resources:
            return {}
        known = await self.every(principal)
        return {key: known[key] for key in resources if key in known}

    async def find(self, principal: Principal, public: Public) -> str | None:
        known = await self.every(principal)
        return next((key for key, number in known.items() if number == public), None)

    async def named(self, principal: Principal, _world: World, items: Sequence[Item], _problems: Problems) -> list[str]:
        taken = set(await self.every(principal)) if any(not item.resource for item in items) else set()
        names: list[str] = []
        for item in items:
            slug = slugify(item.declared.logical_id, NAME_LENGTH) or "checkly"
            free = slug if slug not in taken else f"{slug}-{secrets.token_hex(4)}"
            names.append(item.resource or free)
            taken.add(names[-1])
        return names

    async def check(
        self, _principal: Principal, world: World, items: Sequence[Item], received: Instant, problems: Problems
    ) -> None:
        for item in items:
            try:
                self.plan(self._payload(world, item), received)
            except InvalidArgument as problem:
                problems.wrong("", about(item.declared, problem))

    async def put(self, principal: Principal, world: World, items: Sequence[Item], received: Instant) -> list[Public]:
        return [await self.change(principal, self._payload(world, item), received, item.resource) for item in items]

    async def remove(self, principal: Principal, resources: Sequence[str], received: Instant) -> None:
        for key in resources:
            await self.drop(principal, key, received)

    def _payload(self, world: World, item: Item) -> dict[str, Any]:
        return {**self.defaults, **resolved(world, item.declared.payload)}
