"""Who is in a group, and who is heard of through a channel, by their uids. Reads only."""

import asyncio
from collections.abc import Collection

from tocsin.domain.project import Scope
from tocsin.service.principal import Principal
from tocsin.store.members import SqlMembers, Subscriber


class Members:
    def __init__(self, store: SqlMembers) -> None:
        self._store = store

    async def of_groups(self, principal: Principal, keys: Collection[str]) -> dict[str, list[str]]:
        """The uids of the heartbeats in each of these groups, oldest first."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._store.of_groups, principal.project.number, keys)

    async def of_channels(self, principal: Principal, channels: Collection[int]) -> dict[int, list[Subscriber]]:
        """The subscribers of each of these channels, by number; the longest subscribed first."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._store.of_channels, principal.project.number, channels)
