"""A batch of reports in columns: each row is stepped in order, as if it had come alone."""

from tocsin._core.batch import KINDS
from tocsin._core.recorded import Recorded
from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.commands import ReportBatch
from tocsin.domain.instant import Instant
from tocsin.domain.receipt import BatchReceipt, Receipt
from tocsin.engine import reports
from tocsin.engine.state import State

_KINDS = tuple(ReportKind[name] for name in KINDS)


def report_batch(state: State, command: ReportBatch, at: Instant) -> Receipt:
    receipts = {
        row: reports.report(state, command.rest.get(row) or report_of(command, row), at)
        for row in range(len(command.batch))
    }
    return Receipt(batch=BatchReceipt(Recorded(), receipts))


def report_of(command: ReportBatch, row: int) -> Report:
    """A row as the rules read it."""
    monitor_id, kind, environment, duration, alone, _ = command.batch.row(row)
    return Report(
        project=command.project,
        monitor_id=monitor_id,
        kind=_KINDS[kind],
        received=command.received,
        environment=environment,
        duration_ms=duration if duration >= 0 else None,
        dialect=command.dialect,
        client=command.client,
        pair=not alone,
        retry_safe=True,
    )
