"""An incident as an issue of Cronitor's. Pure."""

from typing import Any, Final

from tocsin.dialects.cronitor.resources import shown
from tocsin.domain.incident import Cause, Incident
from tocsin.domain.monitor import Monitor
from tocsin.store.browse_port import Stage

RESOLVED: Final = "resolved"
STATES: Final = {
    "unresolved": Stage.OPEN,
    "investigating": Stage.ACKNOWLEDGED,  # what an acknowledged one is shown as, whichever of these it was set to
    "identified": Stage.ACKNOWLEDGED,
    "monitoring": Stage.ACKNOWLEDGED,
    RESOLVED: Stage.RESOLVED,
}
SEVERITIES: Final = (
    "outage",
    "minor_outage",
    "degraded_performance",
    "maintenance",
    "operational",
    "missing_data",
)
_SEVERITY: Final = {Cause.ERROR: "outage", Cause.TIMED_OUT: "outage", Cause.MISSED: "missing_data"}
_WORDS: Final = {
    Cause.ERROR: "is failing",
    Cause.TIMED_OUT: "did not complete in time",
    Cause.MISSED: "did not run on schedule",
}
_KEY_DIGITS: Final = 16  # hexadecimal


def key_of(number: int) -> str:
    return f"{number:0{_KEY_DIGITS}x}"


def number_of(key: str) -> int | None:
    """None for what is no key of an incident."""
    if len(key) != _KEY_DIGITS or key.strip("0123456789abcdef"):
        return None
    number = int(key, 16)
    return number if number < 1 << 63 else None


def causes_of(severities: tuple[str, ...]) -> frozenset[Cause] | None:
    """Those that are shown with one of these severities; None: any."""
    if not severities:
        return None
    return frozenset(cause for cause, severity in _SEVERITY.items() if severity in severities)


def issue_json(incident: Incident, monitor: Monitor | None) -> dict[str, Any]:
    """`monitor` is None when it is gone by now."""
    stages = (incident.acknowledge_time, incident.resolve_time, incident.broken_time, incident.attended_time)
    name = shown.name_of(monitor) if monitor else incident.monitor_id
    return {
        "key": key_of(incident.number),
        "name": f"{name} {_WORDS[incident.cause]}",
        "state": _state_of(incident),
        "severity": _SEVERITY[incident.cause],
        "started": shown.iso(incident.open_time),
        "environment": incident.environment,
        "assigned_to": incident.acknowledged_by or None,
        "statuspages": [],
        "affected_components": [],
        "created_by": {"kind": "system", "name": "tocsin"},
        "created": shown.iso(incident.open_time),
        "updated": shown.iso(max((at for at in stages if at is not None), default=None)),
        "monitor": shown.key_of(monitor) if monitor else incident.monitor_id,
        "message": incident.note or None,
        "ended": shown.iso(incident.resolve_time),
    }


def _state_of(incident: Incident) -> str:
    if incident.resolve_time is not None:
        return RESOLVED
    return "unresolved" if incident.acknowledge_time is None else "investigating"
