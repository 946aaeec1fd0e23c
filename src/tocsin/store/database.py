"""Opening the database: engines, pragmas, transactions, passing errors. SQLite's own ways: here and in `upsert`."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.pool import QueuePool

from tocsin.store.port import StoreTrouble

READERS: Final = 8
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


class Database:
    """One writer under a lock, several readers; `with database.write()` and `with database.read()` are transactions.

    What the partition's loop looks up before a batch has a connection of its own: slow reads of others must not stop
    the line.
    """

    def __init__(self, writer: Engine, readers: Engine, lookups: Engine) -> None:
        self.writer = writer
        self.readers = readers
        self.lookups = lookups
        self._lock = threading.Lock()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first statement: commits at the end, or leaves nothing."""
        with self._lock, trouble(), self.writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        with trouble(), self.readers.begin() as connection:
            yield connection

    @contextmanager
    def look_up(self) -> Iterator[Connection]:
        """As `read`, for the partition's loop alone."""
        with trouble(), self.lookups.begin() as connection:
            yield connection

    def close(self) -> None:
        self.lookups.dispose()
        self.writer.dispose()
        self.readers.dispose()


def open_database(url: str, *, busy_timeout_ms: int = 5_000) -> Database:
    """Engines for "sqlite:///path"; the file is made when a connection needs it. ValueError: another kind of URL."""
    path_of(url)
    return Database(
        _engine(url, "BEGIN IMMEDIATE", _WRITER_PRAGMAS, busy_timeout_ms, size=1),
        _engine(url, "BEGIN", _READER_PRAGMAS, busy_timeout_ms, size=READERS),
        _engine(url, "BEGIN", _READER_PRAGMAS, busy_timeout_ms, size=1),
    )


def path_of(url: str) -> Path:
    """The file behind a URL. ValueError when it names no file: readers and the writer must share one."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise ValueError(f"{parsed.get_backend_name()} is not supported yet; use sqlite:///path/of/the/file")
    if parsed.database in (None, "", ":memory:"):
        raise ValueError("a database in memory keeps nothing; use sqlite:///path/of/the/file")
    return Path(parsed.database)


def _engine(url: str, begin: str, pragmas: tuple[str, ...], busy_timeout_ms: int, *, size: int) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=max(busy_timeout_ms / 1000, 0.001),
        # The driver's own guesses at where a transaction begins are off: `begin` below says it.
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": busy_timeout_ms / 1000},
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
    )

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def trouble() -> Iterator[None]:
    """Turn what the database may get over (locked, full, input and output) into `StoreTrouble`; the rest is a bug."""
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreTrouble("all connections to the database are busy") from error
    except (exc.DBAPIError, sqlite3.Error) as error:
        if is_passing(error):
            raise StoreTrouble(str(error.orig if isinstance(error, exc.DBAPIError) else error)) from error
        raise


def is_passing(error: BaseException) -> bool:
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    code: int | None = getattr(cause, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _PASSING  # the low byte is the kind, the rest says which of them
