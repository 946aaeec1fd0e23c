"""What is too old goes, in slices: a call looks at a bounded number of rows, so that no commit waits long behind it."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    func,
    not_,
    select,
    update,
)

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
_WALKS: Final = (  # of a deleted environment; with how far they came
    (check_ins, deleted_tracks.c.check_ins_done),
    (incidents, deleted_tracks.c.incidents_done),
)


def expire(
    connection: Connection,
    *,
    check_ins_before: Instant,
    refusals_before: Instant,
    trace_errors_before: Instant,
    limit: int,
) -> int:
    """How many rows went or were looked at; 0: nothing is left.

    Open runs stay however old; changes are kept as long as refusals.
    """
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
    """What hangs on deleted environments of monitors that live on. How many rows were looked at or went.

    Rows are found by the monitor's index only, so its whole history is walked, once for all its marks there are; marks
    made meanwhile begin a new walk. The marks keep how far it came, and go when it is at the end.
    """
    looked = 0
    first = select(deleted_tracks.c.monitor).order_by(deleted_tracks.c.number).limit(1)
    while looked < limit and (monitor := connection.execute(first).scalar()) is not None:
        mine = deleted_tracks.c.monitor == monitor
        gone = set(connection.execute(select(deleted_tracks.c.number).where(mine)).scalars())
        for table, done in _WALKS:
            rows = _walk(connection, monitor, table, done, gone, limit - looked)
            looked += rows
            if looked >= limit:  # there may be more
                return looked
        looked += connection.execute(delete(deleted_tracks).where(mine)).rowcount
    return looked


def _walk(
    connection: Connection, monitor: int, table: Table, done: Column[Any], gone: Collection[int], limit: int
) -> int:
    """Goes on through a monitor's rows and deletes those of the tracks `gone`. How many were looked at."""
    mine = deleted_tracks.c.monitor == monitor
    start = select(func.min(done)).where(mine).scalar_subquery()
    statement = select(table).where(table.c.monitor == monitor, table.c.number > start).order_by(table.c.number)
    rows = connection.execute(statement.limit(limit)).all()
    if not rows:
        return 0
    found = [row for row in rows if row.track in gone]
    if table is check_ins:
        _delete_check_ins(connection, found)
    elif found:
        _delete_numbers(connection, table, found)
    last = rows[-1].number
    connection.execute(update(deleted_tracks).where(mine, done < last).values({done: last}))
    return len(rows)


def _check_ins(connection: Connection, which: ColumnElement[bool], limit: int) -> int:
    statement = select(check_ins.c.number, check_ins.c.project, check_ins.c.client_id)
    rows = connection.execute(statement.where(which).order_by(check_ins.c.number).limit(max(limit, 0))).all()
    _delete_check_ins(connection, rows)
    return len(rows)


def _delete_check_ins(connection: Connection, rows: Sequence[Any]) -> None:
    """Check-ins and, where the id still means this one, the ids that clients chose for them."""
    chosen = [{"p": row.project, "i": row.client_id, "n": row.number} for row in rows if row.client_id is not None]
    if chosen:
        same = and_(
            check_in_ids.c.project == bindparam("p"),
            check_in_ids.c.id == bindparam("i"),
            check_in_ids.c.number == bindparam("n"),
        )
        connection.execute(delete(check_in_ids).where(same), chosen)
    if rows:
        _delete_numbers(connection, check_ins, rows)


def _delete_numbers(connection: Connection, table: Table, rows: Sequence[Any]) -> None:
    connection.execute(delete(table).where(table.c.number == bindparam("n")), [{"n": row.number} for row in rows])


def _slice(
    connection: Connection, table: Table, key: ColumnElement[Any], which: ColumnElement[bool], limit: int
) -> int:
    if limit <= 0:
        return 0
    return connection.execute(delete(table).where(key.in_(select(key).where(which).limit(limit)))).rowcount
