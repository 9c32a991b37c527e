"""Connection pool for one server: exchange requests and responses over persistent connections."""

import select
import socket
import ssl
import time

from msgspec import Struct

from chalicelib.aws import tls
from chalicelib.aws.connector import Address, Connector, Context
from chalicelib.aws.http11 import Origin, ProtocolError, Response, ResponseParser

_PIECE = 16384  # maximum size of a TLS record


class Timeouts(Struct, frozen=True):
    """Timeouts in seconds: for opening a connection, and for receiving a complete response."""

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
    """Connection pool for one server.

    Args:
        origin: the server.
        deadlines: timeouts of each exchange.
        max_body: maximum length of a response's body, in bytes.
        context: returns the SSL context that verifies the server's certificate.
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
        """Send a request and return its response.

        An idle connection that the server has closed, which is likely after Lambda has frozen the
        process, is replaced.

        Raises:
            OSError: no connection or no response in time; ProtocolError if the response is
                incomplete or not exactly one response.
        """
        while (kept := self._take()) is not None:
            try:
                return self._exchange(kept, request)
            except (ConnectionError, ssl.SSLEOFError):  # the server has just closed it
                continue
        opened, address = self._connector.open_within(self._deadlines.connect)
        return self._exchange(_PooledConnection(opened, address, self._max_body), request)

    def close(self) -> None:
        """Close the idle connections; not needed if the process ends."""
        while (kept := self._take()) is not None:
            kept.socket.close()

    def _take(self) -> _PooledConnection | None:
        """Remove a reusable connection from the pool and return it; None if there is none.

        If there is something to read, the server has closed it or sent an unexpected response.
        """
        while True:
            try:
                kept = self._idle.pop()
            except IndexError:  # no check beforehand, because other threads use the pool too
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
