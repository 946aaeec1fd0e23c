"""What a channel needs to be spoken to: Checkly's `config` of each type, and the channel of the domain."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from tocsin.dialects.checkly.resources.fields import Fields
from tocsin.domain.notification import (
    METHODS,
    NAME_MAX,
    PAIR_MAX,
    PAIRS_MAX,
    TEMPLATE_MAX,
    URL_MAX,
    Channel,
    ChannelKind,
    Form,
    Pair,
    check_url,
)

TYPES: Final = {
    "EMAIL": ChannelKind.EMAIL,
    "SLACK": ChannelKind.SLACK,
    "SLACK_APP": ChannelKind.SLACK_APP,
    "WEBHOOK": ChannelKind.WEBHOOK,
    "SMS": ChannelKind.SMS,
    "CALL": ChannelKind.PHONE,
    "PAGERDUTY": ChannelKind.PAGERDUTY,
    "OPSGENIE": ChannelKind.OPSGENIE,
}
RECEIVERS: Final = tuple(
    f"WEBHOOK_{name}"
    for name in (
        *("CORALOGIX", "DISCORD", "FIREHYDRANT", "GITLAB_ALERT", "ILERT", "INCIDENTIO"),
        *("MSTEAMS", "ROOTLY", "SPIKESH", "SPLUNK", "TELEGRAM"),
    )
)
SECRETS: Final = ("webhookSecret", "serviceKey", "apiKey")
"""Members of a `config` that are shown to keys that may write, and to nobody else."""
HIDDEN: Final = "***"
_PAIRS: Final = ("headers", "queryParameters")
_SECRET_MAX: Final = 1_000
_ADDRESS: Final = re.compile(r"[^@\s]{1,256}@[^@\s]{1,255}")
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")  # E.164
_KINDS: Final = {kind: name for name, kind in TYPES.items()}
_REGIONS: Final = ("US", "EU")
_PRIORITIES: Final = ("P1", "P2", "P3", "P4", "P5")

Values = dict[str, Any]
"""Fields of `Channel`."""


def type_of(channel: Channel) -> str:
    return _KINDS[channel.kind]


def read(kind: str, config: Fields) -> Values:
    """`url`, `form`, `config` and `display_name` of a channel of one of `TYPES`; InvalidArgument names the member."""
    blank: Values = {"kind": TYPES[kind], "url": "", "form": None, "config": {}, "display_name": ""}
    return {**blank, **_READERS[kind](config)}


def show(channel: Channel, *, secrets: bool) -> dict[str, Any]:
    """`secrets`: whether the reader may see them."""
    if channel.kind is ChannelKind.WEBHOOK:
        found = _webhook_json(channel)
    else:
        found = {name: msgspec.json.decode(raw) for name, raw in channel.config.items()}
        found = {**dict.fromkeys(_MEMBERS[type_of(channel)]), **found}
    if secrets:
        return found
    bearer = channel.kind is ChannelKind.SLACK  # whoever knows the URL may post
    return {name: HIDDEN if bearer and name == "url" else _hidden(name, value) for name, value in found.items()}


def _hidden(name: str, value: Any) -> Any:
    if name in _PAIRS:  # they carry tokens as often as not
        return [{**pair, "value": HIDDEN} if pair["locked"] else pair for pair in value]
    return HIDDEN if name in SECRETS and value else value


def _email(config: Fields) -> Values:
    address = config.required("address", 320).strip()
    if not _ADDRESS.fullmatch(address):
        raise config.wrong("address", f"{address[:60]!r} is no address of the form name@example.org")
    return _plain({"address": address}, address)


def _slack(config: Fields) -> Values:
    url = config.required("url", URL_MAX).strip()
    check_url(url, config.at("url"))
    channel = config.text("channel", NAME_MAX)
    return _plain({"url": url, "channel": channel}, channel or "")


def _slack_app(config: Fields) -> Values:
    channels = config.texts("slackChannels", count=100, most=NAME_MAX)
    if not channels:
        raise config.wrong("slackChannels", "names at least one channel")
    return _plain({"slackChannels": channels}, channels[0])


def _phone(config: Fields) -> Values:
    number = re.sub(r"[\s().-]", "", config.required("number", 40))
    if not _NUMBER.fullmatch(number):
        raise config.wrong("number", f"{number[:40]!r} is no number in international form, such as +15550001111")
    name = config.text("name", NAME_MAX)
    return _plain({"number": number, "name": name}, name or number)


def _pagerduty(config: Fields) -> Values:
    key = _secret(config, "serviceKey")
    account, name = config.text("account", NAME_MAX), config.text("serviceName", NAME_MAX)
    return _plain({"account": account, "serviceName": name, "serviceKey": key}, name or account or "")


def _opsgenie(config: Fields) -> Values:
    found = {
        "name": config.text("name", NAME_MAX),
        "apiKey": _secret(config, "apiKey"),
        "region": config.choice("region", _REGIONS),
        "priority": config.choice("priority", _PRIORITIES),
    }
    return _plain(found, found["name"] or "")


def _plain(members: Mapping[str, Any], name: str) -> Values:
    kept = {member: msgspec.Raw(msgspec.json.encode(value)) for member, value in members.items() if value is not None}
    return {"config": kept, "display_name": name[:NAME_MAX]}


def _webhook(config: Fields) -> Values:
    form = Form(
        method=config.choice("method", METHODS) or "POST",
        template=config.text("template", TEMPLATE_MAX) or "",
        headers=_pairs(config, "headers"),
        query=_pairs(config, "queryParameters"),
        secret=_secret(config, "webhookSecret", needed=False),
        receiver=config.choice("webhookType", ("", *RECEIVERS)) or "",
    )
    return {
        "url": config.required("url", URL_MAX),
        "form": form,
        "display_name": config.text("name", NAME_MAX) or "",
    }


def _secret(config: Fields, name: str, *, needed: bool = True) -> str:
    text = config.required(name, _SECRET_MAX) if needed else config.text(name, _SECRET_MAX) or ""
    return _not_hidden(config, name, text)


def _not_hidden(config: Fields, name: str, text: str) -> str:
    """Who sends back what a key without a right to write was shown would put that in the place of the secret."""
    if text == HIDDEN:
        raise config.wrong(name, f"{HIDDEN} is what keys that may not write are shown; send the value itself")
    return text


def _pairs(config: Fields, name: str) -> tuple[Pair, ...]:
    found = config.objects(name, count=PAIRS_MAX) or ()
    pairs = [_pair(pair) for pair in found]
    return tuple(pair for pair in pairs if pair.key or pair.value)  # forms send an empty row


def _pair(said: Fields) -> Pair:
    value, locked = said.text("value", PAIR_MAX) or "", said.flag("locked") or False
    return Pair(said.text("key", PAIR_MAX) or "", _not_hidden(said, "value", value) if locked else value, locked)


def _webhook_json(channel: Channel) -> dict[str, Any]:
    form = channel.form or Form()
    return {
        "name": channel.display_name,
        "url": channel.url,
        "method": form.method,
        "template": form.template or None,
        "headers": [_pair_json(pair) for pair in form.headers],
        "queryParameters": [_pair_json(pair) for pair in form.query],
        "webhookSecret": form.secret or None,
        "webhookType": form.receiver or None,
    }


def _pair_json(pair: Pair) -> dict[str, Any]:
    return {"key": pair.key, "value": pair.value, "locked": pair.locked}


_READERS: Final[dict[str, Callable[[Fields], Values]]] = {
    "EMAIL": _email,
    "SLACK": _slack,
    "SLACK_APP": _slack_app,
    "WEBHOOK": _webhook,
    "SMS": _phone,
    "CALL": _phone,
    "PAGERDUTY": _pagerduty,
    "OPSGENIE": _opsgenie,
}
_MEMBERS: Final[dict[str, tuple[str, ...]]] = {
    "EMAIL": ("address",),
    "SLACK": ("url", "channel"),
    "SLACK_APP": ("slackChannels",),
    "SMS": ("number", "name"),
    "CALL": ("number", "name"),
    "PAGERDUTY": ("account", "serviceName", "serviceKey"),
    "OPSGENIE": ("name", "apiKey", "region", "priority"),
}
