"""Stream records of the stats table → one push a topic to everybody who listens."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib import messages
from chalicelib.access import Access, Connection
from chalicelib.config import PUSH_BATCH
from chalicelib.connections import Outcome
from chalicelib.errors import AwsError
from chalicelib.frames import Message, frames
from chalicelib.health import health_from_item
from chalicelib.log import log
from chalicelib.metrics import (
    HEALTH,
    PARTS,
    PIPELINE,
    SUMMARY,
    Aggregate,
    aggregate_from_item,
)
from chalicelib.protocol import CAMPAIGN_TOPIC_PREFIX, HEALTH_TOPIC, LIST_TOPIC
from chalicelib.push import Pusher
from chalicelib.subscriptions import Subscriptions

# A row may be seen before its connection's handshake has ended: a 410 then says nothing.
GRACE_SECONDS = 10
# However many connections hang, a batch must end before the function's time-out of a minute.
PUSH_SECONDS = 20


@dataclass(frozen=True)
class Publish:
    """Pushes what has changed. A push that fails never fails the batch."""

    subscriptions: Subscriptions
    pusher: Pusher
    interval: float
    clock: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep

    def batch(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Push the newest state of each item in a batch, then wait for the interval's end.

        The pause is what coalesces: the next batch of this shard holds all that changes
        meanwhile. The first change after a quiet time goes out at once, the last one always. After
        a full batch more is waiting already: a pause would only make it late.

        Raises:
            AwsError: subscribers could not be read, or a missed push not be noted; the batch
                comes again, and what was pushed does no harm twice.
        """
        started = self.clock()
        sent = 0
        missed: set[str] = set()
        unnoted: list[AwsError] = []
        topics = _changes(records)
        for topic, changes in topics.items():
            subscribers = self.subscriptions.subscribers(topic)
            # One that did not take its message is not tried again now: it would cost each topic
            # a time-out, and everybody else waits.
            for connection in [one for one in subscribers if one.id in missed]:
                unnoted += self._missed(connection, topic, "failed")
            reachable = [one for one in subscribers if one.id not in missed]
            for prefixes, group in _by_prefixes(reachable, topic).items():
                visible = messages.seen(changes, Access(prefixes=prefixes).sees)
                if visible is None:
                    continue
                for connection, outcome in self.pusher.to_all(
                    group, frames(messages.push(topic, visible)), until=started + PUSH_SECONDS
                ):
                    if outcome == "sent":
                        sent += 1
                    else:
                        missed.add(connection.id)
                        unnoted += self._missed(connection, topic, outcome)
        log("publish", topics=len(topics), sent=sent, missed=len(missed))
        if unnoted:
            # It may have been the last push: with no mark, nothing would ever make up for it.
            raise unnoted[0]
        if sent and len(records) < PUSH_BATCH:
            self.pause(max(0.0, started + self.interval - self.clock()))

    def _missed(self, connection: Connection, topic: str, outcome: Outcome) -> list[AwsError]:
        """Note that a push was missed; give the error if it could not be noted."""
        young = self.clock() - connection.connected_at < GRACE_SECONDS
        log("push_missed", topic=topic, connection=connection.id, outcome=outcome)
        try:
            if outcome == "gone" and not young:
                self.subscriptions.forget(connection.id)
            else:
                self.subscriptions.mark_behind(connection.id, topic)
        except AwsError as error:  # the others must not wait for it
            return [error]
        return []


def _by_prefixes(
    subscribers: Iterable[Connection], topic: str
) -> dict[tuple[str, ...], list[Connection]]:
    """Group a topic's subscribers by what they may see; one that may not hear it is left out."""
    groups: dict[tuple[str, ...], list[Connection]] = {}
    for connection in subscribers:
        if connection.access.hears(topic):
            groups.setdefault(connection.access.prefixes, []).append(connection)
    return groups


def _changes(records: Iterable[Mapping[str, Any]]) -> dict[str, Message]:
    """Compose the changes of each topic from the newest image of each item."""
    newest: dict[tuple[str, str], Aggregate] = {}
    topics: dict[str, Message] = {}
    for record in records:
        image = record["dynamodb"].get("NewImage")
        if image is None:  # an item that has expired
            continue
        try:
            aggregate = aggregate_from_item(image)
            if (aggregate.campaign, aggregate.part) == (PIPELINE, HEALTH):
                topics[HEALTH_TOPIC] = messages.health(health_from_item(image))
                continue
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # Raised, it would stop this shard's pushes for a day.
            log("not_an_aggregate", detail=repr(error), keys=record["dynamodb"].get("Keys"))
            continue
        newest[aggregate.campaign, aggregate.part] = aggregate
    campaigns: dict[str, list[Aggregate]] = {}
    for (campaign, part), aggregate in newest.items():
        if part.partition("#")[0] in PARTS:
            campaigns.setdefault(campaign, []).append(aggregate)
    for campaign, parts in campaigns.items():
        topics[CAMPAIGN_TOPIC_PREFIX + campaign] = messages.campaign_stats(parts)
    summaries = [one for parts in campaigns.values() for one in parts if one.part == SUMMARY]
    if summaries:
        entries = [messages.campaign_entry(summary) for summary in summaries]
        topics[LIST_TOPIC] = messages.campaign_list(entries)
    return topics
