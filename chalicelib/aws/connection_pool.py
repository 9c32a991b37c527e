"""Send requests to one server and receive their responses, over TLS connections that stay open."""

import select
import socket
import ssl
import time

from msgspec import Struct

from chalicelib.aws import tls
from chalicelib.aws.connector import Address, Connector, Context
from chalicelib.aws.http11 import Origin, ProtocolError, Response, ResponseParser

_PIECE = 16384  # a record of TLS has no more


class Timeouts(Struct, frozen=True):
    """How long to wait, in seconds: for a connection, and for a whole answer."""

    connect: float
    answer: float


class _PooledConnection:
    """An open connection."""

    def __init__(self, open_socket: socket.socket, address: Address, max_body: int) -> None:
        self.socket = open_socket
        self.address = address
        self.parser = ResponseParser(max_body)
        self.poll = select.poll()
        self.poll.register(open_socket, select.POLLIN)


class ConnectionPool:
    """Exchanges requests for responses with one server.

    Args:
        origin: the server.
        deadlines: for each exchange.
        max_body: the longest body of a response to accept, in bytes.
        context: returns what verifies the server's certificate.
    """

    def __init__(
        self,
        origin: Origin,
        deadlines: Timeouts,
        max_body: int,
        context: Context = tls.context,
    ) -> None:
        self._connector = Connector(origin, context)
        self._deadlines = deadlines
        self._max_body = max_body
        self._idle: list[_PooledConnection] = []

    def exchange(self, request: bytes) -> Response:
        """Send a request and wait for its response.

        A connection that has ended since it was used last, as most have when Lambda had frozen the
        process, is replaced.

        Raises:
            OSError: there is no connection, or no response in time; ProtocolError if the response
                is incomplete or anything but one response.
        """
        while (kept := self._take()) is not None:
            try:
                return self._exchange(kept, request)
            except (ConnectionError, ssl.SSLEOFError):  # it ended just now
                continue
        opened, address = self._connector.open_within(self._deadlines.connect)
        return self._exchange(_PooledConnection(opened, address, self._max_body), request)

    def close(self) -> None:
        """Close the idle connections; not needed where the process ends."""
        while (kept := self._take()) is not None:
            kept.socket.close()

    def _take(self) -> _PooledConnection | None:
        """Take a connection that is open and silent.

        One with something to read has ended, or its server has sent more than one response.
        """
        while True:
            try:
                kept = self._idle.pop()
            except IndexError:  # none is left: other threads may take them, too
                return None
            if not kept.poll.poll(0):
                return kept
            kept.socket.close()

    def _exchange(self, kept: _PooledConnection, request: bytes) -> Response:
        try:
            response = self._response(kept, request)
        except BaseException as error:
            kept.socket.close()
            if isinstance(error, TimeoutError):  # the server may be unreachable at this address
                self._connector.drop(kept.address)
                self.close()
            raise
        if response.keeps_alive:
            self._idle.append(kept)
        else:
            kept.socket.close()
        return response

    def _response(self, kept: _PooledConnection, request: bytes) -> Response:
        until = time.monotonic() + self._deadlines.answer
        kept.socket.settimeout(self._deadlines.answer)
        kept.socket.sendall(request)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("the response took too long")
            kept.socket.settimeout(left)
            data = kept.socket.recv(_PIECE)
            if not data and not kept.parser.has_begun:
                raise ConnectionResetError("the connection was closed before the response")
            if not data:
                raise ProtocolError("the connection was closed in the middle of the response")
            response = kept.parser.feed(data)
            if response is not None:
                return response
