"""An incident that a person writes down: what no monitor has seen. It is kept and shown, and nobody is told of it."""

import enum
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.domain.names import check_environment, check_monitor_id

TITLE_MAX: Final = 200
NOTE_MAX: Final = 2_000
MONITORS_MAX: Final = 1_000
FIELDS: Final = ("title", "state", "severity", "environment", "monitors", "assigned_to", "note", "open_time")


class Progress(enum.Enum):
    """How far people have come with it; stored."""

    UNRESOLVED = "unresolved"
    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"


class Severity(enum.Enum):
    """Stored."""

    OUTAGE = "outage"
    MINOR_OUTAGE = "minor_outage"
    DEGRADED_PERFORMANCE = "degraded_performance"
    MAINTENANCE = "maintenance"
    OPERATIONAL = "operational"
    MISSING_DATA = "missing_data"


class ManualIncident(msgspec.Struct, frozen=True, omit_defaults=True):
    number: int  # identity inside the store; never reused
    project: int
    key: str  # the last part of the resource name
    title: str = ""
    state: Progress = Progress.UNRESOLVED
    severity: Severity = Severity.OUTAGE
    environment: str = ""  # "": in none in particular
    monitors: tuple[str, ...] = ()  # ids; they need not exist
    assigned_to: str = ""
    note: str = ""
    open_time: Instant = 0  # when it began
    resolve_time: Instant | None = None
    create_time: Instant = 0
    update_time: Instant = 0


def changed(known: ManualIncident, values: Mapping[str, Any], at: Instant) -> ManualIncident:
    """After a write of these fields; its state resolves it or opens it again. The same when none differs."""
    after = msgspec.structs.replace(known, **values)
    if (after.resolve_time is not None) != (after.state is Progress.RESOLVED):
        after = msgspec.structs.replace(after, resolve_time=at if after.state is Progress.RESOLVED else None)
    return known if after == known else msgspec.structs.replace(after, update_time=at)


def check(incident: ManualIncident, field: str = "manual_incident") -> None:
    """InvalidArgument names what is wrong below `field`."""
    if not incident.title.strip():
        raise errors.invalid(f"{field}.display_name", "say in a line what is wrong")
    texts = (
        ("display_name", incident.title, TITLE_MAX),
        ("assigned_to", incident.assigned_to, TITLE_MAX),
        ("note", incident.note, NOTE_MAX),
    )
    for name, text, most in texts:
        if len(text) > most:
            raise errors.invalid(f"{field}.{name}", f"at most {most} characters, not {len(text)}")
    if incident.environment:
        check_environment(incident.environment, f"{field}.environment")
    if len(incident.monitors) > MONITORS_MAX:
        raise errors.invalid(f"{field}.monitors", f"at most {MONITORS_MAX}, not {len(incident.monitors)}")
    for index, monitor_id in enumerate(incident.monitors):
        check_monitor_id(monitor_id, f"{field}.monitors[{index}]")
