"""A monitor: what should happen, how late it may be, when to tell. One for each job, whatever its environments."""

import enum
from collections.abc import Collection
from typing import Final

import msgspec

from tocsin.domain.instant import DAY, MINUTE, Instant, Millis
from tocsin.domain.schedule import Schedule, in_zone, zone_of

MAX_THRESHOLD = 720
MAX_MARGIN = 366 * DAY
MAX_MAX_RUNTIME = 366 * DAY
MAX_REPEATS = 10_000
EVENTS: Final = (
    "run",
    "complete",
    "fail",
)  # reports that can be told by themselves: a run begins, ends well, ends badly


class Kind(enum.Enum):
    JOB = "job"  # has runs: a start, an end
    HEARTBEAT = "heartbeat"  # a lone signal


class ExpectFrom(enum.Enum):
    """From when a slot without a report is a miss."""

    FIRST_CHECK_IN = "first_check_in"  # before it nothing is expected (Sentry, default)
    CREATION = "creation"  # a monitor that never reports alarms too


class Tolerance(msgspec.Struct, frozen=True, omit_defaults=True):
    """How late, how long and how often things may go wrong. All lengths in milliseconds."""

    margin_ms: Millis = MINUTE  # a slot is missed at slot + margin
    max_runtime_ms: Millis = 30 * MINUTE  # a run is timed out this long after its start or keep-alive; 0: never
    failure_threshold: int = 1  # consecutive failures that open an incident
    miss_threshold: int = 0  # consecutive misses that do; 0: counted together with failures
    recovery_threshold: int = 1  # consecutive OKs that resolve it
    alert_delay_ms: Millis = 0  # wait before telling; recovery inside it is silent
    early_ms: Millis | None = (
        None  # how early a report may satisfy the coming slot; None: min(60 s, a tenth of the slot distance)
    )


class Escalation(msgspec.Struct, frozen=True, omit_defaults=True):
    """When people are told of what is wrong, and how often."""

    failures: int = 1  # after so many failures of an incident
    delay_ms: Millis = 0  # not before it has lasted so long
    repeat_interval_ms: Millis = 0  # from an alert to the next of the same incident; 0: told once
    repeat_limit: int = 0  # alerts of one incident; 0: any number


class AlertPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom to tell and how often. Stored whole; acted on by notification."""

    channels: tuple[str, ...] = ()  # destinations, or keys of notification lists; none: the project's default list
    repeat_interval_ms: Millis = 0  # from an alert to the next of the same incident; 0: told once
    repeat_limit: int = 0  # alerts of one incident; 0: any number
    events: tuple[str, ...] = ()  # of EVENTS; told each, also while all is well
    escalation: Escalation | None = None  # instead of the two lines above and of the tolerance's alert delay
    project_escalation: bool = False  # the project's, where it has one, instead of all of these


class Policy(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that the engine judges by. Equal policies are stored once: a million monitors share a few thousand."""

    schedules: tuple[Schedule, ...] = ()
    tolerance: Tolerance = Tolerance()
    kind: Kind = Kind.JOB
    expect_from: ExpectFrom = ExpectFrom.FIRST_CHECK_IN
    miss_while_running: bool = True  # a slot that passes while a run is open counts as missed (Sentry)
    round_to_minute: bool = False  # time-outs are rounded up to the whole minute, as Sentry shows them
    assertions: tuple[str, ...] = ()
    check_ins_per_minute: int | None = None  # in one environment; 0: any number; None: what the project says
    separate_causes: bool = False  # misses, errors and time-outs arise and recover each for itself (Cronitor)
    events: tuple[str, ...] = ()  # of EVENTS, as the alert policy has them: reports that are told by themselves
    abandon_runs: bool = False  # a run that nobody ends is closed at last, and that counts for nothing (Cronitor)


class FieldWriter(msgspec.Struct, frozen=True):
    """Who gave a field its value."""

    by: str  # the dialect
    at: Instant
    upsert: bool = False  # a configuration that came with a report; otherwise somebody's hand


class Monitor(msgspec.Struct, frozen=True, omit_defaults=True):
    """The whole configuration, as stored and read back."""

    number: int  # identity inside the store; never reused
    project: int
    id: str  # the last part of the resource name; [a-z0-9_-]
    uid: str  # 32 hex characters; survives nothing but itself: a new monitor of the same id has another
    policy: Policy = Policy()
    display_name: str = ""
    alert_policy: AlertPolicy = AlertPolicy()
    labels: dict[str, str] = {}
    group: str = ""  # key of the group that it is in, "": none
    tags: tuple[str, ...] = ()
    owner: str = ""
    origin: str = "native"  # the dialect that created it: native, grpc, sentry, cronitor, checkly
    written_by: str = "native"  # the dialect that wrote it last
    disabled: bool = False  # reports are refused
    inactive: bool = False  # reports are answered, nothing recorded, timer off
    paused_until: Instant | None = None  # recorded, not judged; NEVER: until resumed
    muted_until: Instant | None = None  # judged, not told; NEVER: until unmuted
    ping_token: str = ""  # a UUID as 32 hex characters that is all a ping needs to know; "": there is none
    extras: dict[str, msgspec.Raw] = {}  # by dialect: what no field here can say, kept verbatim
    locks: tuple[str, ...] = ()  # fields that no configuration of a client changes, by path as in FIELDS, sorted
    writers: dict[str, FieldWriter] = {}  # by path; a field that is not here was never written
    revision: int = 0  # counts changes; the etag is made of it
    create_time: Instant = 0
    update_time: Instant = 0

    @property
    def etag(self) -> str:
        return f"{self.uid[:8]}-{self.revision}"


class MonitorChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """A partial write. UNSET fields keep what is stored, or the default of a new monitor.

    `policy` holds replacements for single fields of `Policy`, `tolerance` for single fields of `Tolerance`: a Sentry
    upsert that names only the margin changes only the margin. A schedule whose `time_zone` is "" takes the zone of the
    schedule that it replaces, or UTC.

    `by_hand` marks the change of a person, by whatever protocol: what it names is locked, also where it says what is so
    already, so that no configuration that a client sends along undoes it. When it names the locks themselves, those
    hold, and what it changes is locked beside them.
    """

    policy: dict[str, object] = {}
    tolerance: dict[str, object] = {}
    display_name: str | msgspec.UnsetType = msgspec.UNSET
    alert_policy: AlertPolicy | msgspec.UnsetType = msgspec.UNSET
    labels: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    group: str | msgspec.UnsetType = msgspec.UNSET
    tags: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    owner: str | msgspec.UnsetType = msgspec.UNSET
    disabled: bool | msgspec.UnsetType = msgspec.UNSET
    inactive: bool | msgspec.UnsetType = msgspec.UNSET
    paused_until: Instant | msgspec.UnsetType | None = msgspec.UNSET
    muted_until: Instant | msgspec.UnsetType | None = msgspec.UNSET
    ping_token: str | msgspec.UnsetType = msgspec.UNSET
    extras: dict[str, msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET  # replaces the named dialects' extras only
    origin: str = "native"
    by_hand: bool = False
    locks: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET  # replaces those there are; only by hand

    def named(self) -> set[str]:
        """Paths of the fields that it writes."""
        own = {name for name in _OWN if getattr(self, name) is not msgspec.UNSET}
        return (
            own | {path for path, name in _TOLERANCE.items() if name in self.tolerance} | self.policy.keys() & _POLICY
        )

    def without(self, paths: Collection[str]) -> "MonitorChange":
        return msgspec.structs.replace(
            self,
            policy={name: value for name, value in self.policy.items() if name not in paths},
            tolerance={name: value for name, value in self.tolerance.items() if _PATHS[name] not in paths},
            **dict.fromkeys((name for name in _OWN if name in paths), msgspec.UNSET),
        )

    def sparing_locks(self, monitor: Monitor) -> tuple["MonitorChange", list[str]]:
        """What is left of it beside the locks of a monitor, and the fields that keep another value because of those."""
        locked = self.named().intersection(monitor.locks)
        if not locked:
            return self, []
        wanted = self.apply(monitor, 0)
        return self.without(locked), sorted(path for path in locked if field(wanted, path) != field(monitor, path))

    def apply(self, monitor: Monitor, at: Instant) -> Monitor:
        """The monitor after this change; the same object when nothing changes."""
        policy = monitor.policy
        if self.tolerance:
            policy = msgspec.structs.replace(
                policy, tolerance=msgspec.structs.replace(policy.tolerance, **self.tolerance)
            )
        if self.policy:
            zone = zone_of(policy.schedules)
            policy = msgspec.structs.replace(policy, **self.policy)
            policy = msgspec.structs.replace(policy, schedules=in_zone(policy.schedules, zone))
        named: dict[str, object] = {
            name: value
            for name in (
                "display_name",
                "alert_policy",
                "labels",
                "group",
                "tags",
                "owner",
                "disabled",
                "inactive",
                "paused_until",
                "muted_until",
                "ping_token",
            )
            if (value := getattr(self, name)) is not msgspec.UNSET
        }
        if self.alert_policy is not msgspec.UNSET:  # the engine knows a policy and not whom to tell
            policy = msgspec.structs.replace(policy, events=self.alert_policy.events)
        if self.extras is not msgspec.UNSET:
            named["extras"] = {**monitor.extras, **self.extras}
        changed = msgspec.structs.replace(monitor, policy=policy, **named)
        written = {path for path in FIELDS if field(changed, path) != field(monitor, path)}
        if not monitor.number:
            written |= self.named()
        if self.by_hand:
            locks = written.union(self.named() | {*monitor.locks} if self.locks is msgspec.UNSET else self.locks)
            changed = msgspec.structs.replace(changed, locks=tuple(sorted(locks)))
        if changed == monitor:
            return monitor
        writer = FieldWriter(self.origin, at, upsert=not self.by_hand)
        return msgspec.structs.replace(
            changed,
            writers={**monitor.writers, **dict.fromkeys(sorted(written), writer)},
            written_by=self.origin,
            revision=monitor.revision + 1,
            update_time=at,
        )


_OWN: Final = ("display_name", "alert_policy", "labels", "group", "tags", "owner")
_POLICY: Final = (
    *("schedules", "kind", "expect_from", "miss_while_running", "round_to_minute", "assertions"),
    *("separate_causes", "abandon_runs"),
)
_PATHS: Final = {name: f"tolerance.{name.removesuffix('_ms')}" for name in Tolerance.__struct_fields__}
_TOLERANCE: Final = {path: name for name, path in _PATHS.items()}
FIELDS: Final = frozenset((*_OWN, *_POLICY, *_TOLERANCE))
"""Paths, as in the contract, of all that a configuration says; not of the quiet states, which only people change."""


def field(monitor: Monitor, path: str) -> object:
    """The value at a path of FIELDS."""
    if path in _TOLERANCE:
        return getattr(monitor.policy.tolerance, _TOLERANCE[path])
    return getattr(monitor.policy if path in _POLICY else monitor, path)
