"""`classify`: print the class of each open and click in exported SES events."""

import json
import secrets
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from chalicelib.errors import CommandError, NotAnEvent
from chalicelib.facts.fact import ENGAGEMENTS, FactSettings, facts_of, is_settled
from chalicelib.ses.event import Event
from chalicelib.ses.parse import parse
from dashboard.classification.classes import Counts, classified
from dashboard.classification.spool import Spool
from dashboard.replay.exports import Record, files_in, read
from dashboard.replay.skipped import Skipped

_SHOWN_EVERY = 500  # records or results
_MOST_NAMES = 10


@dataclass
class Outcome(Skipped):
    """The result of reading files.

    Attributes:
        events: number of events of the selected campaigns, including duplicates.
        engagements: number of opens and clicks, without duplicates.
        others: the campaigns that were not selected.
    """

    events: int = 0
    engagements: int = 0
    others: set[str] = field(default_factory=set)


@click.command("classify")
@click.argument(
    "paths", metavar="FILE…", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option("--campaign", "selected", multiple=True, help="Only this campaign; may be repeated.")
@click.option(
    "--campaign-tag",
    metavar="TAG",
    default="campaign",
    show_default=True,
    help="The message tag with the campaign's id, as in the setting CAMPAIGN_TAG.",
)
def command(*, paths: tuple[Path, ...], selected: tuple[str, ...], campaign_tag: str) -> None:
    """Print the class of each open and click in exported SES events.

    Applies the current rules, without AWS and without an installation. Reads the formats that
    `replay` reads; of a folder, reads all files. Prints a JSON object for each open and click, one
    a line, and last an object with the counters of each campaign.

    A class depends on all events of a campaign, so pass all of its files together. Duplicates count
    once. The exit status is 1 if some records could not be read.
    """
    outcome, counts = Outcome(), Counts()
    # Pseudonyms are not printed, so the key has to be the same in this run only.
    settings = FactSettings(secrets.token_hex())
    with Spool() as spool:
        try:
            for event in _events(files_in(paths), campaign_tag, selected, outcome):
                _take_in(event, settings, outcome, counts, spool)
        finally:
            _report(outcome)
        _require_events(outcome, selected)
        for result in _shown(_results(spool, counts), outcome.engagements):
            print(json.dumps(result))
    print(json.dumps({"campaigns": counts.by_campaign()}))
    if outcome.has_any:
        sys.exit(1)


def _events(
    files: Sequence[Path], campaign_tag: str, selected: Collection[str], outcome: Outcome
) -> Iterator[Event]:
    """Yield the events of the selected campaigns, or of all; report the progress."""
    with _progress(DownloadColumn()) as progress:
        task = progress.add_task("Reading", total=sum(path.stat().st_size for path in files))
        before = 0
        for path in files:
            for record in read(path, outcome.report):
                if record.number % _SHOWN_EVERY == 0:
                    progress.update(task, completed=before + record.position)
                event = _event(record, campaign_tag, outcome)
                if event is None:
                    continue
                if selected and event.campaign not in selected:
                    outcome.others.add(event.campaign)
                else:
                    yield event
            before += path.stat().st_size
            progress.update(task, completed=before)


def _event(record: Record, campaign_tag: str, outcome: Outcome) -> Event | None:
    """Return the event of a record; None if it has none."""
    try:
        return parse(record.text, campaign_tag=campaign_tag)
    except NotAnEvent as error:
        outcome.refuse(record, error.reason, str(error))
        return None


def _take_in(
    event: Event, settings: FactSettings, outcome: Outcome, counts: Counts, spool: Spool
) -> None:
    """Store the facts of an event; count those that count by themselves."""
    outcome.events += 1
    for fact in facts_of(event, settings):
        if spool.add(fact):
            outcome.engagements += fact.type in ENGAGEMENTS
            if not is_settled(fact):
                counts.add(fact)


def _results(spool: Spool, counts: Counts) -> Iterator[dict[str, Any]]:
    for campaign in spool.campaigns():
        yield from classified(partial(spool.emails, campaign), counts)


def _shown(results: Iterator[dict[str, Any]], total: int) -> Iterator[dict[str, Any]]:
    """Yield the results; report the progress, unless they are printed on the same terminal."""
    with _progress(MofNCompleteColumn(), hidden=sys.stdout.isatty()) as progress:
        task = progress.add_task("Classifying", total=total)
        for number, result in enumerate(results):
            if number % _SHOWN_EVERY == 0:
                progress.update(task, completed=number)
            yield result
        progress.update(task, completed=total)


def _progress(amount: ProgressColumn, *, hidden: bool = False) -> Progress:
    """Return a progress display on standard error, if that is a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        amount,
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
        disable=hidden or not console.is_terminal,
    )


def _report(outcome: Outcome) -> None:
    outcome.print_complaints()
    read_ = f"{outcome.events:,} events read, {outcome.engagements:,} different opens and clicks"
    click.echo(f"{read_}{outcome.summary('not read')}.", err=True)


def _require_events(outcome: Outcome, selected: Sequence[str]) -> None:
    if outcome.events:
        return
    if not outcome.others:
        raise CommandError("no SES events found in these files")
    names = sorted(outcome.others)
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    raise CommandError(
        f"no events of {', '.join(map(repr, selected))}; these files have events of "
        f"{', '.join(map(repr, names[:_MOST_NAMES]))}{more}"
    )
