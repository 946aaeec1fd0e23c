"""Incident and Outage → tocsin.v1. Clients do not write them."""

from tocsin.domain import names
from tocsin.domain.incident import Cause, Incident, Outage
from tocsin.v1 import incident_pb2 as pb
from tocsin.wire.enums import Names
from tocsin.wire.time import from_instant, from_optional

CAUSES = Names(
    pb.Incident.Cause,
    {
        pb.Incident.CAUSE_MISSED: Cause.MISSED,
        pb.Incident.CAUSE_TIMED_OUT: Cause.TIMED_OUT,
        pb.Incident.CAUSE_ERROR: Cause.ERROR,
        pb.Incident.CAUSE_ASSERTION: Cause.ASSERTION,
    },
)


def from_incident(incident: Incident) -> pb.Incident:
    """The resource, with check-ins by name."""

    def check_in(identifier: str) -> str:
        return names.check_in_name(incident.project, incident.monitor_id, identifier) if identifier else ""

    return pb.Incident(
        name=names.incident_name(incident.project, incident.number),
        monitor=names.monitor_name(incident.project, incident.monitor_id),
        environment=incident.environment,
        cause=CAUSES.from_domain(incident.cause),
        open_time=from_instant(incident.open_time),
        resolve_time=from_optional(incident.resolve_time),
        acknowledge_time=from_optional(incident.acknowledge_time),
        acknowledged_by=incident.acknowledged_by,
        note=incident.note,
        first_check_in=check_in(incident.first_check_in),
        last_check_in=check_in(incident.last_check_in),
        resolving_check_in=check_in(incident.resolving_check_in),
        failure_count=incident.failure_count,
        muted=incident.muted,
        broken_time=from_optional(incident.broken_time),
        broken_mute_time=from_optional(incident.broken_mute_time),
        causes=incident.causes,
        assertion=incident.assertion,
        resolved_by=incident.resolved_by,
    )


def from_outage(outage: Outage) -> pb.Outage:
    return pb.Outage(
        name=f"outages/{outage.number}",
        start_time=from_instant(outage.start_time),
        end_time=from_instant(outage.end_time),
        reason=outage.reason,
        unknown_count=outage.unknown_count,
    )
