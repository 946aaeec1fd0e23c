"""What is too old goes, in slices: a call deletes a bounded number of rows, so that no commit waits long behind it."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, delete, not_, select

from tocsin.domain import ids
from tocsin.domain.instant import Instant
from tocsin.store import trace_errors
from tocsin.store.schema import (
    changes,
    check_in_ids,
    check_ins,
    deleted_monitors,
    deleted_tracks,
    incidents,
    is_open,
    refusals,
    tracks,
)

_BELONGINGS: Final = (incidents, tracks)  # of a deleted monitor, besides its check-ins


def expire(
    connection: Connection,
    *,
    check_ins_before: Instant,
    refusals_before: Instant,
    trace_errors_before: Instant,
    limit: int,
) -> int:
    """How many rows went; 0: nothing is left. Open runs stay however old; changes are kept as long as refusals."""
    gone = _deleted_monitors(connection, limit)
    gone += _deleted_tracks(connection, limit - gone)
    old = and_(check_ins.c.number < ids.check_in_number(check_ins_before, 0), not_(is_open))
    gone += _check_ins(connection, old, limit - gone)
    gone += _slice(connection, refusals, refusals.c.number, refusals.c.at < refusals_before, limit - gone)
    gone += _slice(connection, changes, changes.c.revision, changes.c.at < refusals_before, limit - gone)
    gone += trace_errors.expire(connection, trace_errors_before, limit - gone)
    return gone


def _deleted_monitors(connection: Connection, limit: int) -> int:
    """What hangs on deleted monitors; the mark goes last, when nothing does any more."""
    gone = 0
    for number in (
        connection.execute(select(deleted_monitors.c.number).order_by(deleted_monitors.c.number)).scalars().all()
    ):
        gone += _check_ins(connection, check_ins.c.monitor == number, limit - gone)
        for table in _BELONGINGS:
            gone += _slice(connection, table, table.c.number, table.c.monitor == number, limit - gone)
        if gone >= limit:
            break
        gone += connection.execute(delete(deleted_monitors).where(deleted_monitors.c.number == number)).rowcount
    return gone


def _deleted_tracks(connection: Connection, limit: int) -> int:
    """What hangs on deleted environments of monitors that live on; found by the monitor's index."""
    gone = 0
    for number, monitor in connection.execute(
        select(deleted_tracks.c.number, deleted_tracks.c.monitor).order_by(deleted_tracks.c.number).limit(max(limit, 0))
    ).all():
        of = and_(check_ins.c.monitor == monitor, check_ins.c.track == number)
        gone += _check_ins(connection, of, limit - gone)
        of = and_(incidents.c.monitor == monitor, incidents.c.track == number)
        gone += _slice(connection, incidents, incidents.c.number, of, limit - gone)
        if gone >= limit:
            break
        gone += connection.execute(delete(deleted_tracks).where(deleted_tracks.c.number == number)).rowcount
    return gone


def _check_ins(connection: Connection, which: ColumnElement[bool], limit: int) -> int:
    """Check-ins and, where the id still means this one, the ids that clients chose for them."""
    statement = select(check_ins.c.number, check_ins.c.project, check_ins.c.client_id)
    rows = connection.execute(statement.where(which).order_by(check_ins.c.number).limit(max(limit, 0))).all()
    chosen = [
        {"p": project, "i": client_id, "n": number} for number, project, client_id in rows if client_id is not None
    ]
    if chosen:
        same = and_(
            check_in_ids.c.project == bindparam("p"),
            check_in_ids.c.id == bindparam("i"),
            check_in_ids.c.number == bindparam("n"),
        )
        connection.execute(delete(check_in_ids).where(same), chosen)
    if rows:
        connection.execute(
            delete(check_ins).where(check_ins.c.number == bindparam("n")), [{"n": row.number} for row in rows]
        )
    return len(rows)


def _slice(
    connection: Connection, table: Table, key: ColumnElement[Any], which: ColumnElement[bool], limit: int
) -> int:
    if limit <= 0:
        return 0
    return connection.execute(delete(table).where(key.in_(select(key).where(which).limit(limit)))).rowcount
