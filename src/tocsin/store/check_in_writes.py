"""Check-ins into the tables of their weeks, in bulk; a week that has no tables yet gets them first.

PostgreSQL finds the week of a row itself. In SQLite the writer does, and remembers which weeks have tables: only the
process that owns the database makes and drops them.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Dialect

from tocsin.engine.delta import Columns, Delta
from tocsin.store import check_ins, week_tables, weeks
from tocsin.store.bulk import Bulk
from tocsin.store.upsert import Row, Upsert
from tocsin.store.weeks import Piece

_FIXED: Final = ("project", "monitor", "track")
_NUMBER_OF_ROW: Final = itemgetter(0)
_NUMBER_OF_ID: Final = itemgetter(2)


class CheckInWrites:
    """Whole rows, each written or, where its number is there, written over; statements are compiled once a week."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._divides = dialect.name == "sqlite"
        self._bulk = Bulk(dialect)
        self._upserts: dict[str, tuple[Upsert, Upsert]] = {}
        self._weeks: list[int] | None = None  # the first numbers of those that have tables, oldest first

    def forget(self) -> None:
        """To be called when tables of weeks may have been made or dropped."""
        self._weeks = None

    def are_ready(self, delta: Delta) -> bool:
        """Whether there is a table for each row of a delta; otherwise `prepare` first.

        A number before the oldest week is of a row that was kept, or comes from an old journal: it makes no week. Nor
        does any in PostgreSQL, where DDL would wait for readers: the default partition takes the row until then.
        """
        if not self._divides:
            return True
        known = self._weeks or ()
        return all(known and (start < known[0] or start in known) for start in _weeks_of(delta))

    def prepare(self, connection: Connection, delta: Delta) -> None:
        """Makes the weeks that are missing, where rows could not do without."""
        if not self._divides:
            return
        known = weeks.starts(connection)
        wanted = _weeks_of(delta)
        oldest = min(known, default=min(wanted, default=0))
        week_tables.make(connection, [start for start in wanted if start >= oldest])
        self._weeks = weeks.starts(connection)

    def __call__(self, cursor: Any, delta: Delta) -> None:
        """Rows of `delta.check_ins` and `delta.columns`, and the ids that clients chose for new ones."""
        whole = list(delta.check_ins.values())
        named = (delta.check_ins[number] for number in delta.new_check_ins | delta.renamed_check_ins)
        rows = [check_ins.to_row(check_in) for check_in in whole]
        chosen = [check_ins.id_to_row(check_in) for check_in in named if check_in.client_chosen]
        for some in delta.columns:
            if self._divides and len(_weeks_in(some)) > 1:
                rows += check_ins.rows_of(some)  # a week ended in the middle of a batch
        self._write(cursor, sorted(rows, key=_NUMBER_OF_ROW), sorted(chosen, key=_NUMBER_OF_ID))
        for table, columns in self._by_table(delta.columns):
            self._bulk(cursor, table, columns)

    def _write(self, cursor: Any, rows: Sequence[Row], chosen: Sequence[Row]) -> None:
        for piece, start, stop in self._spans([row[0] for row in rows]):
            write, write_ids = self._of(piece)
            write(cursor, rows[start:stop])
            first, end = (bisect_left(chosen, number, key=_NUMBER_OF_ID) for number in (piece.start, piece.end))
            write_ids(cursor, chosen[first:end])

    def _by_table(self, columns: Sequence[Columns]) -> Iterator[tuple[str, list[Columns]]]:
        found: dict[str, list[Columns]] = {}
        for some in columns:
            if len(some.recorded) and not (self._divides and len(_weeks_in(some)) > 1):
                found.setdefault(self._piece_of(some.recorded.row(0)[0]).check_ins.name, []).append(some)
        yield from found.items()

    def _spans(self, numbers: Sequence[int]) -> Iterator[tuple[Piece, int, int]]:
        """Ascending numbers, cut where a week ends: (piece, start, stop) for `numbers[start:stop]`."""
        done = 0
        while done < len(numbers):
            piece = self._piece_of(numbers[done])
            stop = bisect_left(numbers, piece.end, done)
            yield piece, done, stop
            done = stop

    def _piece_of(self, number: int) -> Piece:
        if not self._divides:
            return weeks.WHOLE_PIECE
        assert self._weeks, "prepared before"
        start = weeks.start_of(number)
        return weeks.week(start) if start >= self._weeks[0] else weeks.kept(self._weeks[0])

    def _of(self, piece: Piece) -> tuple[Upsert, Upsert]:
        found = self._upserts.get(piece.check_ins.name)
        if found is None:
            found = Upsert(piece.check_ins, self._dialect, fixed=_FIXED), Upsert(piece.ids, self._dialect)
            self._upserts[piece.check_ins.name] = found
        return found


def _weeks_in(columns: Columns) -> set[int]:
    """The first numbers of the weeks that its check-ins are of: nearly always one. Their numbers ascend."""
    recorded = columns.recorded
    if not len(recorded):
        return set()
    first, last = (weeks.start_of(recorded.row(index)[0]) for index in (0, len(recorded) - 1))
    return {first} if first == last else {weeks.start_of(number) for number in recorded.numbers()}


def _weeks_of(delta: Delta) -> set[int]:
    found = {weeks.start_of(number) for number in delta.check_ins}
    return found.union(*(_weeks_in(some) for some in delta.columns))
