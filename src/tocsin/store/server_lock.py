"""One server for a database on PostgreSQL: an advisory lock, which its server drops with the session that holds it.

The session is apart from all others, so that a reset of those does not give the lock away; a dead network is noticed
on both ends within half a minute. The fence is what keeps two owners from writing: the lock is there to say so early,
and to keep a migration from running beside a server. For SQLite the lock of the data folder does this.
"""

import time
from types import TracebackType
from typing import Any, Final, Self

import psycopg

from tocsin.store import postgresql
from tocsin.store.database import trouble
from tocsin.store.port import Locked

PATIENCE_S: Final = 2.0  # a holder that was just killed may not have been noticed yet
_PAUSE_S: Final = 0.1
_TIMES: Final = {"busy_timeout_ms": 5_000, "statement_timeout_ms": 5_000}
_LOCK: Final = (postgresql.LOCK_SPACE, postgresql.SERVER_LOCK)
_TRY: Final = "SELECT pg_try_advisory_lock(%s::int, %s::int)"
_HOLDER: Final = """
    SELECT host(client_addr), to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC')
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND (classid::bigint, objid::bigint) = (%s, %s)
    AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class ServerLock:
    """`with ServerLock(url)`: held, or `Locked`, or `StoreTrouble`. Blocking, and for one thread at a time."""

    def __init__(self, url: str, patience_s: float = PATIENCE_S) -> None:
        self._url = url
        self._patience_s = patience_s
        self._session: psycopg.Connection[Any] | None = None

    def __enter__(self) -> Self:
        self._take(self._patience_s)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    def keep(self) -> bool:
        """Takes the lock again when its session was lost. Whether that was so. `Locked`, `StoreTrouble`: as above."""
        if self._session is not None:
            try:
                self._session.execute("SELECT 1")
            except psycopg.Error:
                self._drop()
            else:
                return False
        self._take(0.0)
        return True

    def _take(self, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        with trouble():
            session = postgresql.connect(self._url, "server", **_TIMES)
            try:
                while session.execute(_TRY, _LOCK).fetchone() != (True,):
                    _check(deadline, self._url, session)
                    time.sleep(_PAUSE_S)
            except BaseException:
                session.close()
                raise
        self._session = session

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def _check(deadline: float, url: str, session: "psycopg.Connection[Any]") -> None:
    """`Locked`, and by whom, when it was waited for long enough."""
    if time.monotonic() < deadline:
        return
    address, since = session.execute(_HOLDER, _LOCK).fetchone() or (None, None)
    where = f", connected from {address or 'the same machine'} since {since}" if since else ""
    raise Locked(f"{postgresql.shown(url)} is in use by another tocsin{where}")
