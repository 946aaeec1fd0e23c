"""The contract of a database: one writer, several readers, transactions, passing errors; and which one a URL means.

What differs between databases is in `sqlite.py` and `postgresql.py`. Where SQLAlchemy's own costs are too high, the
driver's connection is under it: `connection.connection.driver_connection` inside `with database.write() as connection`
is a `sqlite3.Connection` or a `psycopg.Connection` in the same transaction.
"""

import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, exc

from tocsin.store import sqlite
from tocsin.store.port import Brief, MonitorWithHealth, StoreTrouble

READERS: Final = 8
STATEMENT_TIMEOUT_MS: Final = 30_000
_MOMENTARY: Final = 2  # writes that may meet trouble before others are told
_CURSORS: Final = itertools.count(1)


class Database:
    """One writer under a lock, several readers; `with database.write()` and `with database.read()` are transactions.

    What the partition's loop looks up before a batch has a connection of its own, and so has what the doors look up
    before a report can be queued: slow reads of others must not stop the line.
    """

    def __init__(self, url: str, begin: str, writer: Engine, readers: Engine, lookups: Engine, doors: Engine) -> None:
        """`url` may hold a password: it is for connecting, never for showing. `begin` starts a writer's transaction."""
        self._begin = begin
        self.url = url
        self.writer = writer
        self.readers = readers
        self.lookups = lookups
        self.doors = doors
        self._lock = threading.Lock()
        self.overlay: Callable[[Iterable[MonitorWithHealth]], None] = lambda _: None  # what memory knows better
        self.overlay_briefs: Callable[[Iterable[Brief]], None] = lambda _: None
        self._held: Connection | None = None
        self._elsewhere = False  # the writer's connection may lead to what is the primary no more
        self._trouble = ""
        self._troubles = 0  # writes in a row that met some

    @property
    def trouble(self) -> str:
        """What writes meet, once that is no matter of a moment; "" when the last one went well."""
        return self._trouble if self._troubles > _MOMENTARY else ""

    @property
    def backend(self) -> str:
        """One of "sqlite" and "postgresql"."""
        return self.writer.dialect.name

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first statement: commits at the end, or leaves nothing.

        Should the connection break while it commits, nobody can say which of the two: `StoreTrouble`.
        """
        with self._one_write():
            connection = self._writing()
            with connection.begin():
                yield connection

    @contextmanager
    def write_directly(self) -> Iterator[Any]:
        """As `write`, under SQLAlchemy: a cursor of the driver, for statements that were compiled before."""
        with self._one_write():
            cursor = self._writing().connection.cursor()
            cursor.execute(self._begin)
            yield cursor
            cursor.execute("COMMIT")
            cursor.close()

    @contextmanager
    def _one_write(self) -> Iterator[None]:
        """One at a time; the connection is given up after one that failed."""
        with self._lock:
            if self._elsewhere:  # found by whoever reads, who must not touch a transaction that is being written
                self._elsewhere = False
                self._let_go()
                self.writer.dispose()
            try:
                with self._watched():
                    try:
                        yield
                    except BaseException:
                        self._let_go()
                        raise
            except StoreTrouble as trouble:
                self._trouble, self._troubles = trouble.message, self._troubles + 1
                raise
            self._troubles = 0

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        with self._transaction(self.readers) as connection:
            yield connection

    @contextmanager
    def look_up(self) -> Iterator[Connection]:
        """As `read`, for the partition's loop alone."""
        with self._transaction(self.lookups) as connection:
            yield connection

    @contextmanager
    def look_up_at_the_door(self) -> Iterator[Connection]:
        """As `read`, for what a request needs before it can be recorded; of one thread."""
        with self._transaction(self.doors) as connection:
            yield connection

    def _writing(self) -> Connection:
        """The writer's connection, which is kept from one transaction to the next: to fetch it costs as much as one."""
        if self._held is None:
            self._held = self.writer.connect()
        return self._held

    def _let_go(self) -> None:
        """After an error. What the driver found to be broken is thrown away, anything else rolled back."""
        held, self._held = self._held, None
        if held is None:
            return
        try:
            held.connection.rollback()
        except Exception as error:
            held.invalidate(error)
        held.close()

    def close(self) -> None:
        if self._held is not None:
            self._let_go()
        self.lookups.dispose()
        self.doors.dispose()
        self.writer.dispose()
        self.readers.dispose()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        with self._watched(), engine.begin() as connection:
            yield connection

    @contextmanager
    def _watched(self) -> Iterator[None]:
        with trouble():
            try:
                yield
            except Exception as error:
                if _is_elsewhere(error):  # the next connections ask again which host is the primary
                    self._elsewhere = True
                    self.lookups.dispose()
                    self.doors.dispose()
                    self.readers.dispose()
                raise


def open_database(
    url: str, *, busy_timeout_ms: int = 5_000, statement_timeout_ms: int = STATEMENT_TIMEOUT_MS
) -> Database:
    """Engines for "sqlite:///path" or "postgresql://…"; nothing is connected or made before it is needed.

    A lock is waited for up to `busy_timeout_ms`; PostgreSQL ends a statement after `statement_timeout_ms` (0: never).
    ValueError: another kind of URL.
    """
    options: dict[str, Any] = {
        "max_overflow": 0,
        "pool_timeout": max(busy_timeout_ms / 1000, 0.001),
        "json_serializer": lambda value: msgspec.json.encode(value).decode(),
        "json_deserializer": msgspec.json.decode,
    }
    if is_postgresql(url):
        from tocsin.store import postgresql  # noqa: PLC0415 - the driver takes a while to load

        times = {"busy_timeout_ms": busy_timeout_ms, "statement_timeout_ms": statement_timeout_ms}
        return Database(
            url,
            postgresql.BEGIN,
            postgresql.writer(url, options, **times),
            postgresql.readers(url, options, size=READERS, **times),
            postgresql.readers(url, options, size=1, **times),
            postgresql.readers(url, options, size=1, **times),
        )
    sqlite.path_of(url)
    return Database(
        url,
        sqlite.BEGIN,
        sqlite.writer(url, options, busy_timeout_ms=busy_timeout_ms),
        sqlite.readers(url, options, busy_timeout_ms=busy_timeout_ms, size=READERS),
        sqlite.readers(url, options, busy_timeout_ms=busy_timeout_ms, size=1),
        sqlite.readers(url, options, busy_timeout_ms=busy_timeout_ms, size=1),
    )


def is_postgresql(url: str) -> bool:
    """ValueError: neither that nor SQLite. The URL is not repeated: there may be a password in it."""
    scheme, mark, _ = url.partition("://")
    if mark and scheme in ("postgresql", "postgresql+psycopg", "postgres"):
        return True
    if mark and scheme in ("sqlite", "sqlite+pysqlite"):
        return False
    kind = f"{scheme[:40]}://" if mark else "this"
    raise ValueError(f"{kind} is no database that can be used; use sqlite:///path/of/the/file or postgresql://…")


def shown(url: str) -> str:
    """The URL as people may see it: without a password."""
    if not is_postgresql(url):
        return url
    from tocsin.store import postgresql  # noqa: PLC0415 - as above

    return postgresql.shown(url)


def is_there(url: str) -> bool:
    """Whether there is a database to look into: makes nothing. A server that does not answer says so later."""
    return is_postgresql(url) or sqlite.path_of(url).exists()


def make_place(url: str) -> None:
    """The folder of the file; a server's databases are made by whoever runs it."""
    if not is_postgresql(url):
        sqlite.path_of(url).parent.mkdir(parents=True, exist_ok=True)


def raw_cursor(connection: Connection) -> Any:
    """The driver's own cursor for one query of many rows: they are fetched as they are asked for."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        return driver.cursor()
    driver.execute("SET LOCAL statement_timeout = 0")  # who reads may take its time
    return driver.cursor(name=f"tocsin_{next(_CURSORS)}", binary=True)


@contextmanager
def trouble() -> Iterator[None]:
    """Turn what the database may get over (locked, full, away, …) into `StoreTrouble`; the rest is a bug."""
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreTrouble("all connections to the database are busy") from error
    except Exception as error:
        if is_passing(error):
            raise _told(_cause(error)) from error
        raise


def is_passing(error: BaseException) -> bool:
    cause = _cause(error)
    if isinstance(cause, sqlite3.Error):
        return sqlite.is_passing(cause)
    if not _is_psycopg(cause):
        return False
    from tocsin.store import postgresql  # noqa: PLC0415 - as above

    return postgresql.is_passing(cause)


def _is_elsewhere(error: BaseException) -> bool:
    cause = _cause(error)
    if not _is_psycopg(cause):
        return False
    from tocsin.store import postgresql  # noqa: PLC0415 - as above

    return postgresql.is_elsewhere(cause)


def _told(cause: Any) -> StoreTrouble:
    """On one line. That a server cannot be reached is for all to know, which server it is is not."""
    text = " ".join(str(cause).split())
    if _is_psycopg(cause) and cause.sqlstate is None:
        return StoreTrouble("the database cannot be reached", text)
    return StoreTrouble(text)


def _cause(error: BaseException) -> Any:
    """What the driver raised."""
    return error.orig if isinstance(error, exc.DBAPIError) else error


def _is_psycopg(error: object) -> bool:
    """Without loading the driver for those who have another database."""
    return hasattr(error, "sqlstate")
