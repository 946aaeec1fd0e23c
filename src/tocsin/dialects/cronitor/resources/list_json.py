"""A notification list as Cronitor writes it: destinations by the way they go, in lists. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tocsin.dialects.cronitor.resources import shown
from tocsin.dialects.cronitor.resources.query import wrong
from tocsin.domain.monitor import Monitor
from tocsin.domain.notification import DEFAULT_LIST, PREFIXES, NotificationList, parts
from tocsin.store.browse_port import Told

_PLURALS: Final = {"email": "emails", "phone": "phones", "webhook": "webhooks"}  # the others are as their prefixes
_PREFIX_OF: Final = {plural: prefix for prefix, plural in _PLURALS.items()} | {prefix: prefix for prefix in PREFIXES}
_FIRST: Final = ("emails", "phones", "slack", "pagerduty", "webhooks")
_NAMES: Final = (*_FIRST, *sorted({_PLURALS.get(prefix, prefix) for prefix in PREFIXES} - set(_FIRST)))


def list_json(found: NotificationList, monitors: Iterable[str]) -> dict[str, Any]:
    """`monitors`: keys of those that tell it."""
    by_name: dict[str, list[str]] = {name: [] for name in _NAMES}
    for destination in found.destinations:
        prefix, target = parts(destination) or ("", destination)
        by_name.setdefault(_PLURALS.get(prefix, prefix), []).append(target)
    return {
        "key": found.key,
        "name": found.display_name or found.key,
        "notifications": by_name,
        "environments": list(found.environments),
        "monitors": list(monitors),
        "status": "ok",
        "created": shown.iso(found.create_time),
    }


def destinations_of(value: Any) -> tuple[str, ...]:
    """Of {"emails": [...], "webhook": "..."}: "prefix:target" each. Invalid names the field below `notifications`."""
    if not isinstance(value, dict):
        raise wrong("notifications", "must be a hash of lists")
    found: dict[str, None] = {}
    for name, targets in value.items():
        field = f"notifications.{name[:40]}"
        prefix = _PREFIX_OF.get(name)
        if prefix is None:
            raise wrong(field, f"is none of {', '.join(_NAMES)}")
        some = [targets] if isinstance(targets, str) else targets or []
        if not isinstance(some, list) or not all(isinstance(target, str) for target in some):
            raise wrong(field, "must be a list of texts")
        found |= {f"{prefix}:{target.strip()}": None for target in some if target.strip()}
    return tuple(found)


def users(told: Iterable[Told]) -> Mapping[str, list[str]]:
    """By the key of a list the keys of the monitors that tell it; who names nobody tells the default list."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in told:
        key = shown.key_of(Monitor(0, 0, one.id, "", extras=one.extras))
        for channel in one.channels or (DEFAULT_LIST,):
            if parts(channel) is None:
                found[channel].append(key)
    return found
