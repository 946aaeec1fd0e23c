"""Rows of check-ins into the tables of their weeks, in bulk; a week that has no tables yet gets them."""

from bisect import bisect_left
from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from sqlalchemy import Connection, Dialect

from tocsin.store import week_tables, weeks
from tocsin.store.upsert import Row, Upsert
from tocsin.store.weeks import Piece

_FIXED: Final = ("project", "monitor", "track")
_NUMBER_OF_ROW: Final = itemgetter(0)
_NUMBER_OF_ID: Final = itemgetter(2)


def spans(connection: Connection, numbers: Sequence[int]) -> list[tuple[Piece, int, int]]:
    """Ascending numbers, cut where a week ends: (piece, start, stop) for `numbers[start:stop]`. Makes missing weeks.

    A number before the oldest week is of a row that was kept, or comes from an old journal: it makes no week. Nor does
    any in PostgreSQL, where DDL would wait for readers: the default partition takes the row until the week is made.
    """
    if not numbers:
        return []
    if connection.dialect.name != "sqlite":
        return [(weeks.pieces(connection)[0], 0, len(numbers))]
    known = set(weeks.starts(connection))
    oldest = min(known, default=weeks.start_of(numbers[0]))
    found = []
    done = 0
    while done < len(numbers):
        start = weeks.start_of(numbers[done])
        piece = weeks.week(start) if start >= oldest else weeks.kept(oldest)
        if start >= oldest and start not in known:
            week_tables.make(connection, [start])
        stop = bisect_left(numbers, piece.end, done)
        found.append((piece, done, stop))
        done = stop
    return found


class CheckInWrites:
    """Whole rows, each written or, where its number is there, written over; statements are compiled once a week."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._upserts: dict[str, tuple[Upsert, Upsert]] = {}

    def __call__(self, connection: Connection, rows: Sequence[Row], chosen: Sequence[Row]) -> None:
        """`rows` as `check_ins.to_row`, `chosen` as `check_ins.id_to_row` for some of them; both in any order."""
        rows = sorted(rows, key=_NUMBER_OF_ROW)
        chosen = sorted(chosen, key=_NUMBER_OF_ID)
        for piece, start, stop in spans(connection, [row[0] for row in rows]):
            write, write_ids = self._of(piece)
            write(connection, rows[start:stop])
            first, end = (bisect_left(chosen, number, key=_NUMBER_OF_ID) for number in (piece.start, piece.end))
            write_ids(connection, chosen[first:end])

    def _of(self, piece: Piece) -> tuple[Upsert, Upsert]:
        found = self._upserts.get(piece.check_ins.name)
        if found is None:
            found = Upsert(piece.check_ins, self._dialect, fixed=_FIXED), Upsert(piece.ids, self._dialect)
            self._upserts[piece.check_ins.name] = found
        return found
