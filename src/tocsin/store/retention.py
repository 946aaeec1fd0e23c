"""What is too old goes: check-ins with the tables of their week, the rest in slices.

A call looks at a bounded number of rows or does one step of dropping a week, so that no commit waits long behind it.
"""

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
from tocsin.store import trace_errors, week_tables, weeks
from tocsin.store.check_in_tables import is_open_in
from tocsin.store.schema import changes, deleted_monitors, deleted_tracks, incidents, refusals, subscriptions, tracks
from tocsin.store.weeks import Piece

_BELONGINGS: Final = (incidents, tracks, subscriptions)  # of a deleted monitor, besides its check-ins


def expire(
    connection: Connection,
    *,
    check_ins_before: Instant,
    refusals_before: Instant,
    trace_errors_before: Instant,
    limit: int,
) -> int:
    """How many rows went or were looked at; 0: nothing is left.

    A week goes when all of it is old; open runs stay however old. Changes are kept as long as refusals.
    """
    first = ids.first_number_from(check_ins_before)
    gone = _deleted_monitors(connection, limit)
    gone += _deleted_tracks(connection, limit - gone)
    kept = weeks.kept()
    gone += _check_ins(
        connection, kept, and_(kept.check_ins.c.number < first, not_(is_open_in(kept.check_ins))), limit - gone
    )
    gone += _slice(connection, refusals, refusals.c.number, refusals.c.at < refusals_before, limit - gone)
    gone += _slice(connection, changes, changes.c.revision, changes.c.at < refusals_before, limit - gone)
    gone += trace_errors.expire(connection, trace_errors_before, limit - gone)
    if gone == 0:  # alone in its transaction: it takes longer than a slice
        gone = week_tables.sweep(connection) or _drop_week(connection, first)
    return gone


def _drop_week(connection: Connection, first: int) -> int:
    """The oldest week, should all of it be older than the number `first`; the newest stays."""
    there = weeks.starts(connection)
    if len(there) < 2 or weeks.week(there[0]).end > first:
        return 0
    week_tables.drop(connection, there[0])
    return 1


def _deleted_monitors(connection: Connection, limit: int) -> int:
    """What hangs on deleted monitors; the mark goes last, when nothing does any more."""
    gone = 0
    for number in (
        connection.execute(select(deleted_monitors.c.number).order_by(deleted_monitors.c.number)).scalars().all()
    ):
        for piece in weeks.pieces(connection):
            gone += _check_ins(connection, piece, piece.check_ins.c.monitor == number, limit - gone)
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
        for walk in _WALKS:
            rows = walk(connection, monitor, gone, limit - looked)
            looked += rows
            if looked >= limit:  # there may be more
                return looked
        looked += connection.execute(delete(deleted_tracks).where(mine)).rowcount
    return looked


def _walk_check_ins(connection: Connection, monitor: int, gone: Collection[int], limit: int) -> int:
    """Goes on through a monitor's check-ins, oldest week first, and deletes those of the tracks `gone`."""
    done = deleted_tracks.c.check_ins_done
    start = _done(connection, monitor, done)
    looked = 0
    for piece in reversed(weeks.pieces(connection, above=start)):
        rows = _rows_after(connection, piece.check_ins, monitor, start, limit - looked)
        looked += len(rows)
        _delete_check_ins(connection, piece, [row for row in rows if row.track in gone])
        if rows:
            start = rows[-1].number
        if looked >= limit:
            break
    _note(connection, monitor, done, start)
    return looked


def _walk_incidents(connection: Connection, monitor: int, gone: Collection[int], limit: int) -> int:
    done = deleted_tracks.c.incidents_done
    rows = _rows_after(connection, incidents, monitor, _done(connection, monitor, done), limit)
    if rows:
        _delete_numbers(connection, incidents, [row for row in rows if row.track in gone])
        _note(connection, monitor, done, rows[-1].number)
    return len(rows)


_WALKS: Final = (_walk_check_ins, _walk_incidents)


def _done(connection: Connection, monitor: int, done: Column[Any]) -> int:
    """How far the walk for the newest mark of a monitor came."""
    return connection.execute(select(func.min(done)).where(deleted_tracks.c.monitor == monitor)).scalar() or 0


def _note(connection: Connection, monitor: int, done: Column[Any], last: int) -> None:
    mine = deleted_tracks.c.monitor == monitor
    connection.execute(update(deleted_tracks).where(mine, done < last).values({done: last}))


def _rows_after(connection: Connection, table: Table, monitor: int, start: int, limit: int) -> Sequence[Any]:
    statement = select(table).where(table.c.monitor == monitor, table.c.number > start).order_by(table.c.number)
    return connection.execute(statement.limit(limit)).all()


def _check_ins(connection: Connection, piece: Piece, which: ColumnElement[bool], limit: int) -> int:
    if limit <= 0:
        return 0
    table = piece.check_ins
    statement = select(table.c.number, table.c.project, table.c.client_id)
    rows = connection.execute(statement.where(which).order_by(table.c.number).limit(limit)).all()
    _delete_check_ins(connection, piece, rows)
    return len(rows)


def _delete_check_ins(connection: Connection, piece: Piece, rows: Sequence[Any]) -> None:
    """Check-ins and the ids that clients chose for them."""
    chosen = [{"p": row.project, "i": row.client_id, "n": row.number} for row in rows if row.client_id is not None]
    if chosen:
        same = and_(
            piece.ids.c.project == bindparam("p"),
            piece.ids.c.id == bindparam("i"),
            piece.ids.c.number == bindparam("n"),
        )
        connection.execute(delete(piece.ids).where(same), chosen)
    _delete_numbers(connection, piece.check_ins, rows)


def _delete_numbers(connection: Connection, table: Table, rows: Sequence[Any]) -> None:
    if rows:
        connection.execute(delete(table).where(table.c.number == bindparam("n")), [{"n": row.number} for row in rows])


def _slice(
    connection: Connection, table: Table, key: ColumnElement[Any], which: ColumnElement[bool], limit: int
) -> int:
    if limit <= 0:
        return 0
    return connection.execute(delete(table).where(key.in_(select(key).where(which).limit(limit)))).rowcount
