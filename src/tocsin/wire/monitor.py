"""tocsin.v1.Monitor ⇄ Monitor, Policy and Track. Field masks become partial changes: see wire/masks.py."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tocsin.domain import errors, names
from tocsin.domain.instant import NEVER, Instant
from tocsin.domain.monitor import AlertPolicy, ExpectFrom, Kind, Monitor, MonitorChange, Tolerance
from tocsin.domain.track import DisplayState, Health, Track, TrackFlag, display_state
from tocsin.v1 import monitor_pb2 as pb
from tocsin.v1 import monitor_service_pb2 as service_pb
from tocsin.wire.enums import Names
from tocsin.wire.escalation import from_escalation
from tocsin.wire.schedule import from_schedules
from tocsin.wire.time import from_instant, from_millis, from_optional, to_instant, to_millis

KINDS = Names(
    pb.Monitor.Kind,
    {pb.Monitor.KIND_UNSPECIFIED: Kind.JOB, pb.Monitor.KIND_JOB: Kind.JOB, pb.Monitor.KIND_HEARTBEAT: Kind.HEARTBEAT},
)
EXPECT_FROM = Names(
    pb.Monitor.ExpectFrom,
    {
        pb.Monitor.EXPECT_FROM_UNSPECIFIED: ExpectFrom.FIRST_CHECK_IN,
        pb.Monitor.EXPECT_FROM_FIRST_CHECK_IN: ExpectFrom.FIRST_CHECK_IN,
        pb.Monitor.EXPECT_FROM_CREATION: ExpectFrom.CREATION,
    },
)
DISPLAY_STATES = Names(
    pb.EnvironmentHealth.State,
    {
        pb.EnvironmentHealth.STATE_NEW: DisplayState.NEW,
        pb.EnvironmentHealth.STATE_OK: DisplayState.OK,
        pb.EnvironmentHealth.STATE_RUNNING: DisplayState.RUNNING,
        pb.EnvironmentHealth.STATE_LATE: DisplayState.LATE,
        pb.EnvironmentHealth.STATE_MISSED: DisplayState.MISSED,
        pb.EnvironmentHealth.STATE_TIMED_OUT: DisplayState.TIMEOUT,
        pb.EnvironmentHealth.STATE_ERROR: DisplayState.ERROR,
        pb.EnvironmentHealth.STATE_UNKNOWN: DisplayState.UNKNOWN,
        pb.EnvironmentHealth.STATE_PAUSED: DisplayState.PAUSED,
    },
)


def to_pause(request: service_pb.PauseMonitorRequest, now: Instant, *, origin: str = "native") -> MonitorChange:
    """The change that PauseMonitor asks for. InvalidArgument when the pause would be over already."""
    length = request.pause_duration if request.HasField("pause_duration") else None
    if length is not None:
        return MonitorChange(paused_until=now + to_millis(length, "pause_duration", least=1), origin=origin)
    return MonitorChange(paused_until=_expiry(request, now), origin=origin)


def to_mute(request: service_pb.MuteMonitorRequest, now: Instant, *, origin: str = "native") -> MonitorChange:
    """The change that MuteMonitor asks for. InvalidArgument when the mute would be over already."""
    length = request.mute_duration if request.HasField("mute_duration") else None
    if length is not None:
        return MonitorChange(muted_until=now + to_millis(length, "mute_duration", least=1), origin=origin)
    return MonitorChange(muted_until=_expiry(request, now), origin=origin)


def _expiry(request: service_pb.PauseMonitorRequest | service_pb.MuteMonitorRequest, now: Instant) -> Instant:
    if not request.HasField("expire_time"):
        return NEVER
    until = to_instant(request.expire_time, "expire_time")
    if until <= now:
        raise errors.invalid("expire_time", "must be in the future; leave it unset to last until further notice")
    return until


def from_monitor(
    monitor: Monitor,
    tracks: Iterable[tuple[str, Track]],
    created: Mapping[int, Instant] = MappingProxyType({}),
    *,
    now: Instant,
) -> pb.Monitor:
    """The resource as a client reads it at `now`; `tracks` are its environments with their names, in order.

    `created` tells by a track's number when it was made; 0 or nothing: not known.
    """
    policy = monitor.policy
    paused, muted = _lasts(monitor.paused_until, now), _lasts(monitor.muted_until, now)
    return pb.Monitor(
        name=names.monitor_name(monitor.project, monitor.id),
        uid=monitor.uid,
        etag=monitor.etag,
        display_name=monitor.display_name,
        kind=KINDS.from_domain(policy.kind),
        schedules=from_schedules(policy.schedules),
        tolerance=from_tolerance(policy.tolerance),
        assertions=policy.assertions,
        alert_policy=from_alert_policy(monitor.alert_policy),
        labels=monitor.labels,
        group=monitor.group,
        tags=monitor.tags,
        owner=monitor.owner,
        origin=monitor.origin,
        written_by=monitor.written_by,
        disabled=monitor.disabled,
        inactive=monitor.inactive,
        paused=paused,
        pause_expire_time=from_optional(monitor.paused_until) if paused else None,
        muted=muted,
        mute_expire_time=from_optional(monitor.muted_until) if muted else None,
        expect_from=EXPECT_FROM.from_domain(policy.expect_from),
        miss_while_running=policy.miss_while_running,
        round_to_minute=policy.round_to_minute,
        check_ins_per_minute=policy.check_ins_per_minute,
        separate_causes=policy.separate_causes,
        abandon_runs=policy.abandon_runs,
        environments=[
            from_track(monitor, environment, track, created.get(track.number, 0), now=now)
            for environment, track in tracks
        ],
        create_time=from_instant(monitor.create_time),
        update_time=from_instant(monitor.update_time),
        number=monitor.number,
        locks=monitor.locks,
        field_writers={
            path: pb.FieldWriter(written_by=writer.by, write_time=from_instant(writer.at), upsert=writer.upsert)
            for path, writer in monitor.writers.items()
        },
    )


def from_tolerance(tolerance: Tolerance) -> pb.Tolerance:
    """The message, with every default written out but `early`, whose default is a rule."""
    return pb.Tolerance(
        margin=from_millis(tolerance.margin_ms),
        max_runtime=from_millis(tolerance.max_runtime_ms),
        failure_threshold=tolerance.failure_threshold,
        miss_threshold=tolerance.miss_threshold,
        recovery_threshold=tolerance.recovery_threshold,
        alert_delay=from_millis(tolerance.alert_delay_ms),
        early=None if tolerance.early_ms is None else from_millis(tolerance.early_ms),
    )


def from_alert_policy(policy: AlertPolicy) -> pb.AlertPolicy:
    return pb.AlertPolicy(
        channels=policy.channels,
        repeat_interval=from_millis(policy.repeat_interval_ms),
        repeat_limit=policy.repeat_limit,
        events=[f"EVENT_{event.upper()}" for event in policy.events],
        escalation=from_escalation(policy.escalation),
        project_escalation=policy.project_escalation,
    )


def from_track(
    monitor: Monitor, environment: str, track: Track, created: Instant = 0, *, now: Instant
) -> pb.EnvironmentHealth:
    """How one environment is doing at `now`."""
    state = display_state(
        paused=_lasts(monitor.paused_until, now),
        verdict=track.verdict,
        expected=track.expected,
        open_runs=track.open_runs,
        now=now,
    )
    return pb.EnvironmentHealth(
        environment=environment,
        state=DISPLAY_STATES.from_domain(state),
        healthy=track.health != Health.UNHEALTHY,
        expected_time=from_optional(track.expected),
        deadline_time=from_optional(track.deadline),
        run_deadline_time=from_optional(track.run_deadline),
        last_check_in_time=from_optional(track.last_check_in),
        last_success_time=from_optional(track.last_success),
        last_run_duration=from_millis(track.last_duration) if track.last_duration >= 0 else None,
        open_run_count=track.open_runs,
        consecutive_failure_count=track.failures,
        consecutive_miss_count=track.misses,
        consecutive_recovery_count=track.recoveries,
        counts=pb.EnvironmentHealth.Counts(
            ok_count=track.ok_count,
            error_count=track.error_count,
            started_count=track.started_count,
            missed_count=track.missed_count,
            timed_out_count=track.timed_out_count,
            unknown_count=track.unknown_count,
        ),
        incident=names.incident_name(monitor.project, track.incident) if track.incident else "",
        muted=bool(track.flags & TrackFlag.MUTED),
        create_time=from_instant(created) if created else None,
    )


def _lasts(until: Instant | None, now: Instant) -> bool:
    return until is not None and until > now
