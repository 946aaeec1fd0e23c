"""NotificationList and Channel ⇄ those of the domain. Structure only: what they may hold is the domain's to say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from tocsin.domain import errors, names
from tocsin.domain.notification import Channel, ChannelKind, Form, NotificationList, Pair
from tocsin.v1 import channel_pb2, notification_list_pb2
from tocsin.wire.enums import Names
from tocsin.wire.time import from_instant

CHANNEL_KINDS: Final = Names(
    channel_pb2.Channel.Kind,
    {
        channel_pb2.Channel.KIND_UNSPECIFIED: ChannelKind.WEBHOOK,
        channel_pb2.Channel.KIND_WEBHOOK: ChannelKind.WEBHOOK,
        channel_pb2.Channel.KIND_EMAIL: ChannelKind.EMAIL,
        channel_pb2.Channel.KIND_SLACK: ChannelKind.SLACK,
        channel_pb2.Channel.KIND_SLACK_APP: ChannelKind.SLACK_APP,
        channel_pb2.Channel.KIND_SMS: ChannelKind.SMS,
        channel_pb2.Channel.KIND_PHONE: ChannelKind.PHONE,
        channel_pb2.Channel.KIND_PAGERDUTY: ChannelKind.PAGERDUTY,
        channel_pb2.Channel.KIND_OPSGENIE: ChannelKind.OPSGENIE,
    },
)
Reader = Callable[[Any, str], Any]  # (value of the field, its path) → value of the domain


def _same(value: Any, _path: str) -> Any:
    return value


def _texts(value: Any, _path: str) -> tuple[str, ...]:
    return tuple(value)


def _form(message: channel_pb2.Form, _path: str) -> Form:
    return Form(
        method=message.method or "POST",
        template=message.template,
        headers=_to_pairs(message.headers),
        query=_to_pairs(message.query_parameters),
        secret=message.secret,
    )


def _to_pairs(messages: Iterable[channel_pb2.Form.Pair]) -> tuple[Pair, ...]:
    return tuple(Pair(one.key, one.value, one.locked) for one in messages)


def _from_pairs(pairs: Iterable[Pair]) -> list[channel_pb2.Form.Pair]:
    """Without the values of those that are locked."""
    return [
        channel_pb2.Form.Pair(key=one.key, value="" if one.locked else one.value, locked=one.locked) for one in pairs
    ]


_LIST: Final[dict[str, Reader]] = {"display_name": _same, "destinations": _texts, "environments": _texts}
_CHANNEL: Final[dict[str, Reader]] = {
    "display_name": _same,
    "kind": CHANNEL_KINDS.to_domain,
    "url": _same,
    "form": _form,
    "send_failure": _same,
    "send_recovery": _same,
    "auto_subscribe": _same,
}
_UNSET: Final = {"form": None, "send_failure": True, "send_recovery": True}  # what fields with presence are without it


def to_list_values(message: notification_list_pb2.NotificationList, mask: Iterable[str] = ()) -> dict[str, Any]:
    """The fields that a request writes, by name; without a mask those that are set."""
    return _values(message, list(mask), _LIST, "notification_list")


def to_channel_values(message: channel_pb2.Channel, mask: Iterable[str] = ()) -> dict[str, Any]:
    """The fields that a request writes, by name; without a mask those that are set."""
    return _values(message, list(mask), _CHANNEL, "channel")


def keeps_secret(message: channel_pb2.Channel) -> bool:
    """Whether the form that a request writes leaves the secret as it is."""
    return message.HasField("form") and not message.form.HasField("secret")


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
        there = not message.DESCRIPTOR.fields_by_name[path].has_presence or message.HasField(path)
        found[path] = fields[path](getattr(message, path), f"{field}.{path}") if there else _UNSET[path]
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
        form=None if found.form is None else _from_form(found.form),
        send_failure=found.send_failure,
        send_recovery=found.send_recovery,
        auto_subscribe=found.auto_subscribe,
    )


def _from_form(form: Form) -> channel_pb2.Form:
    """Without its secrets."""
    return channel_pb2.Form(
        method=form.method,
        template=form.template,
        headers=_from_pairs(form.headers),
        query_parameters=_from_pairs(form.query),
        receiver=form.receiver,
    )
