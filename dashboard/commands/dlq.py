"""`dlq`: list the dead-letter queue with the reasons, and send messages back to the queue."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from dashboard.installation import Installation, find, installation_options
from dashboard.progress import Reporter
from dashboard.sqs.batching import MAX_ENTRIES
from dashboard.sqs.dead_letters import DeadLetter, receive
from dashboard.sqs.queue import Sender, delete_messages, show_messages

if TYPE_CHECKING:
    from datetime import datetime


@click.group("dlq")
def command() -> None:
    """Inspect the dead-letter queue, with messages that could not be ingested."""


@command.command("list")
@click.option("--reason", help="Only messages with this reason, such as bad_json.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Maximum number of messages.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print each whole message as one line of JSON."
)
@installation_options
def list_command(  # noqa: PLR0913 - one for each option
    *,
    reason: str | None,
    limit: int,
    as_json: bool,
    stage: str | None,
    region: str | None,
    state_dir: Path,
) -> None:
    """Show the messages and why they failed. The queue does not change.

    Messages contain addresses: only --json prints their content.
    """
    installation = find(state_dir, stage, region)
    seen: list[DeadLetter] = []
    shown: list[DeadLetter] = []
    try:
        for letter in _letters(installation):
            seen.append(letter)
            if reason in (None, letter.reason):
                shown.append(letter)
            if len(shown) == limit:
                break
    finally:
        _put_back(installation, seen)
    if as_json:
        for letter in shown:
            members = {name: getattr(letter, name) for name in ("id", "reason", "detail", "body")}
            print(json.dumps({**members, "sent_at": _time(letter)}))
        return
    console = Console(highlight=False)
    if shown:
        table = Table("since", "reason", "detail", "characters", box=None)
        for letter in shown:
            table.add_row(
                _time(letter),
                letter.reason,
                letter.detail,
                f"{len(letter.body):,}",
                end_section=True,
            )
        console.print(table)
    left = installation.queues.dead_letters()
    console.print(f"{len(shown)} messages shown of about {max(left, len(shown))}.")


@command.command("redrive")
@click.option("--reason", help="Only messages with this reason, such as not_stored.")
@installation_options
def redrive_command(
    *, reason: str | None, stage: str | None, region: str | None, state_dir: Path
) -> None:
    """Move the messages back to the queue. Invalid messages return to the dead-letter queue."""
    installation = find(state_dir, stage, region)
    steps = Reporter()
    with steps.step("Move the messages back") as step:
        sent, kept = redrive(installation, reason, step.progress)
        step.result = f"{sent} messages were moved back" + (f", {kept} were kept" if kept else "")


def redrive(
    installation: Installation, reason: str | None, progress: Any = lambda _: None
) -> tuple[int, int]:
    """Send messages back to the queue. Each is deleted only after it was sent, so none is lost.

    Args:
        installation: the installation.
        reason: selects the messages; None for all.
        progress: called with the progress.

    Returns:
        How many messages were sent, and how many stay: those with other reasons, and those that
        arrived after the start.
    """
    sqs = installation.clients("sqs")
    queues = installation.queues
    sender = Sender(sqs, queues.queue_url)
    sent = 0
    kept: list[DeadLetter] = []
    batch: list[DeadLetter] = []

    def send() -> None:
        nonlocal sent
        if batch:
            sender.send([letter.body for letter in batch])
            sent += len(batch)
            delete_messages(sqs, queues.dead_letter_queue_url, [one.receipt for one in batch])
            progress(f"{sent:,}")
            batch.clear()

    began: datetime | None = None
    try:
        for letter in _letters(installation):
            began = began or letter.found_at
            # If a message is still not an event, ingest returns it at once; send it only once.
            wanted = letter.sent_at < began and reason in (None, letter.reason)
            (batch if wanted else kept).append(letter)
            if len(batch) == MAX_ENTRIES:
                send()
        send()
    finally:
        _put_back(installation, [*kept, *batch])
    return sent, len(kept)


def _letters(installation: Installation) -> Iterator[DeadLetter]:
    return receive(installation.clients("sqs"), installation.queues.dead_letter_queue_url)


def _put_back(installation: Installation, letters: list[DeadLetter]) -> None:
    """Make the messages visible to other receivers again, before their visibility timeout ends."""
    sqs, url = installation.clients("sqs"), installation.queues.dead_letter_queue_url
    show_messages(sqs, url, [letter.receipt for letter in letters])


def _time(letter: DeadLetter) -> str:
    return letter.sent_at.strftime("%Y-%m-%dT%H:%M:%SZ")
