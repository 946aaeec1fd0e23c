"""Stores of every kind, each on a database of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.postgresql import Postgres
from support.stores import BACKENDS, sqlite_url
from tocsin.store import SqlStore


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_store(backend: str, request: pytest.FixtureRequest) -> Iterator[Callable[..., SqlStore]]:
    """folder → a store on a new database, of which only SQLite's are in the folder; options are the store's."""
    urls: list[str] = []

    def on_sqlite(folder: Path, **options: int) -> SqlStore:
        return SqlStore(sqlite_url(folder), **options)

    def on_postgresql(_folder: Path, **options: int) -> SqlStore:
        urls.append(server.new_database())
        return SqlStore(urls[-1], **options)

    if backend == "sqlite":
        yield on_sqlite
        return
    server: Postgres = request.getfixturevalue("postgres")
    yield on_postgresql
    for url in urls:
        server.drop(url)


@pytest.fixture
def store(open_store: Callable[..., SqlStore], tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()
