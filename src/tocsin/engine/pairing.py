"""Which run a report is about: by id, by series, or the newest open one, best of the same host."""

from typing import Final

from tocsin.domain.check_in import CheckIn, Report, ReportKind
from tocsin.domain.instant import DAY, MINUTE, Instant
from tocsin.engine.subject import Subject

REMEMBERED: Final = 28 * DAY  # a run older than this, and than its longest time, is closed for ever
APART: Final = (ReportKind.RESET, ReportKind.NOTE)  # they stand beside whatever run they name


def run_of(subject: Subject, sent: Report, time: Instant, at: Instant) -> CheckIn | None:
    """`time`: when the report says it happened; `at`: now."""
    state, timing = subject.state, subject.timing
    if sent.check_in_id:
        return state.find_check_in(sent.project, sent.check_in_id)
    if not sent.pair or sent.kind in APART:
        return None
    starts = sent.kind is ReportKind.START
    if starts and not sent.series and timing.policy.abandon_runs:
        return None  # nobody keeps runs alive there, and overlap is normal
    newest = state.runs.newest(subject.slot, sent.series, sent.host)
    if newest is None:
        return _ended_already(subject, sent, time) if starts and sent.series else None
    if at >= forgotten(subject, newest):
        return None  # its end was lost long ago: it must not refuse every report to come
    if starts:
        began = newest.start_time or newest.receive_time
        if timing.next_after(began) <= time:
            return None  # that run covers an earlier slot: this is the next run, not a sign of life of the last
    return newest


def forgotten(subject: Subject, run: CheckIn) -> Instant:
    """From when a run is closed for ever: 28 days after its first report, or its longest time if that is longer."""
    longest = max(REMEMBERED, subject.timing.policy.tolerance.max_runtime_ms)
    return run.receive_time // MINUTE * MINUTE + longest


def _ended_already(subject: Subject, sent: Report, time: Instant) -> CheckIn | None:
    """The run of the series whose end was told before its start."""
    known = subject.state.recents.end_of(subject.track.number, sent.series)
    run = subject.state.find_check_in(sent.project, known) if known is not None else None
    if run is None or run.start_time is not None or run.end_time is None or time > run.end_time:
        return None
    return run
