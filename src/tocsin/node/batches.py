"""What of the queue makes one transaction, and how a batch that breaks the engine is taken apart."""

from collections.abc import Sequence

from tocsin._core.recorded import Recorded
from tocsin.domain.commands import Entry, ReportBatch, ReportCheckIn, WindowCommand
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.receipt import BatchReceipt, Receipt
from tocsin.domain.refusals import RefusalReason
from tocsin.engine import plain
from tocsin.journal.local import Waiting


class _Row(Waiting):
    """One row of a batch whose rows are stepped one by one: the batch is answered when the last of them is."""

    __slots__ = ("_place", "_receipts", "_whole")

    def __init__(self, entry: Entry, whole: Waiting, place: int, receipts: dict[int, Receipt]) -> None:
        self.entry, self.size, self.rows = entry, 0, 1
        self._whole, self._place, self._receipts = whole, place, receipts

    def resolve(self, receipt: Receipt) -> None:
        self._receipts[self._place] = receipt
        command = self._whole.entry.command
        if isinstance(command, ReportBatch) and len(self._receipts) == len(command.batch):
            self._whole.resolve(Receipt(batch=BatchReceipt(Recorded(), self._receipts)))


def up_to_windows(batch: Sequence[Waiting]) -> int:
    """How many entries make a batch: one of maintenance windows stands alone, for silence is judged up to it first."""
    for place, waiting in enumerate(batch):
        if isinstance(waiting.entry.command, WindowCommand):
            return max(place, 1)
    return len(batch)


def taken_apart(waiting: Waiting) -> list[Waiting]:
    """The reports of a batch as entries of their own, so that one poisoned report does not take the rest with it."""
    entry = waiting.entry
    command = entry.command
    if not isinstance(command, ReportBatch):
        return []
    receipts: dict[int, Receipt] = {}
    return [
        _Row(
            Entry(entry.at, ReportCheckIn(command.rest.get(row) or plain.report_of(command, row))),
            whole=waiting,
            place=row,
            receipts=receipts,
        )
        for row in range(len(command.batch))
    ]


def set_aside(entry: Entry) -> CheckInRefused:
    """What is kept of an entry that broke the engine twice."""
    command = entry.command
    report = command.report if isinstance(command, ReportCheckIn) else None
    return CheckInRefused(
        project=report.project if report else 0,
        monitor_id=report.monitor_id if report else "",
        reason=RefusalReason.INTERNAL.name,
        detail=f"{type(command).__name__} broke the engine twice and was stepped over",
        at=entry.at,
        dialect=report.dialect if report else "tocsin",
    )
