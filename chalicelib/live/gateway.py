"""Client of API Gateway's management API: send frames to WebSocket connections and close them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

from chalicelib.aws.connection_pool import ConnectionPool, Timeouts
from chalicelib.aws.credentials import credentials
from chalicelib.aws.http11 import Method, Origin, header_lines, is_success, parse_url, request
from chalicelib.aws.sigv4 import Signer, payload_hash
from chalicelib.config import Config
from chalicelib.errors import AwsError

# A slow browser must not delay other viewers, so each attempt has short timeouts.
DEADLINES = Timeouts(connect=1, answer=2)

# Responses have no body or an error of a few hundred bytes; a proxy's HTML page may be longer.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
MAX_RESPONSE = 64 * 1024

_GONE = 410

SendResult = Literal["sent", "gone", "failed"]
"""Result of sending a message to a connection; a `failed` message may still have arrived."""


class ConnectionRequests:
    """Builder of signed requests to the connections of one API; all have the same signing time.

    Args:
        config: provides the URL of the management API.
        endpoint: API id and stage, such as `a1b2c3/api`.
        now: signing time in epoch seconds; signatures are valid for five minutes.

    Attributes:
        origin: scheme, host and port to connect to.
    """

    def __init__(self, config: Config, endpoint: str, now: float) -> None:
        self.origin, path = parse_url(config.connections_url(endpoint))
        self._path = f"{path}/@connections/"
        signer = Signer(credentials(), config.region, "execute-api", now)
        self._signing = signer.prepared({"host": self.origin.authority})
        self._lines = header_lines(self._signing.headers)

    def request(
        self, method: Method, connection_id: str, body: bytes = b"", body_hash: str | None = None
    ) -> bytes:
        """Build a request about one connection; `body_hash` is the body's hash if known."""
        path = self._path + _encoded(connection_id)
        authorization = self._signing.authorization(method, path, body_hash or payload_hash(body))
        return request(method, path, f"{self._lines}authorization: {authorization}\r\n", body)


@lru_cache(maxsize=10_000)  # pushes go to the same viewers each second
def _encoded(connection_id: str) -> str:
    return quote(connection_id, safe="")


def outcome_of(status: int) -> SendResult:
    """Return the result of sending a frame, given the status code of the response."""
    if status == _GONE:
        return "gone"
    return "sent" if is_success(status) else "failed"


class ManagementApi:
    """Client of the management API that sends one request at a time."""

    def __init__(
        self,
        config: Config,
        *,
        deadlines: Timeouts = DEADLINES,
        context: Callable[[str], ssl.SSLContext] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._deadlines = deadlines
        self._context = {"context": context} if context else {}
        self._clock = clock
        self._wires: dict[Origin, ConnectionPool] = {}

    def post(self, endpoint: str, connection_id: str, frame: str) -> SendResult:
        """Send one frame to a connection.

        Args:
            endpoint: API id and stage, such as `a1b2c3/api`; stored in each subscription row.
            connection_id: API Gateway's id of the connection.
            frame: text of at most 32 KB.
        """
        try:
            return outcome_of(self._call("POST", endpoint, connection_id, frame.encode()))
        except (OSError, AwsError):  # the connection failed, or there are no credentials
            return "failed"

    def close(self, endpoint: str, connection_id: str) -> None:
        """Close a connection. If that fails, it gets no more messages until its idle timeout."""
        with suppress(OSError, AwsError):
            self._call("DELETE", endpoint, connection_id)

    def _call(self, method: Method, endpoint: str, connection_id: str, body: bytes = b"") -> int:
        gateway = ConnectionRequests(self._config, endpoint, self._clock())
        if (wire := self._wires.get(gateway.origin)) is None:
            wire = self._wires[gateway.origin] = ConnectionPool(
                gateway.origin, self._deadlines, MAX_RESPONSE, **self._context
            )
        return wire.exchange(gateway.request(method, connection_id, body)).status
