"""`replay`: send exported SES events to the queue again, for ingest to process."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shlex import quote

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from chalicelib.errors import NotAnEvent
from chalicelib.ses.parse import parse
from chalicelib.stats.table import StatsTable
from dashboard import durable
from dashboard.installation import Installation, find, installation_options
from dashboard.paths import StateDir
from dashboard.replay.exports import Record, files_in, read
from dashboard.replay.skipped import Skipped
from dashboard.sqs.batching import MAX_BYTES, MAX_ENTRIES
from dashboard.sqs.queue import Sender

_NOTE_EVERY_SECONDS = 1.0


@dataclass
class Outcome(Skipped):
    """The result of replaying files. Refused records are not sent, in this replay or the earlier.

    Attributes:
        sent: number of events sent to the queue.
        earlier: number of records that an earlier, interrupted replay had processed.
    """

    sent: int = 0
    earlier: int = 0


class Note:
    """The progress of replaying a file, from which an interrupted replay resumes.

    A file is identified by its path, size and modification time when it was opened; a file that has
    changed is replayed from its beginning.
    """

    def __init__(self, folder: Path, target: str, path: Path) -> None:
        about = path.stat()
        identity = json.dumps([target, str(path.resolve()), about.st_size, about.st_mtime_ns])
        self._file = folder / f"{sha256(identity.encode()).hexdigest()[:16]}.note"

    def read(self) -> tuple[int, Counter[str]]:
        """Return the number of processed records, and of those refused, by reason."""
        if not self._file.exists():
            return 0, Counter()
        noted = durable.read_object(
            self._file,
            ["records", "refused"],
            f"To replay the export from its beginning, run `rm {quote(str(self._file))}`. "
            "Events are never counted twice.",
        )
        return noted["records"], Counter(noted["refused"])

    def write(self, records: int, refused: Counter[str]) -> None:
        """Store the number of processed records, and of those refused, by reason."""
        with durable.private():
            self._file.parent.mkdir(parents=True, exist_ok=True)
        durable.write(self._file, json.dumps({"records": records, "refused": refused}))

    def forget(self) -> None:
        """Delete the progress of a finished file, so that it can be replayed again."""
        self._file.unlink(missing_ok=True)


class Expiring:
    """Campaigns whose facts have begun to expire, so that their events could be counted twice."""

    def __init__(self, stats_table: StatsTable, now: float) -> None:
        self._stats_table = stats_table
        self._now = now
        self._known: dict[str, bool] = {}

    def __contains__(self, campaign: str) -> bool:
        """Return whether a campaign is one of them."""
        if campaign not in self._known:
            summary = self._stats_table.summary(campaign)
            until = summary.facts_until if summary else None
            self._known[campaign] = until is not None and until <= self._now
        return self._known[campaign]


@click.command("replay")
@click.argument(
    "paths", metavar="FILE…", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@installation_options
def command(
    *, paths: tuple[Path, ...], stage: str | None, region: str | None, state_dir: Path
) -> None:
    """Send exported SES events to the queue.

    Reads JSON in any layout, CSV with JSON cells, what Firehose, EventBridge and CloudWatch Logs
    store, and the output of `aws sqs` and `aws logs`, also compressed with gzip or ZIP. Of a
    folder, reads all files. Events are never counted twice. After an interruption, run
    it again to continue. The exit status is 1 if some records were not sent.
    """
    installation = find(state_dir, stage, region)
    outcome = Outcome()
    try:
        _replay_all(installation, files_in(paths), StateDir(state_dir).replay, outcome)
    finally:
        _say(outcome)
    if outcome.has_any:
        sys.exit(1)


def _replay_all(
    installation: Installation, files: Sequence[Path], notes: Path, outcome: Outcome
) -> None:
    target = installation.config.queue_url
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[sent]:,} events"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    total = sum(path.stat().st_size for path in files)
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("Replaying", total=total, sent=0)
        before = 0
        for path in files:

            def show(position: int, before: int = before) -> None:
                progress.update(task, completed=before + position, sent=outcome.sent)

            replay(installation, path, Note(notes, target, path), outcome, show)
            before += path.stat().st_size
        progress.update(task, completed=total, sent=outcome.sent)


def replay(
    installation: Installation,
    path: Path,
    note: Note,
    outcome: Outcome,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Send a file's events to the queue.

    Args:
        installation: the installation that has the queue.
        path: the file.
        note: the progress of an earlier, interrupted replay; updated.
        outcome: updated with the result for each record.
        progress: called with the number of bytes read so far.

    Raises:
        CommandError: an event could not be sent to the queue.
    """
    sender = Sender(installation.clients("sqs"), installation.queues.queue_url)
    expiring = Expiring(installation.stats_table, time.time())
    done, refused = note.read()
    of_others = outcome.refused.copy()
    outcome.earlier += done
    outcome.refused.update(refused)
    noted = time.monotonic()
    for batch in _batches(record for record in read(path, outcome.report) if record.number > done):
        bodies = [
            record.text
            for record in batch
            if _is_wanted(record, installation.config.campaign_tag, expiring, outcome)
        ]
        sender.send(bodies)
        outcome.sent += len(bodies)
        progress(batch[-1].position)
        if time.monotonic() - noted > _NOTE_EVERY_SECONDS:
            note.write(batch[-1].number, outcome.refused - of_others)
            noted = time.monotonic()
    note.forget()


def _is_wanted(record: Record, campaign_tag: str, expiring: Expiring, outcome: Outcome) -> bool:
    try:
        event = parse(record.text, campaign_tag=campaign_tag)
    except NotAnEvent as error:
        outcome.refuse(record, error.reason, str(error))
        return False
    if event is None:  # SES's validation message, not an event
        return False
    if event.campaign in expiring:
        outcome.refuse(
            record,
            "facts_expired",
            f"some facts of {event.campaign!r} have expired, so this event may be a duplicate",
        )
        return False
    if len(record.text.encode()) > MAX_BYTES:
        outcome.refuse(record, "too_large", f"longer than {MAX_BYTES} bytes, the SQS maximum")
        return False
    return True


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == MAX_ENTRIES:
            yield batch
            batch = []
    if batch:
        yield batch


def _say(outcome: Outcome) -> None:
    outcome.print_complaints()
    earlier = f", {outcome.earlier:,} records were processed earlier" if outcome.earlier else ""
    click.echo(f"{outcome.sent:,} events sent to the queue{earlier}{outcome.summary('not sent')}.")
