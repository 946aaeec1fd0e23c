"""tocsin db: the schema of the database."""

import sys

import click
from sqlalchemy.exc import DBAPIError

from tocsin.app.lock import database_lock
from tocsin.cli.options import data_options, load_settings, private_files
from tocsin.store import migrations
from tocsin.store.port import Locked, StoreTrouble


@click.group()
def db() -> None:
    """Bring the database up to date, or check whether it is."""


@db.command()
@data_options
def upgrade(data: str | None, store_url: str | None, config: str | None) -> None:
    """Make or migrate the schema. Refuses beside a running server."""
    settings = load_settings(config, store__data=data, store__url=store_url)
    private_files()
    try:
        with database_lock(settings):
            migrations.upgrade(settings.database_url)
    except (Locked, StoreTrouble, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    except DBAPIError as error:
        raise click.ClickException(f"the database cannot be used: {error.orig}") from None
    click.echo(f"the database is at revision {migrations.head()}")


@db.command()
@data_options
def check(data: str | None, store_url: str | None, config: str | None) -> None:
    """Exit 0 when the schema is the one that this program needs, 1 with a reason when not."""
    settings = load_settings(config, store__data=data, store__url=store_url)
    try:
        problem = migrations.check(settings.database_url)
    except (StoreTrouble, ValueError) as error:
        raise click.ClickException(str(error)) from None
    except DBAPIError as error:
        raise click.ClickException(f"the database cannot be used: {error.orig}") from None
    click.echo(problem or f"the database is at revision {migrations.head()}, as this program needs")
    sys.exit(1 if problem else 0)
