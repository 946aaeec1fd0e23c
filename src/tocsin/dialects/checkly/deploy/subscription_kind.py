"""Subscriptions as a deployment makes them: of a channel to a check or to a group, each a reference or a number.

A subscription is named by what it is of, "check/<id of the monitor>/<key of the channel>", and so is found again.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tocsin.dialects.checkly.deploy.declared import CHANNEL, CHECK, GROUP
from tocsin.dialects.checkly.deploy.kinds import Kind, Numbered
from tocsin.dialects.checkly.deploy.plan import Here, Item
from tocsin.dialects.checkly.deploy.world import REFERENCES, Public, World
from tocsin.dialects.checkly.problems import Problems
from tocsin.domain.deployment import Binding
from tocsin.domain.errors import InvalidArgument, invalid
from tocsin.domain.instant import Instant
from tocsin.domain.notification import Subscription
from tocsin.service.browsing import Browsing
from tocsin.service.principal import Principal
from tocsin.service.subscriptions import Subscriptions

_TURN: Final = 500  # subscriptions between two turns of others
_TARGETS: Final = {"checkId": CHECK, "groupId": GROUP}


class Parts(NamedTuple):
    """What a subscription is of."""

    type: str  # CHECK or GROUP
    target: str  # id of a monitor, or key of a group: without a slash
    channel: str  # key

    @property
    def name(self) -> str:
        return "/".join(self)

    @classmethod
    def of(cls, name: str) -> "Parts":
        return cls(*name.split("/", 2))


class SubscriptionKind:
    def __init__(
        self, subscriptions: Subscriptions, browsing: Browsing, checks: Kind, groups: Numbered, channels: Numbered
    ) -> None:
        self._subscriptions, self._browsing = subscriptions, browsing
        self._kinds: Mapping[str, Kind] = {CHECK: checks, GROUP: groups, CHANNEL: channels}
        self._every = {GROUP: groups.every, CHANNEL: channels.every}

    async def there(self, principal: Principal, bindings: Collection[Binding]) -> dict[str, Here]:
        """Their names are not told: each has the one of what it is of now."""
        numbers = {int(one.resource): one.resource for one in bindings if not one.intended}
        known = await self._subscriptions.numbered(principal, numbers)
        found = {numbers[number]: Here("", number) for number in known}
        intended = {one.intended: one.resource for one in bindings if one.intended}
        made = await self._named_so(principal, intended)
        return found | {intended[name]: Here("", number) for name, number in made.items()}

    async def find(self, _principal: Principal, _public: Public) -> str | None:
        return None  # nobody speaks of one that the project does not make

    async def named(self, principal: Principal, world: World, items: Sequence[Item], problems: Problems) -> list[str]:
        names: list[str] = []
        for count, item in enumerate(items, 1):
            names.append(await self._named(principal, world, item, problems))
            if count % _TURN == 0:
                await asyncio.sleep(0)
        return names

    async def check(
        self, _principal: Principal, _world: World, items: Sequence[Item], _received: Instant, problems: Problems
    ) -> None:
        for item in items:
            if not isinstance(item.declared.payload.get("activated", True), bool):
                problems.wrong("activated", "must be true or false", item.declared.told)

    async def put(self, principal: Principal, _world: World, items: Sequence[Item], _received: Instant) -> list[Public]:
        numbers = await self._numbers(principal, [Parts.of(item.name) for item in items])
        wanted: list[Subscription] = []
        for item in items:
            parts = Parts.of(item.name)
            active = bool(item.declared.payload.get("activated", True))
            wanted.append(_subscription(principal, parts, numbers, active=active))
        return [one.number for one in await self._subscriptions.put_many(principal, wanted)]

    def bound(self, public: Public) -> str:
        return str(public)

    async def remove(self, principal: Principal, removed: Sequence[Here], _received: Instant) -> None:
        await self._subscriptions.delete_many(principal, [int(one.public) for one in removed])

    async def _named(self, principal: Principal, world: World, item: Item, problems: Problems) -> str:
        """Empty when it cannot be; `problems` tell why."""
        payload = item.declared.payload
        try:
            said = [name for name in _TARGETS if payload.get(name) is not None]
            if len(said) != 1:
                raise invalid("checkId", "name a checkId or a groupId, one of the two")
            target = await self._name(principal, world, payload, said[0])
            channel = await self._name(principal, world, payload, "alertChannelId")
        except InvalidArgument as problem:
            problems.wrong_by(problem, resource=item.declared.told)
            return ""
        return Parts(_TARGETS[said[0]], target, channel).name

    async def _name(self, principal: Principal, world: World, payload: Mapping[str, Any], name: str) -> str:
        """What a member of the payload stands for: a reference, or how a resource is shown. InvalidArgument."""
        known = world.referred(payload, name)
        if known is not None:
            return known.name
        public = payload.get(name)
        found = None
        if isinstance(public, int | str) and not isinstance(public, bool):
            found = await self._kinds[REFERENCES[name]].find(principal, public)
        if found is None:
            raise invalid(name, f"there is no {REFERENCES[name]} {str(public)[:64]!r}")
        return found

    async def _named_so(self, principal: Principal, names: Collection[str]) -> dict[str, int]:
        """The numbers of those that are here."""
        parts = [Parts.of(name) for name in names]
        numbers = await self._numbers(principal, parts)
        channels = {number for (kind, _), number in numbers.items() if kind == CHANNEL}
        known = await self._subscriptions.of_channels(principal, channels) if channels else {}
        by_what = {(one.channel, one.monitor, one.group): one.number for some in known.values() for one in some}
        found: dict[str, int] = {}
        for one in parts:
            wanted = _subscription(principal, one, numbers, active=True)
            number = by_what.get((wanted.channel, wanted.monitor, wanted.group))
            if number is not None:
                found[one.name] = number
        return found

    async def _numbers(self, principal: Principal, parts: Sequence[Parts]) -> dict[tuple[str, str], int]:
        """Of the channels, monitors and groups, by type and by id or key; those that are here."""
        monitors = sorted({one.target for one in parts if one.type == CHECK})
        rows = await self._browsing.find_exactly(principal, ids=monitors) if monitors else []
        numbers = {(CHECK, row.monitor.id): row.monitor.number for row in rows}
        keys = {CHANNEL: {one.channel for one in parts}, GROUP: {one.target for one in parts if one.type == GROUP}}
        for kind, wanted in keys.items():
            known = await self._every[kind](principal) if wanted else {}
            numbers |= {(kind, key): known[key] for key in wanted if key in known}
        return numbers


def _subscription(
    principal: Principal, parts: Parts, numbers: Mapping[tuple[str, str], int], *, active: bool
) -> Subscription:
    """Not kept yet. What is not here any more is 0, which nothing has."""
    target = numbers.get((parts.type, parts.target), 0)
    return Subscription(
        0,
        principal.project.number,
        numbers.get((CHANNEL, parts.channel), 0),
        monitor=target if parts.type == CHECK else 0,
        group=target if parts.type == GROUP else 0,
        active=active,
    )
