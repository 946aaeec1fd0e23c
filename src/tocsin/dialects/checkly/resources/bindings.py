"""Which deployed project a resource belongs to, as every reader shows it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from tocsin.service.principal import Principal

NOBODYS: Final[Mapping[str, Any]] = {"owner": None, "references": []}


class Bindings(Protocol):
    async def shown(self, principal: Principal, kind: str, resources: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """`projectBindings` of each of these resources of a kind ("alert-channel"), by the names they have here."""


class Unbound:
    """Where nothing was deployed."""

    async def shown(
        self,
        principal: Principal,  # noqa: ARG002 - whoever asks
        kind: str,  # noqa: ARG002
        resources: Sequence[str],
    ) -> Mapping[str, Mapping[str, Any]]:
        return dict.fromkeys(resources, NOBODYS)
