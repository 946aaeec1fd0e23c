"""Calls of ManualIncidentService: incidents that people write down."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from google.protobuf.empty_pb2 import Empty
from google.protobuf.field_mask_pb2 import FieldMask

from tocsin.client.calls import Call, Method, Pages, pages, unary
from tocsin.client.fields import PROJECT, instant, monitor_name
from tocsin.v1 import manual_incident_pb2
from tocsin.v1 import manual_incident_service_pb2 as pb

Incident = manual_incident_pb2.ManualIncident
_SERVICE: Final = "ManualIncidentService"
_GET: Final = Method(_SERVICE, "GetManualIncident", pb.GetManualIncidentRequest, Incident)
_LIST: Final = Method(_SERVICE, "ListManualIncidents", pb.ListManualIncidentsRequest, pb.ListManualIncidentsResponse)
_UPDATE: Final = Method(_SERVICE, "UpdateManualIncident", pb.UpdateManualIncidentRequest, Incident)
_DELETE: Final = Method(_SERVICE, "DeleteManualIncident", pb.DeleteManualIncidentRequest, Empty)


def put_manual_incident(
    incident: str,
    *,
    display_name: str | None = None,
    state: str | None = None,
    severity: str | None = None,
    environment: str | None = None,
    monitors: Sequence[str] | None = None,
    assigned_to: str | None = None,
    note: str | None = None,
    begun: datetime | None = None,
) -> Call[Incident]:
    """Writes one down, or changes what is given: `put_manual_incident("dns", display_name="DNS", state="identified")`.

    States are unresolved, investigating, identified, monitoring, resolved; severities outage, minor_outage,
    degraded_performance, maintenance, operational, missing_data. ValueError: another word.
    """
    given: dict[str, Any] = {
        "display_name": display_name,
        "state": None if state is None else Incident.State.Value(f"STATE_{state.upper()}"),
        "severity": None if severity is None else Incident.Severity.Value(f"SEVERITY_{severity.upper()}"),
        "environment": environment,
        "monitors": None if monitors is None else [monitor_name(monitor) for monitor in monitors],
        "assigned_to": assigned_to,
        "note": note,
        "open_time": None if begun is None else instant(begun),
    }
    values = {name: value for name, value in given.items() if value is not None}
    request = pb.UpdateManualIncidentRequest(
        manual_incident=Incident(name=_name(incident), **values),
        update_mask=FieldMask(paths=[*values] or ["name"]),
        allow_missing=True,
    )
    return unary(_UPDATE, request)


def get_manual_incident(incident: str) -> Call[Incident]:
    """Reads one. ClientError: MANUAL_INCIDENT_NOT_FOUND."""
    return unary(_GET, pb.GetManualIncidentRequest(name=_name(incident)))


def manual_incidents(*, open_only: bool = False, page_size: int = 1000) -> Pages[Incident]:
    """Iterates over those of the project, newest first."""
    request = pb.ListManualIncidentsRequest(parent=PROJECT, page_size=page_size, open_only=open_only)
    return pages(_LIST, request, lambda answer: answer.manual_incidents)


def delete_manual_incident(incident: str, *, allow_missing: bool = False) -> Call[Empty]:
    """Deletes one."""
    request = pb.DeleteManualIncidentRequest(name=_name(incident), allow_missing=allow_missing)
    return unary(_DELETE, request, repeatable=allow_missing)


def _name(incident: str) -> str:
    return incident if incident.startswith("projects/") else f"{PROJECT}/manualIncidents/{incident}"
