"""Rows of tracks that columns moved, written over the old ones in bulk.

SQLite updates row by row, in the order of the numbers as far as it can be had: neighbours lie on one page. PostgreSQL
takes a COPY into a table that lives as long as the session, and updates from it in one statement; a few rows go faster
one by one.
"""

from typing import Any, Final

from sqlalchemy import Dialect

from tocsin._core import saved
from tocsin._core.saved import SavedTracks
from tocsin.domain.instant import NEVER
from tocsin.store.column_types import InstantOrNever
from tocsin.store.schema import tracks

_KEY: Final = "number"
_WRITTEN: Final = [name for name in saved.COLUMNS if name != _KEY]
_FEW: Final = 16
_NAMES: Final = ", ".join(saved.COLUMNS)


class Saved:
    def __init__(self, dialect: Dialect) -> None:
        self._copies = dialect.name == "postgresql"
        self._update = _UPDATE.replace("?", "%s") if self._copies else _UPDATE

    def __call__(self, cursor: Any, rows: SavedTracks) -> None:
        """`cursor` is the driver's, in a transaction. A row that is not there any more is left out."""
        if not self._copies or len(rows) <= _FEW:
            cursor.executemany(self._update, rows.parameters())
            return
        cursor.execute(_TEMPORARY)
        with cursor.copy(_COPY) as copy:
            copy.write(rows.copied())
        cursor.execute(_FROM_COPY)


def _value(name: str) -> str:
    return f"nullif(?, {NEVER})" if isinstance(tracks.columns[name].type, InstantOrNever) else "?"


_UPDATE: Final = f"UPDATE tracks SET {', '.join(f'{name} = {_value(name)}' for name in _WRITTEN)} WHERE number = ?"  # noqa: S608 - names of ours
_TEMPORARY: Final = (
    f"CREATE TEMPORARY TABLE IF NOT EXISTS moved_tracks ON COMMIT DELETE ROWS AS SELECT {_NAMES} FROM tracks LIMIT 0"  # noqa: S608
)
_COPY: Final = f"COPY moved_tracks ({_NAMES}) FROM STDIN (FORMAT binary)"
_FROM_COPY: Final = (
    f"UPDATE tracks SET {', '.join(f'{name} = moved.{name}' for name in _WRITTEN)}"  # noqa: S608
    " FROM moved_tracks AS moved WHERE tracks.number = moved.number"
)
