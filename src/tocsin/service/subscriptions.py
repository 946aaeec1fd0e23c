"""Subscriptions: which channels hear of a monitor or of a group's members. Only telling looks at them: no journal."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from tocsin.domain import errors
from tocsin.domain.notification import Subscription
from tocsin.domain.project import Scope
from tocsin.service.principal import Principal
from tocsin.store.subscriptions import SqlSubscriptions, Whose

CHANNELS_MAX = 1_000  # of one monitor, or of one group
Wanted = Iterable[tuple[int, bool]]  # (number of the channel, active)


class Subscriptions:
    """Channels, monitors and groups are meant by number. They end with what they are of."""

    def __init__(
        self,
        store: SqlSubscriptions,
        heard: Callable[[Collection[int], Collection[int]], None] = lambda _monitors, _groups: None,
    ) -> None:
        """`heard(monitors, groups)` tells, by number, of whom somebody may hear since a moment ago."""
        self._store, self._heard = store, heard

    async def put(
        self, principal: Principal, channel: int, *, monitor: int = 0, group: int = 0, active: bool
    ) -> Subscription:
        """Makes it, or changes whether it is active. InvalidArgument: not one of monitor and group. NotFound."""
        principal.require(Scope.ADMIN)
        if (monitor == 0) == (group == 0):
            raise errors.invalid("subscription", "is of a monitor or of a group: name one of the two")
        wanted = Subscription(0, principal.project.number, channel, monitor, group, active)
        made = await asyncio.to_thread(self._store.put, wanted)
        self._tell([made])
        return made

    async def put_many(self, principal: Principal, wanted: Sequence[Subscription]) -> list[Subscription]:
        """Makes these, or changes whether they are active. Each has one of monitor and group. NotFound: of none."""
        principal.require(Scope.ADMIN)
        project = principal.project.number
        made = await asyncio.to_thread(self._store.put_many, project, wanted) if wanted else []
        self._tell(made)
        return made

    async def numbered(self, principal: Principal, numbers: Collection[int]) -> dict[int, Subscription]:
        """Those of these that there are."""
        principal.require(Scope.READ)
        project = principal.project.number
        return await asyncio.to_thread(self._store.numbered, project, numbers) if numbers else {}

    async def delete_many(self, principal: Principal, numbers: Collection[int]) -> None:
        """What is gone already does not matter."""
        principal.require(Scope.ADMIN)
        if numbers:
            await asyncio.to_thread(self._store.delete_many, principal.project.number, numbers)

    async def replace(
        self, principal: Principal, wanted: Wanted, *, monitor: int = 0, group: int = 0
    ) -> list[Subscription]:
        """Makes these all that a monitor or a group has. NotFound: then nothing has changed."""
        if (monitor == 0) == (group == 0):
            raise errors.invalid("subscriptions", "are of a monitor or of a group: name one of the two")
        found = (
            await self.replace_of_monitors(principal, {monitor: wanted})
            if monitor
            else await self.replace_of_groups(principal, {group: wanted})
        )
        return found[monitor or group]

    async def replace_of_monitors(
        self, principal: Principal, wanted: Mapping[int, Wanted]
    ) -> dict[int, list[Subscription]]:
        """Of many monitors at once, as `replace`. Written in turns, should there be many."""
        return await self._replace(principal, Whose.MONITOR, wanted)

    async def replace_of_groups(
        self, principal: Principal, wanted: Mapping[int, Wanted]
    ) -> dict[int, list[Subscription]]:
        """Of many groups at once, likewise."""
        return await self._replace(principal, Whose.GROUP, wanted)

    async def _replace(
        self, principal: Principal, whose: Whose, wanted: Mapping[int, Wanted]
    ) -> dict[int, list[Subscription]]:
        principal.require(Scope.ADMIN)
        listed = {number: list(some) for number, some in wanted.items()}
        for some in listed.values():
            if len(some) > CHANNELS_MAX:
                raise errors.invalid("subscriptions", f"at most {CHANNELS_MAX}, not {len(some)}")
        made = await asyncio.to_thread(self._store.replace, principal.project.number, whose, listed)
        self._tell([one for some in made.values() for one in some])
        return made

    def _tell(self, made: Iterable[Subscription]) -> None:
        active = [one for one in made if one.active]
        self._heard({one.monitor for one in active if one.monitor}, {one.group for one in active if one.group})

    async def of_monitors(self, principal: Principal, numbers: Collection[int]) -> dict[int, list[Subscription]]:
        """Of each of these monitors, oldest first; one without any has an empty list."""
        return await self._of(principal, Whose.MONITOR, numbers)

    async def of_groups(self, principal: Principal, numbers: Collection[int]) -> dict[int, list[Subscription]]:
        """Of each of these groups, likewise."""
        return await self._of(principal, Whose.GROUP, numbers)

    async def of_channels(self, principal: Principal, numbers: Collection[int]) -> dict[int, list[Subscription]]:
        """Of each of these channels, likewise."""
        return await self._of(principal, Whose.CHANNEL, numbers)

    async def _of(self, principal: Principal, whose: Whose, numbers: Collection[int]) -> dict[int, list[Subscription]]:
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._store.of, principal.project.number, whose, numbers)
