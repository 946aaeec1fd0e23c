"""Refusals: what is kept of a check-in or a request that could not be honoured, so that its sender finds out why."""

from typing import Final, NamedTuple

from tocsin.domain.check_in import Report
from tocsin.domain.errors import InvalidArgument, ResourceExhausted, TocsinError
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.instant import Instant
from tocsin.domain.refusals import RefusalReason

DIALECT: Final = "sentry"


class Arrival(NamedTuple):
    """What a check-in's request says about it: whose, when it was accepted, how its client calls itself."""

    project: int
    received: Instant
    client: str = ""


def refusal(
    arrival: Arrival,
    reason: RefusalReason,
    detail: str,
    *,
    monitor_id: str = "",
    environment: str = "",
    check_in_id: str = "",
    dropped: bool = True,
) -> CheckInRefused:
    return CheckInRefused(
        arrival.project, monitor_id, reason.name, detail, arrival.received, DIALECT, environment, check_in_id, dropped
    )


def about(report: Report, reason: RefusalReason, detail: str, *, dropped: bool = True) -> CheckInRefused:
    """A refusal of, or with `dropped=False` a remark on, a report."""
    return refusal(
        Arrival(report.project, report.received),
        reason,
        detail,
        monitor_id=report.monitor_id,
        environment=report.environment,
        check_in_id=report.check_in_id or "",
        dropped=dropped,
    )


def reason_of(problem: TocsinError) -> RefusalReason:
    """The refusal reason of trouble that the use case met with one report."""
    if isinstance(problem, ResourceExhausted):
        return RefusalReason.MONITOR_ENVIRONMENT_RATELIMITED
    if isinstance(problem, InvalidArgument):
        return RefusalReason.CHECKIN_VALIDATION_FAILED
    return RefusalReason.INTERNAL
