"""Making and dropping the tables of a week. The caller's transaction holds all of it: a reader sees before or after.

In SQLite a table costs time to drop (see README), so a week first leaves the view under another name, in no time, and
then goes in steps. In PostgreSQL the lock that a drop needs is not waited for: what queues behind it would wait too.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.schema import CreateIndex, CreateTable

from tocsin.store import weeks
from tocsin.store.check_in_tables import CHECK_INS, IDS, KEPT, WHOLE, is_open_in
from tocsin.store.weeks import WEEK, Piece

AHEAD: Final = (0, WEEK, 2 * WEEK)  # from now: the weeks that have tables before they begin
_DROPPED: Final = "dropped_"
_ARMS: Final = 400  # of the view; SQLite knows no more than 500 in one SELECT
_LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '200ms'"
_STEPS: Final = (  # what a dropped week goes by, in SQLite
    "SELECT type, name FROM sqlite_master WHERE tbl_name GLOB 'dropped_check_in*' AND sql IS NOT NULL"
    " ORDER BY type, name LIMIT 1"  # indexes before tables
)


def make(connection: Connection, starts: Iterable[int]) -> None:
    """Tables for these weeks, as far as they have none. Rows among the kept ones that belong there move there."""
    there = set(weeks.starts(connection))
    missing = sorted(set(starts) - there)
    if not missing:
        return
    for start in missing:
        piece = weeks.week(start)
        _create(connection, piece)
        _move_in(connection, piece)
        if connection.dialect.name != "sqlite":
            _attach(connection, piece)
    _show(connection, sorted(there.union(missing)))


def make_ahead(connection: Connection, starts: Sequence[int]) -> None:
    """As `make`, but nothing before the oldest week there is: in SQLite what is kept is older than any week."""
    there = weeks.starts(connection)
    make(connection, [start for start in starts if not there or start >= there[0]])


def drop(connection: Connection, start: int) -> None:
    """The tables of a week, but its open runs are kept."""
    piece = weeks.week(start)
    if connection.dialect.name == "sqlite":
        _hide(connection)
        _move_out(connection, piece)
        for table in (piece.check_ins, piece.ids):
            connection.exec_driver_sql(f"ALTER TABLE {table.name} RENAME TO {_DROPPED}{table.name}")
        _show(connection, weeks.starts(connection))
        return
    _lock_out_readers(connection)
    for whole, table in ((CHECK_INS, piece.check_ins), (IDS, piece.ids)):
        connection.exec_driver_sql(f"ALTER TABLE {whole} DETACH PARTITION {table.name}")
    _move_out(connection, piece)
    for table in (piece.check_ins, piece.ids):
        connection.exec_driver_sql(f"DROP TABLE {table.name}")


def sweep(connection: Connection) -> int:
    """The next step of what `drop` left, one index or one table: 1, or 0 when nothing is left."""
    if connection.dialect.name != "sqlite":
        return 0
    row = connection.exec_driver_sql(_STEPS).one_or_none()
    if row is None:
        return 0
    connection.exec_driver_sql(f"DROP {row.type} {row.name}")
    return 1


def create_all(connection: Connection) -> None:
    """What a database has before its first week."""
    if connection.dialect.name != "sqlite":
        for table in WHOLE:
            table.create(connection)
    _create(connection, weeks.kept())
    if connection.dialect.name == "sqlite":
        _show(connection, [])
        return
    for whole in (CHECK_INS, IDS):
        connection.exec_driver_sql(f"ALTER TABLE {whole} ATTACH PARTITION {whole}_{KEPT} DEFAULT")


def _create(connection: Connection, piece: Piece) -> None:
    for table in (piece.check_ins, piece.ids):
        connection.execute(CreateTable(table))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(CreateIndex(index))


def _attach(connection: Connection, piece: Piece) -> None:
    """Readers go on meanwhile. The default partition is looked through under its lock; it is small."""
    connection.exec_driver_sql(_LOCK_TIMEOUT)
    for whole, table in ((CHECK_INS, piece.check_ins), (IDS, piece.ids)):
        connection.exec_driver_sql(
            f"ALTER TABLE {whole} ATTACH PARTITION {table.name} FOR VALUES FROM ({piece.start}) TO ({piece.end})"
        )


def _lock_out_readers(connection: Connection) -> None:
    """Those that hold the weeks, see `weeks.hold`. They are not waited for: later then."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(_LOCK_TIMEOUT)
        connection.exec_driver_sql(f"LOCK TABLE ONLY {CHECK_INS}, ONLY {IDS} IN ACCESS EXCLUSIVE MODE")


def _move_in(connection: Connection, piece: Piece) -> None:
    kept = weeks.kept()
    for source, target in ((kept.check_ins, piece.check_ins), (kept.ids, piece.ids)):
        here = (source.c.number >= piece.start, source.c.number < piece.end)
        if connection.execute(select(source.c.number).where(*here).limit(1)).first() is not None:
            _lock_out_readers(connection)
            connection.execute(insert(target).from_select(target.columns.keys(), select(source).where(*here)))
            connection.execute(delete(source).where(*here))


def _move_out(connection: Connection, piece: Piece) -> None:
    """The open runs of a week and the ids that name them."""
    kept = weeks.kept()
    runs = select(piece.check_ins).where(is_open_in(piece.check_ins))
    connection.execute(insert(kept.check_ins).from_select(kept.check_ins.columns.keys(), runs))
    names = select(piece.check_ins.c.project, piece.check_ins.c.client_id, piece.check_ins.c.number).where(
        is_open_in(piece.check_ins), piece.check_ins.c.client_id.is_not(None)
    )
    connection.execute(insert(kept.ids).from_select(kept.ids.columns.keys(), names))


def _hide(connection: Connection) -> None:
    for whole in (CHECK_INS, IDS):
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {whole}")


def _show(connection: Connection, starts: Sequence[int]) -> None:
    """In SQLite: a view of all of it, for people and their tools."""
    if connection.dialect.name != "sqlite":
        return
    _hide(connection)
    suffixes = [KEPT, *(weeks.suffix_of(start) for start in starts)][-_ARMS:]
    for whole in (CHECK_INS, IDS):
        arms = " UNION ALL ".join(f"SELECT * FROM {whole}_{suffix}" for suffix in suffixes)  # noqa: S608 - names of ours
        connection.exec_driver_sql(f"CREATE VIEW {whole} AS {arms}")
