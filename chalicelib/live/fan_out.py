"""Send frames to many WebSocket connections concurrently, with up to 128 requests in flight.

A single thread runs all requests on nonblocking sockets and a selector. asyncio would use twice the
CPU time per message, and importing it takes as long as importing everything else that a push needs
(docs/decisions/0014-a-client-of-our-own.md).
"""

import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import isqrt
from selectors import DefaultSelector

from chalicelib.aws import tls
from chalicelib.aws.connection_pool import Timeouts
from chalicelib.aws.connector import Connector, Context
from chalicelib.aws.http11 import Origin
from chalicelib.aws.nonblocking import NonblockingConnection, Work
from chalicelib.aws.sigv4 import payload_hash
from chalicelib.config import Config
from chalicelib.errors import AwsError
from chalicelib.live.gateway import (
    DEADLINES,
    MAX_RESPONSE,
    ConnectionRequests,
    SendResult,
    outcome_of,
)
from chalicelib.live.permissions import Connection
from chalicelib.log import log

# At 10 ms a request, 128 connections exceed API Gateway's default rate limit (10,000 messages/s).
MOST_AT_ONCE = 128
RETRY_SECONDS = 0.1

# Interval of the check for expired timeouts and ended pauses.
_LOOK_SECONDS = 0.05

# A TLS handshake takes 0.8 ms of CPU time, a request 10 ms of waiting: the total time is lowest
# when the number of connections is the square root of this times the number of requests.
_REQUESTS_A_HANDSHAKE = 12

Frames = Sequence[tuple[bytes, str]]
"""Frames, each with the payload hash for its signature."""


class FanOut:
    """Sender to many connections concurrently; keeps idle connections to API Gateway for reuse.

    Args:
        config: provides the URL of the management API.
        deadlines: timeouts of each request.
        context: returns the SSL context that verifies the server's certificate.
        clock: returns epoch seconds.
    """

    def __init__(
        self,
        config: Config,
        *,
        deadlines: Timeouts = DEADLINES,
        context: Context = tls.context,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._deadlines = deadlines
        self._context = context
        self._clock = clock
        self._selector = DefaultSelector()
        self._idle: dict[Origin, list[NonblockingConnection]] = {}
        self._connectors: dict[Origin, Connector] = {}

    def send(
        self, subscribers: Sequence[Connection], frames: Sequence[str], until: float
    ) -> list[SendResult]:
        """Send the frames, in order, to each connection; return the result of each.

        A failed frame is retried once, then its connection has `failed`. So have all connections
        that are not started by `until`, in epoch seconds.
        """
        outcomes: list[SendResult] = ["failed"] * len(subscribers)
        hashed = [(body, payload_hash(body)) for body in (frame.encode() for frame in frames)]
        try:
            gateways = {
                endpoint: ConnectionRequests(self._config, endpoint, self._clock())
                for endpoint in {one.endpoint for one in subscribers}
            }
        except AwsError as error:
            log("not_pushed", detail=str(error))
            return outcomes
        waiting = deque(enumerate(subscribers))

        def work() -> Work[None]:
            while waiting and self._clock() < until:
                place, connection = waiting.popleft()
                gateway = gateways[connection.endpoint]
                outcomes[place] = yield from self._to_one(gateway, connection.id, hashed)

        number = len(subscribers)
        at_once = min(MOST_AT_ONCE, number, isqrt(_REQUESTS_A_HANDSHAKE * number))
        self._drive(work() for _ in range(at_once))
        return outcomes

    def close(self) -> None:
        """Close the connections; not needed if the process ends."""
        for channel in [one for idle in self._idle.values() for one in idle]:
            channel.close()
        self._selector.close()

    def _to_one(
        self, gateway: ConnectionRequests, connection_id: str, frames: Frames
    ) -> Work[SendResult]:
        for body, body_hash in frames:
            request = gateway.request("POST", connection_id, body, body_hash)
            outcome = yield from self._outcome(gateway.origin, request)
            if outcome == "failed":  # throttled or slow: retry once, then leave it to the next ping
                yield RETRY_SECONDS
                outcome = yield from self._outcome(gateway.origin, request)
            if outcome != "sent":
                return outcome
        return "sent"

    def _outcome(self, origin: Origin, request: bytes) -> Work[SendResult]:
        """Send a request, on another connection if the server has closed the reused one."""
        try:
            return outcome_of((yield from self._status(origin, request)))
        except OSError:
            return "failed"

    def _status(self, origin: Origin, request: bytes) -> Work[int]:
        idle = self._idle.setdefault(origin, [])
        connector = self._connectors.get(origin)
        if connector is None:
            connector = self._connectors[origin] = Connector(origin, self._context)
        while idle:
            channel = idle.pop()
            if channel.is_silent():
                try:
                    return (yield from self._by(channel, connector, idle, request))
                except (ConnectionError, ssl.SSLEOFError):
                    continue
        channel = NonblockingConnection(self._selector, self._deadlines, MAX_RESPONSE)
        yield from channel.connect(connector)
        return (yield from self._by(channel, connector, idle, request))

    def _by(
        self,
        channel: NonblockingConnection,
        connector: Connector,
        idle: list[NonblockingConnection],
        request: bytes,
    ) -> Work[int]:
        try:
            status = yield from channel.exchange(request)
        except BaseException as error:
            channel.close()
            if isinstance(error, TimeoutError):  # the server may be unreachable at this address
                connector.drop(channel.address)
                while idle:
                    idle.pop().close()
            raise
        if channel.is_open:
            idle.append(channel)
        return status

    def _drive(self, works: Iterable[Work[None]]) -> None:
        """Run all tasks to completion."""
        waiting: dict[NonblockingConnection, Work[None]] = {}
        pausing: list[tuple[float, Work[None]]] = []

        def advance(work: Work[None], error: OSError | None = None) -> None:
            try:
                awaited = work.throw(error) if error else next(work)
            except StopIteration:
                return
            if isinstance(awaited, NonblockingConnection):
                waiting[awaited] = work
            else:
                pausing.append((time.monotonic() + awaited, work))

        for work in works:
            advance(work)
        look_at = 0.0
        while waiting or pausing:
            for key, _ in self._selector.select(_LOOK_SECONDS):
                if key.data in waiting:
                    advance(waiting.pop(key.data))
                else:  # an idle connection that the server has closed
                    key.data.close()
            now = time.monotonic()
            if now < look_at:
                continue
            look_at = now + _LOOK_SECONDS
            for channel in [one for one in waiting if one.until < now]:
                advance(waiting.pop(channel), TimeoutError("timed out"))
            rested = [one for one in pausing if one[0] <= now]
            pausing[:] = [one for one in pausing if one[0] > now]
            for _, work in rested:
                advance(work)
