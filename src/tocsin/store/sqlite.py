"""SQLite's own ways: the file, pragmas, where transactions begin, which of its errors pass."""

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import QueuePool

_PASSING: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}
# One fsync for each commit is what makes an answer durable. The log is folded back every 16 MiB and cut to 64.
_WRITER_PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "cache_size = -65536",
    "wal_autocheckpoint = 4096",
    "journal_size_limit = 67108864",
    "temp_store = MEMORY",
    # Where the library overwrites all that is deleted with zeros, dropping a table takes eight times as long.
    "secure_delete = FAST",
)
_READER_PRAGMAS: Final = ("query_only = ON", "cache_size = -8192", "mmap_size = 1073741824", "temp_store = MEMORY")
BEGIN: Final = "BEGIN IMMEDIATE"  # of a writer


def writer(url: str, options: dict[str, Any], *, busy_timeout_ms: int) -> Engine:
    """One connection. `options` are what engines of all databases are made with."""
    return _engine(url, BEGIN, _WRITER_PRAGMAS, busy_timeout_ms, {**options, "pool_size": 1})


def readers(url: str, options: dict[str, Any], *, busy_timeout_ms: int, size: int) -> Engine:
    """Up to `size` connections that cannot write."""
    return _engine(url, "BEGIN", _READER_PRAGMAS, busy_timeout_ms, {**options, "pool_size": size})


def path_of(url: str | URL) -> Path:
    """The file behind a URL. ValueError when it names no file: readers and the writer must share one."""
    database = make_url(url).database
    if database in (None, "", ":memory:"):
        raise ValueError("a database in memory keeps nothing; use sqlite:///path/of/the/file")
    return Path(database)


def is_passing(error: sqlite3.Error) -> bool:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _PASSING  # the low byte is the kind, the rest says which of them


def _engine(url: str, begin: str, pragmas: tuple[str, ...], busy_timeout_ms: int, options: dict[str, Any]) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        # The driver's own guesses at where a transaction begins are off: `begin` below says it.
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": busy_timeout_ms / 1000},
        **options,
    )

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
