"""What a deployment knows of resources while it goes on: what each logical id is here, as soon as that is known.

Payloads name other resources by `{"ref": "<logical id>"}`, before or after these are declared.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tocsin.dialects.checkly.deploy.declared import CHANNEL, CHECK, GROUP, Declared
from tocsin.domain.errors import invalid

Public = int | str
REFERENCES: Final = {"groupId": GROUP, "alertChannelId": CHANNEL, "checkId": CHECK}
"""Members of a payload that may be references, and to which type of resource."""


class Known(NamedTuple):
    """A resource that is here, or will be."""

    name: str  # its id or key
    public: Public | None  # a UUID with dashes, or a number; None: it is not made yet
    declared: Declared | None = None  # None: it is no member of the project


class World:
    """By type and logical id."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace  # of the program
        self._known: dict[tuple[str, str], Known] = {}
        self.read: dict[str, dict[str, Any]] = {}  # payloads of checks, read, by logical id

    def put(self, type: str, logical_id: str, known: Known) -> None:
        self._known[type, logical_id] = known

    def made(self, type: str, logical_id: str, public: Public) -> None:
        """It is here now."""
        self._known[type, logical_id] = self._known[type, logical_id]._replace(public=public)

    def get(self, type: str, logical_id: str) -> Known:
        return self._known[type, logical_id]

    def referred(self, payload: Mapping[str, Any], name: str) -> Known | None:
        """What a member of a payload refers to; None: it holds no reference. InvalidArgument: there is no such."""
        value = payload.get(name)
        if not isinstance(value, Mapping):
            return None
        wanted, logical_id = REFERENCES[name], value.get("ref")
        if not isinstance(logical_id, str):
            raise invalid(name, 'a reference is {"ref": "<logical id>"}')
        known = self._known.get((wanted, logical_id))
        if known is None:
            raise invalid(name, f"the project declares no {wanted} {logical_id[:200]!r}")
        return known


def resolved(world: World, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload with what its references stand for; None where that is not made yet."""
    found = dict(payload)
    for name in REFERENCES:
        known = world.referred(payload, name)
        if known is not None:
            found[name] = known.public
    return found
