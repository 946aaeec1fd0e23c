"""What a report means to its monitor, where the protocol leaves that to the monitor's kind (`Report.by_kind`).

A heartbeat has no runs: whatever shows life is one signal, and a failure stands alone. To a job, what names no outcome
is a note; but a job that never said when it begins has no other sign of a run, so there it is one that ended well.
"""

import msgspec

from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.monitor import Kind
from tocsin.domain.track import Track


def meant(sent: Report, kind: Kind, track: Track) -> Report:
    """The report as the tables read it. `kind` and `track` are those of its monitor, before the report."""
    if kind is Kind.HEARTBEAT:
        if sent.kind is ReportKind.RESET:
            return sent
        outcome = ReportKind.ERROR if sent.kind is ReportKind.ERROR else ReportKind.OK
        return msgspec.structs.replace(sent, kind=outcome, pair=False)
    if sent.kind is ReportKind.NOTE and not track.started_count:
        return msgspec.structs.replace(sent, kind=ReportKind.OK, pair=False)
    return sent
