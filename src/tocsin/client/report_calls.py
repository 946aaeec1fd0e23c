"""Calls of CheckInService and HeartbeatService: report runs and signals, read what was recorded."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, Unpack

from tocsin.client.calls import Call, Method, Pages, pages, unary
from tocsin.client.fields import ALL, Length, MonitorFields, instant, length, monitor_message, monitor_name
from tocsin.client.fields import check_in_id as hex_id
from tocsin.v1 import check_in_pb2, refusal_pb2
from tocsin.v1 import check_in_service_pb2 as pb
from tocsin.v1 import heartbeat_service_pb2 as heartbeat_pb

Status = Literal["in_progress", "ok", "error", "beat", "reset", "note"]
State = Literal["in_progress", "ok", "error", "missed", "timed_out", "unknown", "note"]
_KINDS: Final[Mapping[Status, str]] = {
    "in_progress": "KIND_START",
    "ok": "KIND_OK",
    "error": "KIND_ERROR",
    "beat": "KIND_BEAT",
    "reset": "KIND_RESET",
    "note": "KIND_NOTE",
}
_CREATE: Final = Method("CheckInService", "CreateCheckIn", pb.CreateCheckInRequest, check_in_pb2.CheckIn)
_GET: Final = Method("CheckInService", "GetCheckIn", pb.GetCheckInRequest, check_in_pb2.CheckIn)
_LIST: Final = Method("CheckInService", "ListCheckIns", pb.ListCheckInsRequest, pb.ListCheckInsResponse)
_REFUSALS: Final = Method("CheckInService", "ListRefusals", pb.ListRefusalsRequest, pb.ListRefusalsResponse)
_BEAT: Final = Method(
    "HeartbeatService", "SendHeartbeat", heartbeat_pb.SendHeartbeatRequest, heartbeat_pb.SendHeartbeatResponse
)
BATCH: Final = Method(
    "CheckInService", "BatchCreateCheckIns", pb.BatchCreateCheckInsRequest, pb.BatchCreateCheckInsResponse
)


class ReportFields(MonitorFields, total=False):
    """What can be said of a run; and words of its monitor, which is created or changed first when there are any."""

    environment: str | None
    start_time: datetime | None  # by the client's clock, with a time zone
    end_time: datetime | None
    duration: Length | None  # seconds, or a timedelta
    exit_code: int | None
    message: str | None
    release: str | None
    host: str | None
    trace_id: str | None
    series: str | None
    metrics: Mapping[str, float] | None
    stand_alone: bool  # an end that closes no open run


_RUN: Final = ("environment", "exit_code", "message", "release", "host", "trace_id", "series", "metrics")


def report(
    monitor: str, status: Status, *, check_in_id: str | uuid.UUID | None = None, **more: Unpack[ReportFields]
) -> pb.CreateCheckInRequest:
    """One report as a message; see `check_in`. Starts, notes and what stands alone get an id when they have none."""
    if status not in _KINDS:
        raise ValueError(f"status: {status!r} is none of {', '.join(_KINDS)}")
    left: dict[str, Any] = {name: value for name, value in more.items() if value is not None}
    stand_alone = left.pop("stand_alone", False)
    if check_in_id is None and (stand_alone or status in ("in_progress", "note")):
        check_in_id = uuid.uuid4()
    run = check_in_pb2.CheckIn(**{name: left.pop(name) for name in _RUN if name in left})
    if "duration" in left:
        run.duration.CopyFrom(length(left.pop("duration")))
    if "start_time" in left:
        run.start_time.CopyFrom(instant(left.pop("start_time")))
    if "end_time" in left:
        run.end_time.CopyFrom(instant(left.pop("end_time")))
    return pb.CreateCheckInRequest(
        parent=monitor_name(monitor),
        check_in=run,
        check_in_id="" if check_in_id is None else hex_id(check_in_id),
        kind=_KINDS[status],
        monitor=monitor_message(left) if left else None,
        stand_alone=stand_alone,
    )


def create(request: pb.CreateCheckInRequest) -> Call[check_in_pb2.CheckIn]:
    """The call that sends one report. It can be repeated when it has an id, or says nothing about a certain run."""
    repeatable = bool(request.check_in_id) or request.kind == pb.CreateCheckInRequest.KIND_RESET
    return unary(_CREATE, request, repeatable=repeatable)


def check_in(
    monitor: str, status: Status, *, check_in_id: str | uuid.UUID | None = None, **more: Unpack[ReportFields]
) -> Call[check_in_pb2.CheckIn]:
    """Reports on a run of `monitor` ("backup", or a full name) and answers with it once it is on disk.

    "in_progress" opens a run, and its `uid` in the answer is what closes it; "ok" and "error" end the run named by
    `check_in_id`, without one the newest open run, and stand alone when none is open or `stand_alone` is true; "beat"
    keeps a run alive; "note" is recorded only; "reset" says that all is well again. ReportFields says what else there
    is: `duration=` in seconds, `message=`, and words of the monitor such as `schedule=`, which create or change it.

    With an id the call is repeated until it is answered, and counts once. Without, an end is only repeated when the
    server said that nothing was kept. ClientError: MONITOR_NOT_FOUND, CHECK_IN_CLOSED, SCHEDULE_INVALID …
    """
    return create(report(monitor, status, check_in_id=check_in_id, **more))


def start(
    monitor: str, *, check_in_id: str | uuid.UUID | None = None, **more: Unpack[ReportFields]
) -> Call[check_in_pb2.CheckIn]:
    """Opens a run: `check_in(monitor, "in_progress", …)`. Its `uid` is what `ok` and `error` want."""
    return check_in(monitor, "in_progress", check_in_id=check_in_id, **more)


def ok(
    monitor: str, check_in_id: str | uuid.UUID | None = None, **more: Unpack[ReportFields]
) -> Call[check_in_pb2.CheckIn]:
    """Ends a run well: `check_in(monitor, "ok", …)`."""
    return check_in(monitor, "ok", check_in_id=check_in_id, **more)


def error(
    monitor: str, check_in_id: str | uuid.UUID | None = None, **more: Unpack[ReportFields]
) -> Call[check_in_pb2.CheckIn]:
    """Ends a run badly: `check_in(monitor, "error", …)`."""
    return check_in(monitor, "error", check_in_id=check_in_id, **more)


def heartbeat(
    monitor: str,
    *,
    environment: str | None = None,
    event_time: datetime | None = None,
    message: str | None = None,
    check_in_id: str | uuid.UUID | None = None,
) -> Call[heartbeat_pb.SendHeartbeatResponse]:
    """One signal of life, apart from any run. Sent until it is answered, and counted once."""
    request = heartbeat_pb.SendHeartbeatRequest(
        name=monitor_name(monitor),
        environment=environment or "",
        event_time=None if event_time is None else instant(event_time),
        message=message or "",
        check_in_id=hex_id(check_in_id),
    )
    return unary(_BEAT, request)


def get_check_in(monitor: str, check_in_id: str | uuid.UUID) -> Call[check_in_pb2.CheckIn]:
    """Reads one check-in; "latest" is the newest open run. ClientError: CHECK_IN_NOT_FOUND."""
    return unary(_GET, pb.GetCheckInRequest(name=f"{monitor_name(monitor)}/checkIns/{hex_id(check_in_id)}"))


def check_ins(
    monitor: str | None = None,
    *,
    environment: str | None = None,
    states: Iterable[State] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    page_size: int = 1000,
) -> Pages[check_in_pb2.CheckIn]:
    """Iterates over check-ins, newest first; of all monitors when none is named. Received in [since, until)."""
    request = pb.ListCheckInsRequest(
        parent=ALL if monitor is None else monitor_name(monitor),
        page_size=page_size,
        environment=environment or "",
        states=[f"STATE_{state.upper()}" for state in states],
        start_time=None if since is None else instant(since),
        end_time=None if until is None else instant(until),
    )
    return pages(_LIST, request, lambda answer: answer.check_ins)


def refusals(monitor: str | None = None, *, page_size: int = 1000) -> Pages[refusal_pb2.Refusal]:
    """Iterates over reports that were accepted and not honoured, newest first; of all monitors when none is named."""
    request = pb.ListRefusalsRequest(parent=ALL if monitor is None else monitor_name(monitor), page_size=page_size)
    return pages(_REFUSALS, request, lambda answer: answer.refusals)


def batch_request(requests: Sequence[pb.CreateCheckInRequest]) -> pb.BatchCreateCheckInsRequest:
    """Reports of any monitors, of which one that is refused does not hold up the others."""
    return pb.BatchCreateCheckInsRequest(parent=ALL, requests=requests, return_partial_success=True)
