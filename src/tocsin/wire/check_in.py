"""Requests of CheckInService and HeartbeatService → Report, and CheckIn → tocsin.v1.CheckIn."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypedDict

from google.protobuf.field_mask_pb2 import FieldMask

from tocsin.domain import errors, ids, names
from tocsin.domain.check_in import MAX_DURATION, MAX_MESSAGE, MAX_METRICS, CheckIn, Report, ReportKind, State
from tocsin.domain.instant import NEVER, Instant, Millis
from tocsin.domain.trace_error import TraceError
from tocsin.v1 import check_in_pb2 as pb
from tocsin.v1 import check_in_service_pb2 as service_pb
from tocsin.v1 import heartbeat_service_pb2 as heartbeat_pb
from tocsin.wire.enums import Names
from tocsin.wire.masks import to_change
from tocsin.wire.time import from_instant, from_millis, to_instant, to_millis

MAX_TEXT = 200

STATES = Names(
    pb.CheckIn.State,
    {
        pb.CheckIn.STATE_IN_PROGRESS: State.IN_PROGRESS,
        pb.CheckIn.STATE_OK: State.OK,
        pb.CheckIn.STATE_ERROR: State.ERROR,
        pb.CheckIn.STATE_MISSED: State.MISSED,
        pb.CheckIn.STATE_TIMED_OUT: State.TIMED_OUT,
        pb.CheckIn.STATE_UNKNOWN: State.UNKNOWN,
        pb.CheckIn.STATE_NOTE: State.NOTE,
        pb.CheckIn.STATE_ABANDONED: State.ABANDONED,
    },
)
KINDS = Names(
    service_pb.CreateCheckInRequest.Kind,
    {
        service_pb.CreateCheckInRequest.KIND_START: ReportKind.START,
        service_pb.CreateCheckInRequest.KIND_BEAT: ReportKind.BEAT,
        service_pb.CreateCheckInRequest.KIND_OK: ReportKind.OK,
        service_pb.CreateCheckInRequest.KIND_ERROR: ReportKind.ERROR,
        service_pb.CreateCheckInRequest.KIND_RESET: ReportKind.RESET,
        service_pb.CreateCheckInRequest.KIND_NOTE: ReportKind.NOTE,
    },
)
_STATE_OF: Final[Mapping[ReportKind, State]] = {
    ReportKind.START: State.IN_PROGRESS,
    ReportKind.BEAT: State.IN_PROGRESS,
    ReportKind.OK: State.OK,
    ReportKind.ERROR: State.ERROR,
    ReportKind.RESET: State.OK,
    ReportKind.NOTE: State.NOTE,
}
# What a state alone means; of a run that is known, in progress is a keep-alive.
_KIND_OF: Final[Mapping[State, ReportKind]] = {
    State.IN_PROGRESS: ReportKind.START,
    State.OK: ReportKind.OK,
    State.ERROR: ReportKind.ERROR,
    State.NOTE: ReportKind.NOTE,
}
_UPDATES: Final[Mapping[State, ReportKind]] = {**_KIND_OF, State.IN_PROGRESS: ReportKind.BEAT}
_REPORTABLE: Final = "STATE_IN_PROGRESS, STATE_OK, STATE_ERROR or STATE_NOTE"
_PLAIN: Final = (
    *("environment", "message", "release", "host", "trace_id"),
    *("metrics", "series", "late", "dialect", "client"),
)
_TIMES: Final = ("start_time", "end_time", "expected_time", "update_time", "timeout_time")
_MASKABLE: Final = frozenset(
    {
        *("state", "environment", "start_time", "end_time", "duration", "exit_code", "message"),
        *("release", "host", "trace_id", "metrics", "series"),
    }
)


def _any_project(_project: str) -> None:
    pass


def to_report(
    request: service_pb.CreateCheckInRequest,
    *,
    project: int,
    received: Instant,
    monitor_id: str = "",
    client: str = "",
    field: str = "",
    dialect: str = "native",
    retry_safe: bool = False,
    own_project: Callable[[str], None] = _any_project,
) -> Report:
    """The report of one CreateCheckInRequest, alone or in a batch.

    `project` is what the caller's key and the parent agree on, which `own_project` sees to where a request names one;
    `monitor_id` is that of the batch's parent, where it has one; `field` is the request's path in a batch
    ("requests[3]"). InvalidArgument names the wrong field.
    """
    at = f"{field}." if field else ""
    if request.parent or not monitor_id:
        name = names.parse("monitor", request.parent, f"{at}parent")
        own_project(name.project)
        own = name.monitor
        if monitor_id and own != monitor_id:
            raise errors.invalid(f"{at}parent", f"names monitor {own!r}, and the batch is of {monitor_id!r}")
        monitor_id = _one_monitor(own, f"{at}parent")
    kind = _kind(request, at)
    identifier = ids.normal_id(request.check_in_id, f"{at}check_in_id") if request.check_in_id else None
    upsert = None
    if request.HasField("monitor"):
        names.check_monitor_id(monitor_id, f"{at}parent")  # it may be created under this id
        upsert = to_change(request.monitor, field=f"{at}monitor")
    return Report(
        project=project,
        monitor_id=monitor_id,
        kind=kind,
        received=received,
        check_in_id=identifier,
        client=client,
        upsert=upsert,
        pair=not request.stand_alone,
        dialect=dialect,
        retry_safe=retry_safe,
        **_run(request.check_in, kind, f"{at}check_in", received),
    )


def to_update(request: service_pb.UpdateCheckInRequest, *, project: int, received: Instant, client: str = "") -> Report:
    """The report of an UpdateCheckInRequest. `check_in_id` is None for "latest"."""
    name = names.parse("check_in", request.check_in.name, "check_in.name")
    message = request.check_in
    if request.update_mask.paths:
        message = _masked(message, request.update_mask.paths)
    if message.state not in STATES or STATES.to_domain(message.state, "check_in.state") not in _UPDATES:
        raise errors.invalid("check_in.state", f"must be {_REPORTABLE}")
    kind = _UPDATES[STATES.to_domain(message.state, "check_in.state")]
    identifier = None if name.child == "latest" else ids.normal_id(name.child, "check_in.name")
    return Report(
        project=project,
        monitor_id=name.monitor,
        kind=kind,
        received=received,
        check_in_id=identifier,
        client=client,
        **_run(message, kind, "check_in", received),
    )


def to_heartbeat(
    request: heartbeat_pb.SendHeartbeatRequest, *, project: int, received: Instant, client: str = "", field: str = ""
) -> Report:
    """The report of one signal: OK, and apart from any run."""
    at = f"{field}." if field else ""
    return Report(
        project=project,
        monitor_id=_one_monitor(names.parse("monitor", request.name, f"{at}name").monitor, f"{at}name"),
        kind=ReportKind.OK,
        received=received,
        environment=_environment(request.environment, f"{at}environment"),
        check_in_id=ids.normal_id(request.check_in_id, f"{at}check_in_id") if request.check_in_id else None,
        time=to_instant(request.event_time, f"{at}event_time") if request.HasField("event_time") else None,
        message=request.message[:MAX_MESSAGE],
        client=client,
        pair=False,
    )


def to_state(number: int, field: str = "state") -> State:
    """A state to narrow a list by."""
    return STATES.to_domain(number, field)


def from_check_in(check_in: CheckIn, error: TraceError | None = None) -> pb.CheckIn:
    """The resource as a client reads it; `error` is what is known to have gone wrong in its trace."""
    # Most fields of most check-ins are at their defaults: naming them costs more than all the rest.
    fields: dict[str, Any] = {field: value for field in _PLAIN if (value := getattr(check_in, field))}
    received = from_instant(check_in.receive_time)
    for field in _TIMES:
        instant = getattr(check_in, field)
        if instant is not None and instant != NEVER:
            fields[field] = received if instant == check_in.receive_time else from_instant(instant)
    if check_in.duration_ms is not None:
        fields["duration"] = from_millis(check_in.duration_ms)
    if check_in.exit_code is not None:
        fields["exit_code"] = check_in.exit_code
    if check_in.satisfies is not None:  # missed and unknown check-ins are ours, so their number is their id
        missed = ids.public_id(check_in.satisfies)
        fields["satisfies"] = names.check_in_name(check_in.project, check_in.monitor_id, missed)
    if error is not None:
        fields["trace_error"] = pb.TraceError(level=error.level, type=error.type, value=error.value)
    return pb.CheckIn(
        name=names.check_in_name(check_in.project, check_in.monitor_id, check_in.id),
        uid=check_in.id,
        number=check_in.number,
        state=STATES.from_domain(check_in.state),
        receive_time=received,
        **fields,
    )


def _one_monitor(monitor_id: str, field: str) -> str:
    if monitor_id == "-":
        raise errors.invalid(field, "must name one monitor; '-' is for lists and batches", reason="NAME_INVALID")
    return monitor_id


def _kind(request: service_pb.CreateCheckInRequest, at: str) -> ReportKind:
    said = request.check_in.state
    state = STATES.to_domain(said, f"{at}check_in.state") if said else None
    if request.kind:
        kind = KINDS.to_domain(request.kind, f"{at}kind")
        if state is not None and state is not _STATE_OF[kind]:
            raise errors.invalid(
                f"{at}kind", f"{kind.name} and check_in.state {state.name} contradict each other; leave one unset"
            )
        return kind
    if state is None or state not in _KIND_OF:
        raise errors.invalid(f"{at}check_in.state", f"must be {_REPORTABLE}, or set kind")
    return _KIND_OF[state]


class _Run(TypedDict, total=False):
    """What a message says of a run: the fields of Report that are not at their defaults."""

    environment: str
    time: Instant | None
    duration_ms: Millis | None
    exit_code: int
    message: str
    release: str
    host: str
    trace_id: str
    metrics: dict[str, float]
    series: str


def _run(message: pb.CheckIn, kind: ReportKind, field: str, received: Instant) -> _Run:
    start = to_instant(message.start_time, f"{field}.start_time") if message.HasField("start_time") else None
    end = to_instant(message.end_time, f"{field}.end_time") if message.HasField("end_time") else None
    run: _Run = {"time": start if kind is ReportKind.START else end}
    if start is not None or message.HasField("duration"):
        ended = kind in (ReportKind.OK, ReportKind.ERROR)
        run["duration_ms"] = _duration(message, start, end, field, received, ended=ended)
    if message.environment:
        run["environment"] = _environment(message.environment, f"{field}.environment")
    if message.HasField("exit_code"):
        run["exit_code"] = message.exit_code
    if message.message:
        run["message"] = message.message[:MAX_MESSAGE]
    if message.release:
        run["release"] = _short(message.release, f"{field}.release")
    if message.host:
        run["host"] = _short(message.host, f"{field}.host")
    if message.trace_id:
        run["trace_id"] = _short(message.trace_id, f"{field}.trace_id")
    if message.series:
        run["series"] = _short(message.series, f"{field}.series")
    if message.metrics:
        run["metrics"] = _metrics(message.metrics, f"{field}.metrics")
    return run


def _short(text: str, field: str) -> str:
    if len(text) > MAX_TEXT:
        raise errors.invalid(field, f"at most {MAX_TEXT} characters, not {len(text)}")
    return text


def _environment(text: str, field: str) -> str:
    """Empty stays empty: the engine then takes that of the run that is named."""
    return names.check_environment(text, field) if text else ""


def _duration(
    message: pb.CheckIn, start: Instant | None, end: Instant | None, field: str, received: Instant, *, ended: bool
) -> Millis | None:
    if message.HasField("duration"):
        return to_millis(message.duration, f"{field}.duration", most=MAX_DURATION)
    if start is None or not ended:
        return None
    length = (received if end is None else end) - start
    if end is not None and length < 0:
        raise errors.invalid(f"{field}.end_time", "is before start_time")
    return min(max(length, 0), MAX_DURATION)


def _metrics(values: Mapping[str, float], field: str) -> dict[str, float]:
    if len(values) > MAX_METRICS:
        raise errors.invalid(field, f"at most {MAX_METRICS} metrics, not {len(values)}")
    for name, value in values.items():
        if not math.isfinite(value) or not 0 < len(name) <= MAX_TEXT:
            raise errors.invalid(
                f"{field}[{name[:64]!r}]", f"must be a finite number under a name of 1 to {MAX_TEXT} characters"
            )
    return dict(values)


def _masked(message: pb.CheckIn, paths: Iterable[str]) -> pb.CheckIn:
    if "*" in paths:
        return message
    for path in paths:
        if path not in _MASKABLE and path != "name":
            what = "is output only" if path in pb.CheckIn.DESCRIPTOR.fields_by_name else "is no field of CheckIn"
            raise errors.invalid("update_mask", f"{path[:80]!r} {what}")
    chosen = pb.CheckIn()
    FieldMask(paths=paths).MergeMessage(message, chosen)
    return chosen
