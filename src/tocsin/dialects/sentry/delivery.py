"""Outcomes of one request → the use cases: reports in order, then what was refused."""

from collections.abc import Sequence

from tocsin.dialects.sentry.mapping import Outcome
from tocsin.dialects.sentry.refusals import about, reason_of
from tocsin.domain.check_in import Report
from tocsin.domain.errors import PermissionDenied, TocsinError, Unauthenticated, Unavailable
from tocsin.domain.facts import CheckInRefused
from tocsin.service.check_ins import CheckIns
from tocsin.service.principal import Principal

_WHOLE_REQUEST = (PermissionDenied, Unauthenticated, Unavailable)  # trouble that is not about one report


async def deliver(check_ins: CheckIns, principal: Principal, outcomes: Sequence[Outcome]) -> list[CheckInRefused]:
    """Returns when all of it is durable: what was not honoured, and remarks, for who answers with more than "taken".

    Unavailable when some of it may not be durable: nothing is tried again here. A report that the use case cannot take
    is kept as a refusal; the others go on.
    """
    reports = [outcome.report for outcome in outcomes if outcome.report is not None]
    refusals = [refused for outcome in outcomes for refused in outcome.refusals]
    honoured_not, trouble = await _report(check_ins, principal, reports)
    refusals += trouble
    if refusals:
        await check_ins.refuse(refusals)
    return [*honoured_not, *refusals]


async def _report(
    check_ins: CheckIns, principal: Principal, reports: Sequence[Report]
) -> tuple[list[CheckInRefused], list[CheckInRefused]]:
    """Those that the engine refused, which are kept already, and those that did not get so far, which are not."""
    if not reports:
        return [], []
    if len(reports) == 1:
        try:
            receipts = [await check_ins.report(principal, reports[0])]
        except _WHOLE_REQUEST:
            raise
        except TocsinError as problem:
            return [], [about(reports[0], reason_of(problem), problem.message)]
    else:
        receipts = await check_ins.report_many(principal, reports)
    trouble: list[CheckInRefused] = []
    for report, receipt in zip(reports, receipts, strict=True):
        if isinstance(receipt.error, _WHOLE_REQUEST):
            raise receipt.error
        if receipt.error is not None:
            trouble.append(about(report, reason_of(receipt.error), receipt.error.message))
    return [receipt.refusal for receipt in receipts if receipt.refusal is not None], trouble
