"""Whom to tell: destinations, the lists that name them, and channels that hold what a destination needs.

A destination is written "prefix:target", such as "webhook:https://example.org/hook" or "webhook:ops", where "ops" is
the key of a channel. An alert policy names destinations or keys of lists.
"""

import enum
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import msgspec

from tocsin.domain import errors
from tocsin.domain.instant import Instant

DEFAULT_LIST: Final = "default"  # of each project; told where an alert policy names nobody
WEBHOOK: Final = "webhook"  # what this server can deliver to
PREFIXES: Final = frozenset(
    (
        *("email", "sms", "phone", "slack", "pagerduty", "opsgenie", "victorops", "microsoft-teams", "discord"),
        *("telegram", "gchat", "larksuite", WEBHOOK, "datadog-on-call", "slack-app"),
    )
)
"""Those that the shared nouns know by name. Others are stored too: what cannot be delivered says so, see `notice`."""

DESTINATIONS_MAX: Final = 100
DESTINATION_MAX: Final = 1_000  # characters
ENVIRONMENTS_MAX: Final = 100
NAME_MAX: Final = 200
URL_MAX: Final = 2_000
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "HEAD", "DELETE", "OPTIONS")
TEMPLATE_MAX: Final = 100_000  # characters
PAIRS_MAX: Final = 100
PAIR_MAX: Final = 10_000  # characters of a key or a value
FORM_MAX: Final = 200_000  # characters of a form: its template and all its pairs
CONFIG_MAX: Final = 20_000  # bytes
_PREFIX: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_SCHEMES: Final = ("http", "https")


class Keyed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A noun of a project that is found by its key."""

    number: int  # identity inside the store
    project: int
    key: str
    create_time: Instant = 0
    update_time: Instant = 0
    display_name: str = ""


class NotificationList(Keyed, frozen=True, omit_defaults=True):
    """A named set of destinations. Its key is what alert policies name."""

    destinations: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()  # told about these only; none: about all


class ChannelKind(enum.Enum):
    """How a channel is spoken to; stored, and the prefix of its destinations."""

    WEBHOOK = WEBHOOK
    EMAIL = "email"
    SLACK = "slack"
    SLACK_APP = "slack-app"
    SMS = "sms"
    PHONE = "phone"
    PAGERDUTY = "pagerduty"
    OPSGENIE = "opsgenie"


class Pair(msgspec.Struct, frozen=True, omit_defaults=True):
    """A header or a query parameter; both sides may be templates."""

    key: str
    value: str = ""
    locked: bool = False


class Form(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a webhook asks where its receiver wants more than our JSON in a POST. Texts are templates, not the method."""

    method: str = "POST"
    template: str = ""  # of the body; "": the variables as JSON
    headers: tuple[Pair, ...] = ()
    query: tuple[Pair, ...] = ()
    secret: str = ""  # signs the body; "": it is not signed
    receiver: str = ""  # what kind of receiver it is, in its dialect's words


def keeping(form: Form, known: Form, *, secret: bool) -> Form:
    """The form, with what readers are not shown as it was: values of locked pairs that are empty, found by their key.

    `secret`: whether the secret stays too. The receiver always does.
    """
    return msgspec.structs.replace(
        form,
        headers=_keeping(form.headers, known.headers),
        query=_keeping(form.query, known.query),
        secret=known.secret if secret else form.secret,
        receiver=known.receiver,
    )


def _keeping(pairs: Iterable[Pair], known: Iterable[Pair]) -> tuple[Pair, ...]:
    """A key that is there again and again: the first is the first, and so on."""
    values: dict[str, list[str]] = {}
    for pair in known:
        if pair.locked:
            values.setdefault(pair.key, []).append(pair.value)
    found = []
    for pair in pairs:
        value = values[pair.key].pop(0) if pair.locked and values.get(pair.key) else ""
        found.append(pair if pair.value else msgspec.structs.replace(pair, value=value))
    return tuple(found)


_NEEDED: Final = {  # of `Channel.config`, by kind
    ChannelKind.EMAIL: "address",
    ChannelKind.SLACK: "url",
    ChannelKind.SLACK_APP: "slackChannels",
    ChannelKind.SMS: "number",
    ChannelKind.PHONE: "number",
    ChannelKind.PAGERDUTY: "serviceKey",
    ChannelKind.OPSGENIE: "apiKey",
}


class Channel(Keyed, frozen=True, omit_defaults=True):
    """What a destination "<kind>:<key>" stands for."""

    kind: ChannelKind = ChannelKind.WEBHOOK
    url: str = ""
    form: Form | None = None  # of a webhook; None: our JSON in a POST
    config: dict[str, msgspec.Raw] = {}  # what the other kinds need to be spoken to, verbatim
    send_failure: bool = True
    send_recovery: bool = True
    auto_subscribe: bool = False  # monitors that are new become its subscribers
    extras: dict[str, msgspec.Raw] = {}  # by dialect: what no field here can say, kept verbatim

    @property
    def destination(self) -> str:
        """What stands for it where destinations are named."""
        return f"{self.kind.value}:{self.key}"


class Subscription(msgspec.Struct, frozen=True, omit_defaults=True):
    """A monitor, or all members of a group, whose news a channel gets. One of the two numbers is 0."""

    number: int  # identity inside the store; never reused
    project: int
    channel: int  # Channel.number
    monitor: int = 0  # Monitor.number
    group: int = 0  # Group.number
    active: bool = True


def parts(destination: str) -> tuple[str, str] | None:
    """Prefix and target; None: it is no destination, so the key of a list."""
    prefix, mark, target = destination.partition(":")
    if not mark or not target.strip() or not _PREFIX.fullmatch(prefix):
        return None
    return prefix, target.strip()


def split(text: str) -> list[str]:
    """One text that holds several destinations, joined by commas: only where each piece has a prefix that is known."""
    pieces = [piece.strip() for piece in text.split(",")]
    found = [parts(piece) for piece in pieces]
    if len(pieces) > 1 and all(piece is not None and piece[0] in PREFIXES for piece in found):
        return pieces
    return [text.strip()]


def check_list(found: NotificationList, field: str = "notification_list") -> None:
    """InvalidArgument names what is wrong below `field`."""
    _check_name(found.display_name, field)
    check_destinations(found.destinations, f"{field}.destinations")
    if len(found.environments) > ENVIRONMENTS_MAX:
        raise errors.invalid(f"{field}.environments", f"at most {ENVIRONMENTS_MAX}, not {len(found.environments)}")
    for index, environment in enumerate(found.environments):
        if not 0 < len(environment) <= NAME_MAX:
            raise errors.invalid(f"{field}.environments[{index}]", f"has 1 to {NAME_MAX} characters")


def check_channel(found: Channel, field: str = "channel") -> None:
    """InvalidArgument names what is wrong below `field`. Whether a template can be read is not asked here."""
    _check_name(found.display_name, field)
    if found.kind is ChannelKind.WEBHOOK:
        if found.form is None or "{{" not in found.url:
            check_url(found.url, f"{field}.url")
        elif len(found.url) > URL_MAX:
            raise errors.invalid(f"{field}.url", f"a URL has 1 to {URL_MAX} characters")
        if found.form is not None:
            _check_form(found.form, f"{field}.form")
        return
    if found.form is not None:
        raise errors.invalid(f"{field}.form", f"is of webhooks; this channel is of kind {found.kind.value}")
    if sum(len(name) + len(bytes(value)) for name, value in found.config.items()) > CONFIG_MAX:
        raise errors.invalid(f"{field}.config", f"at most {CONFIG_MAX} bytes")
    needed = _NEEDED[found.kind]
    value = msgspec.json.decode(found.config.get(needed, b'""'))
    if not isinstance(value, str | list) or not value:
        raise errors.invalid(f"{field}.config.{needed}", f"a channel of kind {found.kind.value} needs it")


def check_form_size(form: Form, field: str) -> None:
    """InvalidArgument: it is too long as a whole."""
    size = len(form.template) + sum(len(pair.key) + len(pair.value) for pair in (*form.headers, *form.query))
    if size > FORM_MAX:
        raise errors.invalid(field, f"at most {FORM_MAX} characters with all headers and parameters, not {size}")


def _check_form(form: Form, field: str) -> None:
    check_form_size(form, field)
    if form.method not in METHODS:
        raise errors.invalid(f"{field}.method", f"must be one of {', '.join(METHODS)}, not {form.method[:20]!r}")
    for name, text, most in (("template", form.template, TEMPLATE_MAX), ("secret", form.secret, PAIR_MAX)):
        if len(text) > most:
            raise errors.invalid(f"{field}.{name}", f"at most {most} characters, not {len(text)}")
    for name, pairs in (("headers", form.headers), ("query", form.query)):
        if len(pairs) > PAIRS_MAX:
            raise errors.invalid(f"{field}.{name}", f"at most {PAIRS_MAX}, not {len(pairs)}")
        for index, pair in enumerate(pairs):
            if not pair.key:
                raise errors.invalid(f"{field}.{name}[{index}].key", "must not be empty")
            if max(len(pair.key), len(pair.value)) > PAIR_MAX:
                raise errors.invalid(f"{field}.{name}[{index}]", f"at most {PAIR_MAX} characters each")


def check_destinations(destinations: Iterable[str], field: str) -> None:
    """Each "prefix:target"; a webhook's target is a URL or the key of a channel."""
    found = tuple(destinations)
    if len(found) > DESTINATIONS_MAX:
        raise errors.invalid(field, f"at most {DESTINATIONS_MAX}, not {len(found)}")
    for index, destination in enumerate(found):
        path = f"{field}[{index}]"
        if len(destination) > DESTINATION_MAX:
            raise errors.invalid(path, f"at most {DESTINATION_MAX} characters, not {len(destination)}")
        pair = parts(destination)
        if pair is None:
            raise errors.invalid(
                path, f"{destination[:80]!r} is not of the form prefix:target, such as webhook:https://example.org/"
            )
        if pair[0] == WEBHOOK and "://" in pair[1]:
            check_url(pair[1], path)


def check_url(url: str, field: str) -> None:
    """Of http or https, with a host; no user name, because that would travel in headers nobody asked for."""
    if not url or len(url) > URL_MAX:
        raise errors.invalid(field, f"a URL has 1 to {URL_MAX} characters")
    try:
        split_url = urlsplit(url)
        _ = split_url.port
    except ValueError as error:
        raise errors.invalid(field, f"{url[:80]!r} is no URL: {error}") from None
    if split_url.scheme not in _SCHEMES or not split_url.hostname or any(ord(letter) <= 0x20 for letter in url):
        raise errors.invalid(field, f"{url[:80]!r} is not of the form https://host/path")
    if split_url.username is not None or split_url.password is not None:
        raise errors.invalid(field, "must not hold a user name or a password")


def _check_name(name: str, field: str) -> None:
    if len(name) > NAME_MAX:
        raise errors.invalid(f"{field}.display_name", f"at most {NAME_MAX} characters, not {len(name)}")
