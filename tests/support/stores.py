"""Stores for tests: migrated and empty, copied from a file that was migrated once."""

import functools
import tempfile
from pathlib import Path

from tocsin.store import SqlStore, migrations


@functools.cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/template.db"
        migrations.upgrade(url)
        return Path(folder, "template.db").read_bytes()


def sqlite_url(folder: Path, name: str = "tocsin.db") -> str:
    """The URL of a new, migrated, empty database inside `folder`."""
    path = folder / name
    path.write_bytes(_template())
    return f"sqlite:///{path}"


def open_sqlite(folder: Path, *, busy_timeout_ms: int = 5_000) -> SqlStore:
    """A store on a new database inside `folder`; the caller closes it."""
    return SqlStore(sqlite_url(folder), busy_timeout_ms=busy_timeout_ms)


# One entry for each database that must pass the conformance suite.
BACKENDS = {"sqlite": open_sqlite}
