"""The operator's command line: each command is a module with a click command named `command`.

Exit status: 0 done, 1 failed (one line on standard error has the reason), 2 usage error. Results go
to standard output, progress to standard error.
"""

import importlib
from typing import Any

import click

from chalicelib.errors import MailpulseError

COMMANDS = {
    "classify": "dashboard.commands.classify",
    "cost": "dashboard.commands.cost",
    "deploy": "dashboard.commands.deploy",
    "destroy": "dashboard.commands.destroy",
    "dlq": "dashboard.commands.dlq",
    "doctor": "dashboard.commands.doctor",
    "forget": "dashboard.commands.forget",
    "live": "dashboard.commands.live",
    "package": "dashboard.commands.package",
    "reconcile": "dashboard.commands.reconcile",
    "recount": "dashboard.commands.recount",
    "replay": "dashboard.commands.replay",
    "report": "dashboard.commands.report",
    "share": "dashboard.commands.share",
    "simulate": "dashboard.commands.simulate",
    "site": "dashboard.commands.site",
    "up": "dashboard.commands.up",
    "users": "dashboard.commands.users",
}


class Commands(click.Group):
    """The commands, imported lazily: boto3 alone takes half a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, for --help."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; return None if there is none of that name."""
        del ctx
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(module).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an expected error becomes one line and exit status 1."""
        try:
            return super().invoke(ctx)
        except MailpulseError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Commands)
@click.version_option("0.1.0", prog_name="mailpulse")
def cli() -> None:
    """Live statistics of email campaigns sent through Amazon SES."""


def main() -> None:
    """Run the console script `mailpulse`."""
    cli(prog_name="mailpulse")
