"""What a deployment does: each declared resource is made or changed, each that is not declared any more goes."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from tocsin.dialects.checkly.deploy.declared import TYPES, Declared
from tocsin.dialects.checkly.deploy.world import Public
from tocsin.domain.deployment import Action, Binding, Step


class Here(NamedTuple):
    """A resource that is here."""

    name: str  # its id or key
    public: Public  # how it is shown


There = Mapping[str, Mapping[str, Here]]
"""By type and by what a binding says: what is here of what was bound."""


class Item(NamedTuple):
    """A member of the project, and what becomes of it."""

    declared: Declared
    action: Action  # CREATE or UPDATE
    name: str  # "": a new one, which has no name yet
    public: Public | None  # None: not yet


class Plan(NamedTuple):
    items: tuple[Item, ...]  # in the order of the types, and of the request
    gone: tuple[Step, ...]  # DELETE or DETACH
    unbound: tuple[Binding, ...]  # of these, and of what is gone already
    removed: Mapping[str, Sequence[Here]]  # by type, what is to be deleted

    def of(self, type: str) -> list[Item]:
        return [item for item in self.items if item.declared.type == type]

    def steps(self, made: Mapping[tuple[str, str], Public] | None = None) -> tuple[Step, ...]:
        """The `diff`. `made`: how those are shown that are new."""
        kept = [
            Step(one.type, one.logical_id, item.action, (made or {}).get((one.type, one.logical_id), item.public))
            for item in self.items
            for one in (item.declared,)
        ]
        return (*kept, *self.gone)


def plan(declared: Sequence[Declared], bound: Collection[Binding], there: There, *, preserve: bool) -> Plan:
    """`bound`: what the project has. `preserve`: what is not declared any more stays, and belongs to nobody."""
    here = {(one.type, one.logical_id): there.get(one.type, {}).get(one.resource) for one in bound}
    items: list[Item] = []
    for one in sorted(declared, key=lambda one: TYPES.index(one.type)):
        if one.member:
            known = here.get((one.type, one.logical_id))
            what = Action.CREATE if known is None else Action.UPDATE
            items.append(Item(one, what, known.name if known else "", known.public if known else None))
    wanted = {(one.type, one.logical_id) for one in declared if one.member}
    action = Action.DETACH if preserve else Action.DELETE
    unbound = [one for one in bound if (one.type, one.logical_id) not in wanted]
    left = [(old, known) for old in unbound if (known := here[old.type, old.logical_id]) is not None]
    removed: dict[str, list[Here]] = {}
    for old, known in left:
        if not preserve:
            removed.setdefault(old.type, []).append(known)
    gone = tuple(Step(old.type, old.logical_id, action, known.public) for old, known in left)
    return Plan(tuple(items), gone, tuple(unbound), removed)
