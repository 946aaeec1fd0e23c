"""A deployment from the request to the end: checked as a whole, then done step by step.

Nothing is written before everything was checked, and all checks are written at once. Before anything is made, bindings
say what it will be called: a deployment that was cut short is made whole by the next one.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tocsin.dialects.checkly.deploy.declared import TYPES, Declared, Project
from tocsin.dialects.checkly.deploy.kinds import Kind
from tocsin.dialects.checkly.deploy.plan import Here, Item, Plan, plan
from tocsin.dialects.checkly.deploy.world import Known, Public, World
from tocsin.dialects.checkly.problems import Problems, Refused
from tocsin.domain.deployment import INTENDED, Action, Binding, Program, Step
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import Instant
from tocsin.service.deployments import Deployments, Ongoing, Outcome
from tocsin.service.principal import Principal

BEGUN: Final = 10  # percent of progress, when everything has a name
MADE: Final = 90  # when everything is there that is declared


@dataclass(frozen=True, slots=True)
class Prepared:
    """A deployment that can be done."""

    program: Program
    plan: Plan
    world: World
    named: tuple[Item, ...]  # the items of the plan, each with the name that it has or will have
    bound: list[Binding]  # what the project had when this was planned
    project: Project | None  # None: everything goes
    preserve: bool

    @property
    def steps(self) -> tuple[Step, ...]:
        """As far as they are known before."""
        return self.plan.steps()

    @property
    def intended(self) -> list[Binding]:
        """Of those that are new."""
        new = [item for item in self.named if item.action is Action.CREATE]
        return [Binding(item.declared.type, item.declared.logical_id, f"{INTENDED}{item.name}") for item in new]


class Deployer:
    def __init__(self, deployments: Deployments, kinds: Mapping[str, Kind]) -> None:
        """`kinds`: of all TYPES."""
        self._deployments, self._kinds = deployments, kinds

    async def prepare(
        self, principal: Principal, project: Project, received: Instant, *, preserve: bool = False
    ) -> Prepared:
        """Refused 400 tells everything that is wrong with it. Nothing is written."""
        problems = Problems()
        known = await self._deployments.program(principal, project.namespace)
        bound = await self._deployments.bindings(principal, project.namespace)
        planned = plan(project.resources, bound, await self._there(principal, bound), preserve=preserve)
        world = World(project.namespace)
        await self._find(principal, world, project.resources, problems)
        named: list[Item] = []
        for kind in TYPES:
            items = planned.of(kind)
            names = await self._kinds[kind].named(principal, world, items, problems)
            for item, name in zip(items, names, strict=True):
                named.append(item._replace(name=name))
                world.put(kind, item.declared.logical_id, Known(name, item.public, item.declared))
        for kind in TYPES:
            await self._kinds[kind].check(principal, world, _of(named, kind), received, problems)
        problems.done()
        program = Program(
            id=known.id if known else str(uuid.uuid4()),
            namespace=project.namespace,
            display_name=project.name,
            source=project.source,
            create_time=known.create_time if known else received,
            update_time=received,
        )
        return Prepared(program, planned, world, tuple(named), bound, project, preserve)

    async def prepare_removal(self, principal: Principal, program: Program, *, preserve: bool) -> Prepared:
        """Of everything that a program has."""
        bound = await self._deployments.bindings(principal, program.namespace)
        planned = plan((), bound, await self._there(principal, bound), preserve=preserve)
        return Prepared(program, planned, World(program.namespace), (), bound, None, preserve)

    async def apply(self, principal: Principal, prepared: Prepared, ongoing: Ongoing, received: Instant) -> Outcome:
        """Does it. A TocsinError, when something has changed meanwhile: what was done stays, and is bound."""
        prepared = await self._as_it_is_now(principal, prepared, received)
        await ongoing.intend(prepared.program, prepared.intended)
        ongoing.progress(BEGUN)
        made: dict[tuple[str, str], Public] = {}
        moved: dict[str, list[Here]] = {}
        stages = [kind for kind in TYPES if _of(prepared.named, kind)]
        for done, kind in enumerate(stages, 1):
            items = _of(prepared.named, kind)
            shown = await self._kinds[kind].put(principal, prepared.world, items, received)
            for item, public in zip(items, shown, strict=True):
                made[kind, item.declared.logical_id] = public
                prepared.world.made(kind, item.declared.logical_id, public)
                if item.public not in (None, public):  # another one takes its place
                    moved.setdefault(kind, []).append(Here(item.name, item.public))
            ongoing.progress(BEGUN + (MADE - BEGUN) * done // len(stages))
            await asyncio.sleep(0)
        for kind in reversed(TYPES):
            removed = [*prepared.plan.removed.get(kind, ()), *moved.get(kind, ())]
            kept = {public for (of, _), public in made.items() if of == kind}
            removed = await self._nobodys(principal, prepared, kind, [one for one in removed if one.public not in kept])
            await self._kinds[kind].remove(principal, removed, received)
        bound = [Binding(*key, self._kinds[key[0]].bound(public)) for key, public in made.items()]
        new = tuple(set(bound).difference(prepared.bound))
        steps = prepared.plan.steps(made)
        return Outcome(prepared.program, steps, new, prepared.plan.unbound, program_gone=prepared.project is None)

    async def _nobodys(
        self, principal: Principal, prepared: Prepared, kind: str, removed: Sequence[Here]
    ) -> list[Here]:
        """Those that no other program has: a subscription that two declare is the same one."""
        bound = {self._kinds[kind].bound(one.public): one for one in removed}
        theirs = await self._deployments.elsewhere(principal, prepared.program.namespace, kind, bound.keys())
        return [one for resource, one in bound.items() if resource not in theirs]

    async def _as_it_is_now(self, principal: Principal, prepared: Prepared, received: Instant) -> Prepared:
        """Another deployment may have ended between the planning of this one and its turn."""
        if await self._deployments.bindings(principal, prepared.program.namespace) == prepared.bound:
            return prepared
        if prepared.project is None:
            return await self.prepare_removal(principal, prepared.program, preserve=prepared.preserve)
        try:
            return await self.prepare(principal, prepared.project, received, preserve=prepared.preserve)
        except Refused as problem:
            raise InvalidArgument(problem.text, reason="FIELD_INVALID") from None

    async def _there(self, principal: Principal, bound: Sequence[Binding]) -> dict[str, dict[str, Here]]:
        """What is here of what is bound."""
        found: dict[str, dict[str, Here]] = {}
        for kind in TYPES:
            mine = [binding for binding in bound if binding.type == kind]
            found[kind] = await self._kinds[kind].there(principal, mine) if mine else {}
        return found

    async def _find(
        self, principal: Principal, world: World, resources: Sequence[Declared], problems: Problems
    ) -> None:
        """What the project only speaks of."""
        for one in resources:
            if one.member or one.physical is None:
                continue
            name = await self._kinds[one.type].find(principal, one.physical)
            if name is None:
                text = f"there is no {one.type} {str(one.physical)[:64]!r} in this account"
                problems.wrong("physicalId", text, one.told)
            else:
                world.put(one.type, one.logical_id, Known(name, one.physical))


def _of(items: Sequence[Item], kind: str) -> list[Item]:
    return [item for item in items if item.declared.type == kind]
