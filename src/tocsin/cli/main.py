"""tocsin: the group that all commands hang on."""

import click

from tocsin import __version__
from tocsin.cli.database import db
from tocsin.cli.exec import exec_
from tocsin.cli.monitors import monitors
from tocsin.cli.serve import serve
from tocsin.cli.tenants import keys, projects


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tocsin")
def main() -> None:
    """Knows when a scheduled job should have run, and says so when it did not."""


for command in (serve, projects, keys, monitors, exec_, db):
    main.add_command(command)
