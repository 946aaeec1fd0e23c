"""tocsin: the group that all commands hang on. Each is imported when it is used: a job waits for no other's imports."""

from importlib import import_module
from typing import Final

import click

from tocsin import __version__

COMMANDS: Final = {
    "serve": "serve:serve",
    "projects": "tenants:projects",
    "keys": "tenants:keys",
    "monitors": "monitors:monitors",
    "exec": "exec:exec_",
    "db": "database:db",
}


class _Lazy(click.Group):
    """Commands by name, out of the modules of this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module, _, name = COMMANDS[cmd_name].partition(":")
            command: click.Command = getattr(import_module(f"tocsin.cli.{module}"), name)
            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tocsin")
def main() -> None:
    """Knows when a scheduled job should have run, and says so when it did not."""
