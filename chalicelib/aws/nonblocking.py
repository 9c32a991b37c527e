"""A nonblocking connection; live/fan_out.py runs many of them in one thread."""

import ssl
import time
from collections.abc import Generator
from select import POLLIN, poll
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector
from socket import socket
from typing import TypeVar

from chalicelib.aws.connection_pool import Timeouts
from chalicelib.aws.connector import Address, Connector
from chalicelib.aws.http11 import ProtocolError, StatusParser

_PIECE = 65536

T = TypeVar("T")

Work = Generator["NonblockingConnection | float", None, T]
"""A task: yields the connection that it waits for, or the number of seconds to pause."""


class NonblockingConnection:
    """A connection for successive requests, one at a time.

    Args:
        selector: reports when the socket is ready; its key's data is this connection.
        deadlines: timeouts of each operation.
        max_body: maximum length of a response's body, in bytes.

    Attributes:
        address: the server's address, once the connection is open.
        until: value of `time.monotonic` after which the driver throws a TimeoutError into the task
            that waits for this connection.
    """

    def __init__(self, selector: BaseSelector, deadlines: Timeouts, max_body: int) -> None:
        self._socket: socket
        self.address: Address
        self._registered: socket | None = None
        self._events = 0
        self._selector = selector
        self._deadlines = deadlines
        self._parser = StatusParser(max_body)
        self._poll = poll()
        self.is_open = False
        self.until = 0.0

    def connect(self, connector: Connector) -> Work[None]:
        """Open the connection.

        Raises:
            OSError: no address accepts a connection, or none proves to be the server.
        """
        self.until = time.monotonic() + self._deadlines.connect
        try:
            self._socket, self.address = yield from connector.open(self._when)
        except BaseException:
            self._unregister()
            raise
        self._poll.register(self._socket, POLLIN)
        self.is_open = True

    def is_silent(self) -> bool:
        """Return whether the connection is open and can be reused; close it otherwise.

        If there is something to read, the server has closed it or sent an unexpected response.
        """
        if self.is_open and self._poll.poll(0):
            self.close()
        return self.is_open

    def exchange(self, request: bytes) -> Work[int]:
        """Send a request, wait for its response, and return the status.

        Raises:
            OSError: no response arrived in time; ConnectionError if the connection closed before
                the response began; ProtocolError if it is incomplete or not exactly one response.
        """
        self.until = time.monotonic() + self._deadlines.answer
        rest = memoryview(request)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                yield self._when(self._socket, EVENT_WRITE)
            except ssl.SSLWantReadError:
                yield self._when(self._socket, EVENT_READ)
        yield self._when(self._socket, EVENT_READ)
        while True:
            try:
                data = self._socket.recv(_PIECE)
            except (BlockingIOError, ssl.SSLWantReadError):
                yield self._when(self._socket, EVENT_READ)
                continue
            if not data and not self._parser.has_begun:
                raise ConnectionResetError("the connection was closed before the response")
            if not data:
                raise ProtocolError("the connection was closed in the middle of the response")
            response = self._parser.feed(data)
            if response is not None:
                if not response.keeps_alive:
                    self.close()
                return response.status

    def close(self) -> None:
        """Close the connection."""
        if self.is_open:
            self.is_open = False
            self._unregister()
            self._socket.close()

    def _when(self, waiting: socket, events: int) -> "NonblockingConnection":
        """Register the events of a socket to wait for, in place of the previous ones."""
        if self._registered is not waiting:
            self._unregister()
            self._selector.register(waiting, events, self)
            self._registered = waiting
        elif self._events != events:
            self._selector.modify(waiting, events, self)
        self._events = events
        return self

    def _unregister(self) -> None:
        if self._registered is not None:
            self._selector.unregister(self._registered)
            self._registered = None
