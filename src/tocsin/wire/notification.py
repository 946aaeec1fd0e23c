"""NotificationList and Channel ⇄ those of the domain. Structure only: what they may hold is the domain's to say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from tocsin.domain import errors, names
from tocsin.domain.notification import Channel, ChannelKind, NotificationList
from tocsin.v1 import channel_pb2, notification_list_pb2
from tocsin.wire.enums import Names
from tocsin.wire.time import from_instant

CHANNEL_KINDS: Final = Names(
    channel_pb2.Channel.Kind,
    {
        channel_pb2.Channel.KIND_UNSPECIFIED: ChannelKind.WEBHOOK,
        channel_pb2.Channel.KIND_WEBHOOK: ChannelKind.WEBHOOK,
    },
)
Reader = Callable[[Any, str], Any]  # (value of the field, its path) → value of the domain


def _same(value: Any, _path: str) -> Any:
    return value


def _texts(value: Any, _path: str) -> tuple[str, ...]:
    return tuple(value)


_LIST: Final[dict[str, Reader]] = {"display_name": _same, "destinations": _texts, "environments": _texts}
_CHANNEL: Final[dict[str, Reader]] = {"display_name": _same, "kind": CHANNEL_KINDS.to_domain, "url": _same}


def to_list_values(message: notification_list_pb2.NotificationList, mask: Iterable[str] = ()) -> dict[str, Any]:
    """The fields that a request writes, by name; without a mask those that are set."""
    return _values(message, list(mask), _LIST, "notification_list")


def to_channel_values(message: channel_pb2.Channel, mask: Iterable[str] = ()) -> dict[str, Any]:
    """The fields that a request writes, by name; without a mask those that are set."""
    return _values(message, list(mask), _CHANNEL, "channel")


def _values(message: Any, mask: Sequence[str], fields: Mapping[str, Reader], field: str) -> dict[str, Any]:
    if not mask:
        mask = [descriptor.name for descriptor, _ in message.ListFields() if descriptor.name in fields]
    elif "*" in mask:
        if len(mask) > 1:
            raise errors.invalid("update_mask", "'*' means all fields and stands alone")
        mask = list(fields)
    found = {}
    for path in mask:
        if path in ("number", "create_time", "update_time"):
            raise errors.invalid("update_mask", f"{path!r} is output only")
        if path == "name":
            continue
        if path not in fields:
            raise errors.invalid("update_mask", f"{path[:80]!r} is no field of {message.DESCRIPTOR.name}")
        found[path] = fields[path](getattr(message, path), f"{field}.{path}")
    return found


def from_list(found: NotificationList) -> notification_list_pb2.NotificationList:
    """The resource as a client reads it."""
    return notification_list_pb2.NotificationList(
        name=names.notification_list_name(found.project, found.key),
        display_name=found.display_name,
        destinations=found.destinations,
        environments=found.environments,
        number=found.number,
        create_time=from_instant(found.create_time),
        update_time=from_instant(found.update_time),
    )


def from_channel(found: Channel) -> channel_pb2.Channel:
    """The resource as a client reads it."""
    return channel_pb2.Channel(
        name=names.channel_name(found.project, found.key),
        display_name=found.display_name,
        kind=CHANNEL_KINDS.from_domain(found.kind),
        url=found.url,
        number=found.number,
        create_time=from_instant(found.create_time),
        update_time=from_instant(found.update_time),
    )
