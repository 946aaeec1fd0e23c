"""Alert channels as use cases: put from a payload, delete, subscribe, shown many at once."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final
from weakref import WeakValueDictionary

import msgspec

from tocsin.dialects.checkly.checks.mapping import is_check
from tocsin.dialects.checkly.resources import channel_json
from tocsin.dialects.checkly.resources.bindings import Bindings
from tocsin.dialects.checkly.resources.channel_config import Values
from tocsin.dialects.checkly.resources.channel_json import subscriber_json
from tocsin.dialects.checkly.resources.fields import Fields
from tocsin.dialects.checkly.resources.rewording import reworded
from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Monitor
from tocsin.domain.notification import Channel, check_channel
from tocsin.domain.project import Scope
from tocsin.notify.form import check_form
from tocsin.service.browsing import Browsing, uid_of
from tocsin.service.groups import Groups
from tocsin.service.members import Members
from tocsin.service.notification import Channels
from tocsin.service.principal import Principal
from tocsin.service.subscriptions import Subscriptions
from tocsin.store.members import Subscriber

TYPE: Final = "alert-channel"
_MEMBERS: Final = {
    "channel.form.query": "config.queryParameters",
    "channel.form.secret": "config.webhookSecret",
    "channel.form.": "config.",
    "channel.form": "config",
    "channel.display_name": "config.name",
    "channel.": "config.",
}


class AlertChannels:
    def __init__(
        self,
        channels: Channels,
        subscriptions: Subscriptions,
        browsing: Browsing,
        groups: Groups,
        members: Members,
        bindings: Bindings,
    ) -> None:
        self._channels, self._subscriptions, self._members = channels, subscriptions, members
        self._browsing, self._groups, self._bindings = browsing, groups, bindings
        self._reading = asyncio.Semaphore(1)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def plan(self, payload: Any, known: Channel | None = None) -> Values:
        """What would be written; InvalidArgument names the member. Nothing is asked of the store."""
        async with self._reading:
            return await asyncio.to_thread(self._plan, payload, known)

    def _plan(self, payload: Any, known: Channel | None) -> Values:
        """In a thread: a form may take half a second to read."""
        values = channel_json.read(payload, known)
        try:
            made = msgspec.structs.replace(known or Channel(0, 0, "new"), **values)
            check_channel(made)
            check_form(made.form, made.url)
        except errors.InvalidArgument as problem:
            raise reworded(problem, _MEMBERS) from None
        return values

    async def put(
        self, principal: Principal, payload: Any, received: Instant, *, number: int | None = None, key: str = ""
    ) -> Channel:
        """Changes the one of `number`, NotFound; else makes a new one, of `key` where that is given: AlreadyExists.

        One at a time of a project: what a request does not say stays as another has just made it.
        """
        async with self._turns.setdefault(principal.project.number, asyncio.Lock()):
            known = await self._channels.get_by_number(principal, number) if number is not None else None
            values = await self.plan(payload, known)
            made = known.key if known else key or f"checkly-{secrets.token_hex(4)}"
            new = known is None
            return await self._channels.put(principal, made, values, received, create=new, update=not new)

    async def get(self, principal: Principal, number: int) -> Channel:
        """NotFound."""
        return await self._channels.get_by_number(principal, number)

    async def find(self, principal: Principal, key: str) -> Channel | None:
        try:
            return await self._channels.get(principal, key)
        except errors.NotFound:
            return None

    async def delete(self, principal: Principal, number: int) -> None:
        """With its subscriptions. NotFound."""
        found = await self._channels.get_by_number(principal, number)
        await self.remove(principal, found.key)

    async def remove(self, principal: Principal, key: str) -> None:
        """Likewise; that it is gone already does not matter."""
        await self._channels.delete(principal, key, allow_missing=True)

    async def page(self, principal: Principal, *, size: int, offset: int) -> tuple[list[Channel], int]:
        """Oldest first, and how many there are in all."""
        return await self._channels.numbered_page(principal, size=size, offset=offset)

    async def subscribe(self, principal: Principal, channel: int, payload: Any) -> Mapping[str, Any]:
        """Makes the subscription of a check or a group, or changes whether it is active; as it is shown."""
        body = Fields(payload)
        await self._channels.get_by_number(principal, channel)
        check, group = body.text("checkId", 64) or "", body.whole("groupId", 1)
        active = body.flag("activated")
        if active is None:
            raise body.wrong("activated", "is required: true or false")
        if bool(check) == (group is not None):
            raise body.wrong("checkId", "name a checkId or a groupId, one of the two")
        uid = ""
        if group is not None:
            await self._require_group(principal, group)
            made = await self._subscriptions.put(principal, channel, group=group, active=active)
        else:
            monitor = await self._monitor(principal, check)
            uid = monitor.uid
            made = await self._subscriptions.put(principal, channel, monitor=monitor.number, active=active)
        return subscriber_json(Subscriber(made.number, made.active, uid, made.group))

    async def show(self, principal: Principal, channels: Sequence[Channel]) -> list[msgspec.Raw]:
        """As JSON: subscribers may be many. Secrets are shown to keys that may write."""
        found = await self._members.of_channels(principal, [channel.number for channel in channels])
        owned = await self._bindings.shown(principal, TYPE, [str(channel.number) for channel in channels])
        may = principal.may(Scope.ADMIN)

        def made() -> list[msgspec.Raw]:
            return [
                msgspec.Raw(
                    msgspec.json.encode(
                        channel_json.show(
                            channel,
                            [subscriber_json(one) for one in found[channel.number]],
                            owned[str(channel.number)],
                            secrets=may,
                        )
                    )
                )
                for channel in channels
            ]

        return await asyncio.to_thread(made)

    async def _monitor(self, principal: Principal, check: str) -> Monitor:
        if uid_of(check) is not None:
            found = (await self._browsing.find_many(principal, [check]))[0]
            if found is not None and is_check(found.monitor):
                return found.monitor
        raise errors.invalid("checkId", f"there is no check {check!r}; create it first")

    async def _require_group(self, principal: Principal, group: int) -> None:
        try:
            await self._groups.get_by_number(principal, group)
        except errors.NotFound:
            raise errors.invalid("groupId", f"there is no group {group}; create it first") from None
