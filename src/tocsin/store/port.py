"""The port of the store: few verbs on aggregates. Every method is a plain blocking call; callers choose the thread.

SQLite is driven by one writer thread and a few readers, because it has one writer anyway and a thread hop costs less
than an async driver's hop for every statement.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.errors import Unavailable
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.incident import Incident, Outage
from tocsin.domain.instant import Instant, Millis
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.monitor import Monitor
from tocsin.domain.project import Key, Project, Scope
from tocsin.domain.trace_error import TraceError
from tocsin.domain.track import Track
from tocsin.engine.delta import Delta
from tocsin.engine.memory import Needs, Recall, Snapshot

T = TypeVar("T")


class StoreTrouble(Unavailable):
    """The database cannot now: locked, full, gone. The same call may succeed later.

    Nothing of it was kept; or, when the connection broke in the middle of a commit, all of it was and nobody heard.
    `Store.commit` may be repeated as it is: it counts once. Of other writes a person has to look.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        """`message` is for callers; `detail`, which may name hosts and users, is for the log: `str` has both."""
        super().__init__(message, reason="STORE_UNAVAILABLE", retry_after_ms=1_000)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message}: {self.detail}" if self.detail else self.message


class Fenced(Exception):
    """The partition is not ours at this position: another owner loaded it, or what we wrote is not there any more.

    Nothing was kept. There is one way on: throw the engine away and `load()` again. `found` is the position and the
    epoch that the store has.
    """

    def __init__(self, message: str, found: tuple[int, int] | None = None) -> None:
        super().__init__(message)
        self.found = found


class Locked(Exception):
    """Another process serves or migrates this database."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    rows: list[T]
    next_token: str  # "" on the last page


@dataclass(frozen=True, slots=True)
class MonitorWithHealth:
    """A monitor and its tracks, (environment name, track), ordered by environment; plus open incidents by number.

    `created` tells by the number of a track when it was made; 0: not known.
    """

    monitor: Monitor
    tracks: list[tuple[str, Track]]
    incidents: dict[int, Incident]
    created: dict[int, Instant] = field(default_factory=dict)


class Brief(msgspec.Struct, gc=False):
    """What a scrape shows of a monitor with one schedule that is a rolling one."""

    project: int
    id: str
    uid: str
    display_name: str
    group: str  # its key; "": none
    tags: tuple[str, ...]
    inactive: bool
    muted_until: Instant | None
    period: Millis
    track: Track | None
    """In the default environment, or in its first by name; None: in none. Health, verdict, the counts of what was
    judged and the last success are read, the rest is not."""


@dataclass(frozen=True, slots=True)
class CheckInFilter:
    """What a list of check-ins is narrowed to; None is any."""

    monitor: int | None = None
    environment: str | None = None
    states: frozenset[State] | None = None
    since: Instant | None = None  # receive_time at or after
    until: Instant | None = None  # receive_time before


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """What a list of incidents is narrowed to besides; None and "" are any."""

    text: str = ""  # AIP-160, see `incident_filters`
    since: Instant | None = None  # open_time at or after
    until: Instant | None = None  # open_time before


EVERY_INCIDENT = IncidentFilter()


class Change(NamedTuple):
    """A monitor changed in a way people can see; `kind` is "monitor", "health", "incident" or "deleted"."""

    revision: int  # grows with every change of every project
    at: Instant
    project: int
    monitor: int  # Monitor.number
    kind: str
    monitor_id: str = ""  # of a deleted monitor only


class Store(Protocol):
    """Any method may raise `StoreTrouble`; those that take a token, a filter or an order also `InvalidArgument`."""

    # --- the partition's loop: one writer

    def load(self) -> Snapshot:
        """Become the owner of the partition and read all that is hot; streams are read once, before the next load."""

    def position(self) -> int:
        """The journal position of the last commit; 0 in an empty store. Known after `load()`."""

    def recall(self, needs: Needs) -> Recall: ...

    def commit(self, delta: Delta, position: int) -> None:
        """Write the delta and move to `position`, all or nothing. `Fenced`: see there.

        After `StoreTrouble` the same delta may be handed in again, at the same position, until it is known to be kept.
        """

    def alive(self, clock: Instant) -> None:
        """Move the durable clock alone, forward only. `Fenced`: see there."""

    def prepare(self, now: Instant) -> None:
        """Make what this week's and the next weeks' check-ins are written into, should it not be there."""

    def expire(
        self, *, check_ins_before: Instant, refusals_before: Instant, trace_errors_before: Instant = 0, limit: int
    ) -> int:
        """Drop weeks of check-ins that are old as a whole, but for their open runs; delete other old rows.

        Looks at about `limit` rows at most and answers how many these were; 0: nothing is left. Rows that stay count
        too where they had to be looked at: those beside the rows of a deleted environment. A step of dropping is 1.
        """

    # --- reads, from any thread

    def get_monitor(self, project: int, monitor_id: str) -> MonitorWithHealth | None: ...
    def get_monitor_by_number(self, project: int, number: int) -> MonitorWithHealth | None: ...
    def monitor_owner(self, number: int) -> tuple[int, str] | None:
        """Project and id of the monitor of a number, whosever it is."""

    def owners_of_tokens(self, tokens: Collection[str]) -> dict[str, tuple[int, str]]:
        """Project and id of the monitors that have these ping tokens, whosever they are.

        Of one thread at a time, which other reads do not keep waiting: pings wait for the answer.
        """

    def get_monitors(self, project: int, numbers: Sequence[int]) -> list[MonitorWithHealth]:
        """Those of the project that exist, in the order of the numbers."""

    def list_monitors(
        self, project: int, *, size: int, token: str = "", filter: str = "", order_by: str = ""
    ) -> Page[MonitorWithHealth]: ...

    def get_check_in(self, project: int, monitor_id: str, check_in_id: str) -> CheckIn | None:
        """By an id of ours, one that a client chose, or "latest" (also all zeros): the newest run still open."""

    def list_check_ins(self, project: int, only: CheckInFilter, *, size: int, token: str = "") -> Page[CheckIn]: ...
    def get_incident(self, project: int, number: int) -> Incident | None: ...
    def list_incidents(
        self,
        project: int,
        *,
        monitor: int | None = None,
        open_only: bool = False,
        only: IncidentFilter = EVERY_INCIDENT,
        size: int,
        token: str = "",
    ) -> Page[Incident]:
        """Newest first."""

    def list_outages(self, *, shown_only: bool = True, size: int, token: str = "") -> Page[Outage]: ...
    def get_window(self, project: int, window_id: str) -> MaintenanceWindow | None: ...
    def list_windows(self, project: int, *, size: int, token: str = "") -> Page[MaintenanceWindow]: ...
    def list_refusals(
        self, project: int, monitor_id: str | None, *, size: int, token: str = ""
    ) -> Page[CheckInRefused]: ...
    def refusal_numbers(
        self, project: int, reasons: Collection[str], *, before: int | None = None, limit: int
    ) -> list[int]:
        """Newest first, below `before`; without reasons, of all."""

    def trace_errors(self, project: int, trace_ids: Collection[str]) -> dict[str, TraceError]:
        """By trace id (32 hex), as far as they are known."""

    def last_revision(self) -> int: ...
    def changes_after(self, revision: int, project: int | None, *, limit: int) -> list[Change]: ...

    # --- tenants and credentials: written by the CLI too, so read back from the database, never only from memory

    def create_project(self, name: str, at: Instant, slug: str = "") -> Project:
        """`slug` is made of the name when empty. `InvalidArgument`, `AlreadyExists`: about a slug that was given."""

    def list_projects(self) -> list[Project]: ...

    def create_key(self, project: int, scope: Scope, digest: bytes, hint: str, at: Instant) -> Key:
        """`NotFound`: no such project; `AlreadyExists`: a key with this digest."""

    def revoke_key(self, number: int, at: Instant) -> bool:
        """False: there is no such key, or it was revoked before."""

    def list_keys(self, project: int | None = None) -> list[Key]:
        """Revoked ones too: they have a `revoke_time`."""

    def credentials_revision(self) -> int:
        """Counts writes to projects and keys by any process: poll it, and read again when it moved."""

    def get_setting(self, name: str) -> str | None: ...
    def put_setting(self, name: str, value: str) -> None: ...
    def close(self) -> None: ...


def chunks(rows: Sequence[T], size: int) -> list[Sequence[T]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
