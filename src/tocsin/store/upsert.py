"""One bulk upsert, compiled once for a table and a database: whole rows as tuples in the order of the table's columns.

Row dictionaries through SQLAlchemy cost several times as much as tuples handed to the driver, so SQLAlchemy compiles
the text and the rows go under it.
"""

from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import sqlite

Row = tuple[Any, ...]

_TOGETHER: Final = 64  # rows


class Upsert:
    """INSERT … ON CONFLICT (primary key) DO UPDATE for all columns that are not in the key or in `fixed`, if any."""

    def __init__(
        self,
        table: Table,
        dialect: Dialect,
        *,
        fixed: Collection[str] = (),
        generated: Collection[str] = (),
        once: bool = False,
    ) -> None:
        """`fixed` columns keep what was first written; `generated` ones are the database's and not in the rows.

        `once`: a row that breaks a constraint of uniqueness is there already, and stays as it is.
        """
        columns = [column.name for column in table.columns if column.name not in generated]
        insert: Any = _insert(dialect)(table)
        if once:
            insert = insert.on_conflict_do_nothing()
        elif not generated:
            updated = {
                name: insert.excluded[name]
                for name in columns
                if name not in fixed and name not in table.primary_key.columns
            }
            key = list(table.primary_key.columns)
            insert = (
                insert.on_conflict_do_update(index_elements=key, set_=updated)
                if updated
                else insert.on_conflict_do_nothing(index_elements=key)
            )
        compiled = insert.compile(dialect=dialect, column_keys=columns)
        assert getattr(compiled, "positiontup", None) == columns, "tuples are bound in the order of the columns"
        self._text = str(compiled)
        # Several rows in a statement cost SQLite half of one each. PostgreSQL has COPY for what is many.
        marks = f"({', '.join('?' * len(columns))})"
        together = dialect.name == "sqlite" and marks in self._text
        self._together = self._text.replace(marks, ", ".join([marks] * _TOGETHER)) if together else ""

    def __call__(self, cursor: Any, rows: Sequence[Row]) -> None:
        """`cursor` is the driver's, in a transaction."""
        whole = len(rows) // _TOGETHER * _TOGETHER if self._together else 0
        for first in range(0, whole, _TOGETHER):
            cursor.execute(self._together, list(chain.from_iterable(rows[first : first + _TOGETHER])))
        rows = rows[whole:] if whole else rows
        if len(rows) == 1:
            cursor.execute(self._text, rows[0])
        elif rows:
            cursor.executemany(self._text, rows)


def _insert(dialect: Dialect) -> Any:
    """They say the same. The other one's module is not loaded: that takes a while."""
    if dialect.name == "sqlite":
        return sqlite.insert
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert


def cursor_of(connection: Connection) -> Any:
    """The driver's, in the same transaction."""
    return connection.connection.cursor()
