"""New check-ins in columns into the database, in bulk and under SQLAlchemy: no object for each.

SQLite takes an INSERT of many rows, two to three times as fast as `executemany`; PostgreSQL a binary COPY. Which
columns there are is said in `_core.bulk`; the rest of a row is what the table's defaults and NULL say.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Dialect

from tocsin._core import bulk
from tocsin.domain.instant import NEVER
from tocsin.engine.delta import Columns
from tocsin.store.check_ins import detail_of

_NONE: Final = {"end_time": str(NEVER), "expected_time": str(NEVER), "duration_ms": "-1", "detail": "''"}


class Bulk:
    """One for each writer: it keeps the texts of its statements."""

    def __init__(self, dialect: Dialect) -> None:
        self._copies = dialect.name == "postgresql"
        self._texts: dict[tuple[str, int], str] = {}

    def __call__(self, cursor: Any, table: str, columns: Sequence[Columns]) -> None:
        """`cursor` is the driver's, in a transaction; `table` has the columns of `check_ins`."""
        parts = [(some.recorded, some.project, detail_of(some.dialect, some.client)) for some in columns]
        if self._copies:
            with cursor.copy(f"COPY {table} ({', '.join(bulk.COLUMNS)}) FROM STDIN (FORMAT binary)") as copy:
                copy.write(bulk.copied(parts))
            return
        for rows, values in bulk.parameters(parts):
            cursor.execute(self._texts.get((table, rows)) or self._text(table, rows), values)

    def _text(self, table: str, rows: int) -> str:
        one = ", ".join(f"nullif(?, {_NONE[name]})" if name in _NONE else "?" for name in bulk.PARAMETERS)
        head = f"INSERT INTO {table} ({', '.join(bulk.PARAMETERS)}, late, deafened) VALUES "  # noqa: S608
        self._texts[table, rows] = head + ", ".join([f"({one}, 0, 0)"] * rows)
        return self._texts[table, rows]
