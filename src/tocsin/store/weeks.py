"""Which tables of check-ins there are, and which of them a number is in.

A week of check-ins has a table of its own, and so have the ids chosen in it: what is too old goes with its table. Weeks
begin at fixed instants (multiples of seven days after 1970-01-01, a Thursday), and a number begins with its instant, so
a number says which week it is of. Rows of weeks that have no table are in the tables "kept": open runs that outlived
theirs, and what comes from before the oldest.

PostgreSQL does the dividing itself: there the whole is one piece, for reading and for writing. In SQLite a piece is a
table, asked one after the other, newest first; a page is full long before all were asked.
"""

import functools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection, Table

from tocsin.domain import ids
from tocsin.domain.instant import DAY, Instant
from tocsin.store.check_in_tables import CHECK_INS, IDS, KEPT, WHOLE, tables

WEEK: Final = 7 * DAY
LENGTH: Final = ids.check_in_number(WEEK, 0)  # numbers of a week
END: Final = 2**63 - 1  # no number is beyond
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The view and the indexes have names of their own; GLOB minds the underscore, which LIKE does not.
_IN_SQLITE: Final = "SELECT substr(name, 11) FROM sqlite_master WHERE type = 'table' AND name GLOB 'check_ins_[0-9]*'"
_IN_POSTGRESQL: Final = (
    "SELECT substr(relname, 11) FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
    " WHERE inhparent = to_regclass('check_ins') AND relname ~ '^check_ins_[0-9]+$'"
)


class Piece(NamedTuple):
    """Two tables and the numbers that may be in them: from `start` to just below `end`."""

    check_ins: Table
    ids: Table
    start: int
    end: int


WHOLE_PIECE: Final = Piece(*WHOLE, 0, END)


def start_of(number: int) -> int:
    """The first number of the week that a number is of."""
    return number // LENGTH * LENGTH


def suffix_of(start: int) -> str:
    """The first day of a week as YYYYMMDD."""
    return (_EPOCH + timedelta(milliseconds=ids.instant_of(start))).strftime("%Y%m%d")


@functools.cache
def start_named(suffix: str) -> int:
    day = datetime.strptime(suffix, "%Y%m%d").replace(tzinfo=UTC)
    return ids.check_in_number(int((day - _EPOCH).total_seconds()) * 1000, 0)


def start_at(at: Instant) -> int:
    return start_of(ids.first_number_from(at))


def starts(connection: Connection) -> list[int]:
    """The first numbers of the weeks that have tables, oldest first."""
    if connection.dialect.name != "sqlite":
        return sorted(start_named(suffix) for (suffix,) in connection.exec_driver_sql(_IN_POSTGRESQL))
    cursor = connection.connection.cursor()  # each commit asks: without SQLAlchemy it costs a third
    try:
        return sorted([start_named(suffix) for (suffix,) in cursor.execute(_IN_SQLITE).fetchall()])
    finally:
        cursor.close()


@functools.cache
def week(start: int) -> Piece:
    return Piece(*tables(suffix_of(start)), start, start + LENGTH)


def kept(end: int = END) -> Piece:
    """The rows that no week has; `end`: where the oldest week begins."""
    return Piece(*tables(KEPT), 0, end)


def pieces(connection: Connection, *, above: int = -1, below: int = END) -> list[Piece]:
    """Newest first: those that may have numbers greater than `above` and smaller than `below`."""
    if connection.dialect.name != "sqlite":
        return [WHOLE_PIECE]
    known = starts(connection)
    found = [kept(known[0] if known else END), *map(week, known)]
    return [piece for piece in reversed(found) if piece.start < below and piece.end > above + 1]


def tables_of(connection: Connection, *, above: int = -1, below: int = END) -> list[Piece]:
    """As `pieces`, but table by table in PostgreSQL too: for questions that cost the more the more tables they are to.

    There what is kept may also be younger than a week or between two, so it comes once for each gap.
    """
    found: list[Piece] = []
    end = 0
    for start in starts(connection):
        if start > end:
            found.append(kept(start)._replace(start=end))
        found.append(week(start))
        end = start + LENGTH
    found.append(kept()._replace(start=end))
    return [piece for piece in reversed(found) if piece.start < below and piece.end > above + 1]


def hold(connection: Connection) -> None:
    """First in a transaction that reads check-ins: no week comes or goes before it ends.

    In PostgreSQL a table is gone for everybody as soon as its drop is committed, whatever state of the rows a
    transaction sees; so the lock comes before the first SELECT, with which that state begins.
    """
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(f"LOCK TABLE ONLY {CHECK_INS}, ONLY {IDS} IN ACCESS SHARE MODE")


def within(piece: Piece, numbers: Sequence[int]) -> list[int]:
    """Those of the numbers that may be in a piece."""
    return [number for number in numbers if piece.start <= number < piece.end]
