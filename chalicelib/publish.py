"""Stream records of the stats table → one push a topic to everybody who listens."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib import messages
from chalicelib.frames import Message, frames
from chalicelib.log import log
from chalicelib.metrics import (
    HEALTH,
    PIPELINE,
    RESOLUTIONS,
    SUMMARY,
    Aggregate,
    aggregate_from_item,
)
from chalicelib.protocol import CAMPAIGN_TOPIC_PREFIX, HEALTH_TOPIC, LIST_TOPIC
from chalicelib.push import Pusher
from chalicelib.subscriptions import Connection, Subscriptions

# A row may be seen before its connection's handshake has ended: a 410 then says nothing.
GRACE_SECONDS = 10

_PUSHED_PARTS = {SUMMARY, "link", *RESOLUTIONS}


@dataclass(frozen=True)
class Publish:
    """Pushes what has changed. A push that fails never fails the batch."""

    subscriptions: Subscriptions
    pusher: Pusher
    interval: float
    clock: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep

    def batch(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Push the newest state of each item in a batch, then wait for the interval's end.

        The pause is what coalesces: the next batch of this shard holds all that changes
        meanwhile. The first change after a quiet time goes out at once, the last one always.
        """
        started = self.clock()
        sent = 0
        topics = _changes(records)
        for topic, changes in topics.items():
            subscribers = self.subscriptions.subscribers(topic)
            if subscribers:
                outcomes = self.pusher.to_all(subscribers, frames(messages.push(topic, changes)))
                for connection, outcome in outcomes:
                    sent += outcome == "sent"
                    if outcome != "sent":
                        self._missed(connection, topic, outcome)
        log("publish", topics=len(topics), sent=sent)
        if sent:
            self.pause(max(0.0, started + self.interval - self.clock()))

    def _missed(self, connection: Connection, topic: str, outcome: str) -> None:
        young = self.clock() - connection.connected_at < GRACE_SECONDS
        if outcome == "gone" and not young:
            self.subscriptions.forget(connection.id)
        else:
            self.subscriptions.mark_behind(connection.id, topic)
        log("push_missed", topic=topic, connection=connection.id, outcome=outcome)


def _changes(records: Iterable[Mapping[str, Any]]) -> dict[str, Message]:
    """Compose the changes of each topic from the newest image of each item."""
    newest: dict[tuple[str, str], Aggregate] = {}
    for record in records:
        image = record["dynamodb"].get("NewImage")
        if image is not None:  # none where an item has expired
            aggregate = aggregate_from_item(image)
            newest[aggregate.campaign, aggregate.part] = aggregate
    topics: dict[str, Message] = {}
    campaigns: dict[str, list[Aggregate]] = {}
    for (campaign, part), aggregate in newest.items():
        if (campaign, part) == (PIPELINE, HEALTH):
            topics[HEALTH_TOPIC] = messages.health(aggregate)
        elif part.partition("#")[0] in _PUSHED_PARTS:
            campaigns.setdefault(campaign, []).append(aggregate)
    for campaign, parts in campaigns.items():
        topics[CAMPAIGN_TOPIC_PREFIX + campaign] = messages.campaign_stats(parts)
    summaries = [one for parts in campaigns.values() for one in parts if one.part == SUMMARY]
    if summaries:
        entries = [messages.campaign_entry(summary) for summary in summaries]
        topics[LIST_TOPIC] = messages.campaign_list(entries)
    return topics
