"""Which notices are to be sent now: of each incident in order, and of one incident whatever another waits for."""

from sqlalchemy import ColumnElement, Connection, func, select

from tocsin.domain.instant import Instant
from tocsin.domain.notice import NoticeKind
from tocsin.store.notification_tables import PENDING, waits_in
from tocsin.store.schema import notices


def ready(project: int, destination: str, now: Instant) -> ColumnElement[bool]:
    """Pending, and no older one about the same incident is put off: what is told of an incident stays in order."""
    older = notices.alias("older")
    event = int(NoticeKind.EVENT)
    put_off = (
        select(older.c.number)
        .where(
            older.c.subject == notices.c.subject,
            older.c.destination == destination,
            older.c.project == project,
            (older.c.kind == event) == (notices.c.kind == event),
            waits_in(older, PENDING),
            older.c.number <= notices.c.number,
            older.c.next_time > now,
        )
        .exists()
    )
    mine = (notices.c.project == project) & (notices.c.destination == destination)
    return waits_in(notices, PENDING) & mine & ~put_off


def next_time(connection: Connection, project: int, destination: str, now: Instant) -> Instant:
    """When there is something to be sent to a destination that something waits for."""
    first = select(notices.c.next_time).where(ready(project, destination, now)).order_by(notices.c.number).limit(1)
    found = connection.execute(first).scalar()
    if found is None:
        mine = (notices.c.project == project) & (notices.c.destination == destination)
        later = select(func.min(notices.c.next_time)).where(waits_in(notices, PENDING), mine, notices.c.next_time > now)
        found = connection.execute(later).scalar()
    return now if found is None else int(found)
