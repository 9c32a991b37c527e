"""A message to many connections, at once; no slow or gone one holds up the others."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from chalicelib.aws import Connections, Outcome
from chalicelib.subscriptions import Connection

_THREADS = 16
_RETRY_SECONDS = 0.1


class Pusher:
    """Sends frames to connections."""

    def __init__(
        self, connections: Connections, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._connections = connections
        self._pause = pause
        self._threads = ThreadPoolExecutor(_THREADS)

    def to_all(
        self, subscribers: Sequence[Connection], frames: Sequence[str]
    ) -> Iterable[tuple[Connection, Outcome]]:
        """Send the frames, in order, to each connection; say what became of each."""
        if len(subscribers) == 1:  # the usual case needs no thread
            return [(subscribers[0], self.to_one(subscribers[0], frames))]
        outcomes = self._threads.map(lambda one: self.to_one(one, frames), subscribers)
        return list(zip(subscribers, outcomes, strict=True))

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
