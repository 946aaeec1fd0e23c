"""What was told in a stretch of time: notices, and alerts, each of which is told by a notice to every destination.

Notices have no index by time: nothing on the way of a mass failure is to write one more. Their numbers grow with the
time at which they were made, so those of a stretch are found by bisection, in some fifty look-ups. Only incidents are
looked at; events are made by others, and out of order.
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from tocsin.domain.instant import Instant
from tocsin.domain.notice import Notice, NoticeKind, NoticeState
from tocsin.store.database import Database
from tocsin.store.outbox import from_row
from tocsin.store.port import chunks
from tocsin.store.schema import notices as table

_MANY: Final = 500  # values in one IN


class Logged(NamedTuple):
    """Some of what was found, newest first, and how much there is."""

    rows: list[Notice]
    total: int


class Asked(NamedTuple):
    """From `since` up to `until`, the latter included."""

    project: int
    since: Instant
    until: Instant
    monitor: int | None = None  # Monitor.number; None: any
    destinations: tuple[str, ...] | None = None  # one of these; None: any
    states: tuple[NoticeState, ...] = ()  # one of these; none: any


class SqlNoticeLog:
    """Each method blocks and may be called by any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def notices(self, asked: Asked, *, size: int, offset: int) -> Logged:
        with self._database.read() as connection:
            where = _where(connection, asked)
            total = connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
            statement = select(table).where(*where).order_by(table.c.number.desc()).limit(size).offset(offset)
            rows = connection.execute(statement).all() if offset < total else []
        return Logged([from_row(row) for row in rows], total)

    def alerts(self, asked: Asked, *, size: int, offset: int) -> Logged:
        """Of each alert the first of its notices."""
        with self._database.read() as connection:
            where = _where(connection, asked)
            what = (table.c.subject, table.c.kind, table.c.sequence)
            firsts = select(func.min(table.c.number).label("number")).where(*where).group_by(*what).subquery()
            total = connection.execute(select(func.count()).select_from(firsts)).scalar_one()
            if offset >= total:
                return Logged([], total)
            page = select(firsts.c.number).order_by(firsts.c.number.desc()).limit(size).offset(offset)
            numbers = list(connection.execute(page).scalars())
            found: dict[int, Notice] = {}
            for some in chunks(numbers, _MANY):
                rows = connection.execute(select(table).where(table.c.number.in_(some)))
                found.update((row.number, from_row(row)) for row in rows)
        return Logged([found[number] for number in numbers if number in found], total)


def _where(connection: Connection, asked: Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        table.c.project == asked.project,
        table.c.number >= _first_from(connection, asked.since),
        table.c.create_time >= asked.since,
        table.c.create_time <= asked.until,
        table.c.kind != int(NoticeKind.EVENT),
    ]
    if asked.monitor is not None:
        found.append(table.c.monitor == asked.monitor)
    if asked.destinations is not None:
        found.append(_one_of(table.c.destination, asked.destinations))
    if asked.states:
        found.append(_one_of(table.c.state, [int(state) for state in asked.states]))
    return found


def _one_of(column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    return column.in_(list(values))


def _first_from(connection: Connection, since: Instant) -> int:
    """No notice of an incident that was made at `since` or later has a smaller number."""
    mine = table.c.kind != int(NoticeKind.EVENT)
    low, last = connection.execute(select(func.min(table.c.number), func.max(table.c.number))).one()
    if low is None:
        return 0
    high = last + 1
    while low < high:
        middle = (low + high) // 2
        ahead = select(table.c.number, table.c.create_time).where(table.c.number >= middle, mine)
        row = connection.execute(ahead.order_by(table.c.number).limit(1)).one_or_none()
        if row is None or row.create_time >= since:
            high = middle
        else:
            low = row.number + 1
    return int(low)
