"""One connection that waits for nothing: many of them are driven by one thread (fan_out.py)."""

import ssl
import time
from collections.abc import Generator
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector
from socket import socket
from typing import TypeVar

from chalicelib.connector import Address, Connector
from chalicelib.http1 import NotHttp, StatusReader
from chalicelib.wire import Deadlines, NoAnswer

_PIECE = 65536

T = TypeVar("T")

Work = Generator["Channel | float", None, T]
"""Something under way: yields the channel that it waits for, or for how many seconds."""


class Channel:
    """A connection: a request, its answer, the next request.

    Args:
        selector: reports when the socket is ready; the data of its key is the channel.
        deadlines: of each operation.

    Attributes:
        address: of the server, once the connection is open.
        until: `time.monotonic` after which the driver throws a TimeoutError into the work that
            waits for this channel.
    """

    def __init__(self, selector: BaseSelector, deadlines: Deadlines) -> None:
        self._socket: socket
        self.address: Address
        self._registered: socket | None = None
        self._events = 0
        self._selector = selector
        self._deadlines = deadlines
        self._reader = StatusReader()
        self.is_open = False
        self.until = 0.0

    def connect(self, connector: Connector) -> Work[None]:
        """Open the connection.

        Raises:
            OSError: no address accepts a connection, or none is the server's.
        """
        self.until = time.monotonic() + self._deadlines.connect
        try:
            self._socket, self.address = yield from connector.open(self._when)
        except BaseException:
            self._unregister()
            raise
        self.is_open = True

    def exchange(self, request: bytes) -> Work[int]:
        """Send a request and wait for its answer; gives the status.

        Raises:
            OSError: no answer came in time, or none that can be read; ConnectionError where the
                connection ended before it began.
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
            if not data and not self._reader.has_begun:
                raise ConnectionResetError("the connection was closed before an answer came")
            if not data:
                raise NoAnswer("the connection was closed in the middle of an answer")
            try:
                answer = self._reader.feed(data)
            except NotHttp as error:
                raise NoAnswer(f"the answer is no HTTP: {error}") from error
            if answer is not None:
                if not answer.keeps_alive:
                    self.close()
                return answer.status

    def close(self) -> None:
        """End the connection."""
        if self.is_open:
            self.is_open = False
            self._unregister()
            self._socket.close()

    def _when(self, waiting: socket, events: int) -> "Channel":
        """Have the selector report these events of a socket, in place of the former ones."""
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
