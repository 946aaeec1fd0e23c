"""The answer to one entry. It is true, and may be sent, once the entry's batch has been committed."""

import msgspec

from tocsin._core.recorded import Recorded
from tocsin.domain.check_in import CheckIn
from tocsin.domain.errors import TocsinError
from tocsin.domain.facts import CheckInRefused, EnvironmentDeleted
from tocsin.domain.incident import Incident
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.monitor import Monitor
from tocsin.domain.project_settings import ProjectSettings


class Reviewed(msgspec.Struct, frozen=True):
    """What a slice of a review came to."""

    following: int  # where the next slice begins; 0: there is none
    broken: tuple[Incident, ...] = ()  # whose owners are to be told
    muted: tuple[Incident, ...] = ()  # whose environments were muted
    deleted: tuple[EnvironmentDeleted, ...] = ()  # environments that were idle


class BatchReceipt(msgspec.Struct, frozen=True):
    """What became of a batch: each row is in `recorded` (by `Row`'s last value) or has a receipt of its own."""

    recorded: Recorded
    receipts: "dict[int, Receipt]"  # by row of the batch


class Receipt(msgspec.Struct, frozen=True):
    check_in: CheckIn | None = None  # as recorded; None when refused or when the monitor is inactive
    refusal: CheckInRefused | None = None  # durable, but not honoured: why
    monitors: tuple[Monitor, ...] = ()  # after a put, in the order of the puts
    incident: Incident | None = None
    reviewed: Reviewed | None = None
    window: MaintenanceWindow | None = None  # after a put or a delete of one
    settings: ProjectSettings | None = None  # of the project, after a change of them
    batch: BatchReceipt | None = None  # of a batch in columns
    created: bool = False  # the check-in or the monitor did not exist before
    duplicate: bool = False  # the report is one that was honoured before: nothing was done
    error: TocsinError | None = None  # expected trouble, to be raised to the caller; nothing was changed
