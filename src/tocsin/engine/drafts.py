"""What a report makes of a check-in: a new row, an old one with what the report adds, a duration."""

from typing import Final

import msgspec

from tocsin.domain import ids
from tocsin.domain.check_in import MAX_DURATION, CheckIn, Report, ReportKind, State
from tocsin.domain.instant import Instant, Millis
from tocsin.domain.refusals import RefusalReason
from tocsin.engine.subject import Subject

_SUMS: Final = ("count", "error_count")
_TEXTS: Final = ("message", "release", "host", "event", "address")


class Refused(Exception):
    """A report that cannot be honoured, and why. `data` are particulars for programs, see `CheckInRefused.data`."""

    def __init__(self, reason: RefusalReason, detail: str, data: dict[str, str] | None = None) -> None:
        self.reason, self.detail, self.data = reason, detail, data or {}


def new(
    subject: Subject,
    sent: Report,
    at: Instant,
    outcome: State,
    *,
    start_time: Instant | None = None,
    end_time: Instant | None = None,
    timeout_time: Instant | None = None,
) -> CheckIn:
    """A check-in that is not recorded yet, numbered."""
    number = subject.state.check_in_number(at)
    chosen = bool(sent.check_in_id) and sent.kind not in (ReportKind.RESET, ReportKind.NOTE)
    return CheckIn(
        number=number,
        id=sent.check_in_id if chosen and sent.check_in_id else ids.public_id(number),
        project=subject.monitor.project,
        monitor=subject.monitor.number,
        monitor_id=sent.monitor_id,
        track=subject.track.number,
        environment=subject.environment,
        state=outcome,
        receive_time=at,
        update_time=at,
        start_time=start_time,
        end_time=end_time,
        duration_ms=sent.duration_ms,
        timeout_time=timeout_time,
        policy=subject.monitor.policy,
        client_chosen=chosen,
        exit_code=sent.exit_code,
        message=sent.message,
        release=sent.release,
        host=sent.host,
        trace_id=sent.trace_id,
        metrics=sent.metrics,
        series="" if sent.kind is ReportKind.RESET else sent.series,  # it is no run of one
        dialect=sent.dialect,
        client=sent.client,
        event=sent.event,
        address=sent.address,
    )


def merged(sent: Report, at: Instant, run: CheckIn, **changes: object) -> CheckIn:
    """The run with what the report adds; the trace is the one it began with."""
    added: dict[str, object] = {"update_time": at, "monitor_id": sent.monitor_id}
    if sent.exit_code is not None:
        added["exit_code"] = sent.exit_code
    for field in _TEXTS:
        if value := getattr(sent, field):
            added[field] = value
    if sent.metrics:
        added["metrics"] = joined(run.metrics, sent)
    return msgspec.structs.replace(run, **added | changes)


def said(run: CheckIn) -> dict[str, object]:
    """What the reports of a run have said of it, where they said anything."""
    known: dict[str, object] = {field: value for field in _TEXTS if (value := getattr(run, field))}
    if run.exit_code is not None:
        known["exit_code"] = run.exit_code
    return known


def joined(known: dict[str, float], sent: Report) -> dict[str, float]:
    """The metrics of a run with those of another report: the newest, but counts add up.

    Who names the run by its id speaks of the run as a whole, and replaces counts too.
    """
    if sent.check_in_id:
        return {**known, **sent.metrics}
    sums: dict[str, float] = {name: known.get(name, 0.0) + sent.metrics[name] for name in _SUMS if name in sent.metrics}
    return {**known, **sent.metrics, **sums}


def duration(sent: Report, time: Instant, run: CheckIn) -> Millis | None:
    """Sent wins; else what is known already; else the time since the start, whichever way round they came."""
    if sent.duration_ms is not None:
        return sent.duration_ms
    if run.duration_ms is not None:
        return run.duration_ms
    other = run.start_time if run.start_time is not None else run.end_time
    computed = abs(time - (other if other is not None else run.receive_time))
    if computed > MAX_DURATION:
        raise Refused(
            RefusalReason.CHECKIN_INVALID_DURATION,
            f"check-in {run.id} would have lasted {computed} ms",
            {"guid": run.id, "duration": str(computed)},
        )
    return computed
