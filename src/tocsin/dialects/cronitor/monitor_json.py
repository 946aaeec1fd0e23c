"""A monitor as Cronitor shows it: all attributes, read-only ones too, and how it does in one environment. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from tocsin.dialects.cronitor import checks, event_json
from tocsin.dialects.cronitor.mapping import ALERTS, GRACE, REALERT
from tocsin.dialects.cronitor.reading import said_of
from tocsin.dialects.cronitor.schema import CHECK, JOB, Said
from tocsin.domain.check_in import CheckIn
from tocsin.domain.incident import Incident
from tocsin.domain.instant import NEVER, SECOND, Instant
from tocsin.domain.monitor import Monitor
from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.domain.schedule import zone_of
from tocsin.domain.track import Health, Track
from tocsin.store.port import MonitorWithHealth

DEFAULT_NOTIFY: Final = ("default",)
_PLATFORMS: Final = {JOB: "cron", CHECK: "http"}


@dataclass(frozen=True, slots=True)
class Lookups:
    """What is read beside the monitors themselves, by the number of a track."""

    events: Mapping[int, CheckIn] = field(default_factory=dict)  # the newest of each
    incidents: Mapping[int, Incident] = field(default_factory=dict)  # likewise
    recent: Mapping[int, list[CheckIn]] = field(default_factory=dict)  # newest first, where they were asked for
    with_events: bool = False
    with_invocations: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """How monitors are shown."""

    now: Instant
    zone: str  # the project's
    environment: str
    code_of: Any  # Callable[[int], str]
    badge_of: Any  # Callable[[str, str], str]: code, environment → address
    groups: Mapping[str, str] = field(default_factory=dict)  # names by key


def monitor_json(
    found: MonitorWithHealth, view: View, lookups: Lookups | None = None, *, asked_for: str = ""
) -> dict[str, Any]:
    """`asked_for`: how the caller named it, where that is to be seen again."""
    monitor = found.monitor
    lookups = lookups or Lookups()
    said, _ = said_of(monitor, view.zone)
    track = dict(found.tracks).get(view.environment)
    code = view.code_of(monitor.number) if monitor.number else ""
    key, kind, group = said["key"], said["type"], said.get("group")
    schedules = said.get("schedules") or ([checks.DEFAULT_SCHEDULE] if kind == CHECK else [])
    answer = {
        "attributes": {
            "group_name": view.groups.get(group, group) if group else None,
            "key": asked_for or key,
            "code": code,
        },
        "assertions": said.get("assertions") or [],
        "created": _created(monitor.create_time),
        "disabled": monitor.disabled,
        "failure_tolerance": said.get("failure_tolerance"),
        "grace_seconds": said.get("grace_seconds", GRACE[kind]),
        "consecutive_alert_threshold": said.get("consecutive_alert_threshold", ALERTS),
        "group": group,
        "initialized": track is not None and track.last_check_in != NEVER,
        "key": key,
        "latest_event": None,
        "latest_events": None,
        "latest_issue": None,
        "latest_invocations": None,
        "public_badge_url": view.badge_of(code, view.environment) if code else None,
        "metadata": said.get("metadata"),
        "name": said.get("name") or said.get("defaultName") or key,
        "next_expected_at": None,
        "note": said.get("note") or said.get("defaultNote"),
        "notify": said.get("notify") or list(DEFAULT_NOTIFY),
        "passing": track is None or track.health != Health.UNHEALTHY,
        "paused": (monitor.muted_until or 0) > view.now,
        "platform": said.get("platform") or _PLATFORMS.get(kind, ""),
        "realert_interval": said.get("realert_interval") or REALERT,
        "request": checks.shown(said["request"]) if said.get("request") else None,
        "running": kind == JOB and track is not None and track.open_runs > 0,
        "schedule": schedules[0] if schedules else None,
        "schedules": schedules,
        "schedule_tolerance": said.get("schedule_tolerance"),
        "tags": said.get("tags") or [],
        "timezone": _zone(said, monitor, view),
        "type": kind,
        "environments": [name for name, track in found.tracks if _is_used(name, track)],
        "statuspages": [],
        "site": None,
    }
    for name in ("defaultName", "defaultNote"):
        if name in said:
            answer[name] = said[name]
    if kind == CHECK:
        answer["asking"] = False  # stored; nobody makes its requests yet
    if track is not None:
        answer |= _life(found, track, lookups)
    return answer


def _life(found: MonitorWithHealth, track: Track, lookups: Lookups) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    kind = found.monitor.policy.kind
    if track.expected != NEVER:
        answer["next_expected_at"] = track.expected // SECOND
    incident = found.incidents.get(track.incident) or lookups.incidents.get(track.number)
    if incident is not None:
        answer["latest_issue"] = _issue(incident)
    event = lookups.events.get(track.number)
    if event is not None:
        answer["latest_event"] = event_json.latest_json(event, kind)
    recent = lookups.recent.get(track.number, [])
    if lookups.with_events:
        events = (event for check_in in recent for event in event_json.events_of(check_in, kind))
        answer["latest_events"] = event_json.newest_first(events)
    if lookups.with_invocations:
        answer["latest_invocations"] = [
            event_json.invocation_json(check_in, kind) for check_in in recent if event_json.is_invocation(check_in)
        ]
    return answer


def _issue(incident: Incident) -> dict[str, Any]:
    resolved = incident.resolve_time is not None
    at = incident.resolve_time if incident.resolve_time is not None else incident.open_time
    return {"stamp": at / SECOND, "state": "resolved" if resolved else "unresolved"}


def _zone(said: Said, monitor: Monitor, view: View) -> str:
    if said.get("timezone"):
        return str(said["timezone"])
    return zone_of(monitor.policy.schedules) if monitor.policy.schedules else view.zone


def _is_used(name: str, track: Track) -> bool:
    """Every monitor has the default environment; others are there because something was reported of them."""
    return name == DEFAULT_ENVIRONMENT or track.last_check_in != NEVER


def _created(instant: Instant) -> str:
    return datetime.fromtimestamp(instant // SECOND, UTC).isoformat()
