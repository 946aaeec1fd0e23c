"""How much memory an entry holds while it waits, roughly: what a queue is bounded by besides its length."""

from sys import getsizeof
from typing import Final

from tocsin.domain.commands import Command, RecordRefusals, RecordTraceErrors, ReportCheckIn

_ENTRY: Final = 1_024  # bytes of an entry, its command and the caller who waits, without texts of any length
_CONFIGURATION: Final = 4_096  # of a monitor's configuration


def weight(command: Command) -> int:
    """Bytes. Texts that clients choose the length of are counted, the rest is guessed."""
    if isinstance(command, ReportCheckIn):
        report = command.report
        texts = getsizeof(report.message) + getsizeof(report.payload)
        return _ENTRY + texts + (_CONFIGURATION if report.upsert is not None else 0)
    if isinstance(command, RecordRefusals):
        return sum(_ENTRY + getsizeof(refused.payload) + getsizeof(refused.detail) for refused in command.refusals)
    if isinstance(command, RecordTraceErrors):
        return sum(_ENTRY + getsizeof(error.value) + getsizeof(error.type) for error in command.errors)
    return _ENTRY + _CONFIGURATION
