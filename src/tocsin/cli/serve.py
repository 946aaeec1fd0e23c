"""tocsin serve: the server, and what it prints on its first start."""

import contextlib
import resource
import signal
import sys
from typing import Final

import click
import uvloop
from sqlalchemy.exc import DBAPIError

from tocsin import __version__
from tocsin.app.lifecycle import Started
from tocsin.app.lifecycle import serve as run
from tocsin.app.settings import Settings, SettingsError
from tocsin.app.tenants import CREDENTIALS
from tocsin.cli import progress
from tocsin.cli.options import data_options, load_settings, private_files
from tocsin.store.database import shown
from tocsin.store.port import Locked, StoreTrouble
from tocsin.telemetry import logs

_FILES: Final = 2**20


@click.command()
@data_options
@click.option("--http", help="HOST:PORT of REST, pings, vendors' protocols and metrics.  [default: 127.0.0.1:8000]")
@click.option("--grpc", help="HOST:PORT of gRPC.  [default: 127.0.0.1:50051]")
@click.option("--public-url", help="How clients reach the HTTP port; DSNs are made of it.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="[default: info]")
def serve(
    data: str | None,
    store_url: str | None,
    config: str | None,
    http: str | None,
    grpc: str | None,
    public_url: str | None,
    log_level: str | None,
) -> None:
    """Run the server until SIGTERM or Ctrl-C."""
    _survive_hangups()
    settings = load_settings(
        config,
        store__data=data,
        store__url=store_url,
        listen__http=http,
        listen__grpc=grpc,
        listen__public_url=public_url,
        telemetry__log_level=log_level,
    )
    logs.configure(settings.telemetry.log_level, json=settings.telemetry.log_json)
    _allow_connections()
    private_files()
    try:
        code = uvloop.run(run(settings, lambda started: _greet(settings, started), progress.show))
    except (Locked, SettingsError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"cannot listen or write: {error}") from None
    except (StoreTrouble, ValueError) as error:
        raise click.ClickException(str(error)) from None
    except DBAPIError as error:
        raise click.ClickException(f"the database cannot be used: {error.orig}") from None
    sys.exit(code)


def _survive_hangups() -> None:
    """SIGHUP asks a running server for new time zones; one that has not come so far must not die of it."""
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _allow_connections() -> None:
    """A connection is an open file; the usual soft limit of 1024 would turn a fleet away."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if most == resource.RLIM_INFINITY else min(most, _FILES)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _greet(settings: Settings, started: Started) -> None:
    from rich.console import Console  # noqa: PLC0415 - it takes a while to load, and the server is there by now

    console = Console(soft_wrap=True, highlight=False)
    say = console.print
    say(
        f"[bold]tocsin {__version__}[/bold] is listening: {started.monitors} monitors, ready in {started.seconds:.1f} s"
    )
    say(f"  HTTP   {started.http_url}   (REST, pings, Sentry, Cronitor, Checkly; reference at {started.http_url}/docs)")
    say(f"  gRPC   {started.grpc_address}")
    say(f"  data   {settings.data.resolve()}")
    if settings.store.url:
        say(f"  store  {shown(settings.database_url)}", markup=False)
    if "0.0.0.0" in started.http_url or "[::]" in started.http_url:  # noqa: S104 - it is warned about here
        say("  Clients cannot reach that address: pass --public-url, of which DSNs and URLs are made.")
    tenant = started.tenant
    if tenant is not None:
        say()
        say(f"Project [bold]{tenant.name}[/bold] (number {tenant.project_id}) was made. Its keys are shown once;")
        say(f"they are kept for you in {settings.data / CREDENTIALS} (only you can read it).")
        say(f"  Sentry DSN   {tenant.sentry_dsn}")
        say(f"  admin key    {tenant.admin_key}")
        say(f"  ingest key   {tenant.ingest_key}")
        say()
        say("Try it: this makes a monitor that expects a check-in every minute, and checks in (202).")
        config = '{"monitor_config":{"schedule":{"type":"interval","value":1,"unit":"minute"}}}'
        say(
            f"  curl -w '%{{http_code}}\\n' -X POST -H 'Content-Type: application/json' -d '{config}' "
            f"'{started.http_url}/api/{tenant.project_id}/cron/my-job/{tenant.ingest_key}/?status=ok'",
            markup=False,
        )
        say("See it:")
        say(
            f"  curl -H 'Authorization: Bearer {tenant.admin_key}' "
            f"{started.http_url}/v1/projects/{tenant.project_id}/monitors/my-job",
            markup=False,
        )
    sys.stdout.flush()
