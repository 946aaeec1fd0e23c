"""Refusals: what is kept of a check-in or a request that could not be honoured, so that its sender finds out why."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from tocsin.domain.check_in import Report
from tocsin.domain.errors import InvalidArgument, ResourceExhausted, TocsinError
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.instant import Instant
from tocsin.domain.refusals import RefusalReason

DIALECT: Final = "sentry"
PAYLOAD_MAX: Final = 4_096  # characters, of what is kept of a payload
_FIELD: Final = re.compile(r"(?:body: )?(\$[^\s:]*): ")  # how the text of a problem with a field begins


class Arrival(NamedTuple):
    """What a check-in's request says about it: whose, when it was accepted, how its client calls itself."""

    project: int
    received: Instant
    client: str = ""


def excerpt(payload: bytes) -> str:
    """What is kept of a payload, as text whatever it was."""
    return str(payload[:PAYLOAD_MAX], "utf-8", "replace")


def refusal(
    arrival: Arrival,
    reason: RefusalReason,
    detail: str,
    *,
    payload: str = "",
    data: Mapping[str, str] | None = None,
    monitor_id: str = "",
    environment: str = "",
    check_in_id: str = "",
    dropped: bool = True,
) -> CheckInRefused:
    """`data` are particulars; a `detail` that begins with a JSON path adds that as "field"."""
    place = _FIELD.match(detail)
    return CheckInRefused(
        arrival.project,
        monitor_id,
        reason.name,
        detail,
        arrival.received,
        DIALECT,
        environment,
        check_in_id,
        dropped,
        ({"field": place[1]} if place else {}) | dict(data or {}),
        payload,
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
        payload=report.payload,
    )


def reason_of(problem: TocsinError) -> RefusalReason:
    """The refusal reason of trouble that the use case met with one report."""
    if isinstance(problem, ResourceExhausted):
        return RefusalReason.MONITOR_ENVIRONMENT_RATELIMITED
    if isinstance(problem, InvalidArgument):
        return RefusalReason.CHECKIN_VALIDATION_FAILED
    return RefusalReason.INTERNAL
