"""`live`: the live numbers of a campaign in a terminal."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live

from dashboard.figures import reading
from dashboard.installation import find, installation_options
from dashboard.live.connector import Connector
from dashboard.live.feed import Feed, View, read
from dashboard.live.frame import frame, line
from dashboard.progress import Reporter


@click.command("live")
@click.argument("campaign")
@click.option("--once", is_flag=True, help="Print the numbers once, and exit.")
@installation_options
def command(
    *, campaign: str, once: bool, stage: str | None, region: str | None, state_dir: Path
) -> None:
    """Show the live numbers of CAMPAIGN until Ctrl-C, without addresses of recipients.

    Without a terminal, print a line whenever a key number has changed. All times are UTC.
    """
    installation = find(state_dir, stage, region)
    console = Console(highlight=False)
    if once:
        reading.require(installation, campaign)
        console.print(frame(read(installation, campaign), campaign))
        return
    if installation.stats_table.summary(campaign) is None:
        Reporter().warn(f"{reading.unknown(installation, campaign)} Waiting for its first event.")
    try:
        with closing(Connector(installation, campaign)) as connector:
            views = Feed(installation, campaign, connector.open).views()
            with closing(views):
                if console.is_terminal:
                    _show(console, campaign, views)
                else:
                    _print_changes(views)
    except KeyboardInterrupt:
        return


def _show(console: Console, campaign: str, views: Iterator[View]) -> None:
    """Draw the campaign on a screen of its own, and leave the last numbers when it ends."""
    view: View | None = None
    try:
        with Live(console=console, screen=True, auto_refresh=False) as screen:
            for view in views:
                screen.update(frame(view, campaign, console.height), refresh=True)
    finally:
        if view is not None:
            console.print(frame(view, campaign))


def _print_changes(views: Iterator[View]) -> None:
    """Print the key numbers when they have changed, and problems on standard error."""
    before, problem = "", ""
    for view in views:
        if view.problem not in ("", problem):
            Reporter().warn(view.problem)
        problem = view.problem
        if view.stats is None:
            continue
        text = line(view, view.stats)
        numbers = text.partition(" ")[2]
        if numbers != before:
            click.echo(text)
            before = numbers
