"""The history of the schema, inside the package: `upgrade` and `check` work from a wheel.

To add a step: change `schema.py`, then
`python -c "from tocsin.store import migrations; migrations.draft('sqlite:///draft.db', 'add a column')"` writes a new
module into `versions/` to be read, mended and named by hand, and `HEAD` below follows. A released step is never
edited.

Alembic takes longer to load than a database to be opened, so it is loaded only when there is something to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import inspect

from tocsin.store.database import is_there, make_place, open_database

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

HEAD: Final = "0006_deployments"  # the revision that this program needs
_CURRENT: Final = "SELECT version_num FROM alembic_version"


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema to `revision`, making the file if need be. StoreTrouble: locked, full.

    All steps or none, but for 0004, which commits as it goes: cut short, it goes on with the next call.
    """
    if revision == "head" and current(url) == HEAD:
        return
    from alembic import command  # noqa: PLC0415 - see above

    make_place(url)
    with _migrating(url) as config:
        command.upgrade(config, revision)


def downgrade(url: str, revision: str) -> None:
    """Back to `revision` ("base": nothing is left). What the older schema cannot hold is lost."""
    from alembic import command  # noqa: PLC0415 - see above

    with _migrating(url) as config:
        command.downgrade(config, revision)


def draft(url: str, message: str) -> None:
    """For developers: write the difference between the models and the database at `url` as a new step."""
    from alembic import command  # noqa: PLC0415 - see above

    upgrade(url)
    with _migrating(url) as config:
        command.revision(config, message, autogenerate=True)


def head() -> str:
    """The revision that this program needs."""
    return HEAD


def current(url: str) -> str | None:
    """The revision of the database; None: it has no schema, or there is no such file. Makes nothing."""
    if not is_there(url):
        return None
    database = open_database(url)
    try:
        with database.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.exec_driver_sql(_CURRENT).scalar()
            return found
    finally:
        database.close()


def check(url: str) -> str:
    """What is wrong with the schema and what to do about it; "" when it is the one that this program needs."""
    here, wanted = current(url), head()
    if here == wanted:
        return ""
    if here is None:
        return f"the database has no schema; `tocsin db upgrade` makes the one of revision {wanted}"
    known = {script.revision for script in scripts().walk_revisions()}
    if here not in known:
        return (
            f"the database is at revision {here}, which this program does not know; run the newer program that made it"
        )
    return f"the database is at revision {here} and this program needs {wanted}; run `tocsin db upgrade`"


def scripts() -> "ScriptDirectory":
    """All steps."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - see above

    return ScriptDirectory.from_config(_config())


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", "tocsin.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _migrating(url: str) -> Iterator["Config"]:
    """A configuration with a connection inside one transaction."""
    database = open_database(url, statement_timeout_ms=0)
    try:
        with database.write() as connection:
            config = _config()
            config.attributes["connection"] = connection
            yield config
    finally:
        database.close()
