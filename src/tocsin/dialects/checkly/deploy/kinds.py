"""What a deployment asks of each type of resource. The answers are in `check_kind.py`, `resource_kinds.py` and others."""

from collections.abc import Collection, Sequence
from typing import Protocol

from tocsin.dialects.checkly.call import Call
from tocsin.dialects.checkly.deploy.plan import Item
from tocsin.dialects.checkly.deploy.world import Public, World
from tocsin.dialects.checkly.problems import Problems


class Kind(Protocol):
    """Resources are named by what is in the bindings: the id of a monitor, the key of a noun."""

    async def there(self, call: Call, resources: Collection[str]) -> dict[str, Public]:
        """Those of these that are here, and how each is shown."""

    async def find(self, call: Call, public: Public) -> str | None:
        """The resource that is shown so; None: there is none."""

    async def name(self, call: Call, items: Sequence[Item]) -> list[str]:
        """What new resources will be called."""

    async def check(self, call: Call, world: World, items: Sequence[Item], problems: Problems) -> None:
        """Tells everything that would be refused."""

    async def put(self, call: Call, world: World, items: Sequence[Item]) -> list[Public]:
        """Makes and changes them; a payload that says what is so already changes nothing. How each is shown."""

    async def remove(self, call: Call, resources: Sequence[str]) -> None:
        """What is gone already does not matter."""
