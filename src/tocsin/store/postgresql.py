"""PostgreSQL's own ways: the URL, sessions, where transactions begin, which of its errors pass.

The URL is libpq's, whole: several hosts, `sslmode`, `service`, `passfile` and the rest are its business, and no part of
this program keeps the password where it could be shown. Each session is set up by one statement when it connects.
"""

from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from tocsin.store.texts import clean

# All writers of a database take turns, whatever process they are in, as they do on SQLite. Given up with the
# transaction; the second number tells it from the lock of a server, which is held for as long as it runs.
LOCK_SPACE: Final = 0x746F63  # "toc"
WRITER_LOCK: Final = 1
SERVER_LOCK: Final = 2
BEGIN: Final = f"BEGIN; SELECT pg_advisory_xact_lock({LOCK_SPACE}, {WRITER_LOCK})"  # of a writer

_DRIVER: Final = "postgresql+psycopg"
_CONNECT_S: Final = 5
# Who connects notices a dead network in half a minute, and so does the server on the other end, whose locks it frees.
_KEEPALIVES: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
_SESSION: Final = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "60s",
    "idle_session_timeout": "0",
    "timezone": "UTC",
    "jit": "off",  # every query is short
}
_IDLE_SESSION_SINCE: Final = 140_000  # older servers are refused, but by name: see `server_check`
# An answer promises that it is kept. Stronger values than "on" stay as they are.
_DURABLE: Final = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)
_PASSING_CLASSES: Final = ("08", "53", "57", "58")  # connection, resources, the operator, the system around it
_PASSING: Final = {
    "25006",  # read-only: we talk to a standby, or to what was the primary
    "25P03",  # idle in transaction for too long
    "40001",  # serialisation
    "40003",  # whether it was completed is not known
    "40P01",  # deadlock
    "55006",  # in use
    "55P03",  # lock not available
}
_ELSEWHERE: Final = {"25006", "57P01", "57P02", "57P03"}  # the database may be another host now


def writer(url: str, options: dict[str, Any], *, busy_timeout_ms: int, statement_timeout_ms: int) -> Engine:
    """One connection. `options` are what engines of all databases are made with."""
    return _engine(url, "writer", BEGIN, busy_timeout_ms, statement_timeout_ms, {**options, "pool_size": 1})


def readers(url: str, options: dict[str, Any], *, busy_timeout_ms: int, statement_timeout_ms: int, size: int) -> Engine:
    """Up to `size` connections that cannot write; each transaction sees one state of the database."""
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    more = {"pool_size": size, "pool_pre_ping": True}
    return _engine(url, "reader", begin, busy_timeout_ms, statement_timeout_ms, {**options, **more})


class _Text(StrDumperUnknown):
    """NUL in what is asked for: nothing kept has one, so nothing is found, which is better than an error."""

    def dump(self, obj: str) -> Any:
        return super().dump(clean(obj))


def connect(url: str, role: str, *, busy_timeout_ms: int, statement_timeout_ms: int) -> psycopg.Connection[Any]:
    """A session of ours, in autocommit: who begins a transaction says so. psycopg.OperationalError: not now."""
    words = parsed(url)
    ours: dict[str, Any] = {
        "connect_timeout": _CONNECT_S,
        "target_session_attrs": "read-write",
        "client_encoding": "UTF8",
        **_KEEPALIVES,
    }
    given = {name: value for name, value in ours.items() if name not in words}
    connection = psycopg.connect(_plain(url), autocommit=True, application_name=f"tocsin {role}", **given)
    session = {
        **_SESSION,
        "lock_timeout": f"{max(busy_timeout_ms, 1)}ms",
        "statement_timeout": f"{statement_timeout_ms}ms",
    }
    if connection.info.server_version < _IDLE_SESSION_SINCE:
        del session["idle_session_timeout"]
    connection.adapters.register_dumper(str, _Text)
    try:
        connection.execute("; ".join([*(f"SET {name} TO '{value}'" for name, value in session.items()), _DURABLE]))
    except BaseException:
        connection.close()
        raise
    return connection


def parsed(url: str) -> dict[str, Any]:
    """The parts of a URL. ValueError, which says nothing of it: there may be a password in it."""
    try:
        return conninfo_to_dict(_plain(url))
    except psycopg.Error:
        raise ValueError(
            "the URL of the database cannot be read; it is postgresql://user:password@host:5432/database, "
            "with special characters percent-encoded"
        ) from None


def _plain(url: str) -> str:
    """As libpq has it: SQLAlchemy's way to name a driver is taken out."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def shown(url: str) -> str:
    """The URL without its password and its less telling parts."""
    words = parsed(url)
    hosts, ports = str(words.get("host") or "").split(","), str(words.get("port") or "").split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    where = ",".join(host + (f":{port}" if port else "") for host, port in zip(hosts, ports, strict=False))
    user = f"{words['user']}@" if words.get("user") else ""
    return f"postgresql://{user}{where}/{words.get('dbname') or ''}"


def is_passing(error: psycopg.Error) -> bool:
    state = error.sqlstate
    if state is None:  # the driver's own: no connection, or a broken one
        return isinstance(error, psycopg.OperationalError)
    return state in _PASSING or state[:2] in _PASSING_CLASSES


def is_elsewhere(error: psycopg.Error) -> bool:
    """Whether connections made so far lead to a server that cannot serve us any more, however well they work."""
    return error.sqlstate in _ELSEWHERE


def _engine(
    url: str, role: str, begin: str, busy_timeout_ms: int, statement_timeout_ms: int, options: dict[str, Any]
) -> Engine:
    parsed(url)
    engine = create_engine(
        f"{_DRIVER}://",
        poolclass=QueuePool,
        creator=lambda: connect(url, role, busy_timeout_ms=busy_timeout_ms, statement_timeout_ms=statement_timeout_ms),
        paramstyle="format",  # rows are tuples
        use_native_hstore=False,  # looked for in each session otherwise
        **options,
    )

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
