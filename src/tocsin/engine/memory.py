"""What the engine must be told by the store: a snapshot at start, and single rows that a batch refers to.

The engine keeps hot state only. Before a batch is stepped, the node asks `Engine.needs(commands)`, reads those rows and
hands them in, so that rules never read a database in the middle of deciding.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tocsin.domain.check_in import CheckIn
from tocsin.domain.group import Filed
from tocsin.domain.incident import Incident
from tocsin.domain.instant import Instant, Millis
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.monitor import Monitor, Policy
from tocsin.domain.project_settings import ProjectSettings


@dataclass(slots=True)
class Needs:
    monitors: set[tuple[int, str]] = field(default_factory=set)  # (project, monitor id)
    check_ins: set[tuple[int, str]] = field(default_factory=set)  # (project, public id)
    monitor_ids: set[int] = field(default_factory=set)  # projects of which all monitors are asked for, by id only
    named: set[int] = field(default_factory=set)  # numbers of monitors whose ids are asked for
    filed: set[int] = field(default_factory=set)  # projects of which groups and tags of monitors are asked for
    tokens: set[str] = field(default_factory=set)  # ping tokens of which the owner is asked for

    def __bool__(self) -> bool:
        return bool(self.monitors or self.check_ins or self.monitor_ids or self.named or self.filed or self.tokens)


@dataclass(slots=True)
class Recall:
    """The rows found; what was asked for and is absent here does not exist."""

    monitors: dict[tuple[int, str], Monitor] = field(default_factory=dict)
    check_ins: dict[tuple[int, str], CheckIn] = field(default_factory=dict)
    monitor_ids: dict[int, dict[int, str]] = field(default_factory=dict)  # by project: number → id
    named: dict[int, tuple[int, str]] = field(default_factory=dict)  # number of a monitor → project, id
    # by project, by number: of monitors in a group or with tags
    filed: dict[int, dict[int, Filed]] = field(default_factory=dict)
    tokens: dict[str, tuple[int, str]] = field(default_factory=dict)  # ping token → project, monitor id


# The bytes of a row as the core has it, see `_core.filling`; None: this row was not packed yet, and comes once more, in
# columns. A chunk is of packed rows or of whole ones.
PackedRow = tuple[bytes | None]
# (number, project, monitor id, policy number, disabled, inactive, paused_until, muted_until); NEVER/None as in Monitor
MonitorRow = tuple[int, int, str, int, bool, bool, Instant | None, Instant | None]
# the fields of Track in order, with Monitor.number in `monitor` and 0 in `next_track`; then the number of the newest
# check-in that the row contains
TrackRow = tuple[int, ...]
# of a check-in: number, track, time, duration
AfterRow = tuple[int, int, Instant, Millis | None]


def are_packed(rows: list[Any]) -> bool:
    return bool(rows) and len(rows[0]) == 1


@dataclass(slots=True)
class Snapshot:
    """Everything hot, in the order it must be loaded; large parts come in chunks."""

    clock: Instant | None  # the durable alive stamp; None: an empty store
    policies: list[tuple[int, Policy]]
    environments: list[tuple[int, str]]
    monitors: Iterable[list[Any]]  # `MonitorRow`s or `PackedRow`s
    tracks: Iterable[list[Any]]  # `TrackRow`s or `PackedRow`s
    open_runs: Iterable[list[CheckIn]]
    open_incidents: Iterable[list[Incident]]
    after: Iterable[list[AfterRow]]  # check-ins after the watermark, oldest first; tracks may contain some of them
    sequences: dict[str, int]
    recent: Iterable[CheckIn] = ()  # of the last minutes, oldest first: those that a report may come for again
    counts: tuple[int, int] = (0, 0)  # about how many monitors and tracks there are
    watermark: int = 0  # every check-in with a number up to here is contained in its track
    outages: list[tuple[Instant, Instant]] = field(default_factory=list)  # those of an hour or more
    windows: list[MaintenanceWindow] = field(default_factory=list)
    filed: dict[int, dict[int, Filed]] = field(default_factory=dict)  # of projects with windows of groups or tags
    project_settings: dict[int, ProjectSettings] = field(default_factory=dict)  # of projects that set any
