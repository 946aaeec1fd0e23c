"""The port of lists for people: sorted, narrowed, turned in both directions; and counts by time. Reads only."""

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.incident import Cause, Incident
from tocsin.domain.instant import Instant, Millis
from tocsin.domain.monitor import Policy
from tocsin.store.port import Brief, CheckInFilter, MonitorWithHealth

T = TypeVar("T")


class Turn(NamedTuple):
    """Which page: the first one, or what follows, with `back` what precedes, the row that a token names."""

    token: str = ""
    back: bool = False


@dataclass(frozen=True, slots=True)
class Leaf(Generic[T]):
    """A page that can be left in both directions: `first` and `last` name its outer rows, "" when it has none."""

    rows: list[T]
    first: str
    last: str
    more_before: bool
    more_after: bool


class Standing(enum.IntEnum):
    """How a monitor is doing, worst first: that of its worst environment. The numbers are an order, and not stored."""

    UNHEALTHY = 0
    HEALTHY = 1
    NEW = 2
    MUTED = 3
    DISABLED = 4


class Sort(enum.Enum):
    ID = "id"  # by the index, whatever the number of monitors; the others look at each monitor of the project
    NAME = "name"
    STANDING = "standing"
    MUTED = "muted"


@dataclass(frozen=True, slots=True)
class MonitorSearch:
    """What a list of monitors is narrowed to; all of it must hold, and what is empty does."""

    environments: tuple[str, ...] = ()  # it has one of these
    owners: tuple[str, ...] = ()  # one of these; "" is nobody, and a "*" at the end is anything
    words: tuple[str, ...] = ()  # each is in its id or name, or is its uid
    ids: tuple[str, ...] = ()  # its id or uid
    id_parts: tuple[str, ...] = ()  # each is in its id
    name_parts: tuple[str, ...] = ()  # each is in its name
    standings: tuple[Standing, ...] = ()  # that of one of its environments; muted or not does not count
    sort: Sort = Sort.ID
    descending: bool = False


class Stage(enum.Enum):
    """How far an incident has come."""

    OPEN = "open"  # and nobody has acknowledged it
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class IncidentSearch:
    """What a list of incidents is narrowed to; all of it must hold, and what is None or empty does."""

    monitors: tuple[int, ...] | None = None  # of one of these
    environments: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()  # its monitor is in one of these
    tags: tuple[str, ...] = ()  # its monitor has one of these
    causes: frozenset[Cause] | None = None
    stages: tuple[Stage, ...] = ()  # one of these
    since: Instant | None = None  # opened then or later
    until: Instant | None = None  # opened before
    words: tuple[str, ...] = ()  # each is in the id or the name of its monitor
    oldest_first: bool = False


class Condition(enum.Enum):
    """How a monitor is doing in one environment, where a muted one is neither well nor ill."""

    PASSING = "passing"
    FAILING = "failing"
    MUTED = "muted"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a list by the number of its pages is narrowed to; all of it must hold, and what is empty does.

    A dialect keeps how it calls a monitor in the monitor's extras: as `key`, beside the id, and as `type`, beside the
    kind. A monitor that is inactive is of the type that is kept there, any other of its kind.
    """

    dialect: str
    types: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()  # one of these; "" is none
    tags: tuple[str, ...] = ()  # one of these
    words: tuple[str, ...] = ()  # each is in its key, or its id where it has none, or in its name
    conditions: tuple[Condition, ...] = ()  # one of these, in `environment`
    environment: str = ""  # it has this one; "": that does not matter, and conditions are those of production
    by_name: bool = False  # else by creation
    descending: bool = False
    rolling: bool = False  # its one schedule is a rolling one
    name_parts: tuple[str, ...] = ()  # each is in its name, or its id where it has none
    failed: bool | None = None  # whether what was judged last in `environment`, or in production, was a failure
    after: int = 0  # made after the monitor of this number


class Numbered(NamedTuple, Generic[T]):
    """A page by its number, and of how many rows."""

    rows: list[T]
    total: int


class Window(NamedTuple):
    """From `since` to just before `until`, in buckets of `width`; in any of these environments, or in all."""

    since: Instant
    until: Instant
    width: Millis
    environments: tuple[str, ...] = ()


class Count(NamedTuple):
    """Check-ins of one state received in [start, start + width) in one environment."""

    monitor: int
    environment: str
    start: Instant
    state: State
    number: int
    duration: Millis  # of those that have one, together
    durations: int  # how many have one


class Stretch(NamedTuple):
    """Check-ins recorded from `since` to just before `until`, newest first, behind the first `offset`.

    `below`: and only those with smaller numbers; a page begins where the one before ended.
    """

    since: Instant
    until: Instant
    below: int = 2**63 - 1
    offset: int = 0


class Passage(NamedTuple):
    """A page of a stretch, and the number below which nothing was looked at yet; 0: all was.

    A page may be short and yet not the last one: no page looks through more than so many check-ins.
    """

    rows: list[CheckIn]
    rest: int


DURATION: Final = "duration"
"""The measure of a check-in that is its length, in milliseconds; any other name is one of its metrics."""


class Spread(NamedTuple):
    """The values of one measure: how many, their sum, and what the asked quantiles are, within one percent."""

    number: int
    total: float
    quantiles: tuple[float, ...]


class Statistic(NamedTuple):
    """Check-ins received in [start, start + width) in one environment, one at least."""

    monitor: int
    environment: str
    start: Instant
    states: dict[State, int]
    started: int  # how many told of their start
    spreads: dict[str, Spread]  # by measure; without those that no check-in has


class Told(NamedTuple):
    """Whom a monitor tells; see `AlertPolicy.channels`."""

    id: str
    channels: tuple[str, ...]
    extras: dict[str, msgspec.Raw]


class IncidentCount(NamedTuple):
    """Incidents opened in [start, start + width) in one environment."""

    monitor: int
    environment: str
    start: Instant
    number: int


class Downtime(NamedTuple):
    """How long incidents were open in one environment."""

    monitor: int
    environment: str
    length: Millis


class Browse(Protocol):
    """Any method may raise `StoreTrouble`; those that turn pages also `InvalidArgument`."""

    def monitors(
        self, project: int, search: MonitorSearch, *, now: Instant, size: int, turn: Turn
    ) -> Leaf[MonitorWithHealth]: ...

    def monitors_of(self, project: int, *, uids: Sequence[str], ids: Sequence[str] = ()) -> list[MonitorWithHealth]:
        """Those that exist, by uid (32 hex characters) or id, in no order."""

    def numbered(
        self, project: int, only: Selection, *, now: Instant, size: int, offset: int
    ) -> Numbered[MonitorWithHealth]:
        """`size` of the monitors behind the first `offset`."""

    def rolling(self, project: int) -> list[int]:
        """Numbers of the monitors whose one schedule is a rolling one, rising."""

    def briefs(self, project: int, numbers: Sequence[int]) -> list[Brief]:
        """In the order of the numbers, without those that are not, or no more, such monitors of the project."""

    def newest(self, tracks: Sequence[tuple[int, int, Instant]], states: Collection[State]) -> dict[int, CheckIn]:
        """By track, the newest check-in in one of the states.

        Tracks are (number of the monitor, of the track, when it was last reported of).
        """

    def newest_incidents(self, tracks: Sequence[tuple[int, int]]) -> dict[int, Incident]:
        """By track, open or resolved."""

    def check_ins(
        self, project: int, only: CheckInFilter, environments: Sequence[str], *, size: int, turn: Turn
    ) -> Leaf[CheckIn]:
        """Newest first; `environments`: any of these, none is any."""

    def refusals(self, project: int, monitor_id: str | None, *, size: int, turn: Turn) -> Leaf[CheckInRefused]:
        """Newest first."""

    def monitors_numbered(self, project: int, numbers: Collection[int]) -> list[MonitorWithHealth]:
        """Those of the project that exist, in no order."""

    def monitor_of_any_project(self, number: int) -> MonitorWithHealth | None: ...
    def monitor_of_uid(self, uid: str) -> MonitorWithHealth | None:
        """Whosever it is; 32 hex characters."""

    def policies(self, numbers: Collection[int]) -> dict[int, Policy]:
        """Those that exist, by number."""

    def counts(
        self, monitors: Sequence[int], *, since: Instant, until: Instant, width: Millis, environments: Sequence[str]
    ) -> list[Count]:
        """Of check-ins received in [since, until), in buckets of `width` from `since` on; empty ones are left out."""

    def statistics(
        self, monitors: Sequence[int], window: Window, *, measures: Sequence[str], quantiles: tuple[float, ...]
    ) -> list[Statistic]:
        """Of check-ins received in the window: monitor by monitor, by environment and time; empty ones are left out."""

    def tallies(
        self, monitors: Sequence[int], environment: str, cuts: Sequence[Instant]
    ) -> dict[int, list[dict[State, int]]]:
        """By monitor, of each stretch between two neighbours of `cuts` how many check-ins of each state were recorded.

        Recorded is when a report came, and when a slot without one was called missed. Cuts rise. Of a monitor one
        environment counts, this one or, where it has not this one, its first by name. Those without any are left out.
        """

    def recorded(
        self, monitor: int, environment: str, states: Collection[State], stretch: Stretch, limit: int
    ) -> Passage:
        """Up to `limit` check-ins of a monitor by when they were recorded, newest first; environments as above."""

    def told(self, project: int) -> list[Told]:
        """Of every monitor, by id."""

    def incidents(self, project: int, only: IncidentSearch, *, size: int, offset: int) -> Numbered[Incident]: ...
    def incident_counts(self, monitors: Sequence[int], window: Window) -> list[IncidentCount]:
        """Of incidents opened in the window; empty ones are left out."""

    def downtimes(self, monitors: Sequence[int], window: Window) -> list[Downtime]:
        """Of the whole window; who was never down is left out."""
