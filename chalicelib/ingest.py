"""A batch of queue messages → facts in the events table, each message settled."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from chalicelib import events
from chalicelib.classify import classify
from chalicelib.config import Config
from chalicelib.errors import AwsError, NotAnEvent, NotStored, trace
from chalicelib.event import Event
from chalicelib.events_table import EventsTable
from chalicelib.facts import ENGAGEMENTS, Fact, facts_of
from chalicelib.log import log
from chalicelib.queues import Queues
from chalicelib.settle import settle
from chalicelib.stats_table import StatsTable

# How far a sender's clock may be ahead of ours; it is a second, and never a day.
_CLOCKS_DIFFER_BY = timedelta(days=1)


class Ingest(Struct, frozen=True):
    """Takes in what SES reports."""

    config: Config
    events_table: EventsTable
    stats_table: StatsTable
    queues: Queues
    clock: Callable[[], float] = time.time

    def batch(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Take in SQS records.

        A message that is no SES event goes to the dead-letter queue with its reason, alone. A
        message that could not be stored stays in the queue: alone where the event source mapping
        reports batch item failures, otherwise with its whole batch. Writing a fact twice is
        harmless.

        Returns:
            What Lambda expects of a function that reports batch item failures.
            https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html

        Raises:
            NotStored: a message could not be stored, and the mapping does not report failures:
                Lambda would take a returned value for success and delete the whole batch.
        """
        failed: set[str] = set()
        facts: dict[tuple[str, str], Fact] = {}
        origins: dict[tuple[str, str], set[str]] = defaultdict(set)
        read = events.reader(self.config.campaign_tag)
        latest = datetime.fromtimestamp(self.clock(), UTC) + _CLOCKS_DIFFER_BY
        not_after = latest.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        for record in records:
            message = record["messageId"]
            try:
                event = read(record["body"], not_after)
            except NotAnEvent as error:
                if not self._set_aside(record, error):
                    failed.add(message)
                continue
            if event is None:
                log("ses_validated_the_topic")
                continue
            for fact in self._facts(event):
                key = fact.message_id, fact.key
                facts[key] = fact
                origins[key].add(message)
        for fact in self._store(facts.values()):
            failed |= origins[fact.message_id, fact.key]
        log("ingest", messages=len(records), facts=len(facts), failed=len(failed))
        if failed and not self.config.reports_batch_item_failures:
            raise NotStored(
                f"{len(failed)} of {len(records)} messages could not be stored; SQS delivers the "
                "whole batch again"
            )
        return {"batchItemFailures": [{"itemIdentifier": one} for one in sorted(failed)]}

    def _facts(self, event: Event) -> list[Fact]:
        return facts_of(
            event,
            pseudonym_key=self.config.pseudonym_key,
            store_addresses=self.config.store_addresses,
            keep_link_query=self.config.keep_link_query,
        )

    def _set_aside(self, record: Mapping[str, Any], error: NotAnEvent) -> bool:
        log("not_an_event", reason=error.reason, detail=str(error), message=record["messageId"])
        try:
            self.queues.set_aside(record["body"], error.reason, str(error))
        except AwsError as failure:
            # The queue's own redrive brings it there, after some more tries.
            log("dead_letter_failed", detail=str(failure), message=record["messageId"])
            return False
        return True

    def _store(self, facts: Iterable[Fact]) -> list[Fact]:
        """Store facts and settle their messages; give those that could not be."""
        plain: list[Fact] = []
        engagements: dict[str, list[Fact]] = defaultdict(list)
        for fact in facts:
            if fact.type in ENGAGEMENTS:
                engagements[fact.message_id].append(fact)
            else:
                plain.append(fact)
        unstored = self.events_table.put(plain)
        for message_id, found in engagements.items():
            try:
                self._engage(message_id, found)
            except Exception as error:  # noqa: BLE001 - one message must not fail the others
                log("not_stored", detail=trace(error), message_id=message_id)
                unstored += found
        return unstored

    def _engage(self, message_id: str, engagements: Iterable[Fact]) -> None:
        """Store a message's opens and clicks, then settle it from all that is stored.

        In this order: whoever reads after the last write sees every fact, so at least one of
        several ingests at the same time settles the message for good.
        """
        for fact in engagements:
            engager, reason = classify(fact)
            admitted = fact.link_id and self.stats_table.admit_link(fact.campaign, fact.link_id)
            self.events_table.put_engagement(
                replace(fact, engager=engager, reason=reason, link_id=admitted)
            )
        settle_message(self.events_table, message_id, {fact.campaign for fact in engagements})


def settle_message(
    events_table: EventsTable, message_id: str, campaigns: Iterable[str] | None = None
) -> int:
    """Settle a message from all that is stored of it, and store what differs.

    Args:
        events_table: where it is stored.
        message_id: the message's.
        campaigns: in whose counts it is to be settled; None for all.

    Returns:
        How many items were to be changed.

    Raises:
        AwsError: something could not be read or written.
        ValueError: newer rules have settled it, or what is stored is no fact.
    """
    stored = events_table.message(message_id)
    changes = 0
    for campaign in stored if campaigns is None else campaigns:
        settlement = settle(stored[campaign].facts, stored[campaign].state)
        for fact, engager, reason in settlement.reclassified:
            events_table.reclassify(fact, engager, reason, settlement.rank)
        if settlement.state is not None:
            events_table.put_state(settlement.state)
        changes += len(settlement.reclassified) + (settlement.state is not None)
    return changes
