"""Pushes to topics with many viewers: rate-limited, in batches that other invocations push."""

import time
from collections.abc import Callable, Iterable

from chalicelib.errors import AwsError
from chalicelib.live.batches import MOST_VIEWERS, encoded, split
from chalicelib.live.delivery import PUSH_SECONDS, Delivery
from chalicelib.live.push import Push
from chalicelib.live.rate_limit import RateLimiter
from chalicelib.log import log

# A deadline that has passed: nothing is sent, and each viewer is recorded as having missed it.
_OVER = 0.0


class LargeTopics:
    """Publisher for topics with many viewers.

    Args:
        limiter: rate limiter of messages per second.
        invoke: sends an event to another invocation of this function.
        clock: returns epoch seconds.
        pause: sleeps for a number of seconds.
    """

    def __init__(
        self,
        limiter: RateLimiter,
        invoke: Callable[[bytes], None],
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limiter = limiter
        self._invoke = invoke
        self._clock = clock
        self._pause = pause

    def push(self, pushes: Iterable[Push], delivery: Delivery, until: float) -> int:
        """Push, topics with the fewest messages first; return how many viewers others push to.

        One batch is reserved at a time, and the next when its time has come. Publishers of several
        shards therefore alternate batch by batch, and no backlog builds up: changes made meanwhile
        wait in the stream, where they coalesce into one push.

        Args:
            pushes: one push per topic.
            delivery: sends the pushes of this invocation.
            until: epoch seconds by which a batch must start. Viewers of batches that cannot start
                by then have missed the push.

        Raises:
            AwsError: the rate limiter failed.
        """
        others = 0
        invoking = True
        for push in sorted(pushes, key=lambda one: one.messages):
            for batch in split(push):
                begins = self._reserved(batch, until)
                ends = _OVER if begins is None else begins + PUSH_SECONDS
                # Recording thousands of missed pushes would exceed this invocation's time.
                elsewhere = push.viewers > MOST_VIEWERS or begins is None
                if elsewhere and invoking:
                    # After Lambda has rejected one event, do not send any more.
                    invoking = self._invoked(batch, ends)
                if elsewhere and invoking:
                    others += batch.viewers
                else:
                    delivery.push(batch, min(ends, until))
        return others

    def _reserved(self, batch: Push, until: float) -> float | None:
        """Reserve slots for a batch and wait for them; return their time, or None if too late."""
        begins = self._limiter.reserve(batch.messages, until)
        if begins is not None:
            self._pause(max(0.0, begins - self._clock()))
        return begins

    def _invoked(self, batch: Push, until: float) -> bool:
        """Send a batch to another invocation; return whether Lambda accepted it."""
        try:
            self._invoke(encoded(batch, until))
        except AwsError as error:
            log("batch_not_invoked", topic=batch.topic, viewers=batch.viewers, detail=str(error))
            return False
        return True
