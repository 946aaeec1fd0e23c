"""Checks as a deployment makes them: named after their logical ids, all of them written at once."""

import secrets
from collections.abc import Collection, Sequence
from typing import Any, Final

from tocsin.dialects.checkly import ids
from tocsin.dialects.checkly.call import DIALECT
from tocsin.dialects.checkly.checks import schema
from tocsin.dialects.checkly.checks.mapping import is_check
from tocsin.dialects.checkly.checks.writing import Checks, Wish, monitor_id_of
from tocsin.dialects.checkly.deploy.plan import Item
from tocsin.dialects.checkly.deploy.world import Public, World, resolved
from tocsin.dialects.checkly.problems import Problem, Problems
from tocsin.domain.deployment import Action
from tocsin.domain.errors import InvalidArgument, invalid
from tocsin.domain.instant import Instant
from tocsin.service.browsing import Browsing, uid_of
from tocsin.service.monitors import Monitors
from tocsin.service.principal import Principal

# A project declares all of a check: what it does not say is so.
_DEFAULTS: Final = {
    "activated": True,
    "muted": False,
    "tags": [],
    "description": None,
    "groupId": None,
    "useGlobalAlertSettings": True,
    "alertSettings": None,
    "triggerIncident": None,
    "runParallel": False,
}


class CheckKind:
    def __init__(self, checks: Checks, monitors: Monitors, browsing: Browsing) -> None:
        self._checks, self._monitors, self._browsing = checks, monitors, browsing

    async def there(self, principal: Principal, resources: Collection[str]) -> dict[str, Public]:
        """Not what somebody else has made since, under the same id."""
        rows = await self._browsing.find_exactly(principal, ids=sorted(resources))
        ours = [row.monitor for row in rows if is_check(row.monitor) and row.monitor.origin == DIALECT]
        return {monitor.id: ids.dashed(monitor.uid) for monitor in ours}

    async def find(self, principal: Principal, public: Public) -> str | None:
        if not isinstance(public, str) or uid_of(public) is None:
            return None
        row = (await self._browsing.find_many(principal, [public]))[0]
        return row.monitor.id if row is not None and is_check(row.monitor) else None

    async def named(self, principal: Principal, _world: World, items: Sequence[Item], _problems: Problems) -> list[str]:
        slugs = {
            item.declared.logical_id: monitor_id_of(item.declared.logical_id) for item in items if not item.resource
        }
        wanted = sorted({*slugs.values(), *(f"{slug}-2" for slug in slugs.values())})
        rows = await self._browsing.find_exactly(principal, ids=wanted) if wanted else []
        taken = {row.monitor.id for row in rows}
        names: list[str] = []
        for item in items:
            names.append(item.resource or _free(slugs[item.declared.logical_id], taken))
            taken.add(names[-1])
        return names

    async def check(
        self, principal: Principal, world: World, items: Sequence[Item], received: Instant, problems: Problems
    ) -> None:
        wishes = [wish for item in items if (wish := _wish(world, item, problems)) is not None]
        await self._checks.check(principal, wishes, received, problems)

    async def put(self, principal: Principal, world: World, items: Sequence[Item], received: Instant) -> list[Public]:
        problems = Problems()
        wishes = [wish for item in items if (wish := _wish(world, item, problems)) is not None]
        if problems.found:
            raise invalid("", problems.told)
        rows = await self._checks.apply(principal, wishes, received)
        return [ids.dashed(row.monitor.uid) for row in rows]

    async def remove(self, principal: Principal, resources: Sequence[str], received: Instant) -> None:
        await self._monitors.delete_many(principal, resources, received)


def _wish(world: World, item: Item, problems: Problems) -> Wish | None:
    """None: what the payload says may not be so."""
    one, mine = item.declared, Problems()
    payload: dict[str, Any] = {**_DEFAULTS, **one.payload}
    try:
        payload = resolved(world, payload)
    except InvalidArgument as problem:
        mine.wrong_by(problem)
    schema.require_new(payload, mine)
    said = schema.read(payload, mine)
    problems.found += [Problem(f"{one.told}: {problem.field}", problem.text) for problem in mine.found]
    new = item.action is Action.CREATE
    return None if mine.found else Wish(item.resource, said, new=new, label=one.told)


def _free(slug: str, taken: Collection[str]) -> str:
    for name in (slug, f"{slug}-2"):
        if name not in taken:
            return name
    return f"{slug}-{secrets.token_hex(4)}"
