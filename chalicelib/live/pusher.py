"""A message to one connection or to many; no slow or gone one holds up the others."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from chalicelib.live.gateway import ManagementApi, SendResult
from chalicelib.live.permissions import Connection

_RETRY_SECONDS = 0.1


class FanOutSender(Protocol):
    """Sends to many connections at once, as FanOut does."""

    def send(
        self, subscribers: Sequence[Connection], frames: Sequence[str], until: float
    ) -> Iterable[SendResult]:
        """Send the frames to each connection; say what became of each, in their order."""


class Pusher:
    """Sends frames to connections.

    Args:
        connections: take one frame at a time.
        many: makes what sends to many at once, the first time that there are many; None, and they
            are served one after the other.
        clock: epoch seconds.
        pause: waits some seconds.
    """

    def __init__(
        self,
        connections: ManagementApi,
        many: Callable[[], FanOutSender] | None = None,
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
        """Send the frames, in order, to each connection; say what became of each.

        Args:
            subscribers: the connections.
            frames: what each is sent.
            until: epoch seconds after which none is tried any more: those have `failed`.
        """
        if self._many is None or len(subscribers) <= 1:  # the usual case needs no fan-out
            for one in subscribers:
                yield one, self.to_one(one, frames) if self._clock() < until else "failed"
        else:
            outcomes = self._many().send(subscribers, frames, until)
            yield from zip(subscribers, outcomes, strict=True)

    def to_one(self, connection: Connection, frames: Iterable[str]) -> SendResult:
        """Send frames to one connection; stops at the first that does not get through."""
        for frame in frames:
            outcome = self._connections.post(connection.endpoint, connection.id, frame)
            if outcome == "failed":  # throttled, or slow: once more, and then it waits for its ping
                self._pause(_RETRY_SECONDS)
                outcome = self._connections.post(connection.endpoint, connection.id, frame)
            if outcome != "sent":
                return outcome
        return "sent"
