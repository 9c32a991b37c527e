"""One connection that waits for nothing: many of them are driven by one thread (fan_out.py)."""

import ssl
import time
from collections.abc import Generator
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector
from socket import IPPROTO_TCP, TCP_NODELAY, socket
from typing import Any, TypeVar

from chalicelib.http1 import NotHttp, StatusReader
from chalicelib.wire import Deadlines, NoAnswer

_PIECE = 65536

T = TypeVar("T")

Work = Generator["Channel | float", None, T]
"""Something under way: yields the channel that it waits for, or for how many seconds."""


class Channel:
    """A connection: a request, its answer, the next request.

    Args:
        plain: a socket that is connected, or about to be.
        selector: tells when there is something to do for it; its data is the channel.
        context: verifies the server; None without TLS.
        host: the server's name.
        deadlines: of what it does.

    Attributes:
        until: `time.monotonic` after which whoever waits for it is to be thrown a TimeoutError.
    """

    def __init__(
        self,
        plain: socket,
        selector: BaseSelector,
        context: ssl.SSLContext | None,
        host: str,
        deadlines: Deadlines,
    ) -> None:
        plain.setblocking(False)  # noqa: FBT003 - the socket's own way
        plain.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        self._socket: Any = plain
        self._selector = selector
        self._deadlines = deadlines
        self._tls = None if context is None else (context, host)
        self._events = 0
        self._reader = StatusReader()
        self.is_open = True
        self.until = time.monotonic() + deadlines.connect

    def connect(self) -> Work[None]:
        """Wait for the connection, and shake hands.

        Raises:
            OSError: it cannot be had, or is not the server's.
        """
        yield self._when(EVENT_WRITE)
        if self._tls is None:
            return
        context, host = self._tls
        self._selector.unregister(self._socket)
        self._events = 0
        self._socket = context.wrap_socket(
            self._socket, server_hostname=host, do_handshake_on_connect=False
        )
        while True:
            try:
                self._socket.do_handshake()
            except ssl.SSLWantReadError:
                yield self._when(EVENT_READ)
            except ssl.SSLWantWriteError:
                yield self._when(EVENT_WRITE)
            else:
                return

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
                yield self._when(EVENT_WRITE)
            except ssl.SSLWantReadError:
                yield self._when(EVENT_READ)
        yield self._when(EVENT_READ)
        while True:
            try:
                data = self._socket.recv(_PIECE)
            except (BlockingIOError, ssl.SSLWantReadError):
                yield self._when(EVENT_READ)
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
            if self._events:
                self._selector.unregister(self._socket)
            self._socket.close()

    def _when(self, events: int) -> "Channel":
        """Have the selector tell when this can be done; it is told only of what changes."""
        if not self._events:
            self._selector.register(self._socket, events, self)
        elif self._events != events:
            self._selector.modify(self._socket, events, self)
        self._events = events
        return self
