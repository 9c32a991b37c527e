"""`forget`: erase a recipient's address from what is stored, and keep the totals."""

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from chalicelib.errors import CommandError
from chalicelib.facts.forgotten import PREFIX, Spellings, spellings
from chalicelib.ses.headers import normalised_address
from dashboard.forget.erasure import Erasure, Outcome
from dashboard.installation import find, installation_options
from dashboard.progress import Reporter

_NAME = re.compile(rf"[^@\s]+@[^@\s]+|({PREFIX})?[0-9a-f]{{16}}")
# The longest retention of point-in-time recovery, and those of streams and queues.
_REMAINS = {
    "point_in_time_recovery": timedelta(days=35),
    "queue": timedelta(days=14),
    "streams": timedelta(hours=24),
}


@click.command("forget")
@click.argument("address")
@click.option("--dry-run", is_flag=True, help="Only count what names the recipient.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@installation_options
def command(  # noqa: PLR0913 - one for each option
    *,
    address: str,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    stage: str | None,
    region: str | None,
    state_dir: Path,
) -> None:
    """Replace ADDRESS by a token in facts and lists, and keep all totals.

    ADDRESS is an email address, a pseudonym or token from a list, or - to read it from standard
    input.
    Events that arrive or are replayed later are stored with the token, too. This takes at least
    five minutes, cannot be undone, and can be repeated if it is interrupted.
    """
    found = _spellings(address)
    installation = find(state_dir, stage, region)
    if not dry_run and not yes:
        _ask(found)
    outcome = Erasure(installation, found, Reporter(), writes=not dry_run).run()
    now = installation.clock()
    if as_json:
        print(json.dumps(_members(outcome, now, dry_run=dry_run)))
    else:
        print(_text(outcome, now, dry_run=dry_run))


def _spellings(address: str) -> Spellings:
    """Return the spellings of the given address.

    Raises:
        UsageError: it is not an address.
    """
    if address == "-":
        address = sys.stdin.readline()
    address = address.strip()
    if not _NAME.fullmatch(normalised_address(address)):
        raise click.UsageError(
            f"ADDRESS has {len(address)} characters and is no email address: use the format "
            "ada@example.com, a pseudonym of 16 hex digits, a token, or -"
        )
    return spellings(address)


def _ask(found: Spellings) -> None:
    """Ask for the address again.

    Raises:
        CommandError: there is no terminal, or another address was typed.
    """
    if not sys.stdin.isatty():
        raise CommandError(
            "nothing was changed: cannot ask for confirmation without a terminal. To skip "
            "the confirmation, use --yes"
        )
    typed = click.prompt(
        "To confirm, type the address again", default="", show_default=False, err=True
    )
    if normalised_address(typed) not in found.names:
        raise CommandError("nothing was changed: you typed another address")


def _members(outcome: Outcome, now: float, *, dry_run: bool) -> dict[str, object]:
    members = {name: getattr(outcome, name) for name in outcome.__struct_fields__}
    return {**members, "dry_run": dry_run, "remains_until": {} if dry_run else _remains(now)}


def _remains(now: float) -> dict[str, str]:
    """Return until when backups, the queue and streams may hold earlier data."""
    begun = datetime.fromtimestamp(now, UTC)
    return {name: f"{begun + kept:%Y-%m-%dT%H:%M:%SZ}" for name, kept in _REMAINS.items()}


def _text(outcome: Outcome, now: float, *, dry_run: bool) -> str:
    found = (
        f"{outcome.facts:,} facts in {len(outcome.campaigns):,} campaigns, {outcome.lists:,} pages "
        f"of lists and {outcome.dead_letters:,} dead letters"
    )
    unread = ""
    if outcome.not_understood:
        unread = (
            f"\n{outcome.not_understood:,} stored items could not be read, and stay as they are."
        )
    if dry_run:
        return f"{found} name the recipient. Nothing was changed.{unread}"
    until = _remains(now)
    return (
        f"{found} named the recipient. They were rewritten, and the dead letters deleted.{unread}\n"
        f"Earlier data remains in streams until {until['streams']}, in messages of the queue until "
        f"{until['queue']} and in point-in-time recovery until {until['point_in_time_recovery']}. "
        'See "Erase a recipient" in docs/operations.md'
    )
