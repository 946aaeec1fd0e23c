"""Notice → message: notices are read only."""

from typing import Final

from tocsin.domain import names
from tocsin.domain.notice import Notice, NoticeKind, NoticeState
from tocsin.v1 import notice_pb2 as pb
from tocsin.wire.enums import Names
from tocsin.wire.time import from_instant, from_optional

KINDS: Final = Names(
    pb.Notice.Kind,
    {
        pb.Notice.KIND_ALERT: NoticeKind.ALERT,
        pb.Notice.KIND_RECOVERY: NoticeKind.RECOVERY,
        pb.Notice.KIND_EVENT: NoticeKind.EVENT,
    },
)
STATES: Final = Names(
    pb.Notice.State,
    {
        pb.Notice.STATE_PENDING: NoticeState.PENDING,
        pb.Notice.STATE_SENT: NoticeState.SENT,
        pb.Notice.STATE_DEAD: NoticeState.DEAD,
        pb.Notice.STATE_UNSUPPORTED: NoticeState.UNSUPPORTED,
    },
)


def from_notice(notice: Notice) -> pb.Notice:
    """The resource as a client reads it."""
    content = notice.content
    is_event = notice.kind is NoticeKind.EVENT
    return pb.Notice(
        name=names.notice_name(notice.project, notice.number),
        kind=KINDS.from_domain(notice.kind),
        state=STATES.from_domain(NoticeState.PENDING if notice.state is NoticeState.PLANNED else notice.state),
        destination=notice.destination,
        monitor_number=notice.monitor,
        incident="" if is_event else names.incident_name(notice.project, notice.subject),
        sequence=0 if is_event else notice.sequence,
        rule=content.rule,
        environment=content.environment,
        reminder=content.reminder,
        attempt_count=notice.attempts,
        error=notice.error,
        idempotency_key=notice.idempotency_key,
        create_time=from_instant(notice.create_time),
        next_try_time=from_optional(notice.next_time if notice.state is NoticeState.PENDING else None),
        end_time=from_optional(notice.end_time),
    )
