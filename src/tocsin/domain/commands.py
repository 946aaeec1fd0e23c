"""All writes. A command is appended to the journal of one partition and stepped by the engine, in order."""

import msgspec

from tocsin._core.batch import Batch
from tocsin.domain.check_in import Report
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.instant import Instant
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.project_settings import ProjectSettings
from tocsin.domain.trace_error import TraceError


class ReportCheckIn(msgspec.Struct, frozen=True, tag="report"):
    report: Report


class ReportBatch(msgspec.Struct, frozen=True, tag="report_batch"):
    """Reports that arrived together, in columns. Rows that say more than columns hold are in `rest`, by row."""

    project: int
    batch: Batch
    received: Instant
    rest: dict[int, Report]
    dialect: str = "native"
    client: str = ""


class PutMonitor(msgspec.Struct, frozen=True, tag="put_monitor"):
    """Create or change a monitor. `etag` refuses when somebody else changed it first."""

    project: int
    monitor_id: str
    change: MonitorChange
    create: bool = True  # may create
    update: bool = True  # may change
    etag: str = ""
    validate_only: bool = False  # answer as if, keep nothing


class PutMonitors(msgspec.Struct, frozen=True, tag="put_monitors"):
    """Several at once, all or none."""

    puts: tuple[PutMonitor, ...]


class DeleteMonitor(msgspec.Struct, frozen=True, tag="delete_monitor"):
    project: int
    monitor_id: str
    etag: str = ""


class ChangeEnvironment(msgspec.Struct, frozen=True, tag="change_environment"):
    """Mutes or unmutes one environment of a monitor."""

    project: int
    monitor_id: str
    environment: str
    muted: bool


class DeleteEnvironment(msgspec.Struct, frozen=True, tag="delete_environment"):
    """Deletes one environment with its check-ins and incidents; its next report makes a new one."""

    project: int
    monitor_id: str
    environment: str


class PutProjectSettings(msgspec.Struct, frozen=True, tag="put_project_settings"):
    """Writes the named fields of a project's settings; None gives one back to the server."""

    project: int
    settings: ProjectSettings
    fields: tuple[str, ...]


class PutMaintenanceWindow(msgspec.Struct, frozen=True, tag="put_maintenance_window"):
    """Create a maintenance window, or change those of its fields that `fields` names to those of `window`."""

    project: int
    window_id: str
    window: MaintenanceWindow
    fields: tuple[str, ...]
    create: bool = True  # may create
    update: bool = True  # may change


class DeleteMaintenanceWindow(msgspec.Struct, frozen=True, tag="delete_maintenance_window"):
    project: int
    window_id: str


WindowCommand = PutMaintenanceWindow | DeleteMaintenanceWindow


class RecordRefusals(msgspec.Struct, frozen=True, tag="refusals"):
    """Reports that an edge could not even turn into a report: kept, counted, shown."""

    refusals: tuple[CheckInRefused, ...]


class DeleteRefusals(msgspec.Struct, frozen=True, tag="delete_refusals"):
    """Forget refusals that all of these hold for; an empty condition holds for every one."""

    project: int
    monitor_id: str | None = None  # "": those that name no monitor
    numbers: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()  # names of RefusalReason

    def covers(self, refusal: CheckInRefused) -> bool:
        return (
            refusal.project == self.project
            and self.monitor_id in (None, refusal.monitor_id)
            and (not self.numbers or refusal.number in self.numbers)
            and (not self.reasons or refusal.reason in self.reasons)
        )


class RecordTraceErrors(msgspec.Struct, frozen=True, tag="trace_errors"):
    """What went wrong in some traces; of a trace that comes twice, the later one holds."""

    errors: tuple[TraceError, ...]


class AcknowledgeIncident(msgspec.Struct, frozen=True, tag="acknowledge"):
    project: int
    incident: int
    by: str = ""
    note: str = ""


class ResolveIncident(msgspec.Struct, frozen=True, tag="resolve"):
    """Somebody says that it is over; what fails from now on is counted from the beginning."""

    project: int
    incident: int
    by: str = ""
    note: str = ""  # "": the one that there is stays


class ReviewTracks(msgspec.Struct, frozen=True, tag="review"):
    """Looks after what nobody looks after, in one slice of all environments; its receipt says where the next begins."""

    first: int = 0


class Tick(msgspec.Struct, frozen=True, tag="tick"):
    """Silence is an entry too: everything received up to the entry's time has been stepped."""


class Deaf(msgspec.Struct, frozen=True, tag="deaf"):
    """Nobody could listen in [since, until]."""

    since: Instant
    until: Instant
    reason: str


Command = (
    ReportCheckIn
    | ReportBatch
    | PutMonitor
    | PutMonitors
    | DeleteMonitor
    | PutMaintenanceWindow
    | DeleteMaintenanceWindow
    | RecordRefusals
    | DeleteRefusals
    | RecordTraceErrors
    | ChangeEnvironment
    | DeleteEnvironment
    | PutProjectSettings
    | AcknowledgeIncident
    | ResolveIncident
    | ReviewTracks
    | Tick
    | Deaf
)


class Entry(msgspec.Struct, frozen=True):
    """A command with the time at which it counts, on the partition's one clock."""

    at: Instant
    command: Command
