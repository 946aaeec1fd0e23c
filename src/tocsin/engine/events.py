"""Reports that somebody wants to be told by themselves: they go into the delta as notices without a destination.

Whom to tell is looked up later; that there is something to tell is durable with the report.
"""

from typing import Final

from tocsin.domain.check_in import CheckIn, ReportKind
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import EVENTS
from tocsin.domain.notice import Content, Notice, NoticeKind, NoticeState
from tocsin.engine.state import MUTED
from tocsin.engine.subject import Subject

_ENDS: Final = {ReportKind.OK: "complete", ReportKind.ERROR: "fail"}


def note(subject: Subject, run: CheckIn, kind: ReportKind, at: Instant, *, created: bool, finished: bool) -> None:
    """`run` is as the report has left it. Silence is kept by whoever wants it, as with alerts."""
    wanted = subject.timing.policy.events
    if not wanted:
        return
    event = _ENDS.get(kind, "") if finished else "run" if created and kind is ReportKind.START else ""
    monitor = subject.monitor
    if event not in wanted or monitor.paused(at) or monitor.muted(at) or subject.track.flags & MUTED:
        return
    content = Content(
        monitor_id="",
        name="",
        rule=event,
        environment=subject.environment,
        at=at,
        since=run.end_time if finished and run.end_time is not None else run.start_time or run.receive_time,
        message=run.message,
    )
    subject.state.delta.notices.append(
        Notice(
            number=0,
            project=monitor.project,
            monitor=monitor.number,
            subject=run.number,
            kind=NoticeKind.EVENT,
            sequence=EVENTS.index(event) + 1,
            destination="",
            state=NoticeState.PLANNED,
            attempts=0,
            create_time=at,
            next_time=at,
            end_time=None,
            error="",
            content=content,
        )
    )
