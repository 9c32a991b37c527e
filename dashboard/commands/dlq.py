"""`dlq`: list the dead-letter queue with the reasons, and send messages back to the queue."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from dashboard.installation import Installation, find, installation_options
from dashboard.progress import Reporter
from dashboard.sqs.batching import MAX_ENTRIES
from dashboard.sqs.queue import Sender, delete_messages, show_messages

# While messages are inspected, they are hidden from other receivers.
_LOOK_SECONDS = 600
# The reason shown for messages that SQS's redrive policy moved, which carry none.
NOT_STORED = "not_stored"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message in the dead-letter queue.

    Attributes:
        reason: as set by ingest; `not_stored` if SQS moved the message after too many attempts.
        sent_at: when the message was sent to the dead-letter queue, or to the queue from which SQS
            moved it.
        found_at: when it was received here.
        receipt: the receipt handle with which to delete it.
    """

    id: str
    reason: str
    detail: str
    sent_at: datetime
    found_at: datetime
    body: str
    receipt: str


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
    """Receive each message once, hiding it from other receivers meanwhile."""
    sqs = installation.clients("sqs")
    seen: set[str] = set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=installation.queues.dead_letter_queue_url,
            MaxNumberOfMessages=MAX_ENTRIES,
            VisibilityTimeout=_LOOK_SECONDS,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        )
        found = answer.get("Messages", [])
        if not found:
            return
        # SQS's clock, in seconds: this machine's may be wrong.
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        for message in found:
            if message["MessageId"] not in seen:
                seen.add(message["MessageId"])
                yield _letter(message, now)


def _letter(message: Mapping[str, Any], now: datetime) -> DeadLetter:
    attributes = message.get("MessageAttributes", {})

    def text(name: str, default: str) -> str:
        value: str = attributes.get(name, {}).get("StringValue", default)
        return value

    sent = int(message["Attributes"]["SentTimestamp"]) // 1000
    return DeadLetter(
        id=message["MessageId"],
        reason=text("reason", NOT_STORED),
        detail=text("detail", "could not be stored in any attempt; see the log of ingest"),
        sent_at=datetime.fromtimestamp(sent, UTC),
        found_at=now,
        body=message["Body"],
        receipt=message["ReceiptHandle"],
    )


def _put_back(installation: Installation, letters: list[DeadLetter]) -> None:
    """Make the messages visible to other receivers again, before their visibility timeout ends."""
    sqs, url = installation.clients("sqs"), installation.queues.dead_letter_queue_url
    show_messages(sqs, url, [letter.receipt for letter in letters])


def _time(letter: DeadLetter) -> str:
    return letter.sent_at.strftime("%Y-%m-%dT%H:%M:%SZ")
