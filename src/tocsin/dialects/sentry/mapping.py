"""A check-in as Sentry's clients send it → a Report, or the refusal that says why it is none. Pure."""

from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from tocsin.dialects.sentry import config, schema
from tocsin.dialects.sentry.refusals import DIALECT, Arrival, about, excerpt, refusal
from tocsin.dialects.sentry.schema import CheckInPayload, SchemaError
from tocsin.domain import ids, names
from tocsin.domain.check_in import MAX_DURATION, Report, ReportKind
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.refusals import RefusalReason

SLUG_MAX: Final = 50  # characters
RELEASE_MAX: Final = 250
HOST_MAX: Final = 255
CLIENT_MAX: Final = 128
_KINDS: Final = {"in_progress": ReportKind.START, "ok": ReportKind.OK, "error": ReportKind.ERROR}


class Outcome(NamedTuple):
    """`report` is None when the check-in was refused; `refusals` hold that, or remarks on an honoured one."""

    report: Report | None
    refusals: tuple[CheckInRefused, ...] = ()


class _Refused(Exception):
    def __init__(self, reason: RefusalReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def from_json(payload: bytes, arrival: Arrival) -> Outcome:
    """The payload of a `check_in` item. Never raises: what is wrong is a refusal.

    The report carries an excerpt of the payload to the engine, for the refusal that only the engine can make. That
    costs a copy of a few hundred characters; a refusal completed afterwards would cost a second commit, or not be
    durable when it is answered.
    """
    sent = excerpt(payload)
    try:
        decoded = schema.decode_check_in(payload)
    except SchemaError as problem:
        slug = monitor_id_of(schema.slug_of(payload))
        reason = RefusalReason.CHECKIN_VALIDATION_FAILED
        return Outcome(None, (refusal(arrival, reason, str(problem), monitor_id=slug, payload=sent),))
    return to_report(decoded, arrival, sent)


def to_report(payload: CheckInPayload, arrival: Arrival, sent: str = "") -> Outcome:
    """Never raises: what is wrong is a refusal, filed under monitor, environment and id as far as they are known.

    `sent` is the excerpt to keep with it.
    """
    try:
        report = _report(payload, arrival, sent)
    except _Refused as refused:
        return Outcome(
            None,
            (
                refusal(
                    arrival,
                    refused.reason,
                    refused.detail,
                    monitor_id=monitor_id_of(payload.monitor_slug or ""),
                    environment=(payload.environment or names.DEFAULT_ENVIRONMENT)[: names.ENVIRONMENT_MAX],
                    check_in_id=(payload.check_in_id or "")[:36],
                    payload=sent,
                ),
            ),
        )
    if schema.is_absent(payload.monitor_config):
        return Outcome(report)
    reading = config.read(payload.monitor_config)
    report = msgspec.structs.replace(report, upsert=reading.change, upsert_error=reading.error)
    remarks = (
        (RefusalReason.CHECKIN_VALIDATION_FAILED, reading.bad_owner),
        (RefusalReason.MONITOR_INVALID_CONFIG, reading.misplaced),
    )
    return Outcome(report, tuple(about(report, reason, text, dropped=False) for reason, text in remarks if text))


def monitor_id_of(slug: str) -> str:
    """Cut first, then made a slug, as Sentry's two halves do; "" when nothing of it is usable."""
    return names.slugify(slug[:SLUG_MAX], SLUG_MAX)


def _report(payload: CheckInPayload, arrival: Arrival, sent: str) -> Report:
    """The report without its configuration."""
    return Report(
        project=arrival.project,
        monitor_id=_monitor_id(payload.monitor_slug),
        kind=_kind(payload.status),
        received=arrival.received,
        environment=_environment(payload.environment),
        check_in_id=_check_in_id(payload.check_in_id),
        duration_ms=_duration(payload.duration),
        release=schema.text_of(payload.release)[:RELEASE_MAX],
        host=schema.text_of(payload.server_name)[:HOST_MAX],
        trace_id=_trace_id(payload),
        dialect=DIALECT,
        client=(schema.sdk_of(payload.sdk) or arrival.client)[:CLIENT_MAX],
        payload=sent,
        retry_safe=False,  # Sentry refuses a second closing check-in, also an equal one
    )


def _monitor_id(slug: str | None) -> str:
    monitor_id = monitor_id_of(slug or "")
    if not slug:
        raise _Refused(RefusalReason.CHECKIN_VALIDATION_FAILED, "$.monitor_slug: required")
    if not monitor_id:
        detail = (
            f"$.monitor_slug: nothing of {slug[:SLUG_MAX]!r} is left as a slug; use letters a-z, digits, '-' and '_'"
        )
        raise _Refused(RefusalReason.CHECKIN_VALIDATION_FAILED, detail)
    return monitor_id


def _kind(status: str | None) -> ReportKind:
    if not status:
        raise _Refused(RefusalReason.CHECKIN_VALIDATION_FAILED, "$.status: required; one of in_progress, ok, error")
    try:
        return _KINDS[status]
    except KeyError:
        detail = f"$.status: {status[:40]!r} is none of in_progress, ok, error"
        raise _Refused(RefusalReason.CHECKIN_VALIDATION_FAILED, detail) from None


def _environment(text: str | None) -> str:
    try:
        return names.check_environment(text, "$.environment")
    except InvalidArgument as problem:
        raise _Refused(RefusalReason.MONITOR_INVALID_ENVIRONMENT, problem.message) from None


def _check_in_id(text: str | None) -> str | None:
    """None: the newest open run."""
    if text is None:
        return None
    try:
        plain = ids.normal_id(text, "$.check_in_id")
    except InvalidArgument as problem:
        raise _Refused(RefusalReason.CHECKIN_INVALID_GUID, problem.message) from None
    return None if plain == ids.LATEST else plain


def _duration(seconds: float | None) -> int | None:
    """Truncated to milliseconds as written: 1.001 is 1001, though the nearest float is a little less."""
    if seconds is None:
        return None
    millis = int(Decimal(repr(seconds)) * 1000)
    if seconds < 0 or millis > MAX_DURATION:
        detail = f"$.duration: {seconds} is not within 0 to {MAX_DURATION / 1000} seconds"
        raise _Refused(RefusalReason.CHECKIN_VALIDATION_FAILED, detail)
    return millis


def _trace_id(payload: CheckInPayload) -> str:
    """A bad one is dropped, not the run."""
    text = schema.trace_id_of(payload.contexts)
    try:
        plain = ids.normal_id(text)
    except InvalidArgument:
        return ""
    return "" if plain == ids.LATEST else plain
