"""One server for a data folder and for a database: locks that go with the process, however it ends."""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import structlog

from tocsin.app.settings import Settings
from tocsin.store import sqlite
from tocsin.store.database import is_postgresql
from tocsin.store.port import Locked, StoreTrouble

if TYPE_CHECKING:
    from tocsin.store.server_lock import ServerLock

_KEEP_S: Final = 5.0  # how often the lock of a database server is looked after
_log = structlog.get_logger("tocsin.app")


class DataLock:
    """An advisory lock of the kernel on a folder, or on a database in it; `Locked`: another process holds it."""

    def __init__(self, data: Path, database: str = "tocsin.db") -> None:
        """The file `database` of the folder `data`; the one that a server makes by itself stands for all of it."""
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        whole = database == "tocsin.db"
        self.path = data.resolve() / ("tocsin.lock" if whole else f"{database}.lock")
        self._shown = data if whole else data / database
        self._file: int | None = None

    def __enter__(self) -> Self:
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).decode(errors="replace").strip()
            os.close(handle)
            raise Locked(f"{self._shown} is in use by another tocsin (process {holder or 'unknown'})") from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._file = handle
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def file_lock(settings: Settings) -> DataLock:
    """Of a database that is a file, wherever it is."""
    file = sqlite.path_of(settings.database_url).resolve()
    return DataLock(file.parent, file.name)


@contextmanager
def database_lock(settings: Settings) -> "Iterator[ServerLock | None]":
    """Nobody else serves or migrates this database. None: it is a file, and so is its lock.

    `Locked`; and `StoreTrouble` when its server cannot be asked.
    """
    if not is_postgresql(settings.database_url):
        with file_lock(settings):
            yield None
        return
    from tocsin.store.server_lock import ServerLock  # noqa: PLC0415 - the driver takes a while to load

    with ServerLock(settings.database_url) as lock:
        yield lock


async def keep(lock: "ServerLock") -> None:
    """Holds on to the database's lock. Should another server have taken it, the fence ends this one."""
    while True:
        await asyncio.sleep(_KEEP_S)
        try:
            if await asyncio.to_thread(lock.keep):
                _log.info("the lock of the database was lost with its session, and taken again")
        except Locked as locked:
            _log.warning("the lock of the database was lost with its session", holder=str(locked))
        except StoreTrouble as trouble:
            _log.warning("the lock of the database cannot be kept now", trouble=str(trouble))
