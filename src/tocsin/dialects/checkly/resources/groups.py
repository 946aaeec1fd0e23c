"""Check groups as use cases: put from a payload, delete, members that follow whether their group is activated."""

import asyncio
import secrets
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final
from weakref import WeakValueDictionary

import msgspec
from msgspec import UNSET

from tocsin.dialects.checkly import ids
from tocsin.dialects.checkly.call import DIALECT
from tocsin.dialects.checkly.checks.mapping import regrouping
from tocsin.dialects.checkly.problems import Problems
from tocsin.dialects.checkly.resources import group_json
from tocsin.dialects.checkly.resources.bindings import Bindings
from tocsin.dialects.checkly.resources.group_json import Planned
from tocsin.dialects.checkly.resources.windows import Windows
from tocsin.domain import errors, names
from tocsin.domain.commands import PutMonitor
from tocsin.domain.group import Group
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Monitor
from tocsin.service.groups import Groups
from tocsin.service.members import Members
from tocsin.service.monitors import Monitors
from tocsin.service.notification import Channels
from tocsin.service.principal import Principal
from tocsin.service.subscriptions import Subscriptions
from tocsin.store.port import chunks

TYPE: Final = "check-group"
_MADE_MAX: Final = 64  # characters of a key that is made of a name
_TOGETHER: Final = 500  # members that are switched together; pings have their turn in between
_ATTEMPTS: Final = 16  # of writers at the same time one gets through each time


class CheckGroups:
    def __init__(
        self,
        groups: Groups,
        monitors: Monitors,
        channels: Channels,
        subscriptions: Subscriptions,
        windows: Windows,
        members: Members,
        bindings: Bindings,
    ) -> None:
        self._groups, self._monitors = groups, monitors
        self._channels, self._subscriptions = channels, subscriptions
        self._windows, self._members, self._bindings = windows, members, bindings
        self._turns: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()

    def plan(self, payload: Any, known: Group | None = None, *, version: int = 1) -> Planned:
        """What would be written; InvalidArgument names all that is wrong. Nothing is asked of the store."""
        problems = Problems()
        planned = group_json.read(payload, known, version, problems)
        if problems.found:
            violations = [errors.Violation(problem.field, problem.text) for problem in problems.found]
            raise errors.InvalidArgument(problems.told, reason="FIELD_INVALID", violations=violations)
        return planned

    async def put(
        self,
        principal: Principal,
        payload: Any,
        received: Instant,
        *,
        number: int | None = None,
        key: str = "",
        version: int = 1,
        assign: bool = False,
    ) -> Group:
        """Changes the one of `number`, NotFound; else makes a new one, of `key` where that is given: AlreadyExists.

        `assign`: a new one of which nothing else is said is told by all channels there are.
        """
        known = await self.get(principal, number) if number is not None else None
        if known is None:
            planned = self.plan(payload, version=version)
            wanted = await self._wanted(principal, planned, assign=assign)
            group = await self._make(principal, key, planned.values, received)
            await self._tell(principal, group, wanted)
        else:
            async with self._turns.setdefault((principal.project.number, known.key), asyncio.Lock()):
                known = await self.get(principal, known.number)  # as it is now that it is our turn
                planned = self.plan(payload, known, version=version)
                group = await self._change(principal, known, planned, received)
        if group.tags != (known.tags if known else ()):
            await self._windows.follow_groups(principal, received)
        return group

    async def _change(self, principal: Principal, known: Group, planned: Planned, received: Instant) -> Group:
        """One change of a group at a time. What a crash left half done, the same request again completes.

        Members are read after the group is written: whoever wrote one by what the group was before is seen here, or
        sees the group as it is now.
        """
        wanted = await self._wanted(principal, planned, assign=False)
        group = (await self._groups.put(principal, known.key, planned.values, received, create=False)).group
        if group.inactive or "inactive" in planned.values:
            await self._regroup(principal, known, group, received)
        await self._tell(principal, group, wanted)
        return group

    async def _tell(self, principal: Principal, group: Group, wanted: Sequence[tuple[int, bool]] | None) -> None:
        if wanted is not None:
            await self._subscriptions.replace(principal, wanted, group=group.number)

    async def get(self, principal: Principal, number: int) -> Group:
        """NotFound."""
        return (await self._groups.get_by_number(principal, number)).group

    async def find(self, principal: Principal, key: str) -> Group | None:
        return (await self._groups.named(principal, [key])).get(key)

    async def page(
        self, principal: Principal, *, tags: Collection[str], named: Collection[str], size: int, offset: int
    ) -> tuple[list[Group], int]:
        """Oldest first, and how many there are in all: those with any of the tags and any of the names."""
        if not tags and not named:
            rows, total = await self._groups.numbered_page(principal, size=size, offset=offset)
            return [row.group for row in rows], total
        every = [row.group for row in await self._groups.every(principal)]
        found = [
            group
            for group in every
            if (not tags or set(tags) & set(group.tags)) and (not named or (group.display_name or group.key) in named)
        ]
        found.sort(key=lambda group: group.number)
        return found[offset : offset + size], len(found)

    async def delete(self, principal: Principal, number: int, received: Instant) -> None:
        """NotFound; FailedPrecondition while checks are in it."""
        found = await self._groups.get_by_number(principal, number)
        if found.monitors:
            raise errors.FailedPrecondition(
                f"the group has {found.monitors} checks; delete them first, or take them out of it",
                reason="GROUP_NOT_EMPTY",
                metadata={"group": found.group.key},
            )
        await self._drop(principal, found.group, received)

    async def remove(self, principal: Principal, key: str, received: Instant) -> None:
        """Its checks stay, each as it is by itself. That it is gone already does not matter."""
        found = await self.find(principal, key)
        if found is not None:
            await self._regroup(principal, found, None, received)
            await self._drop(principal, found, received)

    async def show(self, principal: Principal, groups: Sequence[Group]) -> list[msgspec.Raw]:
        """As JSON: members may be many."""
        keys = [group.key for group in groups]
        uids = await self._members.of_groups(principal, keys)
        told = await self._subscriptions.of_groups(principal, [group.number for group in groups])
        owned = await self._bindings.shown(principal, TYPE, [str(group.number) for group in groups])

        def made(group: Group) -> msgspec.Raw:
            checks = [ids.dashed(uid) for uid in uids[group.key]]
            return msgspec.Raw(
                msgspec.json.encode(group_json.show(group, checks, told[group.number], owned[str(group.number)]))
            )

        return await asyncio.to_thread(lambda: [made(group) for group in groups])

    async def _drop(self, principal: Principal, group: Group, received: Instant) -> None:
        await self._groups.delete(principal, group.key, received, allow_missing=True, origin=DIALECT)
        if group.tags:
            await self._windows.follow_groups(principal, received)

    async def _wanted(
        self, principal: Principal, planned: Planned, *, assign: bool
    ) -> Sequence[tuple[int, bool]] | None:
        """The subscriptions that there will be; None: they stay. InvalidArgument: of a channel that is not there."""
        if planned.subscriptions is None:
            every = sorted(one.number for one in await self._channels.every(principal)) if assign else None
            return None if every is None else [(number, True) for number in every]
        if planned.subscriptions:
            there = {channel.number for channel in await self._channels.every(principal)}
            for index, (channel, _) in enumerate(planned.subscriptions):
                if channel not in there:
                    where = f"alertChannelSubscriptions[{index}].alertChannelId"
                    raise errors.invalid(where, f"there is no alert channel {channel}; create it first")
        return planned.subscriptions

    async def _make(self, principal: Principal, key: str, values: dict[str, Any], received: Instant) -> Group:
        wanted = key or names.slugify(values["display_name"], _MADE_MAX) or f"checkly-{secrets.token_hex(4)}"
        try:
            made = await self._groups.put(principal, wanted, values, received, update=False)
        except errors.AlreadyExists:
            if key:
                raise
            made = await self._groups.put(principal, f"{wanted}-{secrets.token_hex(3)}", values, received, update=False)
        return made.group

    async def _regroup(self, principal: Principal, former: Group, group: Group | None, received: Instant) -> None:
        """Its members are judged as they and the group say, see `regrouping`; those that are so already stay."""
        project, done = principal.project.number, set[str]()
        for attempt in range(1, _ATTEMPTS + 1):
            members = (await self._groups.members(principal, [former.key]))[former.key]
            left = [monitor for monitor in members if monitor.id not in done]
            try:
                for some in chunks(left, _TOGETHER):
                    await self._monitors.put_many(
                        principal, list(_puts(project, some, former, group)), received, most=_TOGETHER, checked=True
                    )
                    done.update(monitor.id for monitor in some)
            except (errors.Aborted, errors.NotFound):  # somebody has changed one, or deleted it
                if attempt == _ATTEMPTS:
                    raise
            else:
                return


def _puts(project: int, members: Sequence[Monitor], former: Group, group: Group | None) -> Iterator[PutMonitor]:
    for monitor in members:
        change = regrouping(monitor, former, group)
        off = group is not None and group.inactive
        if change.inactive != monitor.inactive or (off and change.extras is not UNSET):
            yield PutMonitor(project, monitor.id, change, create=False, etag=monitor.etag)
