"""What a deployment does: each declared resource is made or changed, each that is not declared any more goes."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from tocsin.dialects.checkly.deploy.declared import TYPES, Declared
from tocsin.dialects.checkly.deploy.world import Public
from tocsin.domain.deployment import Action, Binding, Step

There = Mapping[str, Mapping[str, Public]]
"""By type and by resource: what is here of what was bound, and how it is shown."""


class Item(NamedTuple):
    """A member of the project, and what becomes of it."""

    declared: Declared
    action: Action  # CREATE or UPDATE
    resource: str  # "": a new one, which has no name yet
    public: Public | None  # None: not yet


class Plan(NamedTuple):
    items: tuple[Item, ...]  # in the order of the types, and of the request
    gone: tuple[Step, ...]  # DELETE or DETACH
    unbound: tuple[Binding, ...]  # of these

    def of(self, type: str) -> list[Item]:
        return [item for item in self.items if item.declared.type == type]

    def removed(self, type: str) -> list[str]:
        """Resources that are to be deleted."""
        deleted = {(step.type, step.logical_id) for step in self.gone if step.action is Action.DELETE}
        return [one.resource for one in self.unbound if one.type == type and (type, one.logical_id) in deleted]

    def steps(self, made: Mapping[tuple[str, str], Public | None] | None = None) -> tuple[Step, ...]:
        """The `diff`. `made`: how those are shown that are new."""
        kept = [
            Step(one.type, one.logical_id, item.action, (made or {}).get((one.type, one.logical_id), item.public))
            for item in self.items
            for one in (item.declared,)
        ]
        return (*kept, *self.gone)


def plan(declared: Sequence[Declared], bound: Collection[Binding], there: There, *, preserve: bool) -> Plan:
    """`bound`: what the project has. `preserve`: what is not declared any more stays, and belongs to nobody."""
    resources = {(one.type, one.logical_id): one.resource for one in bound}
    items: list[Item] = []
    for one in sorted(declared, key=lambda one: TYPES.index(one.type)):
        if not one.member:
            continue
        resource = resources.get((one.type, one.logical_id), "")
        public = there.get(one.type, {}).get(resource)
        known = public is not None
        action = Action.UPDATE if known else Action.CREATE
        items.append(Item(one, action, resource if known else "", public))
    wanted = {(one.type, one.logical_id) for one in declared if one.member}
    action = Action.DETACH if preserve else Action.DELETE
    unbound = [one for one in bound if (one.type, one.logical_id) not in wanted]
    gone = [
        Step(one.type, one.logical_id, action, public)
        for one in unbound
        if (public := there.get(one.type, {}).get(one.resource)) is not None
    ]
    return Plan(tuple(items), tuple(gone), tuple(unbound))
