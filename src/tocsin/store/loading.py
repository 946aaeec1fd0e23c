"""Rows → snapshot: everything hot, streamed in chunks out of one read transaction.

Monitors and tracks come by the million, so what comes of each is one value: the row as memory has it (`packed`). Rows
that have none, from an older program, come after these, in columns: the driver's own tuples in the order of
`MonitorRow` and `TrackRow`. The database does the converting (NEVER for NULL, 0 for `next_track`).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Row, Select, Table, func, literal_column, select

from tocsin.domain import ids
from tocsin.domain.instant import MINUTE
from tocsin.domain.project_settings import ProjectSettings
from tocsin.engine.memory import Snapshot
from tocsin.engine.outages import REMEMBERED
from tocsin.engine.windows import asks_for_filing
from tocsin.store import check_ins, incidents, keys, monitors, schema, weeks, windows
from tocsin.store.database import Database, raw_cursor, trouble
from tocsin.store.schema import PARTITION, partitions

T = TypeVar("T")
CHUNK: Final = 4096
_RECENT: Final = 5 * MINUTE  # before the end; who got no answer sends a report again


class Loading:
    """One read transaction, open until the five streams have been read to their ends or `close()` is called."""

    def __init__(self, database: Database) -> None:
        with trouble():
            self._connection = database.readers.connect()
            weeks.hold(self._connection)
            self._left = 5
            self.read = self.known = 0  # rows of monitors and tracks

    def snapshot(self) -> Snapshot:
        """Each stream can be read once, in any order, from one thread at a time; it may raise `StoreTrouble`."""
        partition = select(partitions.c.alive_at, partitions.c.watermark).where(partitions.c.id == PARTITION)
        with trouble():
            clock, watermark = self._connection.execute(partition).one()
            kept = windows.load(self._connection)
            return Snapshot(
                clock=clock,
                watermark=watermark,
                policies=[(number, monitors.policy_of(body)) for number, body in self._all(schema.policies)],
                environments=[(number, name) for number, name in self._all(schema.environments)],
                counts=(self._count(schema.monitors), self._count(schema.tracks)),
                monitors=self._packed(schema.monitors, _monitor_rows()),
                tracks=self._packed(schema.tracks, _track_rows()),
                open_runs=self._objects(check_ins.open_runs(self._connection), check_ins.from_row),
                open_incidents=self._objects([_open_incidents()], incidents.from_row),
                after=self._raw(*check_ins.after(self._connection, watermark)),
                sequences=dict(self._all(schema.sequences)),
                recent=check_ins.recent(self._connection, ids.first_number_from((clock or 0) - _RECENT)),
                outages=[(start, end) for start, end in self._connection.execute(_long_outages())],
                windows=kept,
                filed=monitors.filed_of(self._connection, {one.project for one in kept if asks_for_filing(one)}),
                project_settings={
                    project.number: project.settings
                    for project in keys.list_projects(self._connection)
                    if project.settings != ProjectSettings()
                },
            )

    def close(self) -> None:
        """The connection is not used again: with it goes what it mapped of the database into memory."""
        if not self._connection.closed:
            self._connection.detach()
            self._connection.close()

    def _all(self, table: Table) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._connection.execute(select(table))]

    def _count(self, table: Table) -> int:
        count = self._connection.execute(select(func.count()).select_from(table)).scalar() or 0
        self.known += count
        return count

    def _packed(self, table: Table, rest: Select[Any]) -> Iterator[list[Any]]:
        """Of each row `packed`, then in columns those that have none."""
        missing = False
        with self._stream():
            packed = rest.with_only_columns(table.c.packed)
            for rows in self._rows(packed):
                missing = missing or (None,) in rows
                self.read += len(rows)
                yield rows
            if missing:
                yield from self._rows(rest.where(table.c.packed.is_(None)))

    def _raw(self, *statements: Select[Any]) -> Iterator[list[Any]]:
        """The driver's tuples as they are."""
        with self._stream():
            for statement in statements:
                yield from self._rows(statement)

    def _rows(self, statement: Select[Any]) -> Iterator[list[Any]]:
        with trouble():
            cursor = raw_cursor(self._connection)
            try:
                cursor.execute(_text(self._connection, statement))
                while rows := list(cursor.fetchmany(CHUNK)):
                    yield rows
            finally:
                cursor.close()

    def _objects(self, statements: Iterable[Select[Any]], from_row: Callable[[Row[Any]], T]) -> Iterator[list[T]]:
        with self._stream(), trouble():
            for statement in statements:
                with self._connection.execute(statement.execution_options(stream_results=True)) as result:
                    for rows in result.partitions(CHUNK):
                        yield [from_row(row) for row in rows]

    @contextmanager
    def _stream(self) -> Iterator[None]:
        """The last of the five to end closes the connection."""
        yield
        self._left -= 1
        if self._left == 0:
            self.close()


def _text(connection: Connection, statement: Select[Any]) -> str:
    return str(statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))


def _monitor_rows() -> Select[Any]:
    """In the order of `MonitorRow`; the two flags are 0 and 1."""
    names = ("number", "project", "id", "policy", "disabled", "inactive", "paused_until", "muted_until")
    return select(*(schema.monitors.c[name] for name in names)).order_by(schema.monitors.c.number)


def _track_rows() -> Select[Any]:
    """In the order of `TrackRow`, which is the order of `Track`'s fields; those of deleted monitors are left out."""
    number, monitor, environment, *rest = list(schema.tracks.columns)[: monitors.TRACK_COLUMNS]
    deleted = select(schema.deleted_monitors.c.number)
    return (
        select(number, monitor, environment, literal_column("0"), *rest, schema.tracks.c.applied)
        .where(monitor.not_in(deleted))
        .order_by(number)
    )


def _long_outages() -> Select[Any]:
    start, end = schema.outages.c.start_time, schema.outages.c.end_time
    return select(start, end).where(end - start >= REMEMBERED).order_by(schema.outages.c.number)


def _open_incidents() -> Select[Any]:
    numbers = select(schema.incidents.c.number).where(schema.incidents.c.resolve_time.is_(None))
    return (
        incidents.select_incidents().where(schema.incidents.c.number.in_(numbers)).order_by(schema.incidents.c.number)
    )
