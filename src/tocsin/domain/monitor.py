"""A monitor: what should happen, how late it may be, when to tell. One for each job, whatever its environments."""

import enum

import msgspec

from tocsin.domain.instant import DAY, MINUTE, Instant, Millis
from tocsin.domain.schedule import Schedule, in_zone, zone_of

MAX_THRESHOLD = 720
MAX_MARGIN = 366 * DAY
MAX_MAX_RUNTIME = 366 * DAY


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


class AlertPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom to tell and how often. Stored whole; acted on by notification."""

    channels: tuple[str, ...] = ()
    repeat_interval_ms: Millis = 0


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
    owner: str = ""
    origin: str = "native"  # the dialect that created it: native, grpc, sentry, cronitor, checkly
    written_by: str = "native"  # the dialect that wrote it last
    disabled: bool = False  # reports are refused
    inactive: bool = False  # reports are answered, nothing recorded, timer off
    paused_until: Instant | None = None  # recorded, not judged; NEVER: until resumed
    muted_until: Instant | None = None  # judged, not told; NEVER: until unmuted
    extras: dict[str, msgspec.Raw] = {}  # by dialect: what no field here can say, kept verbatim
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
    """

    policy: dict[str, object] = {}
    tolerance: dict[str, object] = {}
    display_name: str | msgspec.UnsetType = msgspec.UNSET
    alert_policy: AlertPolicy | msgspec.UnsetType = msgspec.UNSET
    labels: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    owner: str | msgspec.UnsetType = msgspec.UNSET
    disabled: bool | msgspec.UnsetType = msgspec.UNSET
    inactive: bool | msgspec.UnsetType = msgspec.UNSET
    paused_until: Instant | msgspec.UnsetType | None = msgspec.UNSET
    muted_until: Instant | msgspec.UnsetType | None = msgspec.UNSET
    extras: dict[str, msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET  # replaces the named dialects' extras only
    origin: str = "native"

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
            field: value
            for field in (
                "display_name",
                "alert_policy",
                "labels",
                "owner",
                "disabled",
                "inactive",
                "paused_until",
                "muted_until",
            )
            if (value := getattr(self, field)) is not msgspec.UNSET
        }
        if self.extras is not msgspec.UNSET:
            named["extras"] = {**monitor.extras, **self.extras}
        changed = msgspec.structs.replace(monitor, policy=policy, **named)
        if changed == monitor:
            return monitor
        return msgspec.structs.replace(changed, written_by=self.origin, revision=monitor.revision + 1, update_time=at)
