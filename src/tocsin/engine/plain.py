"""A batch of reports in columns: each row is stepped in order, as if it had come alone.

What is plain is applied by a kernel that stops at the first row that is not; the rules do that one, and so on. What
plain means is in `_core.apply` and, for health and verdict, in `rules.plain`.
"""

from array import array
from typing import Final

from tocsin._core.batch import KINDS, Batch
from tocsin._core.recorded import Recorded
from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.commands import ReportBatch
from tocsin.domain.instant import Instant
from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.domain.receipt import BatchReceipt, Receipt
from tocsin.engine import reports
from tocsin.engine.delta import Columns
from tocsin.engine.state import State

HELD_MAX: Final = 64  # tracks that are not judged, beyond which all goes through the rules

_KINDS = tuple(ReportKind[name] for name in KINDS)


def report_batch(state: State, command: ReportBatch, at: Instant) -> Receipt:
    recorded, receipts = Recorded(), dict[int, Receipt]()
    columns = Columns(recorded, command.project, command.dialect, command.client)
    state.delta.columns.append(columns)
    row, last = 0, len(command.batch)
    while (row := step_plain(state, columns, command.batch, row, at)) < last:
        receipts[row] = reports.report(state, command.rest.get(row) or report_of(command, row), at)
        row += 1
    if not len(recorded):
        state.delta.columns.remove(columns)
    return Receipt(batch=BatchReceipt(recorded, receipts))


def step_plain(
    state: State, columns: Columns, batch: Batch, row: int, at: Instant, times: "array[int] | None" = None
) -> int:
    """Applies what is plain from `row` on. The first row that is not, or that nobody may do in columns.

    All rows came at `at`, or each at its own of `times`.
    """
    if state.applier is None or state.moves or len(state.left_out) > HELD_MAX or row == len(batch):
        return row
    state.write_back()
    row, state.last_check_in = state.applier.step(
        batch,
        row,
        columns.project,
        at,
        state.compiler.timetables,
        DEFAULT_ENVIRONMENT.encode(),
        state.settings_of(columns.project).check_ins_per_minute or 0,
        state.last_check_in,
        columns.recorded,
        tuple(state.left_out),
        times,
    )
    return row


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
