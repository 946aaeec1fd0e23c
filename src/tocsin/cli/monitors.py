"""tocsin monitors: look at monitors, apply a file of them, preview a schedule."""

import sys
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tocsin.cli import monitor_file
from tocsin.cli.preview import preview
from tocsin.cli.rest import ApiError, Rest
from tocsin.domain.errors import TocsinError

_PARENT: Final = "/v1/projects/-/monitors"
_json = click.option("--json", "as_json", is_flag=True, help="Print the API's JSON.")
_url = click.option("--url", help="Server.  [default: TOCSIN_URL or http://127.0.0.1:8000]")
_key = click.option("--key", help="Key.  [default: TOCSIN_KEY]")


@click.group()
def monitors() -> None:
    """Look at monitors, apply a file of them, preview a schedule."""


@monitors.command("list")
@click.option("--filter", "filter_", default="", help="AIP-160 filter, for example: labels.team = storage")
@_json
@_url
@_key
def list_monitors(filter_: str, as_json: bool, url: str | None, key: str | None) -> None:
    """List the monitors of the key's project."""
    rest = Rest.from_environment(url, key)
    found: list[Any] = []
    token = ""
    while True:
        page = _call(rest, "GET", _PARENT, query={"pageSize": 1000, "pageToken": token, "filter": filter_})
        found += page.get("monitors", [])
        token = page.get("nextPageToken", "")
        if not token:
            break
    if as_json:
        _print_json(found)
        return
    table = Table(box=None, header_style="bold")
    for title in ("MONITOR", "ENVIRONMENT", "STATE", "LAST CHECK-IN", "EXPECTED"):
        table.add_column(title, no_wrap=title != "MONITOR", overflow="fold")
    for monitor in found:
        name = monitor["name"].rpartition("/")[2]
        for health in monitor.get("environments") or [{}]:
            table.add_row(
                name,
                health.get("environment", "-"),
                health.get("state", "STATE_NEW").removeprefix("STATE_").lower(),
                health.get("lastCheckInTime") or "-",
                health.get("expectedTime") or "-",
            )
    console = Console()
    if not console.is_terminal:
        console.width = 1_000  # whoever reads a pipe wants whole names
    console.print(table)


@monitors.command("get")
@click.argument("monitor")
@_url
@_key
def get_monitor(monitor: str, url: str | None, key: str | None) -> None:
    """Print one monitor as JSON."""
    _print_json(_call(Rest.from_environment(url, key), "GET", f"{_PARENT}/{monitor}"))


@monitors.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Validate on the server and change nothing.")
@_json
@_url
@_key
def apply(file: Path, dry_run: bool, as_json: bool, url: str | None, key: str | None) -> None:
    """Make and update the monitors of FILE (YAML or JSON), all or none."""
    try:
        requests = monitor_file.read(file.read_text(encoding="utf-8"))
    except (monitor_file.FileError, TocsinError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: {error}") from None
    body = {"requests": requests, "validateOnly": dry_run}
    answer = _call(Rest.from_environment(url, key), "POST", f"{_PARENT}:batchUpdate", body)
    if as_json:
        _print_json(answer)
        return
    verb = "would be applied" if dry_run else "applied"
    click.echo(f"{len(answer.get('monitors', []))} monitors {verb}")


monitors.add_command(preview)


def _call(rest: Rest, method: str, path: str, body: object = None, query: dict[str, object] | None = None) -> Any:
    try:
        return rest.call(method, path, body, query)
    except ApiError as error:
        raise click.ClickException(str(error)) from None


def _print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")
