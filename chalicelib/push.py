"""A message to many connections, at once; no slow or gone one holds up the others."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from chalicelib.aws import Connections, Outcome
from chalicelib.subscriptions import Connection

_THREADS = 16
_RETRY_SECONDS = 0.1


class Pusher:
    """Sends frames to connections."""

    def __init__(
        self,
        connections: Connections,
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connections = connections
        self._clock = clock
        self._pause = pause
        self._threads = ThreadPoolExecutor(_THREADS)

    def to_all(
        self, subscribers: Sequence[Connection], frames: Sequence[str], *, until: float
    ) -> Iterator[tuple[Connection, Outcome]]:
        """Send the frames, in order, to each connection; say what became of each.

        Args:
            subscribers: the connections.
            frames: what each is sent.
            until: epoch seconds after which none is tried any more: those have `failed`.
        """

        def send(connection: Connection) -> Outcome:
            return self.to_one(connection, frames) if self._clock() < until else "failed"

        if len(subscribers) == 1:  # the usual case needs no thread
            yield subscribers[0], send(subscribers[0])
        else:
            yield from zip(subscribers, self._threads.map(send, subscribers), strict=True)

    def to_one(self, connection: Connection, frames: Iterable[str]) -> Outcome:
        """Send frames to one connection; stops at the first that does not get through."""
        for frame in frames:
            outcome = self._connections.post(connection.endpoint, connection.id, frame)
            if outcome == "failed":  # throttled, or slow: once more, and then it waits for its ping
                self._pause(_RETRY_SECONDS)
                outcome = self._connections.post(connection.endpoint, connection.id, frame)
            if outcome != "sent":
                return outcome
        return "sent"
