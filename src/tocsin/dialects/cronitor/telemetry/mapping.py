"""A telemetry event → a Report, or the refusal that says why it is none. Pure."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from tocsin.dialects.cronitor.birth import DIALECT, newborn
from tocsin.dialects.cronitor.names import monitor_id_of
from tocsin.dialects.cronitor.telemetry import parameters, states
from tocsin.domain import names
from tocsin.domain.check_in import Report
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.instant import MINUTE, Instant
from tocsin.domain.refusals import RefusalReason

PAYLOAD_MAX: Final = 4_096  # characters, of what is kept of an event
STAMP_BELIEVED: Final = 10 * MINUTE  # so far from receipt a client's clock counts; ahead, less: see the service
_REPLACED: Final = "\ufffd"  # stands for bytes of a path that are no UTF-8
Number = Callable[[str], int | None]  # of the monitor that a code stands for


class Event(NamedTuple):
    """What one request says. `place` is its path after the API key; `query` its parameters, decoded."""

    project: int
    received: Instant
    place: str
    query: Sequence[tuple[str, str]]
    client: str = ""
    address: str = ""
    payload: str = ""  # what is kept with a refusal


class Outcome(NamedTuple):
    """`report` is None when the event was refused; `refusals` hold that, or remarks on an honoured one."""

    report: Report | None
    refusals: tuple[CheckInRefused, ...] = ()


def to_report(event: Event, number_of: Number, *, create: bool) -> Outcome:
    """Never raises: what is wrong is a refusal. `create`: the event may make its monitor."""
    sent = parameters.read(event.query)
    try:
        key, state = _key_and_state(event.place)
        monitor_id = monitor_id_of(key)
    except InvalidArgument as problem:
        return Outcome(None, (refused(event, RefusalReason.CHECKIN_VALIDATION_FAILED, problem.message),))
    try:
        environment = names.check_environment(sent.environment, "env")
    except InvalidArgument as problem:
        reason = RefusalReason.MONITOR_INVALID_ENVIRONMENT
        return Outcome(None, (refused(event, reason, problem.message, monitor_id),))
    state = state or sent.state
    meaning = states.meaning(state)
    report = Report(
        project=event.project,
        monitor_id=monitor_id,
        monitor_number=number_of(key) or 0,
        kind=meaning.kind,
        by_kind=meaning.by_kind,
        event=state,
        received=event.received,
        environment=environment,
        time=_believed(sent.stamp, event.received),
        duration_ms=sent.duration_ms,
        exit_code=sent.exit_code,
        message=sent.message,
        host=sent.host,
        metrics=sent.metrics,
        series=sent.series,
        dialect=DIALECT,
        client=event.client,
        address=event.address,
        upsert=newborn(key, monitor_id, meaning.creates) if create else None,
        upsert_new_only=create,
        attempt=sent.attempt or 1,
        payload=event.payload,
    )
    reason = RefusalReason.CHECKIN_VALIDATION_FAILED
    return Outcome(report, tuple(about(report, reason, text, dropped=False) for text in sent.remarks))


def _believed(stamp: Instant | None, received: Instant) -> Instant | None:
    """None: the time of receipt counts."""
    return stamp if stamp is not None and abs(stamp - received) <= STAMP_BELIEVED else None


def _key_and_state(place: str) -> tuple[str, str]:
    """Of "KEY", "KEY/STATE", with or without a slash at the end. InvalidArgument: of nothing else."""
    parts = place.rstrip("/").split("/")
    key = parts[0]
    if len(parts) > 2:
        raise InvalidArgument(
            f"the path {place[:200]!r} has more than a key and a state: a key cannot contain '/'",
            reason="FIELD_INVALID",
            metadata={"field": "key"},
        )
    if _REPLACED in key:
        raise InvalidArgument(
            f"the key in {place[:200]!r} is not UTF-8", reason="FIELD_INVALID", metadata={"field": "key"}
        )
    return key, states.name_of(parts[1]) if len(parts) > 1 else ""


def about(report: Report, reason: RefusalReason, detail: str, *, dropped: bool = True) -> CheckInRefused:
    """A refusal of, or with `dropped=False` a remark on, a report."""
    return CheckInRefused(
        project=report.project,
        monitor_id=report.monitor_id,
        reason=reason.name,
        detail=detail,
        at=report.received,
        dialect=DIALECT,
        environment=report.environment,
        dropped=dropped,
        payload=report.payload,
    )


def refused(event: Event, reason: RefusalReason, detail: str, monitor_id: str = "") -> CheckInRefused:
    """The refusal of an event that became no report."""
    return CheckInRefused(
        project=event.project,
        monitor_id=monitor_id,
        reason=reason.name,
        detail=detail,
        at=event.received,
        dialect=DIALECT,
        payload=event.payload,
    )
