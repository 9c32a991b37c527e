"""Push changes of the stats table to subscribers: one push per topic and batch of changes."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.aws.client import Service, Services, TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.config import Config, load
from chalicelib.dynamodb import Item
from chalicelib.facts.table import EventsTable
from chalicelib.live.activity import Activity
from chalicelib.live.batches import decoded
from chalicelib.live.delivery import PUSH_SECONDS, Delivery
from chalicelib.live.frame_sender import FrameSender
from chalicelib.live.frames import Message
from chalicelib.live.gateway import ManagementApi
from chalicelib.live.permissions import EVERYTHING, Connection, Permissions
from chalicelib.live.protocol import HEALTH_TOPIC, LIST_TOPIC, Level
from chalicelib.live.push import Changed, changes, compose, needs_snapshot, newest, version
from chalicelib.live.snapshots import Snapshots
from chalicelib.live.subscriptions import Subscriptions
from chalicelib.log import log
from chalicelib.stats.counters import Key
from chalicelib.stats.table import StatsTable

if TYPE_CHECKING:  # imported lazily: most stages never have enough viewers to need these
    from chalicelib.live.fan_out import FanOut
    from chalicelib.live.large_topics import LargeTopics

# Messages of a batch that bypass the rate limiter: a stage with a few dozen viewers never uses it.
FREE_MESSAGES = 100

# DynamoDB rounds the time of a record down to a second; clocks differ by less than another one.
CLOCKS_DIFFER_SECONDS = 2

_NOT_PUSHED = (-1, 0)
_MOST_PUSHED = 5000


class Publisher(Struct, frozen=True):
    """Publisher of changes, for all functions that push. A failed push never fails the batch.

    Attributes:
        large_topics: returns the publisher for large topics; called when first needed.
        clock: returns epoch seconds.
        pushed: versions that this process pushed at once (push_now); the stream repeats them.
    """

    subscriptions: Subscriptions
    frame_sender: FrameSender
    large_topics: "Callable[[], LargeTopics]"
    snapshots: Snapshots
    clock: Callable[[], float] = time.time
    pushed: dict[Key, tuple[int, int]] = field(default_factory=dict)

    def batch(self, records: Sequence[Mapping[str, Any]], level: Level = "active") -> None:
        """Push the newest state of each item in a batch of the stats table's stream.

        The batching window of the event source mapping determines how many changes coalesce, and
        therefore how often viewers of a level receive a push.

        Args:
            records: records of the stream, in Lambda's format.
            level: the viewers to push to.

        Raises:
            AwsError: subscribers could not be read, the rate limiter failed, or a missed push could
                not be recorded. Lambda retries the batch; a repeated push is harmless.
        """
        # A record without an image is of an expired item.
        written = [one["dynamodb"] for one in records if "NewImage" in one["dynamodb"]]
        changed = {
            key: one
            for key, one in newest(record["NewImage"] for record in written).items()
            if version(one) > self.pushed.pop(key, _NOT_PUSHED)
        }
        began = min((one["ApproximateCreationDateTime"] for one in written), default=0)
        self._push(changed, level, began - CLOCKS_DIFFER_SECONDS)

    def push_now(self, images: Sequence[Item]) -> None:
        """Push changes to active viewers before the batching window of the stream has ended.

        Args:
            images: images of items of the stats table, in DynamoDB JSON.

        Raises:
            AwsError: as for batch.
        """
        changed = newest(images)
        self._push(changed, "active", math.inf)
        if len(self.pushed) > _MOST_PUSHED:
            self.pushed.clear()
        self.pushed.update({key: version(one) for key, one in changed.items()})

    def _push(self, changed: Changed, level: Level, began: float) -> None:
        """Push changes to the viewers of a level.

        Args:
            changed: the changes.
            level: the level.
            began: when the first of the changes was written, in epoch seconds. The functions of
                both levels push to a viewer whose level has changed since.
        """
        until = self.clock() + PUSH_SECONDS
        delivery = Delivery(self.subscriptions, self.frame_sender, self.clock)
        free, large, others = FREE_MESSAGES, [], 0
        topics = changes(changed)
        if needs_snapshot(changed):
            topics[HEALTH_TOPIC] = self.snapshots.of(HEALTH_TOPIC)
        for topic, message in topics.items():
            viewers = [
                one
                for one in self.subscriptions.subscribers(topic)
                if one.level == level or (one.level != "hidden" and one.attended_at >= began)
            ]
            behind = [one for one in viewers if one.behind is not None][: max(0, free)]
            if behind:
                free -= self._catch_up(topic, message, behind, delivery, until)
                viewers = [one for one in viewers if one not in behind]
            push = compose(topic, message, viewers)
            if push.messages <= free:
                free -= push.messages
                delivery.push(push, until)
            else:
                large.append(push)
        if large:
            others = self.large_topics().push(large, delivery, until)
        missed = len(delivery.missed)
        log("publish", topics=len(topics), sent=delivery.sent, missed=missed, others=others)
        delivery.end()

    def _catch_up(
        self,
        topic: str,
        message: Message,
        behind: Sequence[Connection],
        delivery: Delivery,
        until: float,
    ) -> int:
        """Push a topic's whole state to viewers who missed a push; return the number of messages.

        The mark of a viewer who misses it again, or is not reached by the deadline, stays in place.

        Args:
            topic: the topic.
            message: what has changed now: of the list, it may be older than what a snapshot has.
            behind: the viewers.
            delivery: delivers the push.
            until: deadline in epoch seconds.
        """
        changed = {one["id"] for one in message.get("campaigns", ())}
        sent = 0
        for access, viewers in _by_state(topic, behind).items():
            if self.clock() >= until:
                break
            on_screen = changed.union(*(one.on_screen or () for one in viewers))
            snapshot = self.snapshots.of(topic, access, on_screen, replaces_pushes=True)
            push = compose(topic, snapshot, viewers)
            delivery.push(push, until)
            sent += push.messages
            for one in viewers:
                if one.behind is not None and one.id not in delivery.missed:
                    self.subscriptions.caught_up(one.id, topic, one.behind)
        return sent

    def invoked(self, event: Mapping[str, Any]) -> None:
        """Serve an event of another function: changes to push at once, or a batch of viewers.

        Raises:
            AwsError: as for batch.
        """
        if "changed" in event:
            self.push_now(event["changed"])
        else:
            self.publish_batch(event)

    def publish_batch(self, event: Mapping[str, Any]) -> None:
        """Push to one batch of a topic's viewers, on behalf of the invocation that read the change.

        If the event is late or repeated, its viewers are only recorded as having missed the push.

        Args:
            event: an event as batches.encoded writes it.

        Raises:
            AwsError: a missed push could not be recorded. Lambda retries the event.
        """
        push, until = decoded(event)
        delivery = Delivery(self.subscriptions, self.frame_sender, self.clock)
        delivery.push(push, until)
        log("publish_batch", topic=push.topic, sent=delivery.sent, missed=len(delivery.missed))
        delivery.end()


def _by_state(topic: str, viewers: Iterable[Connection]) -> Mapping[Permissions, list[Connection]]:
    """Group viewers of the list by the campaigns that they see: their newest ones differ.

    What only some viewers of other topics see is left out when a push is composed.
    """
    groups: dict[Permissions, list[Connection]] = {}
    for one in viewers:
        access = (
            EVERYTHING if topic != LIST_TOPIC else replace(EVERYTHING, prefixes=one.access.prefixes)
        )
        groups.setdefault(access, []).append(one)
    return groups


def build(
    config: Config, *, services: Services | None = None, clock: Callable[[], float] = time.time
) -> Publisher:
    """Build the function and its AWS clients."""
    dynamo = (services or aws_services(config, TimeLimit()))("dynamodb")
    stats_table = StatsTable(dynamo, config.stats_table, clock=clock)
    events_table = EventsTable(
        dynamo, config.events_table, retention_days=config.retention_days, clock=clock
    )
    return Publisher(
        Subscriptions(dynamo, config.subscriptions_table, clock=clock),
        FrameSender(ManagementApi(config), cache(partial(_fan_out, config, clock)), clock=clock),
        cache(partial(_large_topics, config, dynamo, clock)),
        Snapshots(stats_table, Activity(stats_table, events_table), clock),
        clock=clock,
    )


def _fan_out(config: Config, clock: Callable[[], float]) -> "FanOut":
    from chalicelib.live.fan_out import FanOut

    return FanOut(config, clock=clock)


def _large_topics(config: Config, dynamo: Service, clock: Callable[[], float]) -> "LargeTopics":
    from chalicelib.aws.invoke import Invocations
    from chalicelib.live.large_topics import LargeTopics
    from chalicelib.live.rate_limit import RateLimiter

    limiter = RateLimiter(
        dynamo, config.subscriptions_table, config.messages_per_second, clock=clock
    )
    return LargeTopics(limiter, Invocations(config, "publish", clock=clock).invoke, clock=clock)


@cache
def function() -> Publisher:
    """Return this process's function, configured from the environment."""
    return build(load())


def handler(event: Mapping[str, Any]) -> None:
    """Push a batch of the stats table's stream, or what another invocation asks for.

    An event of aggregate contains changes to push at once; an event of publish itself, the frames
    for one batch of a topic's viewers.

    Raises:
        AwsError: subscribers could not be read, the rate limiter failed, or a missed push could not
            be recorded. Lambda retries the event; a repeated push is harmless.
    """
    if "Records" in event:
        function().batch(event["Records"])
    else:
        function().invoked(event)
