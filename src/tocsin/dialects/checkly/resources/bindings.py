"""Which deployed project a resource belongs to, as every reader shows it."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final, Protocol

from tocsin.domain.deployment import Owner
from tocsin.service.principal import Principal

NOBODYS: Final[Mapping[str, Any]] = {"owner": None, "references": []}


class Owners(Protocol):
    def owners(self, project: int, type: str, resources: Collection[str]) -> dict[str, Owner]:
        """By resource, those of these that a program declares. Blocks."""


class Bindings:
    def __init__(self, owners: Owners) -> None:
        self._owners = owners

    async def shown(
        self, principal: Principal, kind: str, resources: Collection[str]
    ) -> Mapping[str, Mapping[str, Any]]:
        """`projectBindings` of each of these resources of a kind ("alert-channel"): numbers, or uids of checks."""
        owned = await asyncio.to_thread(self._owners.owners, principal.project.number, kind, resources)
        return {resource: shown(owned.get(resource)) for resource in resources}


def shown(owner: Owner | None) -> Mapping[str, Any]:
    if owner is None:
        return NOBODYS
    program = owner.program
    project = {
        "id": program.id,
        "logicalId": program.namespace,
        "name": program.display_name or program.namespace,
    }
    return {
        "owner": {"project": project, "binding": {"logicalId": owner.logical_id, "pending": False}},
        "references": [],
    }
