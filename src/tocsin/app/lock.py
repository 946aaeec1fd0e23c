"""One server for a data folder and for a database: locks that go with the process, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tocsin.app.settings import Settings
from tocsin.store.database import is_postgresql
from tocsin.store.port import Locked

if TYPE_CHECKING:
    from tocsin.store.server_lock import ServerLock


class DataLock:
    """An advisory lock of the kernel on a folder; `Locked`: another process holds it."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = data / "tocsin.lock"
        self._file: int | None = None

    def __enter__(self) -> Self:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).decode(errors="replace").strip()
            os.close(handle)
            raise Locked(f"{self._path.parent} is in use by another tocsin (process {holder or 'unknown'})") from None
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


@contextmanager
def database_lock(settings: Settings) -> "Iterator[ServerLock | None]":
    """Nobody else serves or migrates this database. None: it is in the data folder, and locked with that.

    `Locked`; and `StoreTrouble` when its server cannot be asked.
    """
    if not is_postgresql(settings.database_url):
        with DataLock(settings.data):
            yield None
        return
    from tocsin.store.server_lock import ServerLock  # noqa: PLC0415 - the driver takes a while to load

    with ServerLock(settings.database_url) as lock:
        yield lock
