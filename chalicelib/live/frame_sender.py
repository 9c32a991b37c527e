"""Send frames to one connection or to many; slow or closed ones do not delay the others."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from chalicelib.live.gateway import ManagementApi, SendResult
from chalicelib.live.permissions import Connection

_RETRY_SECONDS = 0.1


class ConcurrentSender(Protocol):
    """FrameSender to many connections concurrently, such as FanOut."""

    def send(
        self, subscribers: Sequence[Connection], frames: Sequence[str], until: float
    ) -> Iterable[SendResult]:
        """Send the frames to each connection; return one result each, in the same order."""


class FrameSender:
    """FrameSender of frames to connections.

    Args:
        connections: client that sends one frame at a time.
        many: returns a sender to many connections, called when first needed; if None, connections
            are served one after the other.
        clock: returns epoch seconds.
        pause: sleeps for a number of seconds.
    """

    def __init__(
        self,
        connections: ManagementApi,
        many: Callable[[], ConcurrentSender] | None = None,
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connections = connections
        self._many = many
        self._clock = clock
        self._pause = pause

    def to_all(
        self, subscribers: Sequence[Connection], frames: Sequence[str], *, until: float
    ) -> Iterator[tuple[Connection, SendResult]]:
        """Send the frames, in order, to each connection; yield the result of each.

        Args:
            subscribers: the connections.
            frames: the frames for each connection.
            until: deadline in epoch seconds; connections not tried by then have `failed`.
        """
        if self._many is None or len(subscribers) <= 1:  # usual case: no fan-out needed
            for one in subscribers:
                yield one, self.to_one(one, frames) if self._clock() < until else "failed"
        else:
            outcomes = self._many().send(subscribers, frames, until)
            yield from zip(subscribers, outcomes, strict=True)

    def to_one(self, connection: Connection, frames: Iterable[str]) -> SendResult:
        """Send frames to one connection, stopping at the first frame that is not delivered."""
        for frame in frames:
            outcome = self._connections.post(connection.endpoint, connection.id, frame)
            if outcome == "failed":  # throttled or slow: retry once, then leave it to the next ping
                self._pause(_RETRY_SECONDS)
                outcome = self._connections.post(connection.endpoint, connection.id, frame)
            if outcome != "sent":
                return outcome
        return "sent"
