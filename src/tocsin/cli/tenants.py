"""tocsin projects, tocsin keys: tenants and credentials, straight in the database.

They work beside a running server and without one.
"""

import sys

import click
import msgspec

from tocsin.app.tenants import Tenant, add_key, create_tenant, dsn
from tocsin.cli.options import data_options, load_settings, opened_store
from tocsin.cli.project_settings import settings as project_settings
from tocsin.domain.errors import TocsinError
from tocsin.domain.project import Project, Scope
from tocsin.node.clock import SystemClock
from tocsin.store import SqlStore

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def projects() -> None:
    """Make, list and set up projects."""


@projects.command("create")
@click.argument("name")
@data_options
@_json
def create_project(name: str, data: str | None, store_url: str | None, config: str | None, as_json: bool) -> None:
    """Make a project with an admin key and an ingest key. The keys are shown once."""
    settings = load_settings(config, store__data=data, store__url=store_url)
    if not name.strip():
        raise click.ClickException("a project needs a name")
    with opened_store(settings, create=True) as store:
        if any(project.name == name for project in store.list_projects()):
            raise click.ClickException(f"there is a project {name!r} already; `tocsin projects list` shows them")
        try:
            tenant = create_tenant(store, name, SystemClock().now())
        except TocsinError as error:
            raise click.ClickException(error.message) from None
    _show(tenant, as_json)


@projects.command("list")
@data_options
@_json
def list_projects(data: str | None, store_url: str | None, config: str | None, as_json: bool) -> None:
    """List projects: number, slug, account id, name."""
    settings = load_settings(config, store__data=data, store__url=store_url)
    with opened_store(settings) as store:
        found = store.list_projects()
    if as_json:
        _print_json(
            [
                {"project_id": one.number, "slug": one.slug, "account_id": one.account_id, "name": one.name}
                for one in found
            ]
        )
        return
    for one in found:
        click.echo(f"{one.number}\t{one.slug}\t{one.account_id}\t{one.name}")


projects.add_command(project_settings)


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command("create")
@click.option("--project", "reference", required=True, help="Project number, slug or name.")
@click.option(
    "--scope", type=click.Choice([scope.value for scope in Scope]), required=True, help="What the key may do."
)
@data_options
@_json
def create_key(
    reference: str, scope: str, data: str | None, store_url: str | None, config: str | None, as_json: bool
) -> None:
    """Make a key. It is shown once, and works within two seconds on a running server."""
    settings = load_settings(config, store__data=data, store__url=store_url)
    with opened_store(settings) as store:
        project = _project(store, reference)
        key = add_key(store, project, Scope(scope), SystemClock().now())
        found = {"project_id": project.number, "scope": scope, "key": key}
        if Scope(scope) is not Scope.READ:  # a DSN is for sending
            found["sentry_dsn"] = dsn(store, project.number, key)
    if as_json:
        _print_json(found)
    else:
        click.echo(key)


@keys.command("list")
@data_options
@_json
def list_keys(data: str | None, store_url: str | None, config: str | None, as_json: bool) -> None:
    """List keys by number and last four characters; the keys themselves are not stored."""
    settings = load_settings(config, store__data=data, store__url=store_url)
    with opened_store(settings) as store:
        found = store.list_keys()
    if as_json:
        _print_json(
            [
                {
                    "number": one.number,
                    "project_id": one.project,
                    "scope": one.scope.value,
                    "hint": one.hint,
                    "revoked": one.revoke_time is not None,
                }
                for one in found
            ]
        )
        return
    for one in found:
        revoked = "revoked" if one.revoke_time is not None else "active"
        click.echo(f"{one.number}\tproject {one.project}\t{one.scope.value}\t…{one.hint}\t{revoked}")


@keys.command("revoke")
@click.argument("number", type=int)
@data_options
def revoke_key(number: int, data: str | None, store_url: str | None, config: str | None) -> None:
    """Revoke a key by its number (tocsin keys list)."""
    settings = load_settings(config, store__data=data, store__url=store_url)
    with opened_store(settings) as store:
        if not store.revoke_key(number, SystemClock().now()):
            raise click.ClickException(f"there is no active key {number}")
    click.echo(f"key {number} is revoked")


def _project(store: SqlStore, reference: str) -> Project:
    for project in store.list_projects():
        if reference in (str(project.number), project.slug, project.name):
            return project
    raise click.ClickException(f"no project {reference!r}; `tocsin projects list` shows them")


def _show(tenant: Tenant, as_json: bool) -> None:
    if as_json:
        _print_json(msgspec.to_builtins(tenant))
        return
    for name, value in msgspec.structs.asdict(tenant).items():
        click.echo(f"{name:<11} {value}")


def _print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")
