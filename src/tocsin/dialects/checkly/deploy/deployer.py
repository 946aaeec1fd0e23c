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
from tocsin.dialects.checkly.deploy.plan import Item, Plan, plan
from tocsin.dialects.checkly.deploy.world import Known, Public, World
from tocsin.dialects.checkly.problems import Problems
from tocsin.domain.deployment import Binding, Program, Step
from tocsin.domain.instant import Instant
from tocsin.service.deployments import Deployments, Ongoing, Outcome
from tocsin.service.principal import Principal

INTENDED: Final = 10  # percent of progress, when everything has a name


@dataclass(frozen=True, slots=True)
class Prepared:
    """A deployment that can be done."""

    program: Program
    plan: Plan
    world: World
    named: tuple[Item, ...]  # the items of the plan, each with the name that it has or will have
    moved: tuple[Binding, ...]  # resources whose place another one takes

    @property
    def steps(self) -> tuple[Step, ...]:
        """As far as they are known before."""
        return self.plan.steps()


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
        world = World()
        await self._find(principal, world, project.resources, problems)
        named: list[Item] = []
        moved: list[Binding] = []
        for kind in TYPES:
            items = planned.of(kind)
            for item, resource in zip(
                items, await self._kinds[kind].named(principal, world, items, problems), strict=True
            ):
                one = item.declared
                if item.resource not in ("", resource):
                    moved.append(Binding(one.type, one.logical_id, item.resource))
                named.append(item._replace(resource=resource))
                world.put(one.type, one.logical_id, Known(resource, item.public, one))
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
        return Prepared(program, planned, world, tuple(named), tuple(moved))

    async def prepare_removal(self, principal: Principal, program: Program, *, preserve: bool) -> Prepared:
        """Of everything that a program has."""
        bound = await self._deployments.bindings(principal, program.namespace)
        planned = plan((), bound, await self._there(principal, bound), preserve=preserve)
        return Prepared(program, planned, World(), (), ())

    async def apply(
        self,
        principal: Principal,
        prepared: Prepared,
        ongoing: Ongoing,
        received: Instant,
        *,
        program_gone: bool = False,
    ) -> Outcome:
        """Does it. A TocsinError, when something has changed meanwhile: what was done stays, and is bound."""
        bindings = [Binding(one.declared.type, one.declared.logical_id, one.resource) for one in prepared.named]
        await ongoing.intend(prepared.program, bindings)
        ongoing.progress(INTENDED)
        stages = [kind for kind in TYPES if _of(prepared.named, kind)]
        made: dict[tuple[str, str], Public | None] = {}
        for done, kind in enumerate(stages, 1):
            items = _of(prepared.named, kind)
            shown = await self._kinds[kind].put(principal, prepared.world, items, received)
            for item, public in zip(items, shown, strict=True):
                prepared.world.made(kind, item.declared.logical_id, public)
                made[kind, item.declared.logical_id] = public
            ongoing.progress(INTENDED + (90 - INTENDED) * done // len(stages))
            await asyncio.sleep(0)
        for kind in reversed(TYPES):
            moved = [binding.resource for binding in prepared.moved if binding.type == kind]
            await self._kinds[kind].remove(principal, [*prepared.plan.removed(kind), *moved], received)
        return Outcome(prepared.program, prepared.plan.steps(made), prepared.plan.unbound, program_gone=program_gone)

    async def _there(self, principal: Principal, bound: Sequence[Binding]) -> dict[str, dict[str, Public]]:
        """What is here of what is bound."""
        found: dict[str, dict[str, Public]] = {}
        for kind in TYPES:
            resources = [binding.resource for binding in bound if binding.type == kind]
            found[kind] = await self._kinds[kind].there(principal, resources) if resources else {}
        return found

    async def _find(
        self, principal: Principal, world: World, resources: Sequence[Declared], problems: Problems
    ) -> None:
        """What the project only speaks of."""
        for one in resources:
            if one.member or one.physical is None:
                continue
            resource = await self._kinds[one.type].find(principal, one.physical)
            if resource is None:
                problems.wrong("", f"{one.told}: there is no {one.type} {str(one.physical)[:64]!r} in this account")
            else:
                world.put(one.type, one.logical_id, Known(resource, one.physical))


def _of(items: Sequence[Item], kind: str) -> list[Item]:
    return [item for item in items if item.declared.type == kind]
