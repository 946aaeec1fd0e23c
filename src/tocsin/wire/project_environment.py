"""ProjectEnvironment ⇄ the environment of the domain. What a client writes is its fields by name."""

from collections.abc import Iterable
from typing import Any, Final

from tocsin.domain import names
from tocsin.domain.environment import ProjectEnvironment
from tocsin.v1 import project_environment_pb2 as pb
from tocsin.wire.nouns import paths
from tocsin.wire.time import from_instant

_BLANK: Final = ProjectEnvironment(0, 0, "")
_WRITABLE: Final = ("display_name", "with_alerts")


def to_values(message: pb.ProjectEnvironment, mask: Iterable[str] = ()) -> dict[str, Any]:
    """The fields that a request writes; one that is named and not set goes back to its default."""
    found: dict[str, Any] = {}
    for path in paths(message, mask, _WRITABLE):
        unset = path == "with_alerts" and not message.HasField("with_alerts")
        found[path] = getattr(_BLANK if unset else message, path)
    return found


def from_environment(environment: ProjectEnvironment, monitors: int) -> pb.ProjectEnvironment:
    """The resource as a client reads it; `monitors`: how many have reported from it."""
    decided = environment.number != 0
    return pb.ProjectEnvironment(
        name=names.environment_name(environment.project, environment.key),
        display_name=environment.display_name,
        with_alerts=environment.with_alerts,
        default=environment.default,
        monitor_count=monitors,
        number=environment.number,
        create_time=from_instant(environment.create_time) if decided else None,
        update_time=from_instant(environment.update_time) if decided else None,
    )
