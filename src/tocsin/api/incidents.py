"""IncidentService: incidents and outages."""

from tocsin.api.monitors import page_size
from tocsin.domain import errors, names
from tocsin.service.call import Call
from tocsin.service.incidents import Incidents
from tocsin.v1 import incident_pb2
from tocsin.v1 import incident_service_pb2 as pb
from tocsin.wire.incident import from_incident, from_outage
from tocsin.wire.time import to_instant


class IncidentHandlers:
    def __init__(self, incidents: Incidents) -> None:
        self._incidents = incidents

    async def GetIncident(self, request: pb.GetIncidentRequest, call: Call) -> incident_pb2.Incident:
        return from_incident(await self._incidents.get(call.principal, _number(request.name, call)))

    async def ListIncidents(self, request: pb.ListIncidentsRequest, call: Call) -> pb.ListIncidentsResponse:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        page = await self._incidents.page(
            call.principal,
            monitor_id=names.parse("monitor", request.monitor, "monitor").monitor if request.monitor else "",
            open_only=request.open_only,
            filter=request.filter,
            since=to_instant(request.start_time, "start_time") if request.HasField("start_time") else None,
            until=to_instant(request.end_time, "end_time") if request.HasField("end_time") else None,
            size=page_size(request.page_size),
            token=request.page_token,
        )
        return pb.ListIncidentsResponse(
            incidents=[from_incident(row) for row in page.rows], next_page_token=page.next_token
        )

    async def AcknowledgeIncident(self, request: pb.AcknowledgeIncidentRequest, call: Call) -> incident_pb2.Incident:
        number = _number(request.name, call)
        return from_incident(
            await self._incidents.acknowledge(
                call.principal, number, request.acknowledged_by, request.note, call.received
            )
        )

    async def ResolveIncident(self, request: pb.ResolveIncidentRequest, call: Call) -> incident_pb2.Incident:
        number = _number(request.name, call)
        return from_incident(
            await self._incidents.resolve(call.principal, number, request.resolved_by, request.note, call.received)
        )

    async def ListOutages(self, request: pb.ListOutagesRequest, call: Call) -> pb.ListOutagesResponse:
        page = await self._incidents.outages(
            call.principal, show_short=request.show_short, size=page_size(request.page_size), token=request.page_token
        )
        return pb.ListOutagesResponse(outages=[from_outage(row) for row in page.rows], next_page_token=page.next_token)


def _number(name: str, call: Call) -> int:
    parsed = names.parse("incident", name)
    call.principal.require_project(parsed.project)
    if not parsed.child.isdecimal() or len(parsed.child) > 18:
        raise errors.NotFound(
            f"no incident {parsed.child[:64]!r}", reason="INCIDENT_NOT_FOUND", metadata={"incident": parsed.child[:64]}
        )
    return int(parsed.child)
