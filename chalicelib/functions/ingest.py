"""Store a batch of SES events from the queue as facts, and settle each email's classification."""

import math
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, TypeVar

from msgspec import Struct

from chalicelib.aws.client import ATTEMPT_SECONDS, ATTEMPT_SECONDS_OF_SQS, Services, TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.aws.parallel import Run, in_threads
from chalicelib.aws.queues import CHANGES, Queues
from chalicelib.config import Config, load
from chalicelib.errors import AwsError, NotAnEvent, NotStored, trace
from chalicelib.facts.fact import ENGAGEMENTS, Fact, FactSettings, facts_of, is_settled
from chalicelib.facts.forgotten import Forgotten
from chalicelib.facts.settle import judged_alone, settle
from chalicelib.facts.suppressions import Suppressions
from chalicelib.facts.table import BATCH, EventsTable
from chalicelib.log import log
from chalicelib.ses.event import Event
from chalicelib.ses.parse import parse

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


class Ingest(Struct, frozen=True):
    """The ingest function: stores the events that SES publishes."""

    config: Config
    events_table: EventsTable
    suppressions: Suppressions
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
        """Store the facts of messages; return ids of failed messages and the number of facts."""
        try:
            forgotten = self.suppressions.current()
        except AwsError as error:  # without them, a forgotten recipient would be stored again
            log("suppressions_not_read", detail=trace(error))
            return {record["messageId"] for record in records}, 0
        failed: set[str] = set()
        facts: dict[tuple[str, str], Fact] = {}
        origins: dict[tuple[str, str], set[str]] = defaultdict(set)
        latest = datetime.fromtimestamp(self.clock(), UTC) + _CLOCKS_DIFFER_BY
        not_after = latest.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        for record in records:
            message = record["messageId"]
            try:
                event = parse(
                    record["body"], campaign_tag=self.config.campaign_tag, not_after=not_after
                )
            except NotAnEvent as error:
                if not self._set_aside(record, error):
                    failed.add(message)
                continue
            if event is None:
                log("ses_validated_the_topic")
                continue
            for fact in map(forgotten.fact, self._facts(event)):
                key = fact.message_id, fact.key
                facts[key] = fact
                origins[key].add(message)
        for fact in self._store(facts.values(), forgotten):
            failed |= origins[fact.message_id, fact.key]
        return failed, len(facts)

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

    def _store(self, facts: Iterable[Fact], forgotten: Forgotten) -> list[Fact]:
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
            unstored.extend(self.events_table.put(some))

        def settle_one(message_id: str, found: Sequence[Fact]) -> None:
            try:
                self._put_and_settle(message_id, found, forgotten)
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

    def _put_and_settle(self, message_id: str, facts: Iterable[Fact], forgotten: Forgotten) -> None:
        """Store an email's settled facts, then settle it from all stored facts.

        The order matters: a read after the last write returns every fact, so that at least one of
        several concurrent invocations reaches the final settlement.
        """
        for fact in facts:
            self.events_table.put_new(judged_alone(fact) if fact.type in ENGAGEMENTS else fact)
        campaigns = {fact.campaign for fact in facts}
        settle_message(self.events_table, message_id, forgotten, campaigns)


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


def _split(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def settle_message(
    events_table: EventsTable,
    message_id: str,
    forgotten: Forgotten,
    campaigns: Iterable[str] | None = None,
) -> int:
    """Settle an email from all its stored facts, and store what changed, until nothing changes.

    After changing a class, read the email again: another invocation may have stored a fact and
    confirmed the class, which writes nothing, before this one changed it from fewer facts. So the
    last change of a class is always followed by a read that confirms it.

    Args:
        events_table: the table that holds the facts.
        message_id: the email's message id.
        forgotten: the forgotten recipients, whose names are not stored again.
        campaigns: campaigns in whose counts to settle it; None for all.

    Returns:
        Number of items changed.

    Raises:
        AwsError: an item could not be read or written.
        ValueError: newer rules have classified the email, or a stored item is malformed.
    """
    changes = 0
    selected = None if campaigns is None else set(campaigns)
    while True:
        stored = events_table.message(message_id)
        classes = 0
        for campaign in stored if selected is None else selected:
            facts = map(forgotten.fact, stored[campaign].facts)
            settlement = settle(facts, stored[campaign].state, forgotten.token)
            classes += sum([events_table.put_settled(fact) for fact in settlement.facts])
            if settlement.state is not None:
                changes += events_table.put_state(settlement.state)
        changes += classes
        if not classes:
            return changes
