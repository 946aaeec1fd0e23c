"""Alert channels: the body of a request as fields of the domain's channel, and the channel as Checkly shows it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from tocsin.dialects.checkly.call import DIALECT
from tocsin.dialects.checkly.ids import dashed
from tocsin.dialects.checkly.resources import channel_config
from tocsin.dialects.checkly.resources.channel_config import TYPES, Values
from tocsin.dialects.checkly.resources.fields import Fields
from tocsin.dialects.checkly.times import iso
from tocsin.domain import errors
from tocsin.domain.notification import Channel
from tocsin.store.members import Subscriber

THRESHOLD_MAX: Final = 30  # days
_FLAGS: Final = {  # a client's → the domain's
    "sendFailure": "send_failure",
    "sendRecovery": "send_recovery",
    "autoSubscribe": "auto_subscribe",
}


class Kept(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What the domain has no field for: heartbeats neither degrade nor have certificates."""

    send_degraded: bool = False
    ssl_expiry: bool = False
    ssl_expiry_threshold: int = THRESHOLD_MAX


def read(payload: Any, known: Channel | None = None) -> Values:
    """What a request says, as fields of `Channel`; InvalidArgument names the member.

    What it does not say stays; of a new channel it is the default. A `config` that is said replaces the whole.
    """
    body = Fields(payload)
    kind = body.choice("type", TYPES)
    if known is None and kind is None:
        raise body.wrong("type", f"is required: one of {', '.join(TYPES)}")
    found: Values = {}
    config = body.object("config")
    if config is not None:
        found |= channel_config.read(kind or channel_config.type_of(_there(known)), config)
    elif known is None or (kind is not None and kind != channel_config.type_of(known)):
        raise body.wrong("config", "is required: what a channel of this type needs to be reached")
    for name, field in _FLAGS.items():
        flag = body.flag(name)
        if flag is not None:
            found[field] = flag
    kept = kept_of(known)
    changed = msgspec.structs.replace(
        kept,
        send_degraded=_or(body.flag("sendDegraded"), kept.send_degraded),
        ssl_expiry=_or(body.flag("sslExpiry"), kept.ssl_expiry),
        ssl_expiry_threshold=_or(body.whole("sslExpiryThreshold", 1, THRESHOLD_MAX), kept.ssl_expiry_threshold),
    )
    if known is None or changed != kept:
        found["extras"] = {DIALECT: msgspec.Raw(msgspec.json.encode(changed))}
    return found


def kept_of(channel: Channel | None) -> Kept:
    raw = channel.extras.get(DIALECT) if channel else None
    return msgspec.json.decode(raw, type=Kept) if raw else Kept()


def show(
    channel: Channel,
    subscriptions: Iterable[Mapping[str, Any]],
    bindings: Mapping[str, Any],
    *,
    secrets: bool,
) -> dict[str, Any]:
    """`subscriptions` as `subscriber_json` has them; `secrets`: whether the reader may see those of the config."""
    kept = kept_of(channel)
    changed = channel.update_time != channel.create_time
    return {
        "id": channel.number,
        "type": channel_config.type_of(channel),
        "config": channel_config.show(channel, secrets=secrets),
        "subscriptions": list(subscriptions),
        "sendRecovery": channel.send_recovery,
        "sendFailure": channel.send_failure,
        "sendDegraded": kept.send_degraded,
        "sslExpiry": kept.ssl_expiry,
        "sslExpiryThreshold": kept.ssl_expiry_threshold,
        "autoSubscribe": channel.auto_subscribe,
        "created_at": iso(channel.create_time),
        "updated_at": iso(channel.update_time) if changed else None,
        "projectBindings": bindings,
    }


def subscriber_json(one: Subscriber) -> dict[str, Any]:
    return {
        "id": one.number,
        "checkId": dashed(one.uid) or None,
        "groupId": one.group or None,
        "activated": one.active,
    }


def _there(known: Channel | None) -> Channel:
    if known is None:
        raise errors.invalid("type", "is required")
    return known


def _or(said: Any, known: Any) -> Any:
    return known if said is None else said
