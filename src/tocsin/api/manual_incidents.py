"""ManualIncidentService: incidents that people write down."""

from google.protobuf.empty_pb2 import Empty

from tocsin.api.monitors import page_size
from tocsin.domain import names
from tocsin.domain.group import check_group_key
from tocsin.service.call import Call
from tocsin.service.manual_incidents import ManualIncidents
from tocsin.v1 import manual_incident_pb2
from tocsin.v1 import manual_incident_service_pb2 as pb
from tocsin.wire.manual_incident import from_manual_incident, to_values


class ManualIncidentHandlers:
    def __init__(self, incidents: ManualIncidents) -> None:
        self._incidents = incidents

    async def CreateManualIncident(
        self, request: pb.CreateManualIncidentRequest, call: Call
    ) -> manual_incident_pb2.ManualIncident:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        values = to_values(request.manual_incident)
        made = await self._incidents.put(
            call.principal, request.manual_incident_id, values, call.received, update=False
        )
        return from_manual_incident(made)

    async def GetManualIncident(
        self, request: pb.GetManualIncidentRequest, call: Call
    ) -> manual_incident_pb2.ManualIncident:
        return from_manual_incident(await self._incidents.get(call.principal, _incident(request.name, call)))

    async def ListManualIncidents(
        self, request: pb.ListManualIncidentsRequest, call: Call
    ) -> pb.ListManualIncidentsResponse:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        page = await self._incidents.page(
            call.principal,
            open_only=request.open_only,
            size=page_size(request.page_size),
            token=request.page_token,
        )
        return pb.ListManualIncidentsResponse(
            manual_incidents=[from_manual_incident(row) for row in page.rows], next_page_token=page.next_token
        )

    async def UpdateManualIncident(
        self, request: pb.UpdateManualIncidentRequest, call: Call
    ) -> manual_incident_pb2.ManualIncident:
        field = "manual_incident.name"
        key = _incident(request.manual_incident.name, call, field)
        if request.allow_missing:
            check_group_key(key, field)
        values = to_values(request.manual_incident, request.update_mask.paths)
        found = await self._incidents.put(call.principal, key, values, call.received, create=request.allow_missing)
        return from_manual_incident(found)

    async def DeleteManualIncident(self, request: pb.DeleteManualIncidentRequest, call: Call) -> Empty:
        key = _incident(request.name, call)
        await self._incidents.delete(call.principal, key, allow_missing=request.allow_missing)
        return Empty()


def _incident(name: str, call: Call, field: str = "name") -> str:
    parsed = names.parse("manual_incident", name, field)
    call.principal.require_project(parsed.project)
    return parsed.child
