"""Calls of IncidentService: read, acknowledge and resolve incidents; read the server's own outages."""

from datetime import datetime
from typing import Final

from tocsin.client.calls import Call, Method, Pages, pages, unary
from tocsin.client.fields import PROJECT, instant, monitor_name
from tocsin.v1 import incident_pb2
from tocsin.v1 import incident_service_pb2 as pb

_SERVICE: Final = "IncidentService"
_GET: Final = Method(_SERVICE, "GetIncident", pb.GetIncidentRequest, incident_pb2.Incident)
_LIST: Final = Method(_SERVICE, "ListIncidents", pb.ListIncidentsRequest, pb.ListIncidentsResponse)
_ACKNOWLEDGE: Final = Method(_SERVICE, "AcknowledgeIncident", pb.AcknowledgeIncidentRequest, incident_pb2.Incident)
_RESOLVE: Final = Method(_SERVICE, "ResolveIncident", pb.ResolveIncidentRequest, incident_pb2.Incident)
_OUTAGES: Final = Method(_SERVICE, "ListOutages", pb.ListOutagesRequest, pb.ListOutagesResponse)


def incidents(
    monitor: str | None = None,
    *,
    open_only: bool = False,
    filter: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    page_size: int = 1000,
) -> Pages[incident_pb2.Incident]:
    """Iterates over incidents opened in [since, until), newest first: `incidents(filter='cause = missed')`."""
    request = pb.ListIncidentsRequest(
        parent=PROJECT,
        page_size=page_size,
        monitor=monitor_name(monitor) if monitor else "",
        open_only=open_only,
        filter=filter,
        start_time=None if since is None else instant(since),
        end_time=None if until is None else instant(until),
    )
    return pages(_LIST, request, lambda answer: answer.incidents)


def get_incident(incident: str) -> Call[incident_pb2.Incident]:
    """Reads one incident, by number or full name. ClientError: INCIDENT_NOT_FOUND."""
    return unary(_GET, pb.GetIncidentRequest(name=_name(incident)))


def acknowledge(incident: str, *, by: str = "", note: str = "") -> Call[incident_pb2.Incident]:
    """Says that somebody has taken it on: no reminders follow. ClientError: INCIDENT_RESOLVED."""
    return unary(_ACKNOWLEDGE, pb.AcknowledgeIncidentRequest(name=_name(incident), acknowledged_by=by, note=note))


def resolve(incident: str, *, by: str = "", note: str = "") -> Call[incident_pb2.Incident]:
    """Says that it is over; its monitor's counters begin anew. ClientError: INCIDENT_RESOLVED."""
    request = pb.ResolveIncidentRequest(name=_name(incident), resolved_by=by, note=note)
    return unary(_RESOLVE, request, repeatable=False)


def outages(*, show_short: bool = False, page_size: int = 1000) -> Pages[incident_pb2.Outage]:
    """Iterates over the times in which the server could not listen, newest first."""
    return pages(
        _OUTAGES, pb.ListOutagesRequest(page_size=page_size, show_short=show_short), lambda answer: answer.outages
    )


def _name(incident: str) -> str:
    return incident if incident.startswith("projects/") else f"{PROJECT}/incidents/{incident}"
