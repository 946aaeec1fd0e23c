"""Pages of check-ins, newest first, week by week: the walk stops where the page is full.

Of one monitor they lie along an index. Those of a whole project do not, because an index for them would cost each
check-in more than such a list is worth. A project of few monitors is asked monitor by monitor, whose newest check-ins
are quickly found; among many monitors the check-ins of all projects are walked, newest first, and no page looks at more
than `LOOKED` of them: it may be short or even empty, and its token says where the next one goes on.
"""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, Table, func, select

from tocsin.domain import ids
from tocsin.domain.check_in import STATE_NUMBERS, CheckIn
from tocsin.domain.instant import DAY
from tocsin.store import pages, weeks
from tocsin.store.check_ins import from_row, select_check_ins
from tocsin.store.port import CheckInFilter, Page
from tocsin.store.schema import environments, monitors
from tocsin.store.weeks import END, Piece

FEW: Final = 2_000  # monitors of a project that is asked one by one
LOOKED: Final = 100_000  # rows walked for one page
_FIRST_BLOCK: Final = 1_000  # rows of the first stretch
_BLOCK: Final = 500  # numbers found at once for a project of few monitors
_COST: Final = 40  # of a row found by its number, in rows walked


def list_page(connection: Connection, project: int, only: CheckInFilter, *, size: int, token: str) -> Page[CheckIn]:
    states = _numbers_of(only)
    query = ("check_ins", project, only.monitor, only.environment, states, only.since, only.until)
    below = pages.decode(token, query, tuple[int])[0] if token else END
    if only.monitor is None:
        found, stopped = _of_project(connection, project, only, below, size + 1)
        if stopped and len(found) <= size:
            return Page([from_row(row) for row in found], pages.encode(query, (stopped,)))
    else:
        found = read(connection, project, only, (), below=below, limit=size + 1)
    return pages.cut([from_row(row) for row in found], size, query, lambda check_in: (check_in.number,))


def read(
    connection: Connection,
    project: int,
    only: CheckInFilter,
    environment_names: tuple[str, ...],
    *,
    above: int = -1,
    below: int = END,
    limit: int,
    newest_first: bool = True,
) -> list[Row[Any]]:
    """Up to `limit` rows with numbers between the two, from one of the ends on."""
    found: list[Row[Any]] = []
    within = weeks.pieces(connection, above=max(above, _first(only) - 1), below=below)
    for piece in within if newest_first else reversed(within):
        table = piece.check_ins
        statement = narrowed(table, project, only).where(table.c.number > above, table.c.number < below)
        if environment_names:
            statement = statement.where(environments.c.name.in_(environment_names))
        order = table.c.number.desc() if newest_first else table.c.number
        found += connection.execute(statement.order_by(order).limit(limit - len(found)))
        if len(found) == limit:
            break
    return found


def narrowed(table: Table, project: int, only: CheckInFilter) -> Select[Any]:
    """Check-ins of a project in one piece, in no order."""
    states = _numbers_of(only)
    statement = select_check_ins(table).where(table.c.project == project)
    if only.monitor is not None:
        statement = statement.where(table.c.monitor == only.monitor)
    if only.environment is not None:
        statement = statement.where(environments.c.name == only.environment)
    if states is not None:
        statement = statement.where(table.c.state.in_(states))
    if only.since is not None:
        statement = statement.where(table.c.number >= _first(only), table.c.receive_time >= only.since)
    if only.until is not None:
        statement = statement.where(table.c.receive_time < only.until)
    return statement


def _first(only: CheckInFilter) -> int:
    """A number is made when its row is, never much before it was received: this bound lets the walk stop."""
    return 0 if only.since is None else ids.first_number_from(only.since - DAY)


def _numbers_of(only: CheckInFilter) -> list[int] | None:
    return sorted(STATE_NUMBERS[state] for state in only.states) if only.states is not None else None


# --- of a whole project


def _of_project(
    connection: Connection, project: int, only: CheckInFilter, below: int, limit: int
) -> tuple[list[Row[Any]], int]:
    """Up to `limit` rows, and the number below which nothing was looked at; 0: all was."""
    mine = select(monitors.c.number).where(monitors.c.project == project)
    counted = connection.execute(select(func.count()).select_from(mine.limit(FEW + 1).subquery())).scalar_one()
    found: list[Row[Any]] = []
    looked = 0
    for piece in weeks.tables_of(connection, above=_first(only) - 1, below=below):
        blocks = _few(connection, piece, project, below, limit) if counted <= FEW else _walk(connection, piece, below)
        for floor, ceiling, cost, numbers in blocks:
            number = piece.check_ins.c.number
            statement = narrowed(piece.check_ins, project, only).where(number >= floor, number < ceiling)
            if numbers is not None:
                statement = statement.where(number.in_(numbers))
            found += connection.execute(statement.order_by(number.desc()).limit(limit - len(found)))
            looked += cost
            if len(found) == limit or (looked >= LOOKED and floor > 0):
                return found, floor
    return found, 0


_Block = tuple[int, int, int, list[int] | None]  # from, to below, rows looked at, the numbers if they are known


def _walk(connection: Connection, piece: Piece, below: int) -> Iterator[_Block]:
    """Stretches of a piece, newest first, each with more rows in it than the one before."""
    number = piece.check_ins.c.number
    size = _FIRST_BLOCK
    ceiling = min(below, piece.end)
    while ceiling > piece.start:
        last = (
            select(number)
            .where(number >= piece.start, number < ceiling)
            .order_by(number.desc())
            .offset(size - 1)
            .limit(1)
        )
        floor = connection.execute(last).scalar()
        yield piece.start if floor is None else floor, ceiling, size, None
        ceiling = piece.start if floor is None else floor
        size = min(size * 4, LOOKED)


def _few(connection: Connection, piece: Piece, project: int, below: int, limit: int) -> Iterator[_Block]:
    """The newest numbers of a project's monitors in a piece, a block at a time."""
    size = min(limit, _BLOCK)
    ceiling = min(below, piece.end)
    while True:
        numbers = _newest(connection, piece, project, ceiling, size)
        if not numbers:
            return
        yield numbers[-1], ceiling, _COST * len(numbers), numbers
        if len(numbers) < size:
            return
        ceiling = numbers[-1]
        size = _BLOCK


def _newest(connection: Connection, piece: Piece, project: int, below: int, size: int) -> list[int]:
    """Among the `size` monitors whose newest check-ins are the newest are the `size` newest check-ins of all."""
    inner = piece.check_ins.alias()
    newest = (
        select(func.max(inner.c.number))
        .where(inner.c.monitor == monitors.c.number, inner.c.number < below, inner.c.number >= piece.start)
        .scalar_subquery()
    )
    tops = connection.execute(select(newest, monitors.c.number).where(monitors.c.project == project)).all()
    best = sorted(((top, monitor) for top, monitor in tops if top is not None), reverse=True)[:size]
    # With so many monitors, the least of their newest bounds what is wanted of each.
    floor = best[-1][0] if len(best) == size else piece.start
    of_each = _newest_of(connection, piece.check_ins, [monitor for _, monitor in best], floor, below, size)
    return sorted(of_each, reverse=True)[:size]


def _newest_of(
    connection: Connection, table: Table, wanted: list[int], floor: int, below: int, size: int
) -> Iterator[int]:
    """The `size` newest numbers of each monitor, as far as they are in the bounds."""
    newest = "WHERE monitor = {} AND number >= {} AND number < {} ORDER BY number DESC LIMIT {}"
    if connection.dialect.name == "sqlite":
        text = f"SELECT number FROM {table.name} {newest.format('?', '?', '?', '?')}"  # noqa: S608 - a name of ours
        cursor = connection.connection.cursor()
        try:
            for monitor in wanted:
                yield from (number for (number,) in cursor.execute(text, (monitor, floor, below, size)))
        finally:
            cursor.close()
        return
    one = f"SELECT number FROM {table.name} {newest.format('m.number', '%s', '%s', '%s')}"  # noqa: S608
    text = f"SELECT one.number FROM unnest(%s::bigint[]) AS m (number), LATERAL ({one}) AS one"  # noqa: S608
    yield from connection.exec_driver_sql(text, (wanted, floor, below, size)).scalars()
