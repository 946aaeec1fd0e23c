"""A monitor and its environments as Sentry shows them. Pure."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from tocsin.dialects.sentry.management.config_json import config_json
from tocsin.dialects.sentry.management.monitor_form import ALERT_RULE
from tocsin.dialects.sentry.management.times import iso
from tocsin.dialects.sentry.refusals import DIALECT
from tocsin.domain.incident import Incident
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Monitor
from tocsin.domain.project import Project
from tocsin.domain.track import Health, Track, TrackFlag
from tocsin.store.port import MonitorWithHealth

_STATUS: Final = {Health.NEW: "active", Health.HEALTHY: "ok", Health.UNHEALTHY: "error"}


def monitor_json(
    found: MonitorWithHealth, project: Project, now: Instant, environments: Sequence[str] = ()
) -> dict[str, Any]:
    """`environments`: only these are shown; none is all."""
    monitor = found.monitor
    shown = [(name, track) for name, track in found.tracks if not environments or name in environments]
    answer = {
        "id": str(UUID(monitor.uid)),
        "name": monitor.display_name or monitor.id,
        "slug": monitor.id,
        "status": "disabled" if is_off(monitor) else "active",
        "isMuted": is_muted(found, now),
        "isUpserting": is_upserting(monitor),
        "dateCreated": iso(monitor.create_time),
        "owner": owner_json(monitor.owner),
        "project": project_json(project),
        "config": config_json(monitor.policy),
        "environments": [environment_json(found, name, track, now) for name, track in shown],
    }
    rule = _alert_rule(monitor)
    return answer if rule is None else {**answer, ALERT_RULE: rule}


def environment_json(found: MonitorWithHealth, name: str, track: Track, now: Instant) -> dict[str, Any]:
    monitor = found.monitor
    incident = found.incidents.get(track.incident)
    return {
        "name": name,
        "status": "disabled" if is_off(monitor) else _STATUS[Health(track.health)],
        "isMuted": _monitor_mute(monitor, now) or is_track_muted(track),
        "dateCreated": iso(found.created.get(track.number) or monitor.create_time),
        "lastCheckIn": iso(track.last_check_in),
        "nextCheckIn": iso(track.expected),
        "nextCheckInLatest": iso(track.deadline),
        "activeIncident": None if incident is None else _incident_json(incident),
    }


def project_json(project: Project) -> dict[str, Any]:
    return {"id": str(project.number), "slug": project.slug, "name": project.name}


def owner_json(owner: str) -> dict[str, Any] | None:
    """Makes {"type": "user", "id": "ann@example.com", …} of "user:ann@example.com". What has no type is a team."""
    if not owner:
        return None
    kind, _, identifier = owner.partition(":")
    if kind not in ("user", "team") or not identifier:
        kind, identifier = ("user" if "@" in owner else "team"), owner
    answer = {"type": kind, "id": identifier, "name": identifier}
    return {**answer, "email": identifier} if kind == "user" and "@" in identifier else answer


def is_off(monitor: Monitor) -> bool:
    return monitor.disabled or monitor.inactive


def is_muted(found: MonitorWithHealth, now: Instant) -> bool:
    """Itself, or all of its environments and at least one."""
    tracks = [track for _, track in found.tracks]
    return _monitor_mute(found.monitor, now) or (bool(tracks) and all(map(is_track_muted, tracks)))


def is_track_muted(track: Track) -> bool:
    return bool(track.flags & TrackFlag.MUTED)


def is_upserting(monitor: Monitor) -> bool:
    """Whether the configuration was last written by what came with a check-in."""
    writers = monitor.writers.values()
    last = max((writer.at for writer in writers), default=0)
    return any(writer.upsert for writer in writers if writer.at == last)


def _monitor_mute(monitor: Monitor, now: Instant) -> bool:
    return (monitor.muted_until or 0) > now


def _incident_json(incident: Incident) -> dict[str, Any]:
    notice = None
    if incident.broken_time is not None:
        notice = {
            "userNotifiedTimestamp": iso(incident.broken_time),
            "environmentMutedTimestamp": iso(incident.broken_mute_time),
        }
    return {
        "startingTimestamp": iso(incident.open_time),
        "resolvingTimestamp": iso(incident.resolve_time),
        "brokenNotice": notice,
    }


def _alert_rule(monitor: Monitor) -> Any:
    raw = monitor.extras.get(DIALECT)
    extras = msgspec.json.decode(raw) if raw is not None else None
    return extras.get(ALERT_RULE) if isinstance(extras, dict) else None
