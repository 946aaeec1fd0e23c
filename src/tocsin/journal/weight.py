"""How much an entry is, in reports and, roughly, in bytes of memory: what a queue is bounded by."""

from sys import getsizeof
from typing import Final

from tocsin.domain.check_in import Report
from tocsin.domain.commands import Command, PutMonitors, RecordRefusals, RecordTraceErrors, ReportBatch, ReportCheckIn

_ENTRY: Final = 1_024  # bytes of an entry, its command and the caller who waits, without texts of any length
_CONFIGURATION: Final = 4_096  # of a monitor's configuration


def rows(command: Command) -> int:
    """How many entries it counts as: each report of a batch is one."""
    return max(len(command.batch), 1) if isinstance(command, ReportBatch) else 1


def weight(command: Command) -> int:
    """Bytes. Texts that clients choose the length of are counted, the rest is guessed."""
    if isinstance(command, ReportCheckIn):
        return _of_report(command.report)
    if isinstance(command, ReportBatch):
        return _ENTRY + command.batch.nbytes + sum(_of_report(report) for report in command.rest.values())
    if isinstance(command, RecordRefusals):
        return sum(_ENTRY + getsizeof(refused.payload) + getsizeof(refused.detail) for refused in command.refusals)
    if isinstance(command, RecordTraceErrors):
        return sum(_ENTRY + getsizeof(error.value) + getsizeof(error.type) for error in command.errors)
    if isinstance(command, PutMonitors):
        return _ENTRY + _CONFIGURATION * len(command.puts)
    return _ENTRY + _CONFIGURATION


def _of_report(report: Report) -> int:
    texts = getsizeof(report.message) + getsizeof(report.payload)
    return _ENTRY + texts + (_CONFIGURATION if report.upsert is not None else 0)
