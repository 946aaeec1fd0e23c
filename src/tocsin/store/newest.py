"""The newest check-in, and the newest incident, of each of many tracks.

Each is found alone, from the end of an index on; of check-ins the search goes week by week and ends for a track with
the first one found. It begins where the track says that it was last reported of: a monitor that has gone silent has
thousands of missed slots after that.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, Table, func, select

from tocsin.domain import ids
from tocsin.domain.check_in import STATE_NUMBERS, CheckIn, State
from tocsin.domain.incident import Incident
from tocsin.domain.instant import DAY, Instant
from tocsin.store import incidents, weeks
from tocsin.store.check_ins import from_row, select_check_ins
from tocsin.store.port import chunks
from tocsin.store.schema import incidents as incidents_table

_MANY: Final = 500  # values in one IN
_BEHIND: Final = 2 * DAY  # a client's clock may be, and that is what a track goes by


def check_ins_of(
    connection: Connection, tracks: Sequence[tuple[int, int, Instant]], states: Collection[State]
) -> dict[int, CheckIn]:
    wanted = {
        place: (monitor, track, ids.first_number_from(last + _BEHIND))
        for place, (monitor, track, last) in enumerate(tracks)
    }
    numbers = ", ".join(str(STATE_NUMBERS[state]) for state in sorted(states, key=STATE_NUMBERS.__getitem__))
    found: dict[int, CheckIn] = {}
    for piece in weeks.pieces(connection, below=max((below for _, _, below in wanted.values()), default=0)):
        if not wanted:
            break
        here = [(place, one) for place, one in wanted.items() if one[2] > piece.start]
        newest = dict(_newest(connection, piece.check_ins, here, numbers))
        for place in newest:
            del wanted[place]
        for some in chunks(list(newest.values()), _MANY):
            statement = select_check_ins(piece.check_ins).where(piece.check_ins.c.number.in_(some))
            found.update((row.track, from_row(row)) for row in connection.execute(statement))
    return found


def _newest(
    connection: Connection, table: Table, wanted: Sequence[tuple[int, tuple[int, int, int]]], states: str
) -> Iterator[tuple[int, int]]:
    """(place, number) of those that have one here; wanted are (place, (monitor, track, below which number))."""
    newest = "WHERE monitor = {} AND track = {} AND number < {} AND state IN ({}) ORDER BY number DESC LIMIT 1"
    if connection.dialect.name == "sqlite":
        text = f"SELECT number FROM {table.name} {newest.format('?', '?', '?', states)}"  # noqa: S608 - names of ours
        cursor = connection.connection.cursor()
        try:
            for place, one in wanted:
                row = cursor.execute(text, one).fetchone()
                if row is not None:
                    yield place, row[0]
        finally:
            cursor.close()
        return
    inner = f"SELECT number FROM {table.name} {newest.format('m.monitor', 'm.track', 'm.below', states)}"  # noqa: S608
    arrays = ", ".join(["%s::bigint[]"] * 4)
    text = (
        f"SELECT m.place, one.number FROM unnest({arrays}) AS m (place, monitor, track, below),"  # noqa: S608
        f" LATERAL ({inner}) AS one"
    )
    columns = [[one[at] for _, one in wanted] for at in range(3)]
    for row in connection.exec_driver_sql(text, ([place for place, _ in wanted], *columns)):
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
