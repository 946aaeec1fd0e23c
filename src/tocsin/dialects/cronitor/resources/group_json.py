"""A group as Cronitor writes it. Pure."""

from collections.abc import Iterable
from typing import Any, Final

from tocsin.dialects.cronitor.resources import shown
from tocsin.domain.group import Group
from tocsin.domain.incident import Incident
from tocsin.domain.monitor import Monitor

_RESOLVED, _UNRESOLVED = "resolved", "unresolved"
_LATEST: Final = "latest_event"


def group_json(group: Group, members: Iterable[Monitor]) -> dict[str, Any]:
    return {
        "key": group.key,
        "name": group.display_name or group.key,
        "monitors": [shown.key_of(monitor) for monitor in members],
        "created": shown.iso(group.create_time),
    }


def status_json(event: dict[str, Any] | None, incident: Incident | None) -> dict[str, Any]:
    """What happened last in it. A stamp is a text here, and a number everywhere else: the command line wants that."""
    latest = None if event is None else {**event, "stamp": str(event["stamp"])}
    issue = None
    if incident is not None:
        at = incident.open_time if incident.resolve_time is None else incident.resolve_time
        state = _UNRESOLVED if incident.resolve_time is None else _RESOLVED
        issue = {"stamp": shown.stamp(at), "state": state}
    return {_LATEST: latest, "latest_issue": issue}
