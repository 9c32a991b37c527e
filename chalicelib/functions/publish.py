"""Stream records of the stats table → one push a topic to everybody who listens."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from chalicelib.aws.client import Service, Services, TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.config import PUSH_BATCH, Config, load
from chalicelib.errors import trace
from chalicelib.live import messages
from chalicelib.live.batches import Group, Push, decoded
from chalicelib.live.delivery import PUSH_SECONDS, Delivery
from chalicelib.live.frames import Message, frames
from chalicelib.live.gateway import ManagementApi
from chalicelib.live.permissions import Connection, Permissions
from chalicelib.live.protocol import CAMPAIGN_TOPIC_PREFIX, HEALTH_TOPIC, LIST_TOPIC
from chalicelib.live.pusher import Pusher
from chalicelib.live.subscriptions import Subscriptions
from chalicelib.log import log
from chalicelib.stats.counters import (
    HEALTH,
    PARTS,
    PIPELINE,
    SUMMARY,
    Aggregate,
    aggregate_from_item,
)
from chalicelib.stats.health import health_from_item

if TYPE_CHECKING:  # imported where there are many viewers: most stages never have as many
    from chalicelib.live.fan_out import FanOut
    from chalicelib.live.large_topics import LargeTopics

# So many messages a batch need no turn: a stage of a few dozen viewers pays nothing for it.
FREE_MESSAGES = 100


class Publisher(Struct, frozen=True):
    """Pushes what has changed. A push that fails never fails the batch.

    Attributes:
        crowds: makes what pushes to many viewers, the first time that there are many.
        interval: seconds between two pushes of one shard.
        clock: epoch seconds.
        pause: waits some seconds.
    """

    subscriptions: Subscriptions
    pusher: Pusher
    crowds: "Callable[[], LargeTopics]"
    interval: float
    clock: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep

    def batch(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Push the newest state of each item in a batch, then wait for the interval's end.

        The pause is what coalesces: the next batch of this shard holds all that changes
        meanwhile. The first change after a quiet time goes out at once, the last one always. After
        a full batch more is waiting already: a pause would only make it late.

        Raises:
            AwsError: subscribers could not be read, a turn not be taken, or a missed push not be
                noted; the batch comes again, and what was pushed does no harm twice.
        """
        started = self.clock()
        until = started + PUSH_SECONDS
        delivery = Delivery(self.subscriptions, self.pusher, self.clock)
        free, crowded, others = FREE_MESSAGES, [], 0
        topics = _changes(records)
        for topic, changes in topics.items():
            push = self._push(topic, changes)
            if push.messages <= free:
                free -= push.messages
                delivery.push(push, until)
            else:
                crowded.append(push)
        if crowded:
            others = self.crowds().push(crowded, delivery, until)
        missed = len(delivery.missed)
        log("publish", topics=len(topics), sent=delivery.sent, missed=missed, others=others)
        delivery.end()
        if (delivery.sent or others) and len(records) < PUSH_BATCH:
            self.pause(max(0.0, started + self.interval - self.clock()))

    def chunk(self, event: Mapping[str, Any]) -> None:
        """Push to a chunk of a topic's viewers, as the invocation that read the change asks.

        One that comes late, or again, only notes that its viewers may have missed the push.

        Args:
            event: as chunks.encoded writes it.

        Raises:
            AwsError: a missed push could not be noted; Lambda tries it again.
        """
        chunk, until = decoded(event)
        delivery = Delivery(self.subscriptions, self.pusher, self.clock)
        delivery.push(chunk, until)
        log("chunk", topic=chunk.topic, sent=delivery.sent, missed=len(delivery.missed))
        delivery.end()

    def _push(self, topic: str, changes: Message) -> Push:
        """Compose what each group of a topic's subscribers is sent."""
        groups = []
        for prefixes, group in _by_prefixes(self.subscriptions.subscribers(topic), topic).items():
            visible = messages.seen(changes, Permissions(prefixes=prefixes).can_see)
            if visible is not None:
                groups.append(Group(frames(messages.push(topic, visible)), group))
        return Push(topic, groups)


def _by_prefixes(
    subscribers: Iterable[Connection], topic: str
) -> dict[tuple[str, ...], list[Connection]]:
    """Group a topic's subscribers by what they may see; one that may not hear it is left out."""
    groups: dict[tuple[str, ...], list[Connection]] = {}
    for connection in subscribers:
        if connection.access.can_subscribe(topic):
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
            log("not_an_aggregate", detail=trace(error), keys=record["dynamodb"].get("Keys"))
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


def build(
    config: Config, *, services: Services | None = None, clock: Callable[[], float] = time.time
) -> Publisher:
    """Build the function over AWS's services."""
    dynamo = (services or aws_services(config, TimeLimit()))("dynamodb")
    return Publisher(
        Subscriptions(dynamo, config.subscriptions_table, clock=clock),
        Pusher(ManagementApi(config), cache(partial(_fan_out, config, clock)), clock=clock),
        cache(partial(_large_topics, config, dynamo, clock)),
        config.push_interval,
        clock=clock,
    )


def _fan_out(config: Config, clock: Callable[[], float]) -> "FanOut":
    from chalicelib.live.fan_out import FanOut

    return FanOut(config, clock=clock)


def _large_topics(config: Config, dynamo: Service, clock: Callable[[], float]) -> "LargeTopics":
    from chalicelib.aws.invoke import Invocations
    from chalicelib.live.large_topics import LargeTopics
    from chalicelib.live.rate_limit import RateLimiter

    turns = RateLimiter(dynamo, config.subscriptions_table, config.messages_per_second, clock=clock)
    return LargeTopics(turns, Invocations(config, clock=clock).invoke, clock=clock)


@cache
def function() -> Publisher:
    """Return this process's function, built from its environment."""
    return build(load())


def handler(event: Mapping[str, Any]) -> None:
    """Push a batch of the stats table's stream, or push to one batch of a topic's viewers.

    Raises:
        AwsError: a missed push could not be recorded; Lambda retries the event, without harm.
    """
    if "push" in event:
        function().chunk(event)
    else:
        function().batch(event["Records"])
