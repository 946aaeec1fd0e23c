"""How many check-ins of each state there were in each stretch of time: one grouped query a week, however many."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, Table, cast, func, literal, literal_column, select

from tocsin.domain import ids
from tocsin.domain.check_in import STATES_BY_NUMBER, State
from tocsin.domain.instant import DAY, Instant, Millis
from tocsin.store import weeks
from tocsin.store.browse_port import Count
from tocsin.store.port import chunks
from tocsin.store.schema import environments, tracks

_MANY = 500  # values in one IN


def read(
    connection: Connection,
    monitors: Sequence[int],
    *,
    since: Instant,
    until: Instant,
    width: Millis,
    environments: Sequence[str],
) -> list[Count]:
    """See `Browse.counts`."""
    found: list[Count] = []
    for some in chunks(monitors, _MANY):
        names = _environments(connection, some, environments)
        if names:
            found += _grouped(connection, names, some, since=since, until=until, width=width)
    return found


def _environments(connection: Connection, monitors: Sequence[int], wanted: Sequence[str]) -> dict[int, str]:
    """The names of the tracks that are there, by number: those of a deleted environment are not."""
    statement = (
        select(tracks.c.number, environments.c.name)
        .join_from(tracks, environments, tracks.c.environment == environments.c.number)
        .where(tracks.c.monitor.in_(monitors))
    )
    if wanted:
        statement = statement.where(environments.c.name.in_(wanted))
    return {row.number: row.name for row in connection.execute(statement)}


def _grouped(
    connection: Connection,
    names: dict[int, str],
    monitors: Sequence[int],
    *,
    since: Instant,
    until: Instant,
    width: Millis,
) -> list[Count]:
    # A number is made when its row is, never much before it was received: this bound lets the index stop.
    first = ids.first_number_from(since - DAY)
    found: dict[tuple[int, str, Instant, State], Count] = {}
    for piece in weeks.pieces(connection, above=first - 1):
        statement = _statement(piece.check_ins, monitors, first, since=since, until=until, width=width)
        for monitor, track, start, state, number, duration, durations in connection.execute(statement):
            if track not in names:
                continue
            key = monitor, names[track], since + start * width, STATES_BY_NUMBER[state]
            before = found.get(key, Count(*key, 0, 0, 0))  # of a newer week
            found[key] = Count(*key, before.number + number, before.duration + duration, before.durations + durations)
    return list(found.values())


def _statement(
    table: Table, monitors: Sequence[int], first: int, *, since: Instant, until: Instant, width: Millis
) -> Select[Any]:
    bucket = ((table.c.receive_time - literal(since)) // literal(width)).label("bucket")
    return (
        select(
            table.c.monitor,
            table.c.track,
            bucket,
            table.c.state,
            func.count(),
            cast(func.coalesce(func.sum(table.c.duration_ms), 0), BigInteger),  # a sum is wider in PostgreSQL
            func.count(table.c.duration_ms),
        )
        .where(
            table.c.monitor.in_(monitors),
            table.c.number >= first,
            table.c.receive_time >= since,
            table.c.receive_time < until,
        )
        .group_by(table.c.monitor, table.c.track, literal_column("bucket"), table.c.state)
    )
