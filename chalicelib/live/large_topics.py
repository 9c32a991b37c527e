"""Pushes to many viewers: in turns, and in chunks that other invocations push."""

import time
from collections.abc import Callable, Iterable

from chalicelib.errors import AwsError
from chalicelib.live.batches import MOST_VIEWERS, Push, encoded, split
from chalicelib.live.delivery import PUSH_SECONDS, Delivery
from chalicelib.live.rate_limit import RateLimiter
from chalicelib.log import log

# Nothing is sent at this time any more: a push until then only notes who has missed it.
_OVER = 0.0


class LargeTopics:
    """Pushes to topics of many viewers.

    Args:
        turns: keep what is sent a second below the ceiling.
        invoke: has an event worked off by another invocation of this function.
        clock: epoch seconds.
        pause: waits some seconds.
    """

    def __init__(
        self,
        turns: RateLimiter,
        invoke: Callable[[bytes], None],
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._turns = turns
        self._invoke = invoke
        self._clock = clock
        self._pause = pause

    def push(self, pushes: Iterable[Push], delivery: Delivery, until: float) -> int:
        """Push, the topics of the fewest messages first; tell how many viewers others push to.

        One turn is taken at a time, and the next when its time has come. So publishers of several
        shards push by turns, chunk by chunk, and nothing piles up: what changes meanwhile waits in
        the stream, and becomes one push.

        Args:
            pushes: one a topic.
            delivery: pushes what is pushed here.
            until: epoch seconds by which a turn must have begun. Who gets none has missed the push.

        Raises:
            AwsError: a turn could not be taken.
        """
        others = 0
        invoking = True
        for push in sorted(pushes, key=lambda one: one.messages):
            for chunk in split(push):
                begins = self._turn(chunk, until)
                ends = _OVER if begins is None else begins + PUSH_SECONDS
                # To note thousands who miss a push takes longer than this invocation has.
                elsewhere = push.viewers > MOST_VIEWERS or begins is None
                if elsewhere and invoking:
                    # What Lambda does not take now, it would hardly take a moment later.
                    invoking = self._invoked(chunk, ends)
                if elsewhere and invoking:
                    others += chunk.viewers
                else:
                    delivery.push(chunk, min(ends, until))
        return others

    def _turn(self, chunk: Push, until: float) -> float | None:
        """Take a turn and wait for it; tell when it has begun."""
        begins = self._turns.take(chunk.messages, until)
        if begins is not None:
            self._pause(max(0.0, begins - self._clock()))
        return begins

    def _invoked(self, chunk: Push, until: float) -> bool:
        """Have a chunk pushed by another invocation; tell whether it will be."""
        try:
            self._invoke(encoded(chunk, until))
        except AwsError as error:
            log("chunk_not_invoked", topic=chunk.topic, viewers=chunk.viewers, detail=str(error))
            return False
        return True
