"""Checks as a deployment makes them: named after their logical ids, all of them written at once."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from tocsin.dialects.checkly import ids
from tocsin.dialects.checkly.call import DIALECT
from tocsin.dialects.checkly.checks import schema
from tocsin.dialects.checkly.checks.mapping import is_check
from tocsin.dialects.checkly.checks.writing import Checks, Wish
from tocsin.dialects.checkly.deploy.kinds import free_name, name_of
from tocsin.dialects.checkly.deploy.plan import Here, Item
from tocsin.dialects.checkly.deploy.world import Public, World
from tocsin.dialects.checkly.problems import Problems
from tocsin.domain.deployment import Action, Binding
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import Instant
from tocsin.service.browsing import Browsing, uid_of
from tocsin.service.monitors import Monitors
from tocsin.service.principal import Principal

# A project declares all of a check: what it does not say is so.
_DEFAULTS: Final[dict[str, Any]] = {
    **{name: None for name, (_, nullable) in schema.ATTRIBUTES.items() if nullable},
    "activated": True,
    "muted": False,
    "tags": [],
    "useGlobalAlertSettings": True,
    "runParallel": False,
}

_TURN: Final = 100  # checks between two turns of others


class CheckKind:
    def __init__(self, checks: Checks, monitors: Monitors, browsing: Browsing) -> None:
        self._checks, self._monitors, self._browsing = checks, monitors, browsing

    async def there(self, principal: Principal, bindings: Collection[Binding]) -> dict[str, Here]:
        """Of what was only intended, not what somebody else has made under that name."""
        rows = await self._browsing.find_many(principal, [one.intended or one.resource for one in bindings])
        found: dict[str, Here] = {}
        for one, row in zip(bindings, rows, strict=True):
            if row is None or not is_check(row.monitor):
                continue
            monitor = row.monitor
            ours = (
                monitor.id == one.intended and monitor.origin == DIALECT
                if one.intended
                else monitor.uid == one.resource
            )
            if ours:
                found[one.resource] = Here(monitor.id, ids.dashed(monitor.uid))
        return found

    async def find(self, principal: Principal, public: Public) -> str | None:
        if not isinstance(public, str) or uid_of(public) is None:
            return None
        row = (await self._browsing.find_many(principal, [public]))[0]
        return row.monitor.id if row is not None and is_check(row.monitor) else None

    async def named(self, principal: Principal, world: World, items: Sequence[Item], _problems: Problems) -> list[str]:
        wanted = [item.name or name_of(world.namespace, item.declared.logical_id, "check") for item in items]
        new = sorted({name for name, item in zip(wanted, items, strict=True) if not item.name})
        rows = await self._browsing.find_exactly(principal, ids=new) if new else []
        taken = {row.monitor.id for row in rows}
        names: list[str] = []
        for name, item in zip(wanted, items, strict=True):
            names.append(item.name or free_name(name, taken))
            taken.add(names[-1])
        return names

    async def check(
        self, principal: Principal, world: World, items: Sequence[Item], received: Instant, problems: Problems
    ) -> None:
        wishes = await _wishes(world, items, problems)
        await self._checks.check(principal, wishes, received, problems)

    async def put(self, principal: Principal, world: World, items: Sequence[Item], received: Instant) -> list[Public]:
        rows = await self._checks.apply(principal, await _wishes(world, items, Problems()), received)
        return [ids.dashed(row.monitor.uid) for row in rows]

    def bound(self, public: Public) -> str:
        return uid_of(str(public)) or ""

    async def remove(self, principal: Principal, removed: Sequence[Here], received: Instant) -> None:
        await self._monitors.delete_many(principal, [one.name for one in removed], received)


async def _wishes(world: World, items: Sequence[Item], problems: Problems) -> list[Wish]:
    """Those that may be so. Others get a turn in between."""
    wishes: list[Wish] = []
    for count, item in enumerate(items, 1):
        wish = _wish(world, item, problems)
        if wish is not None:
            wishes.append(wish)
        if count % _TURN == 0:
            await asyncio.sleep(0)
    return wishes


def _wish(world: World, item: Item, problems: Problems) -> Wish | None:
    """None: what the payload says may not be so. It is read once; a group that it refers to has its number later."""
    one, mine = item.declared, Problems()
    payload = one.payload
    try:
        group = world.referred(payload, "groupId")
    except InvalidArgument as problem:
        mine.wrong_by(problem)
        group = None
    said = world.read.get(one.logical_id)
    if said is None:
        schema.require_new(payload, mine)
        if isinstance(payload.get("groupId"), Mapping):
            payload = {**payload, "groupId": None}
        said = world.read[one.logical_id] = schema.read({**_DEFAULTS, **payload}, mine)
    if mine.found:
        problems.found += [problem._replace(resource=one.told) for problem in mine.found]
        return None
    if group is not None:
        said = {**said, "groupId": group.public}
    return Wish(item.name, said, new=item.action is Action.CREATE, label=one.told)
