"""Options that several commands share, and the store of commands that work on the data folder."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click
from sqlalchemy.exc import DBAPIError

from tocsin.app import settings as settings_module
from tocsin.app.settings import Settings, SettingsError
from tocsin.store import SqlStore, migrations
from tocsin.store.database import shown
from tocsin.store.port import StoreTrouble

Command = Callable[..., Any]
_READABLE: Final = r"^postgres[^/]*//([^/@]*:[^/@]+@|.*[?&]password=.)"


def data_options(command: Command) -> Command:
    """--data, --store and --config: where the database is."""
    command = click.option("--config", type=click.Path(exists=True, dir_okay=False), help="Settings file (TOML).")(
        command
    )
    command = click.option("--store", "store_url", help="Another database: postgresql://… or sqlite:///path.")(command)
    return click.option("--data", type=click.Path(file_okay=False), help="Data folder.  [default: ./data]")(command)


def load_settings(config: str | None, **flags: object) -> Settings:
    """Flags are "section_key"; what is None was not given."""
    if re.search(_READABLE, str(flags.get("store__url") or "")):
        click.echo(
            "the password in --store can be seen in the list of processes; set TOCSIN_STORE__URL instead", err=True
        )
    try:
        return settings_module.from_environment(
            config, {name.replace("__", "."): value for name, value in flags.items()}
        )
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def private_files() -> None:
    """What this process writes, messages of jobs among it, is nobody else's to read."""
    os.umask(0o077)


@contextmanager
def opened_store(settings: Settings, *, create: bool = False) -> Iterator[SqlStore]:
    """The database, made when `create` and there is none; it may be in use by a server."""
    private_files()
    try:
        if migrations.current(settings.database_url) is None:
            if not create:
                raise click.ClickException(
                    f"there is no database at {shown(settings.database_url)}; pass --data or --store, or serve first"
                )
            migrations.upgrade(settings.database_url)
        if problem := migrations.check(settings.database_url):
            raise click.ClickException(problem)
        store = SqlStore(
            settings.database_url,
            busy_timeout_ms=settings.store.busy_timeout_ms,
            statement_timeout_ms=settings.store.statement_timeout_ms,
        )
    except StoreTrouble as trouble:
        raise click.ClickException(f"the database cannot be opened: {trouble}") from None
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    except DBAPIError as error:
        raise click.ClickException(f"the database cannot be used: {error.orig}") from None
    try:
        yield store
    except StoreTrouble as trouble:
        raise click.ClickException(f"the database cannot now: {trouble}; try again") from None
    finally:
        store.close()
