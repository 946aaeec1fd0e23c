"""CheckInRefused → tocsin.v1.Refusal."""

from tocsin.domain import names
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.refusals import RefusalReason
from tocsin.v1 import refusal_pb2 as pb
from tocsin.wire.enums import Names
from tocsin.wire.time import from_instant

# The contract says "check-in", "id" and "rate limited" as it does everywhere; the domain keeps Sentry's names.
REASONS = Names(
    pb.Refusal.Reason,
    {
        pb.Refusal.REASON_CHECK_IN_ENVIRONMENT_MISMATCH: RefusalReason.CHECKIN_ENVIRONMENT_MISMATCH,
        pb.Refusal.REASON_CHECK_IN_FINISHED: RefusalReason.CHECKIN_FINISHED,
        pb.Refusal.REASON_CHECK_IN_PROJECT_MISMATCH: RefusalReason.CHECKIN_GUID_PROJECT_MISMATCH,
        pb.Refusal.REASON_CHECK_IN_INVALID_DURATION: RefusalReason.CHECKIN_INVALID_DURATION,
        pb.Refusal.REASON_CHECK_IN_INVALID_ID: RefusalReason.CHECKIN_INVALID_GUID,
        pb.Refusal.REASON_CHECK_IN_VALIDATION_FAILED: RefusalReason.CHECKIN_VALIDATION_FAILED,
        pb.Refusal.REASON_MONITOR_DISABLED: RefusalReason.MONITOR_DISABLED,
        pb.Refusal.REASON_MONITOR_DISABLED_NO_QUOTA: RefusalReason.MONITOR_DISABLED_NO_QUOTA,
        pb.Refusal.REASON_MONITOR_INVALID_CONFIG: RefusalReason.MONITOR_INVALID_CONFIG,
        pb.Refusal.REASON_MONITOR_INVALID_ENVIRONMENT: RefusalReason.MONITOR_INVALID_ENVIRONMENT,
        pb.Refusal.REASON_MONITOR_LIMIT_EXCEEDED: RefusalReason.MONITOR_LIMIT_EXCEEDED,
        pb.Refusal.REASON_MONITOR_NOT_FOUND: RefusalReason.MONITOR_NOT_FOUND,
        pb.Refusal.REASON_MONITOR_OVER_QUOTA: RefusalReason.MONITOR_OVER_QUOTA,
        pb.Refusal.REASON_MONITOR_ENVIRONMENT_LIMIT_EXCEEDED: RefusalReason.MONITOR_ENVIRONMENT_LIMIT_EXCEEDED,
        pb.Refusal.REASON_MONITOR_ENVIRONMENT_RATE_LIMITED: RefusalReason.MONITOR_ENVIRONMENT_RATELIMITED,
        pb.Refusal.REASON_ORGANIZATION_KILLSWITCH_ENABLED: RefusalReason.ORGANIZATION_KILLSWITCH_ENABLED,
        pb.Refusal.REASON_MONITOR_INVALID_OWNER: RefusalReason.MONITOR_INVALID_OWNER,
        pb.Refusal.REASON_MONITOR_FIELD_LOCKED: RefusalReason.MONITOR_FIELD_LOCKED,
        pb.Refusal.REASON_INTERNAL: RefusalReason.INTERNAL,
    },
)


def from_refusal(refusal: CheckInRefused) -> pb.Refusal:
    """The message; `reason` of the fact is a name of RefusalReason."""
    return pb.Refusal(
        reason=REASONS.from_domain(RefusalReason[refusal.reason]),
        detail=refusal.detail,
        monitor=names.monitor_name(refusal.project, refusal.monitor_id) if refusal.monitor_id else "",
        environment=refusal.environment,
        check_in_id=refusal.check_in_id,
        receive_time=from_instant(refusal.at),
        dialect=refusal.dialect,
        dropped=refusal.dropped,
        data=refusal.data,
        payload=refusal.payload,
        number=refusal.number,
    )


def to_reason(number: int, field: str) -> str:
    """The name of a RefusalReason. InvalidArgument for one that is unspecified or unknown."""
    return REASONS.to_domain(number, field).name
