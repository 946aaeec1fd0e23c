"""tocsin projects settings: what a project decides for all of its monitors, shown and changed over the REST API."""

import sys
from typing import Any, Final

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tocsin.cli.monitor_file import FileError, length
from tocsin.cli.rest import ApiError, Rest

_LENGTHS: Final = ("margin", "max_runtime", "idle_environment_expiry", "broken_delay", "broken_mute_delay")
_COUNTS: Final = (
    *("failure_threshold", "recovery_threshold"),
    *("check_ins_per_minute", "max_monitors", "max_environments"),
)
_SWITCHES: Final = (
    *("miss_while_running", "create_from_check_in", "upserts_override_locks"),
    *("ok_after_error", "strict"),
)
_PATTERNS: Final = ("allowed_monitors", "denied_monitors", "allowed_environments", "denied_environments")
_ESCALATION: Final = {  # whether each is a length
    "failure_threshold": False,
    "repeat_limit": False,
    "delay": True,
    "repeat_interval": True,
}
NAMES: Final = (*_LENGTHS, *_COUNTS, "time_zone", *_SWITCHES, *_PATTERNS, "escalation")


@click.command("settings")
@click.argument("arguments", nargs=-1, metavar="[PROJECT] [NAME=VALUE ...]")
@click.option("--json", "as_json", is_flag=True, help="Print the API's JSON.")
@click.option("--url", help="Server.  [default: TOCSIN_URL or http://127.0.0.1:8000]")
@click.option("--key", help="Key.  [default: TOCSIN_KEY]")
def settings(arguments: tuple[str, ...], as_json: bool, url: str | None, key: str | None) -> None:
    """Show what a project decides for all of its monitors, or change it.

    margin=5m strict=true denied_monitors=tmp-*,x sets three. NAME= gives a setting back to the server, NAME=- is a list
    of none; escalation=delay:10m,repeat_interval:1h says when people are told. PROJECT is the key's own when left out.
    """
    project = "-"
    if arguments and "=" not in arguments[0]:
        project, arguments = arguments[0], arguments[1:]
    changes = dict(_change(argument) for argument in arguments)
    path = f"/v1/projects/{project}/settings"
    try:
        rest = Rest.from_environment(url, key)
        if changes:
            body = {_camel(name): value for name, value in changes.items() if value is not None}
            found = rest.call("PATCH", path, body, {"updateMask": ",".join(_camel(name) for name in changes)})
        else:
            found = rest.call("GET", path)
    except ApiError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
        return
    _show(found)


def _change(argument: str) -> tuple[str, Any]:
    """The setting and its value in JSON; None: the server's."""
    name, equals, text = argument.partition("=")
    name, text = name.replace("-", "_"), text.strip()
    if not equals or name not in NAMES:
        raise click.ClickException(f"{argument!r} is not NAME=VALUE; names are {', '.join(sorted(NAMES))}")
    if not text:
        return name, None
    try:
        if name in _LENGTHS:
            return name, length(text if text != "0" else "0s", name)
        if name in _COUNTS:
            return name, int(text)
        if name == "escalation":
            return name, dict(_part(part.strip()) for part in text.split(","))
    except FileError as error:
        raise click.ClickException(str(error)) from None
    except ValueError:
        raise click.ClickException(f"{name}: {text!r} is no number") from None
    if name in _SWITCHES:
        if text.lower() not in ("true", "false"):
            raise click.ClickException(f"{name}: {text!r} is neither true nor false")
        return name, text.lower() == "true"
    if name in _PATTERNS:
        return name, {"patterns": [] if text == "-" else [part.strip() for part in text.split(",") if part.strip()]}
    return name, text


def _part(text: str) -> tuple[str, Any]:
    """One part of an escalation, in JSON. ValueError: no number, or no such part."""
    name, _, value = text.partition(":")
    if name not in _ESCALATION:
        raise FileError(f"escalation: {text!r} is not NAME:VALUE; names are {', '.join(sorted(_ESCALATION))}")
    value = value.strip()
    return _camel(name), length(value if value != "0" else "0s", name) if _ESCALATION[name] else int(value)


def _show(found: dict[str, Any]) -> None:
    table = Table(box=None, header_style="bold")
    for title in ("SETTING", "VALUE", "DECIDED BY"):
        table.add_column(title, overflow="fold")
    for name in sorted(NAMES):
        value = found.get("effective", {}).get(_camel(name))
        table.add_row(name, _text(value), "project" if _camel(name) in found else "server")
    console = Console()
    if not console.is_terminal:
        console.width = 1_000  # whoever reads a pipe wants whole values
    console.print(table)


def _text(value: Any) -> str:
    if isinstance(value, dict) and "failureThreshold" in value:
        return ", ".join(f"{_snake(name)}:{part}" for name, part in value.items())
    if isinstance(value, dict):
        return ", ".join(value.get("patterns", [])) or "-"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
