"""What an entry weighs: at least the texts that clients chose."""

import msgspec

from support.engines import T0
from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.commands import RecordRefusals, RecordTraceErrors, ReportCheckIn, Tick
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.trace_error import TraceError
from tocsin.journal.weight import weight

REPORT = Report(project=1, monitor_id="a", kind=ReportKind.OK, received=T0, dialect="native")


def test_texts_count():
    plain = weight(ReportCheckIn(REPORT))
    for field in ("message", "payload"):
        for text, size in (("x" * 10_000, 10_000), ("\u20ac" * 10_000, 20_000)):
            assert weight(ReportCheckIn(msgspec.structs.replace(REPORT, **{field: text}))) >= plain + size


def test_what_comes_in_numbers_counts_each():
    refused = CheckInRefused(1, "a", "MONITOR_NOT_FOUND", "d" * 500, T0, "sentry", "", "", True, {}, "p" * 4_000)
    assert weight(RecordRefusals((refused,) * 10)) >= 45_000
    error = TraceError(1, "0" * 32, T0, "error", "t" * 250, "v" * 1_000)
    assert weight(RecordTraceErrors((error,) * 10)) >= 12_500
    assert weight(Tick()) > 0
