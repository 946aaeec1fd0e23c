"""Who is meant: destinations out of what an alert policy names."""

from collections.abc import Iterable, Mapping
from typing import Final

from tocsin.domain.notification import DEFAULT_LIST, PREFIXES, WEBHOOK, NotificationList, parts

SUPPORTED: Final = frozenset((WEBHOOK,))  # prefixes that something here can deliver to


def destinations(named: Iterable[str], lists: Mapping[str, NotificationList], environment: str) -> tuple[str, ...]:
    """Each once, in the order they are named. Nobody named, or a list that is gone: the default list."""
    found: dict[str, None] = {}
    for name in tuple(named) or (DEFAULT_LIST,):
        if parts(name) is not None:
            found[name] = None
            continue
        known = lists.get(name, lists.get(DEFAULT_LIST))
        if known is not None and (not known.environments or environment in known.environments):
            found.update(dict.fromkeys(known.destinations))
    return tuple(found)


def kind_of(destination: str) -> str:
    """The prefix, as metrics show it: "other" for what nobody knows."""
    pair = parts(destination)
    return pair[0] if pair is not None and pair[0] in PREFIXES else "other"


def is_supported(destination: str) -> bool:
    pair = parts(destination)
    return pair is not None and pair[0] in SUPPORTED
