"""`share`: read-only links to one campaign's statistics, for viewers without an account."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from msgspec.structs import asdict
from rich.console import Console
from rich.table import Table

from chalicelib.errors import CommandError, InvalidRequest
from chalicelib.live.protocol import (
    DEFAULT_SHARE_DAYS,
    MAX_SHARE_DAYS,
    MAX_SHARE_NAME_LENGTH,
    share_name,
)
from dashboard.deploy import stack
from dashboard.installation import Installation, find, installation_options
from dashboard.local.running import read_running
from dashboard.paths import StateDir
from dashboard.progress import Reporter

_DAY = 86400


@click.group("share")
def command() -> None:
    """Share the numbers of a campaign by link, without addresses."""


@command.command("add")
@click.argument("campaign")
@click.option(
    "--days",
    type=click.IntRange(1, MAX_SHARE_DAYS),
    default=DEFAULT_SHARE_DAYS,
    show_default=True,
    help="Number of days until the link expires.",
)
@click.option(
    "--name",
    default="",
    help="Name by which the link is recognized in lists, such as Client: at most "
    f"{MAX_SHARE_NAME_LENGTH} characters. Holders of the link do not see it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@installation_options
def add_command(  # noqa: PLR0913 - one for each option
    *,
    campaign: str,
    days: int,
    name: str,
    as_json: bool,
    stage: str | None,
    region: str | None,
    state_dir: Path,
) -> None:
    """Create a link to the numbers of CAMPAIGN. The link is only printed once."""
    installation = _sharing(find(state_dir, stage, region))
    page = read_running(StateDir(state_dir))["dashboard"] if stage is None else _page(installation)
    steps = Reporter()
    if installation.stats_table.summary(campaign) is None:
        steps.warn(f"The campaign {campaign!r} has no events yet. Check its spelling.")
    until = int(time.time()) + days * _DAY
    try:
        link, token = installation.sharing.make(campaign, until, name=share_name(name))
    except InvalidRequest as error:
        raise CommandError(str(error)) from error
    url = f"{page}#/share/{token}"
    if as_json:
        print(json.dumps({**asdict(link), "url": url}))
        return
    print(url)
    steps.info(f"Everyone with the link can see {campaign!r} until {_time(until)}. To revoke it: ")
    of_stage = "" if stage is None else f" --stage {stage}"
    steps.info(f"python -m dashboard share revoke {link.id}{of_stage}")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print each link as one line of JSON.")
@installation_options
def list_command(*, as_json: bool, stage: str | None, region: str | None, state_dir: Path) -> None:
    """Show the active links, those that expire first at the top."""
    installation = _sharing(find(state_dir, stage, region))
    links = sorted(installation.shares.all(), key=lambda link: link.until)
    if as_json:
        for link in links:
            print(json.dumps(asdict(link)))
        return
    # Names may contain brackets and colons, which are no markup here.
    console = Console(highlight=False, markup=False, emoji=False)
    if not links:
        console.print("There are no share links.")
        return
    table = Table("id", "campaign", "name", "created", "created by", "expires", box=None)
    for link in links:
        times = _time(link.created_at), _time(link.until)
        table.add_row(link.id, link.campaign, link.name, times[0], link.created_by, times[1])
    console.print(table)


@command.command("revoke")
@click.argument("link_id", metavar="ID")
@installation_options
def revoke_command(*, link_id: str, stage: str | None, region: str | None, state_dir: Path) -> None:
    """Revoke the link ID, and close its connections."""
    installation = _sharing(find(state_dir, stage, region))
    if not installation.sharing.revoke(link_id):
        raise CommandError(f"no share link {link_id!r}: run `share list` to see all links")
    Reporter().info(f"The share link {link_id} was revoked.")


def _page(installation: Installation) -> str:
    """Return the address of the page of a stage in AWS."""
    found = stack.outputs(
        installation.clients("cloudformation"), stack.stack_name(installation.stage)
    )
    return f"https://{found['SiteDomain']}/"


def _sharing(installation: Installation) -> Installation:
    if not installation.config.share_key:
        again = "up" if installation.config.issuer is None else "deploy"
        raise CommandError(
            f"stage {installation.stage!r} has no key for share links: run `{again}` again"
        )
    return installation


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(" ", "minutes").removesuffix("+00:00")
