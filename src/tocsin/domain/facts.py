"""What happened. The engine answers with facts; metrics, logs, watchers and alerts are consumers of them."""

import msgspec

from tocsin.domain.check_in import CheckIn, ReportKind
from tocsin.domain.incident import Incident, Outage
from tocsin.domain.instant import Instant, Millis
from tocsin.domain.monitor import Monitor


class CheckInRecorded(msgspec.Struct, frozen=True):
    """A report was honoured. `check_in` is the run after it."""

    check_in: CheckIn
    kind: ReportKind
    finished: bool  # this report ended the run, or was a lone OK or ERROR


class CheckInRefused(msgspec.Struct, frozen=True):
    """A report was durable but not honoured; its sender will ask why."""

    project: int
    monitor_id: str
    reason: str  # a name of RefusalReason
    detail: str
    at: Instant
    dialect: str
    environment: str = ""
    check_in_id: str = ""
    dropped: bool = True  # False: a remark on a report that was honoured
    data: dict[str, str] = {}  # particulars by name, such as {"existingEnvironment": "production"}
    payload: str = ""  # what the client sent, as far as it was kept
    number: int = 0  # given by the store


class Missed(msgspec.Struct, frozen=True):
    check_in: CheckIn
    deadline: Instant
    judged_at: Instant


class Abandoned(msgspec.Struct, frozen=True):
    """A run that nobody ended was closed; it counts for nothing."""

    check_in: CheckIn


class TimedOut(msgspec.Struct, frozen=True):
    check_in: CheckIn
    deadline: Instant
    judged_at: Instant


class Unjudged(msgspec.Struct, frozen=True):
    """A slot or run became UNKNOWN: due while nobody could listen."""

    check_in: CheckIn


class IncidentOpened(msgspec.Struct, frozen=True):
    incident: Incident


class IncidentContinued(msgspec.Struct, frozen=True):
    """It failed again, or some of its causes ended while others go on. A cause that is new has a fact of its own."""

    incident: Incident
    added: str = ""  # the new cause
    ended: tuple[str, ...] = ()  # the causes that are no more


class IncidentResolved(msgspec.Struct, frozen=True):
    incident: Incident


class IncidentBroken(msgspec.Struct, frozen=True):
    """It is old, everything still fails, and nobody seems to care: its owner is to be told, once."""

    incident: Incident


class IncidentMuted(msgspec.Struct, frozen=True):
    """Nobody did anything about a broken one: its environment has been muted."""

    incident: Incident


class IncidentAcknowledged(msgspec.Struct, frozen=True):
    incident: Incident


class MonitorCreated(msgspec.Struct, frozen=True):
    monitor: Monitor


class MonitorChanged(msgspec.Struct, frozen=True):
    monitor: Monitor


class MonitorDeleted(msgspec.Struct, frozen=True):
    project: int
    number: int
    monitor_id: str


class EnvironmentCreated(msgspec.Struct, frozen=True):
    project: int
    monitor: int
    environment: str


class EnvironmentMuted(msgspec.Struct, frozen=True):
    """Nobody is told about an environment any more, or, `muted` False, people are again."""

    project: int
    monitor: int
    environment: str
    muted: bool


class EnvironmentDeleted(msgspec.Struct, frozen=True):
    """With its check-ins and incidents, an open one included."""

    project: int
    monitor: int
    environment: str
    idle: bool = False  # because no report came for long; otherwise somebody asked for it
    incident: int = 0  # that was open in it, 0: none


class OutageRecorded(msgspec.Struct, frozen=True):
    outage: Outage
    length_ms: Millis


Fact = (
    CheckInRecorded
    | CheckInRefused
    | Missed
    | TimedOut
    | Abandoned
    | Unjudged
    | IncidentOpened
    | IncidentContinued
    | IncidentResolved
    | IncidentAcknowledged
    | IncidentBroken
    | IncidentMuted
    | MonitorCreated
    | MonitorChanged
    | MonitorDeleted
    | EnvironmentCreated
    | EnvironmentMuted
    | EnvironmentDeleted
    | OutageRecorded
)
