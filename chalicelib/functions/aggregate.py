"""Count a batch of the events table's stream; each aggregate counts each record exactly once."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, field

from chalicelib.aws.client import Services, TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.aws.queues import Queues
from chalicelib.config import Config, load
from chalicelib.dynamodb import Item
from chalicelib.errors import AwsError, ConfigError
from chalicelib.facts.networks import Evidence, may_change
from chalicelib.facts.rules import RULES_VERSION
from chalicelib.facts.suppressions import Suppressions
from chalicelib.log import log
from chalicelib.recipients.pages import sent_by_campaign
from chalicelib.recipients.table import RecipientsIndex, source_of
from chalicelib.stats.activity import page_to_item, pages
from chalicelib.stats.counters import (
    NETWORK,
    PIPELINE,
    SUMMARY,
    Key,
    aggregate_from_item,
    evidence_of,
    network_of,
)
from chalicelib.stats.delays import delays_in
from chalicelib.stats.grouping import Batch, group
from chalicelib.stats.jobs import Job, delay_seconds, job_to_body
from chalicelib.stats.networks import Networks
from chalicelib.stats.table import Applied, StatsTable
from chalicelib.stats.update import (
    counted_at,
    is_compared,
    shard_attribute_of,
    without_checkpoints,
)

if TYPE_CHECKING:  # imported lazily: most batches follow others within a second
    from chalicelib.aws.invoke import Invocations

# Lambda bills an event of up to 256 KB as one request.
MAX_EVENT_BYTES = 240_000


class Aggregator(Struct, frozen=True):
    """The aggregate function: counts changes of the events table.

    Attributes:
        networks: notes which jobs wait in the queue.
        queues: receives the jobs.
        push_now: makes publish push items of the stats table at once.
        idle_seconds: after how long without events a campaign's next change is pushed at once.
        counted: when this process last counted events of a campaign, in epoch seconds.
    """

    stats_table: StatsTable
    recipients: RecipientsIndex
    suppressions: Suppressions
    networks: Networks
    queues: Queues
    push_now: Callable[[Sequence[Item]], None]
    idle_seconds: float
    clock: Callable[[], float] = time.time
    counted: dict[str, float] = field(default_factory=dict)

    def batch(self, records: Sequence[Mapping[str, Any]], *, shard: str) -> None:
        """Count the records of one shard, in stream order.

        Raises:
            AwsError: the suppressions could not be read, a counter not be written, or a job not be
                sent. Lambda retries the batch; the retry counts nothing twice.
        """
        forgotten = self.suppressions.current()
        attribute = shard_attribute_of(records[0]["eventSourceARN"], shard)
        now = self.clock()
        if is_compared(records, now):
            read = self.stats_table.positions.get(attribute)
            records = [one for one in records if int(one["dynamodb"]["SequenceNumber"]) > read]
            if not records:
                return  # counted before
        batch = group(records, forgotten)
        for reason in batch.quarantined:
            log("quarantined", reason=reason)
        written: dict[str, list[Item]] = defaultdict(list)
        # Before counting: the retry of a batch that crashed in between repeats pages, not counts.
        source = source_of(attribute, records)
        listed = self._list_activity(batch, source)
        for campaign, entries in sent_by_campaign(records, forgotten).items():
            self.recipients.append(campaign, entries, source)
        for campaign, sample in batch.subjects.items():
            subject = self.stats_table.subjects.add(campaign, sample)
            if subject is not None:
                batch.pending[campaign, SUMMARY].move(subject)
        networks: dict[Key, Applied] = {}
        for key, pending in batch.in_writing_order():
            applied = self.stats_table.apply(key, pending, attribute=attribute, now=int(now))
            if key[1].startswith(f"{NETWORK}#"):
                networks[key] = applied
            elif applied.is_written:
                written[key[0]].append(applied.item)
        # Before the position: the retry of a batch that crashed in between sends the jobs again.
        jobs = self._send_jobs(networks, source, int(now))
        last = records[-1]["dynamodb"]
        self.stats_table.positions.put(
            attribute,
            shard,
            last["SequenceNumber"],
            created=int(last["ApproximateCreationDateTime"]),
            campaigns={campaign for campaign, _ in batch.pending} - {PIPELINE},
            delays=delays_in(records, self.clock()),
        )
        log("count", records=len(records), items=len(batch.pending), jobs=jobs)
        self._push_first_changes(written, listed, attribute, now)

    def _send_jobs(self, networks: Mapping[Key, Applied], source: str, now: int) -> int:
        """Send a job for each network whose emails may now have other classes; return their number.

        A network has one waiting job, which sees all changes until it begins. If an earlier
        invocation has counted a part of the batch, it may have ended before it sent the job that it
        noted: then send another.
        """
        messages: list[tuple[str, int]] = []
        for (campaign, part), applied in networks.items():
            if not _needs_job(part, applied):
                continue
            _, network = network_of(part)
            delay = delay_seconds(_evidence(applied).seen)
            is_noted = self.networks.request_job(campaign, network, due=now + delay, source=source)
            if is_noted or applied.is_repeated:
                messages.append((job_to_body(Job(campaign, network)), delay))
        self.queues.send(messages)
        return len(messages)

    def _list_activity(self, batch: Batch, source: str) -> dict[str, list[Item]]:
        """Append the pages of a batch's activity; return them by campaign."""
        listed: dict[str, list[Item]] = defaultdict(list)
        for campaign, entries in batch.activity.items():
            for page in pages(entries, source, batch.activity_expires):
                self.stats_table.activity.put(campaign, page)
                listed[campaign].append(page_to_item(campaign, page))
        return listed

    def _push_first_changes(
        self,
        written: Mapping[str, Sequence[Item]],
        listed: Mapping[str, Sequence[Item]],
        attribute: str,
        now: float,
    ) -> None:
        """Push the changes of campaigns that have been idle; the stream coalesces later ones."""
        first: list[Item] = []
        for campaign, items in written.items():
            by_others = max(counted_at(item, besides=attribute) for item in items)
            counted = max(by_others, self.counted.get(campaign, 0))
            if campaign != PIPELINE and now - counted > self.idle_seconds:
                first += map(without_checkpoints, items)
                first += listed.get(campaign, ())
            self.counted[campaign] = now
        if first:
            self.push_now(first)


def _needs_job(part: str, applied: Applied) -> bool:
    """Return whether the change of a network's evidence may change the class of an email."""
    rules, _ = network_of(part)
    if rules != RULES_VERSION:
        # Newer code has settled the emails, and receives the job. Emails that only older rules
        # have settled keep their classes until an event or a recount.
        return rules > RULES_VERSION
    after = _evidence(applied)
    before = Evidence(
        *(now - added for now, added in zip(after, evidence_of(applied.counts), strict=True))
    )
    return applied.is_repeated or may_change(before, after)


def _evidence(applied: Applied) -> Evidence:
    return evidence_of(aggregate_from_item(applied.item).counts)


def build(
    config: Config, *, services: Services | None = None, clock: Callable[[], float] = time.time
) -> Aggregator:
    """Build the function and its AWS clients."""
    call = services or aws_services(config, TimeLimit())
    dynamo = call("dynamodb")
    stats_table = StatsTable(dynamo, config.stats_table, clock=clock)
    invocations = cache(partial(_publish, config, clock))
    recipients = RecipientsIndex(
        dynamo, config.stats_table, retention_days=config.retention_days, clock=clock
    )
    return Aggregator(
        stats_table,
        recipients,
        Suppressions(dynamo, config.stats_table, config.pseudonym_key, clock=clock),
        Networks(dynamo, config.stats_table, clock=clock),
        Queues(call("sqs"), call("cloudwatch"), config.queue_url, config.dead_letter_queue_url),
        partial(_push_now, invocations),
        config.idle_seconds,
        clock,
    )


def _publish(config: Config, clock: Callable[[], float]) -> "Invocations":
    from chalicelib.aws.invoke import Invocations

    return Invocations(config, "publish", clock=clock)


def _push_now(publish: "Callable[[], Invocations]", items: Sequence[Item]) -> None:
    """Invoke publish with changed items; if that fails, the stream brings them within a second."""
    event = msgspec.json.encode({"changed": items})  # bytes in base64, as in Lambda's own events
    if len(event) > MAX_EVENT_BYTES:
        return
    try:
        publish().invoke(event)
    except AwsError as error:
        log("not_pushed_at_once", items=len(items), detail=str(error))


@cache
def function() -> Aggregator:
    """Return this process's function, configured from the environment."""
    return build(load())


def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Count a batch of the events table's stream.

    Args:
        event: the Lambda event.

    Returns:
        The state that a tumbling window requires, which is not used.
        https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html

    Raises:
        ConfigError: the event has no shard id; the batch stays in the stream.
        AwsError: a counter could not be written. Lambda retries the batch; the retry counts nothing
            twice.
    """
    if event["Records"]:  # empty when a tumbling window ends
        function().batch(event["Records"], shard=_shard(event))
    return {"state": {}}


def _shard(event: Mapping[str, Any]) -> str:
    shard = event.get("shardId")
    if not shard:
        raise ConfigError(
            "the event has no shard ID, which is required to count it exactly once: set a "
            "tumbling window on the event source mapping of the events stream "
            "(TumblingWindowInSeconds=900)"
        )
    return str(shard)
