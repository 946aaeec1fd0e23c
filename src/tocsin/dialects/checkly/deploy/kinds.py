"""What a deployment asks of each type of resource, and the answers of those that have a number and a key."""

import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tocsin.dialects.checkly.deploy.plan import Here, Item
from tocsin.dialects.checkly.deploy.world import Public, World, about, resolved
from tocsin.dialects.checkly.problems import Problems
from tocsin.domain.deployment import Binding
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import Instant
from tocsin.domain.names import slugify
from tocsin.service.principal import Principal

NAME_LENGTH: Final = 100  # characters of a logical id that become a key


class Kind(Protocol):
    """Resources have names, which are ids of monitors or keys of nouns, and something that they are shown by."""

    async def there(self, principal: Principal, bindings: Collection[Binding]) -> dict[str, Here]:
        """Those that are here, by what their bindings say."""

    async def find(self, principal: Principal, public: Public) -> str | None:
        """The name of what is shown so; None: there is none."""

    async def named(self, principal: Principal, world: World, items: Sequence[Item], problems: Problems) -> list[str]:
        """What they are called, or will be."""

    async def check(
        self, principal: Principal, world: World, items: Sequence[Item], received: Instant, problems: Problems
    ) -> None:
        """Tells everything that would be refused; nothing is written."""

    async def put(self, principal: Principal, world: World, items: Sequence[Item], received: Instant) -> list[Public]:
        """Makes and changes them; a payload that says what is so already changes nothing. How each is shown."""

    def bound(self, public: Public) -> str:
        """What the binding of a resource says that is shown so."""

    async def remove(self, principal: Principal, removed: Sequence[Here], received: Instant) -> None:
        """What is gone already does not matter."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A kind of nouns that have a key, which we choose, and a number, which is shown."""

    every: Callable[[Principal], Awaitable[Mapping[str, int]]]  # numbers by key
    plan: Callable[[Mapping[str, Any], Instant], Awaitable[object]]  # InvalidArgument about a payload
    change: Callable[[Principal, Mapping[str, Any], Instant, str], Awaitable[int]]  # of that key; its number
    drop: Callable[[Principal, str, Instant], Awaitable[None]]  # of that key, if it is there
    defaults: Mapping[str, Any]  # of what a payload does not say: a project declares all of a resource

    async def there(self, principal: Principal, bindings: Collection[Binding]) -> dict[str, Here]:
        if not bindings:
            return {}
        numbers = await self.every(principal)
        keys = {number: key for key, number in numbers.items()}
        found: dict[str, Here] = {}
        for one in bindings:
            key = one.intended or keys.get(int(one.resource), "")
            if key in numbers:
                found[one.resource] = Here(key, numbers[key])
        return found

    async def find(self, principal: Principal, public: Public) -> str | None:
        known = await self.every(principal)
        return next((key for key, number in known.items() if number == public), None)

    async def named(self, principal: Principal, _world: World, items: Sequence[Item], _problems: Problems) -> list[str]:
        taken = set(await self.every(principal)) if any(not item.name for item in items) else set()
        names: list[str] = []
        for item in items:
            slug = slugify(item.declared.logical_id, NAME_LENGTH) or "checkly"
            free = slug if slug not in taken else f"{slug}-{secrets.token_hex(4)}"
            names.append(item.name or free)
            taken.add(names[-1])
        return names

    async def check(
        self, _principal: Principal, world: World, items: Sequence[Item], received: Instant, problems: Problems
    ) -> None:
        for item in items:
            try:
                await self.plan(self._payload(world, item), received)
            except InvalidArgument as problem:
                problems.wrong("", about(item.declared, problem))

    async def put(self, principal: Principal, world: World, items: Sequence[Item], received: Instant) -> list[Public]:
        return [await self.change(principal, self._payload(world, item), received, item.name) for item in items]

    def bound(self, public: Public) -> str:
        return str(public)

    async def remove(self, principal: Principal, removed: Sequence[Here], received: Instant) -> None:
        for one in removed:
            await self.drop(principal, one.name, received)

    def _payload(self, world: World, item: Item) -> dict[str, Any]:
        return {**self.defaults, **resolved(world, item.declared.payload)}
