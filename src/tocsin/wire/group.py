"""Group ⇄ the group of the domain: what a client writes is its fields by name."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from tocsin.domain import names
from tocsin.domain.group import Group
from tocsin.domain.instant import NEVER, Instant
from tocsin.v1 import group_pb2 as pb
from tocsin.v1 import group_service_pb2 as service_pb
from tocsin.wire.escalation import from_escalation, to_escalation
from tocsin.wire.nouns import expiry, paths
from tocsin.wire.time import from_instant, to_millis

_READERS: Final[dict[str, Callable[[pb.Group], Any]]] = {
    "display_name": lambda message: message.display_name,
    "tags": lambda message: tuple(message.tags),
    "muted": lambda message: message.muted,
    "escalation": lambda message: (
        to_escalation(message.escalation, "group.escalation") if message.HasField("escalation") else None
    ),
    "project_escalation": lambda message: (
        message.project_escalation if message.HasField("project_escalation") else None
    ),
}


def to_values(message: pb.Group, mask: Iterable[str] = ()) -> dict[str, Any]:
    """The fields that a request writes; one that is named and not set is emptied."""
    return {path: _READERS[path](message) for path in paths(message, mask, tuple(_READERS))}


def from_group(group: Group, monitors: int) -> pb.Group:
    """The resource as a client reads it; `monitors`: how many are in it."""
    return pb.Group(
        name=names.group_name(group.project, group.key),
        display_name=group.display_name,
        monitor_count=monitors,
        number=group.number,
        create_time=from_instant(group.create_time),
        update_time=from_instant(group.update_time),
        tags=group.tags,
        muted=group.muted,
        inactive=group.inactive,
        escalation=from_escalation(group.escalation),
        project_escalation=group.project_escalation,
    )


def to_muted_until(request: service_pb.MuteGroupRequest, now: Instant) -> Instant:
    """Until when MuteGroup mutes. InvalidArgument when that would be over already."""
    if request.HasField("mute_duration"):
        return now + to_millis(request.mute_duration, "mute_duration", least=1)
    return expiry(request.expire_time, now) if request.HasField("expire_time") else NEVER
