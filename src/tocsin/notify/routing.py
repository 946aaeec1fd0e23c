"""Who is meant: destinations out of what an alert policy names."""

from collections.abc import Iterable, Mapping
from typing import Final

from tocsin.domain.notification import DEFAULT_LIST, PREFIXES, WEBHOOK, NotificationList, parts

SUPPORTED: Final = frozenset((WEBHOOK,))  # prefixes that something here can deliver to


def destinations(
    named: Iterable[str], lists: Mapping[str, NotificationList], environment: str, subscribed: Iterable[str] = ()
) -> tuple[str, ...]:
    """Each once: those named, in their order, then the subscribers. Nobody, or a list gone: the default list."""
    found: dict[str, None] = {}
    hearing = tuple(subscribed)
    for name in tuple(named) or (() if hearing else (DEFAULT_LIST,)):
        if parts(name) is not None:
            found[name] = None
            continue
        known = lists.get(name, lists.get(DEFAULT_LIST))
        if known is not None and (not known.environments or environment in known.environments):
            found.update(dict.fromkeys(known.destinations))
    found.update(dict.fromkeys(hearing))
    return tuple(found)


def kind_of(destination: str) -> str:
    """The prefix, as metrics show it: "other" for what nobody knows."""
    pair = parts(destination)
    return pair[0] if pair is not None and pair[0] in PREFIXES else "other"


def unsupported(destination: str) -> str:
    """Why nothing here can deliver to it; "": something can."""
    pair = parts(destination)
    if pair is not None and pair[0] in SUPPORTED:
        return ""
    kind = f"destinations of kind {pair[0]}" if pair is not None else "such a destination"
    return f"this server cannot deliver to {kind}; a webhook can reach what does"
