"""Fixtures for all tests: a shared real server, a fresh one, and strictness about what CI may skip."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from support import clients
from support.postgresql import Postgres
from support.server import Server

_ON_POSTGRESQL = os.environ.get("TOCSIN_TESTS_ON") == "postgresql"
# A child that is started as another user is forked, and gRPC's threads, revived in it for a moment, may crash there.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # before anything imports gRPC


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _ON_POSTGRESQL and item.get_closest_marker("sqlite"):
            item.add_marker(pytest.mark.skip(reason="the servers' database is PostgreSQL"))


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> Callable[[], dict[str, str]]:
    """The environment that gives a server a new database: none, unless the tests are to run on PostgreSQL."""
    if not _ON_POSTGRESQL:
        return dict
    postgres: Postgres = request.getfixturevalue("postgres")
    return lambda: {"TOCSIN_STORE__URL": postgres.new_database(empty=True)}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, database: Callable[[], dict[str, str]]) -> Iterator[Server]:
    """One real server for tests that only need their own monitors."""
    made = Server(tmp_path_factory.mktemp("server"), environment=database())
    made.start()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One real PostgreSQL for tests that only need databases of their own."""
    made = Postgres()
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def new_server(tmp_path: Path, database: Callable[[], dict[str, str]]) -> Iterator[Callable[..., Server]]:
    """Makes servers that a test starts, kills and stops itself."""
    made: list[Server] = []

    def make(*, environment: dict[str, str] | None = None, arguments: tuple[str, ...] = ()) -> Server:
        folder = tmp_path / f"server-{len(made)}"
        folder.mkdir()
        made.append(Server(folder, environment={**database(), **(environment or {})}, arguments=arguments))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def debian_program() -> Callable[[str], str]:
    """The path of a program that `make system-deps` installs. Missing: a skip that says so, and a failure in CI."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            _missing(f"{name} is not installed; `make system-deps` does that")
        return path

    return find


@pytest.fixture(scope="session")
def sentry_client() -> Callable[[str], Path]:
    """The folder of one of Sentry's clients (contract/clients/README.md), installed from its registry when it is not
    there yet. A registry that does not answer: a skip that says so, and a failure in CI."""
    refused: dict[str, str] = {}

    def find(name: str) -> Path:
        if name not in refused:
            try:
                return clients.install(name)
            except clients.NotInstalledError as error:
                refused[name] = f"{name} cannot be installed: {error}"
        _missing(refused[name])

    return find


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
