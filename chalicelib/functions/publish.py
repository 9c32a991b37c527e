"""Push changes of the stats table to subscribers: one push per topic and batch of records."""

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

if TYPE_CHECKING:  # imported lazily: most stages never have enough viewers to need these
    from chalicelib.live.fan_out import FanOut
    from chalicelib.live.large_topics import LargeTopics

# Messages of a batch that bypass the rate limiter: a stage with a few dozen viewers never uses it.
FREE_MESSAGES = 100


class Publisher(Struct, frozen=True):
    """The publish function: pushes changes. A failed push never fails the batch.

    Attributes:
        crowds: returns the publisher for large topics; called when first needed.
        interval: minimum seconds between two batches of one shard.
        clock: returns epoch seconds.
        pause: sleeps for a number of seconds.
    """

    subscriptions: Subscriptions
    pusher: Pusher
    crowds: "Callable[[], LargeTopics]"
    interval: float
    clock: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep

    def batch(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Push the newest state of each item in a batch, then sleep until the interval ends.

        The pause coalesces changes: the shard's next batch contains everything that changed
        meanwhile. The first change after an idle period is pushed at once, and the last change is
        always pushed. There is no pause after a full batch, since more records are already waiting.

        Raises:
            AwsError: subscribers could not be read, the rate limiter failed, or a missed push could
                not be recorded. Lambda retries the batch; a repeated push is harmless.
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
        """Push to one batch of a topic's viewers, on behalf of the invocation that read the change.

        If the event is late or repeated, its viewers are only recorded as having missed the push.

        Args:
            event: an event as batches.encoded writes it.

        Raises:
            AwsError: a missed push could not be recorded. Lambda retries the event.
        """
        chunk, until = decoded(event)
        delivery = Delivery(self.subscriptions, self.pusher, self.clock)
        delivery.push(chunk, until)
        log("chunk", topic=chunk.topic, sent=delivery.sent, missed=len(delivery.missed))
        delivery.end()

    def _push(self, topic: str, changes: Message) -> Push:
        """Compose the frames for each group of a topic's subscribers."""
        groups = []
        for prefixes, group in _by_prefixes(self.subscriptions.subscribers(topic), topic).items():
            visible = messages.seen(changes, Permissions(prefixes=prefixes).can_see)
            if visible is not None:
                groups.append(Group(frames(messages.push(topic, visible)), group))
        return Push(topic, groups)


def _by_prefixes(
    subscribers: Iterable[Connection], topic: str
) -> dict[tuple[str, ...], list[Connection]]:
    """Group a topic's subscribers by visible prefixes; skip those not permitted to subscribe."""
    groups: dict[tuple[str, ...], list[Connection]] = {}
    for connection in subscribers:
        if connection.access.can_subscribe(topic):
            groups.setdefault(connection.access.prefixes, []).append(connection)
    return groups


def _changes(records: Iterable[Mapping[str, Any]]) -> dict[str, Message]:
    """Compose each topic's changes from the newest image of each item."""
    newest: dict[tuple[str, str], Aggregate] = {}
    topics: dict[str, Message] = {}
    for record in records:
        image = record["dynamodb"].get("NewImage")
        if image is None:  # the item has expired
            continue
        try:
            aggregate = aggregate_from_item(image)
            if (aggregate.campaign, aggregate.part) == (PIPELINE, HEALTH):
                topics[HEALTH_TOPIC] = messages.health(health_from_item(image))
                continue
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # An exception would block this shard's pushes for a day.
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
    """Build the function and its AWS clients."""
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
    """Return this process's function, configured from the environment."""
    return build(load())


def handler(event: Mapping[str, Any]) -> None:
    """Push a batch of the stats table's stream, or push to one batch of a topic's viewers.

    Raises:
        AwsError: subscribers could not be read, the rate limiter failed, or a missed push could not
            be recorded. Lambda retries the event; a repeated push is harmless.
    """
    if "push" in event:
        function().chunk(event)
    else:
        function().batch(event["Records"])
