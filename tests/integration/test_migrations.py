"""The history of the schema: up, down, equal to the models, and what `check` says of a database."""

import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from support.postgresql import Postgres
from support.stores import BACKENDS
from tocsin.store import SqlStore, StoreTrouble, migrations, week_tables
from tocsin.store.check_in_tables import is_drafted
from tocsin.store.database import open_database
from tocsin.store.schema import metadata


@pytest.fixture(params=BACKENDS)
def backend(request) -> str:
    return request.param


@pytest.fixture
def new_url(backend, tmp_path, request):
    """The URL of a place where nothing is yet."""
    made = []

    def on_sqlite() -> str:
        made.append(f"sqlite:///{tmp_path / 'data' / f'tocsin-{len(made)}.db'}")
        return made[-1]

    def on_postgresql() -> str:
        made.append(request.getfixturevalue("postgres").new_database(empty=True))
        return made[-1]

    yield on_sqlite if backend == "sqlite" else on_postgresql
    if backend == "postgresql":
        for url in made:
            request.getfixturevalue("postgres").drop(url)


@pytest.fixture
def url(new_url) -> str:
    return new_url()


@pytest.fixture
def schema_of(backend, request):
    """url → what is there: name → the statement that made it, with blanks and quotes evened out."""
    return sqlite_schema if backend == "sqlite" else partial(postgresql_schema, request.getfixturevalue("postgres"))


def postgresql_schema(server: Postgres, url: str) -> dict[str, str]:
    lines = [line for line in server.schema(url).splitlines() if line and not line.startswith(("--", "SET ", "\\"))]
    found = {}
    for statement in "\n".join(lines).split(";\n"):
        text = " ".join(statement.replace('"', "").split())
        if not text.startswith("SELECT pg_catalog.set_config") and "alembic_version" not in text:
            found[text.partition(" (")[0] + (text if text.startswith("ALTER") else "")] = text
    return found


def sqlite_schema(url: str) -> dict[str, str]:
    database = open_database(url)
    try:
        with database.read() as connection:
            rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all()
    finally:
        database.close()
    return {
        name: " ".join(sql.replace('"', "").split())
        for name, sql in rows
        if not name.startswith(("alembic_", "sqlite_"))
    }


def write(url: str, *statements: str) -> None:
    database = open_database(url)
    try:
        with database.write() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
    finally:
        database.close()


def test_up_and_down_again(url, schema_of):
    migrations.upgrade(url)
    made = " ".join(schema_of(url).values()).replace("public.", "")
    assert all(f"CREATE TABLE {name} " in made for name in metadata.tables)
    migrations.upgrade(url)  # nothing to do
    migrations.downgrade(url, "base")
    assert schema_of(url) == {}
    migrations.upgrade(url)
    assert migrations.check(url) == ""


def test_every_step_goes_up_and_down(url, schema_of):
    from alembic.script import ScriptDirectory

    steps = [step.revision for step in ScriptDirectory.from_config(migrations._config()).walk_revisions()][::-1]
    assert steps[-1] == migrations.head()
    for before, step in zip(["base", *steps], steps, strict=False):
        migrations.upgrade(url, step)
        up = schema_of(url)
        migrations.downgrade(url, before)
        migrations.upgrade(url, step)
        assert schema_of(url) == up


def test_the_models_and_the_head_do_not_differ(url):
    migrations.upgrade(url)
    database = open_database(url)
    try:
        with database.read() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_drafted})
            assert compare_metadata(context, metadata) == []
    finally:
        database.close()


def test_the_models_and_the_steps_make_the_same_tables(url, new_url, schema_of):
    """Autogeneration is blind to partial indexes, collations and AUTOINCREMENT; the text of the schema is not."""
    migrations.upgrade(url)
    plain = new_url()
    database = open_database(plain)
    try:
        with database.write() as connection:
            metadata.create_all(connection)
            week_tables.create_all(connection)
    finally:
        database.close()
    # The two write the constraints of a table in different orders.
    words = {name: sorted(sql.replace(",", "").split()) for name, sql in schema_of(url).items()}
    assert words == {name: sorted(sql.replace(",", "").split()) for name, sql in schema_of(plain).items()}


def test_check_says_what_to_do(url, schema_of, tmp_path):
    assert "has no schema" in migrations.check(url)
    assert not (tmp_path / "data").exists(), "looking makes nothing"
    migrations.upgrade(url)
    assert migrations.check(url) == ""
    assert migrations.current(url) == migrations.head()
    write(url, "UPDATE alembic_version SET version_num = '9999'")
    assert "9999, which this program does not know" in migrations.check(url)


def test_a_step_that_fails_leaves_the_old_schema(url, schema_of, monkeypatch):
    from alembic import op

    def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("half way")

    monkeypatch.setattr(op, "create_index", fail)
    with pytest.raises(RuntimeError, match="half way"):
        migrations.upgrade(url)
    assert schema_of(url) == {}
    assert migrations.current(url) is None


def test_an_upgrade_waits_for_no_one_who_writes(url, monkeypatch):
    migrations.upgrade(url)
    other = open_database(url)
    monkeypatch.setattr(
        migrations, "open_database", lambda url, **times: open_database(url, busy_timeout_ms=20, **times)
    )
    with other.write(), pytest.raises(StoreTrouble):
        migrations.upgrade(url)
    other.close()


def test_rows_survive_nothing_to_do(url):
    migrations.upgrade(url)
    store = SqlStore(url)
    store.create_project("kept", 1)
    store.close()
    migrations.upgrade(url)
    store = SqlStore(url)
    assert [project.name for project in store.list_projects()] == ["kept"]
    store.close()


@pytest.mark.parametrize("bad", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/tocsin", "tocsin.db", "://"])
def test_only_files_are_databases(bad):
    with pytest.raises(ValueError, match="sqlite:///path"):
        migrations.upgrade(bad)
    with pytest.raises(ValueError, match="sqlite:///path"):
        SqlStore(bad)


def test_it_works_from_an_installed_package(tmp_path):
    """Only what a wheel would hold, away from the sources."""
    root = Path(migrations.__file__).parents[2]
    site = tmp_path / "site"
    with zipfile.ZipFile(tmp_path / "wheel.zip", "w") as archive:
        for path in root.rglob("*"):
            if path.suffix in (".py", ".mako", ".so") and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(root.parent))
    with zipfile.ZipFile(tmp_path / "wheel.zip") as archive:
        archive.extractall(site)
    script = "from tocsin.store import migrations; import sys; migrations.upgrade(sys.argv[1]); print(migrations.__file__, migrations.check(sys.argv[1]))"
    url = f"sqlite:///{tmp_path / 'x.db'}"
    done = subprocess.run(
        [sys.executable, "-c", script, url], env={"PYTHONPATH": str(site)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(site / "tocsin" / "store" / "migrations" / "__init__.py")


def test_the_tracks_of_an_older_database_hold_every_check_in(url):
    migrations.upgrade(url, "0002")
    database = open_database(url)
    with database.write() as connection:
        connection.exec_driver_sql("INSERT INTO partitions (id, position, epoch) VALUES (0, 9, 1)")
        connection.exec_driver_sql(
            "INSERT INTO check_ins (number, project, monitor, track, state, receive_time, update_time, late, deafened)"
            " VALUES (77, 1, 1, 1, 1, 5, 5, false, false)"
        )
    database.close()
    migrations.upgrade(url, "0003_projection")
    database = open_database(url)
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT watermark FROM partitions").scalars().all()
    database.close()
    assert found == [77], "nothing is replayed"
