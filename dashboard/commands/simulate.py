"""`simulate`: publish a simulated campaign's events to the topic, as SES would."""

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from chalicelib.errors import CommandError
from dashboard.installation import find_topic
from dashboard.paths import PROJECT
from dashboard.simulation.arrivals import Arrival, arrivals
from dashboard.simulation.campaign import Campaign
from dashboard.simulation.options import campaign_from, campaign_options
from dashboard.simulation.player import Tally, play, seconds_since


@click.command("simulate")
@campaign_options
@click.option(
    "--at-once",
    is_flag=True,
    help="Publish a campaign that ends now (or starts at --start), at full speed.",
)
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=PROJECT / ".mailpulse",
    show_default=".mailpulse in the project",
    help="State folder of the running `up` to publish to.",
)
@click.option("--topic-arn", help="SNS topic to publish to, in AWS or at --endpoint-url.")
@click.option("--endpoint-url", help="Endpoint of SNS, if not AWS.")
@click.option("--region", help="AWS region (default: that of the topic).")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one line of JSON.")
def command(  # noqa: PLR0913 - one for each option
    *,
    campaign_id: str | None,
    start: datetime | None,
    at_once: bool,
    state_dir: Path,
    topic_arn: str | None,
    endpoint_url: str | None,
    region: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Simulate a campaign: publish its events to the topic as SES would.

    Prints the numbers that the page should show. Ctrl-C ends the campaign early.
    """
    topic = find_topic(state_dir, topic_arn, endpoint_url, region)
    campaign = campaign_from(
        options,
        campaign_id=campaign_id,
        start=start or datetime.now(UTC),
        ending=at_once and start is None,
    )
    tally = Tally()
    with (
        _stopped_by_signals() as stop,
        _progress(campaign, tally, stop, at_once=at_once) as published,
    ):
        try:
            play(
                arrivals(campaign),
                topic.publish_batch,
                now=(lambda: math.inf) if at_once else seconds_since(campaign.start),
                stop=stop,
                published=published,
            )
        except CommandError as error:
            raise CommandError(
                f"after {tally.published:,} events of {campaign.id}: {error}"
            ) from error
    _print_summary(campaign, tally, as_json=as_json, interrupted=stop.is_set())


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Set an event on the first Ctrl-C or SIGTERM, and restore the handlers for the second."""
    stop = threading.Event()
    before: dict[int, Any] = {}

    def request(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, request)
    try:
        yield stop
    finally:
        restore()


@contextmanager
def _progress(
    campaign: Campaign, tally: Tally, stop: threading.Event, *, at_once: bool
) -> Iterator[Callable[[Sequence[Arrival]], None]]:
    """Show a campaign's progress; yield a function to call with each published batch."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[published]:,} events, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    began = time.monotonic()
    now = seconds_since(campaign.start)
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(campaign.id, total=campaign.seconds, published=0, rate=0.0)

        def published(batch: Sequence[Arrival]) -> None:
            tally.add(batch)
            rate = tally.published / max(time.monotonic() - began, 0.001)
            if not at_once:
                progress.update(task, completed=max(now(), 0))
            elif batch:
                progress.update(task, completed=batch[-1].due)
            progress.update(task, published=tally.published, rate=rate)

        yield published
        if not stop.is_set():
            # The campaign may end before its maximum duration.
            progress.update(task, total=progress.tasks[task].completed)


def _print_summary(campaign: Campaign, tally: Tally, *, as_json: bool, interrupted: bool) -> None:
    if as_json:
        summary = {
            "campaign": campaign.id,
            "interrupted": interrupted,
            "published": tally.published,
            "copies": tally.copies,
            "counts": tally.counts,
        }
        click.echo(json.dumps(summary))
        return
    if interrupted:
        click.echo("Interrupted. Published so far:")
    distinct = tally.published - tally.copies
    click.echo(f"{campaign.id}: {distinct:,} events, {tally.copies:,} duplicates")
    for counter, count in tally.counts.items():
        click.echo(f"  {counter.replace('_', ' '):<22}{count:>10,}")
