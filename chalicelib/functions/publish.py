"""Push changes of the stats table to subscribers: one push per topic and batch of records."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from chalicelib.aws.client import Service, Services, TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.config import PUSH_BATCH, Config, load
from chalicelib.live.batches import decoded
from chalicelib.live.delivery import PUSH_SECONDS, Delivery
from chalicelib.live.frame_sender import FrameSender
from chalicelib.live.gateway import ManagementApi
from chalicelib.live.push import changes, compose
from chalicelib.live.subscriptions import Subscriptions
from chalicelib.log import log

if TYPE_CHECKING:  # imported lazily: most stages never have enough viewers to need these
    from chalicelib.live.fan_out import FanOut
    from chalicelib.live.large_topics import LargeTopics

# Messages of a batch that bypass the rate limiter: a stage with a few dozen viewers never uses it.
FREE_MESSAGES = 100


class Publisher(Struct, frozen=True):
    """The publish function: pushes changes. A failed push never fails the batch.

    Attributes:
        large_topics: returns the publisher for large topics; called when first needed.
        interval: minimum seconds between two batches of one shard.
        clock: returns epoch seconds.
        pause: sleeps for a number of seconds.
    """

    subscriptions: Subscriptions
    frame_sender: FrameSender
    large_topics: "Callable[[], LargeTopics]"
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
        delivery = Delivery(self.subscriptions, self.frame_sender, self.clock)
        free, large, others = FREE_MESSAGES, [], 0
        topics = changes(records)
        for topic, changed in topics.items():
            push = compose(topic, changed, self.subscriptions.subscribers(topic))
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
        if (delivery.sent or others) and len(records) < PUSH_BATCH:
            self.pause(max(0.0, started + self.interval - self.clock()))

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


def build(
    config: Config, *, services: Services | None = None, clock: Callable[[], float] = time.time
) -> Publisher:
    """Build the function and its AWS clients."""
    dynamo = (services or aws_services(config, TimeLimit()))("dynamodb")
    return Publisher(
        Subscriptions(dynamo, config.subscriptions_table, clock=clock),
        FrameSender(ManagementApi(config), cache(partial(_fan_out, config, clock)), clock=clock),
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

    limiter = RateLimiter(
        dynamo, config.subscriptions_table, config.messages_per_second, clock=clock
    )
    return LargeTopics(limiter, Invocations(config, clock=clock).invoke, clock=clock)


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
        function().publish_batch(event)
    else:
        function().batch(event["Records"])
