"""What a deployment asks of each type of resource, and the answers of those that have a number and a key."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tocsin.dialects.checkly.deploy.plan import Here, Item
from tocsin.dialects.checkly.deploy.world import Public, World, resolved
from tocsin.dialects.checkly.problems import Problems
from tocsin.domain.deployment import Action, Binding
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import Instant
from tocsin.domain.names import slugify
from tocsin.service.principal import Principal

NAME_LENGTH: Final = 80  # characters of a logical id that become a name
_DIGEST: Final = 10  # hex digits


def name_of(namespace: str, logical_id: str, fallback: str) -> str:
    """What a resource of a program is called: no other program, and nobody by accident, calls one of theirs so.

    Between the planning of a resource and its making there is nothing but its name to know it by, so it must not be one
    that others come upon. `fallback` stands for a logical id without any letter that a name may have.
    """
    digest = hashlib.sha256(f"{namespace}\0{logical_id}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{slugify(logical_id, NAME_LENGTH) or fallback}-{digest[:_DIGEST]}"


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, or another that begins so: what has it is no program's any more, and is not taken for a new one."""
    return name if name not in taken else f"{name}-{secrets.token_hex(4)}"


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
    make: Callable[[Principal, Mapping[str, Any], Instant, str], Awaitable[int]]  # AlreadyExists: of that key
    change: Callable[[Principal, Mapping[str, Any], Instant, str, int], Awaitable[int]]  # NotFound: of key and number
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

    async def named(self, principal: Principal, world: World, items: Sequence[Item], _problems: Problems) -> list[str]:
        taken = set(await self.every(principal)) if any(not item.name for item in items) else set()
        names: list[str] = []
        for item in items:
            wanted = name_of(world.namespace, item.declared.logical_id, "checkly")
            names.append(item.name or free_name(wanted, taken))
            taken.add(names[-1])
        return names

    async def check(
        self, _principal: Principal, world: World, items: Sequence[Item], received: Instant, problems: Problems
    ) -> None:
        for item in items:
            try:
                await self.plan(self._payload(world, item), received)
            except InvalidArgument as problem:
                problems.wrong_by(problem, resource=item.declared.told)

    async def put(self, principal: Principal, world: World, items: Sequence[Item], received: Instant) -> list[Public]:
        return [await self._put(principal, self._payload(world, item), received, item) for item in items]

    def bound(self, public: Public) -> str:
        return str(public)

    async def remove(self, principal: Principal, removed: Sequence[Here], received: Instant) -> None:
        numbers = await self.every(principal) if removed else {}
        for one in removed:
            if numbers.get(one.name) == one.public:
                await self.drop(principal, one.name, received)

    async def _put(self, principal: Principal, payload: Mapping[str, Any], received: Instant, item: Item) -> int:
        """A new one never takes the place of another; one that is gone meanwhile is not made in passing."""
        if item.action is Action.CREATE:
            return await self.make(principal, payload, received, item.name)
        return await self.change(principal, payload, received, item.name, int(item.public or 0))

    def _payload(self, world: World, item: Item) -> dict[str, Any]:
        return {**self.defaults, **resolved(world, item.declared.payload)}
