"""Store a batch of SES events from the queue as facts, and settle each email's classification.

The queue also has jobs (stats/jobs.py): settle the emails of a network, whose evidence has changed.
"""

import math
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.aws.client import ATTEMPT_SECONDS, ATTEMPT_SECONDS_OF_SQS, Services, TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.aws.parallel import Run, in_threads
from chalicelib.aws.queues import CHANGES, Queues
from chalicelib.config import Config, load
from chalicelib.errors import AwsError, NewerRules, NotAnEvent, NotStored, trace
from chalicelib.facts.fact import Fact, FactSettings, facts_of, is_settled
from chalicelib.facts.forgotten import Forgotten
from chalicelib.facts.networks import NO_EVIDENCE, Evidence
from chalicelib.facts.rules import RULES_VERSION, networks_of
from chalicelib.facts.settle import judged_alone, settle
from chalicelib.facts.suppressions import Suppressions
from chalicelib.facts.table import BATCH, EventsTable, Message, Queued
from chalicelib.log import log
from chalicelib.ses.event import Event
from chalicelib.ses.parse import parse
from chalicelib.stats.jobs import Job, job_from_body, job_to_body
from chalicelib.stats.networks import Networks

T = TypeVar("T")

# Tolerated clock difference: SES may be about a second ahead of this clock, never a day.
_CLOCKS_DIFFER_BY = timedelta(days=1)

# An attempt that starts just before the storing deadline must end before the visibility of the
# remaining messages is changed, and that change must end before Lambda ends the invocation. One
# second covers steps that an attempt's timeout excludes, such as resolving a host name.
_REPORTING_SECONDS = ATTEMPT_SECONDS_OF_SQS + 1
_STORING_MARGIN_SECONDS = ATTEMPT_SECONDS + _REPORTING_SECONDS

# Exponential backoff: with fifty receives (maxReceiveCount in infrastructure/mailpulse.yaml), an
# outage of two hours sends no event to the dead-letter queue.
_FIRST_RETRY_SECONDS = 5
_LONGEST_RETRY_SECONDS = 300

# A job settles this many emails at a time, and starts with the next ones only if there is enough
# time left.
_PAGE = 50
_PAGE_SECONDS = 5

# Each pass over an email ends with a change of its own or by another invocation: a handful.
_MOST_PASSES = 50


class Ingest(Struct, frozen=True):
    """The ingest function: stores the events that SES publishes."""

    config: Config
    events_table: EventsTable
    suppressions: Suppressions
    networks: Networks
    queues: Queues
    limit: TimeLimit
    run: Run = in_threads
    clock: Callable[[], float] = time.time

    def batch(
        self, records: Sequence[Mapping[str, Any]], seconds_left: float = math.inf
    ) -> dict[str, Any]:
        """Store the events of a batch of SQS records.

        A message that is not an SES event is moved to the dead-letter queue, with the reason, and
        does not affect the rest of the batch. A message that could not be stored in time stays in
        the queue: by itself if the event source mapping reports batch item failures, otherwise with
        its whole batch. Writing a fact is idempotent.

        Args:
            records: SQS records, as in the Lambda event.
            seconds_left: seconds until Lambda ends this invocation. Storing stops earlier.

        Returns:
            The partial batch response that Lambda expects.
            https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html

        Raises:
            NotStored: a message could not be stored, and the mapping does not report batch item
                failures. Lambda would treat a return value as success and delete the whole batch.
        """
        ends = self.clock() + seconds_left
        self.limit.until = ends - _STORING_MARGIN_SECONDS
        failed, facts = self._take_in(records)
        log("ingest", messages=len(records), facts=facts, failed=len(failed))
        if failed and not self.config.reports_batch_item_failures:
            raise NotStored(
                f"{len(failed)} of {len(records)} messages could not be stored; SQS "
                "redelivers the whole batch"
            )
        self.limit.until = ends - _REPORTING_SECONDS
        self._retry_soon([one for one in records if one["messageId"] in failed])
        return {"batchItemFailures": [{"itemIdentifier": one} for one in sorted(failed)]}

    def _take_in(self, records: Sequence[Mapping[str, Any]]) -> tuple[set[str], int]:
        """Store the facts of messages and do jobs; return ids of failed messages and a number.

        The number is that of the facts.
        """
        try:
            forgotten = self.suppressions.current()
        except AwsError as error:  # without them, a forgotten recipient would be stored again
            log("suppressions_not_read", detail=trace(error))
            return {record["messageId"] for record in records}, 0
        failed: set[str] = set()
        facts: dict[tuple[str, str], Fact] = {}
        origins: dict[tuple[str, str], set[str]] = defaultdict(set)
        queued: dict[tuple[str, str], int] = {}
        jobs: dict[Job, set[str]] = defaultdict(set)
        latest = datetime.fromtimestamp(self.clock(), UTC) + _CLOCKS_DIFFER_BY
        not_after = latest.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        for record in records:
            message = record["messageId"]
            try:
                job = job_from_body(record["body"])
                event = job or parse(
                    record["body"], campaign_tag=self.config.campaign_tag, not_after=not_after
                )
            except NotAnEvent as error:
                if not self._set_aside(record, error):
                    failed.add(message)
                continue
            if event is None:
                log("ses_validated_the_topic")
                continue
            if isinstance(event, Job):
                jobs[event].add(message)
                continue
            for fact in map(forgotten.fact, self._facts(event)):
                key = fact.message_id, fact.key
                facts[key] = fact
                origins[key].add(message)
                if (sent := _sent_at(record)) is not None:
                    queued[key] = min(sent, queued.get(key, sent))
        for fact in self._store(facts.values(), forgotten, queued):
            failed |= origins[fact.message_id, fact.key]
        for job, messages in jobs.items():
            if not self._do(job, forgotten):
                failed |= messages
        return failed, len(facts)

    def _do(self, job: Job, forgotten: Forgotten) -> bool:
        """Do a job, and send another one for what remains of it; return whether both succeeded."""
        try:
            rest = self._settle_network(job, forgotten)
            if rest is not None:
                self.queues.send([(job_to_body(rest), 0 if rest.after else _FIRST_RETRY_SECONDS)])
        except (AwsError, NewerRules) as error:
            log("network_not_settled", detail=trace(error), campaign=job.campaign)
            return False
        return True

    def _settle_network(self, job: Job, forgotten: Forgotten) -> Job | None:
        """Settle the emails of a network page by page; return a job for what remains.

        Emails that are added to the network meanwhile have been settled with the changed evidence.

        Raises:
            AwsError, NewerRules: an email of the first page could not be settled.
        """
        began = job
        if not job.after:
            # First, so that a change of the evidence that is not read below sends another job.
            self.networks.begin_job(job.campaign, job.network)
        emails = 0
        while self.clock() < self.limit.until - _PAGE_SECONDS:
            try:
                page = self.networks.emails(job.campaign, job.network, job.after, _PAGE)
                self._settle_emails(page.message_ids, job.campaign, forgotten)
            except (AwsError, NewerRules) as error:
                if job == began:
                    raise
                log("network_not_settled", detail=trace(error), campaign=job.campaign)
                return job
            emails += len(page.message_ids)
            if page.following is None:
                log("network_settled", campaign=job.campaign, emails=emails)
                return None
            job = replace(job, after=page.following)
        log("network_settled", campaign=job.campaign, emails=emails, rest=True)
        return job

    def _settle_emails(
        self, message_ids: Iterable[str], campaign: str, forgotten: Forgotten
    ) -> None:
        """Settle emails in parallel.

        Raises:
            AwsError, NewerRules: an email could not be settled.
        """

        def settle_one(message_id: str) -> None:
            try:
                settle_message(self.events_table, self.networks, message_id, forgotten, [campaign])
            except NewerRules:
                raise
            except ValueError as error:  # as in a recount: a malformed item is never settled
                log("not_settled", detail=trace(error), message_id=message_id)

        self.run([partial(settle_one, one) for one in message_ids])

    def _retry_soon(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Shorten the visibility timeout of failed messages; the queue's default suits crashes."""
        delays = [
            (
                record["receiptHandle"],
                retry_seconds(int(record["attributes"]["ApproximateReceiveCount"])),
            )
            for record in records
        ]

        def change(some: Sequence[tuple[str, int]]) -> None:
            try:
                refused = self.queues.retry_after(some)
            except AwsError as error:
                log("visibility_not_changed", messages=len(some), detail=trace(error))
            else:
                if refused:
                    log(
                        "visibility_not_changed",
                        messages=refused,
                        detail="SQS rejected the changes",
                    )

        self.run([partial(change, some) for some in _split(delays, CHANGES)])

    def _facts(self, event: Event) -> list[Fact]:
        settings = FactSettings(
            self.config.pseudonym_key,
            store_addresses=self.config.store_addresses,
            tracking_parameters=self.config.tracking_parameters,
            label_tag=self.config.link_label_tag,
            breakdown_tags=self.config.breakdown_tags,
        )
        return facts_of(event, settings)

    def _set_aside(self, record: Mapping[str, Any], error: NotAnEvent) -> bool:
        log("not_an_event", reason=error.reason, detail=str(error), message=record["messageId"])
        try:
            self.queues.set_aside(record["body"], error.reason, str(error))
        except AwsError as failure:
            # The queue's redrive policy moves it there after further receives.
            log("dead_letter_failed", detail=str(failure), message=record["messageId"])
            return False
        return True

    def _store(self, facts: Iterable[Fact], forgotten: Forgotten, queued: Queued) -> list[Fact]:
        """Store facts and settle their emails, in parallel; return the facts that failed."""
        plain: list[Fact] = []
        settled: dict[str, list[Fact]] = defaultdict(list)
        for fact in facts:
            if is_settled(fact):
                settled[fact.message_id].append(fact)
            else:
                plain.append(fact)
        unstored: list[Fact] = []

        def put(some: Sequence[Fact]) -> None:
            unstored.extend(self.events_table.put(some, queued))

        def settle_one(message_id: str, found: Sequence[Fact]) -> None:
            try:
                self._put_and_settle(message_id, found, forgotten, queued)
            except Exception as error:  # noqa: BLE001 - one message must not fail the others
                log("not_stored", detail=trace(error), message_id=message_id)
                unstored.extend(found)

        self.run(
            [
                *(partial(put, some) for some in _split(plain, BATCH)),
                *(partial(settle_one, *one) for one in settled.items()),
            ]
        )
        return unstored

    def _put_and_settle(
        self, message_id: str, facts: Iterable[Fact], forgotten: Forgotten, queued: Queued
    ) -> None:
        """Store an email's settled facts, then settle it from all stored facts.

        The order matters: a read after the last write returns every fact, so that the last of
        several concurrent invocations to write settles the email from all of them.
        """
        for fact in facts:
            self.events_table.put_new(judged_alone(fact), queued.get((fact.message_id, fact.key)))
        campaigns = {fact.campaign for fact in facts}
        settle_message(self.events_table, self.networks, message_id, forgotten, campaigns)


def build(
    config: Config,
    *,
    services: Services | None = None,
    clock: Callable[[], float] = time.time,
    run: Run = in_threads,
) -> Ingest:
    """Build the function and its AWS clients."""
    limit = TimeLimit()
    call = services or aws_services(config, limit)
    dynamo = call("dynamodb")
    return Ingest(
        config,
        EventsTable(dynamo, config.events_table, retention_days=config.retention_days, clock=clock),
        Suppressions(dynamo, config.stats_table, config.pseudonym_key, clock=clock),
        Networks(dynamo, config.stats_table, clock=clock),
        Queues(call("sqs"), call("cloudwatch"), config.queue_url, config.dead_letter_queue_url),
        limit,
        run=run,
        clock=clock,
    )


@cache
def function() -> Ingest:
    """Return this process's function, configured from the environment."""
    return build(load())


def handler(event: Mapping[str, Any], context: Any = None) -> dict[str, Any]:
    """Store a batch of SES events from the queue.

    Args:
        event: the Lambda event.
        context: the Lambda context, which provides the remaining time; None for no limit.
            https://docs.aws.amazon.com/lambda/latest/dg/python-context.html

    Raises:
        NotStored: a message could not be stored and must stay in the queue.
    """
    left = math.inf if context is None else context.get_remaining_time_in_millis() / 1000
    return function().batch(event["Records"], left)


def retry_seconds(receive_count: int) -> int:
    """Return the delay until a failed message's retry, in seconds, with jitter.

    Args:
        receive_count: number of times that the message has been received.
    """
    longest = min(_LONGEST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2 ** (receive_count - 1))
    return random.randint(longest * 3 // 4, longest)  # noqa: S311 - jitter


def _sent_at(record: Mapping[str, Any]) -> int | None:
    """Return when a message arrived in the queue, in epoch milliseconds; None if not known."""
    sent = record.get("attributes", {}).get("SentTimestamp")
    return None if sent is None else int(sent)


def _split(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def settle_message(
    events_table: EventsTable,
    networks: Networks,
    message_id: str,
    forgotten: Forgotten,
    campaigns: Iterable[str] | None = None,
) -> int:
    """Settle an email from all its stored facts, and store what changed, until nothing changes.

    After changing an item, read everything again: another invocation may have stored a fact and
    confirmed all results, which writes nothing, before this one replaced one of them by a result of
    fewer facts or of earlier evidence. So the last change of an email is always followed by a
    complete read that confirms it. An invocation that ends in between has failed, and is repeated.

    Args:
        events_table: the table that holds the facts.
        networks: the networks of the campaigns.
        message_id: the email's message id.
        forgotten: the forgotten recipients, whose names are not stored again.
        campaigns: campaigns in whose counts to settle it; None for all.

    Returns:
        Number of items changed.

    Raises:
        AwsError: an item could not be read or written, or others kept changing the email.
        ValueError: newer rules have classified the email, or a stored item is malformed.
    """
    changes = 0
    selected = None if campaigns is None else set(campaigns)
    for _ in range(_MOST_PASSES):
        stored = events_table.message(message_id)
        is_confirmed = True
        for campaign in stored if selected is None else selected:
            message = stored[campaign]
            message.facts = [*map(forgotten.fact, message.facts)]
            evidence = _evidence(networks, message_id, campaign, message)
            settlement = settle(message.facts, message.state, forgotten.token, evidence)
            ranks = {fact.key: fact.settled for fact in message.facts}
            for fact in settlement.facts:
                is_confirmed = False
                changes += events_table.put_settled(fact, over=ranks[fact.key])
            if settlement.state is not None:
                is_confirmed = False
                over = message.state.settled if message.state else None
                changes += events_table.put_state(settlement.state, over=over)
        if is_confirmed:
            return changes
    raise AwsError("Contention", f"an email changed {_MOST_PASSES} times while it was settled")


def _evidence(
    networks: Networks, message_id: str, campaign: str, message: Message
) -> Mapping[str, Evidence]:
    """Return the evidence of an email's networks, after adding the email to their index.

    In this order, a change of the evidence that this read does not see finds the email.
    """
    names = networks_of(message.facts)
    if not names:
        return NO_EVIDENCE
    known = message.state.networks if message.state else {}
    networks.add(campaign, names - known.keys(), message_id, message.expires)
    return networks.evidence(campaign, names, rules=RULES_VERSION)
