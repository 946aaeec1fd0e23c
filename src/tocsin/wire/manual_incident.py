"""ManualIncident ⇄ the incident of the domain. What a client writes is its fields by name."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from tocsin.domain import names
from tocsin.domain.manual_incident import ManualIncident, Progress, Severity
from tocsin.v1 import manual_incident_pb2 as pb
from tocsin.wire.enums import Names
from tocsin.wire.nouns import paths
from tocsin.wire.time import from_instant, from_optional, to_instant

_P, _S = pb.ManualIncident, Severity
STATES: Final = Names(
    _P.State,
    {
        _P.STATE_UNSPECIFIED: Progress.UNRESOLVED,
        _P.STATE_UNRESOLVED: Progress.UNRESOLVED,
        _P.STATE_INVESTIGATING: Progress.INVESTIGATING,
        _P.STATE_IDENTIFIED: Progress.IDENTIFIED,
        _P.STATE_MONITORING: Progress.MONITORING,
        _P.STATE_RESOLVED: Progress.RESOLVED,
    },
)
SEVERITIES: Final = Names(
    _P.Severity,
    {
        _P.SEVERITY_UNSPECIFIED: _S.OUTAGE,
        _P.SEVERITY_OUTAGE: _S.OUTAGE,
        _P.SEVERITY_MINOR_OUTAGE: _S.MINOR_OUTAGE,
        _P.SEVERITY_DEGRADED_PERFORMANCE: _S.DEGRADED_PERFORMANCE,
        _P.SEVERITY_MAINTENANCE: _S.MAINTENANCE,
        _P.SEVERITY_OPERATIONAL: _S.OPERATIONAL,
        _P.SEVERITY_MISSING_DATA: _S.MISSING_DATA,
    },
)
# field of the message → field of the domain, and how it is read at its path
_FIELDS: Final[dict[str, tuple[str, Callable[[Any, str], Any]]]] = {
    "display_name": ("title", lambda value, _path: value),
    "state": ("state", STATES.to_domain),
    "severity": ("severity", SEVERITIES.to_domain),
    "environment": ("environment", lambda value, _path: value),
    "monitors": (
        "monitors",
        lambda values, path: tuple(
            names.parse("monitor", name, f"{path}[{index}]").monitor for index, name in enumerate(values)
        ),
    ),
    "assigned_to": ("assigned_to", lambda value, _path: value),
    "note": ("note", lambda value, _path: value),
    "open_time": ("open_time", to_instant),
}


def to_values(
    message: pb.ManualIncident, mask: Iterable[str] = (), *, field: str = "manual_incident"
) -> dict[str, Any]:
    """The fields that a request writes, by their names in the domain; a time that is named and not set stays."""
    found: dict[str, Any] = {}
    for path in paths(message, mask, tuple(_FIELDS)):
        name, read = _FIELDS[path]
        if path != "open_time" or message.HasField("open_time"):
            found[name] = read(getattr(message, path), f"{field}.{path}")
    return found


def from_manual_incident(incident: ManualIncident) -> pb.ManualIncident:
    """The resource as a client reads it."""
    return pb.ManualIncident(
        name=names.manual_incident_name(incident.project, incident.key),
        display_name=incident.title,
        state=STATES.from_domain(incident.state),
        severity=SEVERITIES.from_domain(incident.severity),
        environment=incident.environment,
        monitors=[names.monitor_name(incident.project, monitor_id) for monitor_id in incident.monitors],
        assigned_to=incident.assigned_to,
        note=incident.note,
        open_time=from_instant(incident.open_time),
        resolve_time=from_optional(incident.resolve_time),
        number=incident.number,
        create_time=from_instant(incident.create_time),
        update_time=from_instant(incident.update_time),
    )
