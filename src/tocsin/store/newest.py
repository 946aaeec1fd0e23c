"""The newest check-in, and the newest incident, of each of many tracks.

Each is found alone, from the end of an index on; of check-ins the search goes week by week and ends for a track with
the first one found.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, Table, func, select

from tocsin.domain.check_in import STATE_NUMBERS, CheckIn, State
from tocsin.domain.incident import Incident
from tocsin.store import incidents, weeks
from tocsin.store.check_ins import from_row, select_check_ins
from tocsin.store.port import chunks
from tocsin.store.schema import incidents as incidents_table

_MANY: Final = 500  # values in one IN


def check_ins_of(
    connection: Connection, tracks: Sequence[tuple[int, int]], states: Collection[State]
) -> dict[int, CheckIn]:
    wanted = dict(enumerate(tracks))
    numbers = ", ".join(str(STATE_NUMBERS[state]) for state in sorted(states, key=STATE_NUMBERS.__getitem__))
    found: dict[int, CheckIn] = {}
    for piece in weeks.pieces(connection):
        if not wanted:
            break
        newest = dict(_newest(connection, piece.check_ins, list(wanted.items()), numbers))
        for place in newest:
            del wanted[place]
        for some in chunks(list(newest.values()), _MANY):
            statement = select_check_ins(piece.check_ins).where(piece.check_ins.c.number.in_(some))
            found.update((row.track, from_row(row)) for row in connection.execute(statement))
    return found


def _newest(
    connection: Connection, table: Table, wanted: Sequence[tuple[int, tuple[int, int]]], states: str
) -> Iterator[tuple[int, int]]:
    """(place, number) of those that have one here."""
    newest = "WHERE monitor = {} AND track = {} AND state IN ({}) ORDER BY number DESC LIMIT 1"
    if connection.dialect.name == "sqlite":
        text = f"SELECT number FROM {table.name} {newest.format('?', '?', states)}"  # noqa: S608 - names of ours
        cursor = connection.connection.cursor()
        try:
            for place, pair in wanted:
                row = cursor.execute(text, pair).fetchone()
                if row is not None:
                    yield place, row[0]
        finally:
            cursor.close()
        return
    one = f"SELECT number FROM {table.name} {newest.format('m.monitor', 'm.track', states)}"  # noqa: S608
    columns = "unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS m (place, monitor, track)"
    text = f"SELECT m.place, one.number FROM {columns}, LATERAL ({one}) AS one"  # noqa: S608
    places = [place for place, _ in wanted]
    pairs = [[pair[at] for _, pair in wanted] for at in (0, 1)]
    for row in connection.exec_driver_sql(text, (places, *pairs)):
        yield row[0], row[1]


def incidents_of(connection: Connection, tracks: Sequence[tuple[int, int]]) -> dict[int, Incident]:
    table = incidents_table
    found: dict[int, Incident] = {}
    for some in chunks(tracks, _MANY):
        monitors, numbers = zip(*some, strict=True)
        mine = select(func.max(table.c.number)).where(table.c.monitor.in_(monitors), table.c.track.in_(numbers))
        newest = mine.group_by(table.c.track)
        statement = incidents.select_incidents().where(table.c.number.in_(newest))
        found.update((row.track, incidents.from_row(row)) for row in connection.execute(statement))
    return found
