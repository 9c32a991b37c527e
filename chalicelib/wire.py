"""Bytes to one server and its answer back, over TLS connections that are kept open."""

import select
import socket
import ssl
import time

from msgspec import Struct

from chalicelib import tls
from chalicelib.connector import Address, Connector, Context
from chalicelib.http1 import Answer, AnswerReader, NotHttp, Origin

_PIECE = 16384  # a record of TLS has no more


class NoAnswer(OSError):
    """A server gave no answer, or none that can be read. The request may have been served."""


class Deadlines(Struct, frozen=True):
    """How long to wait, in seconds: for a connection, and for a whole answer."""

    connect: float
    answer: float


class _Kept:
    """An open connection, its address, what reads its answers, and what polls it."""

    def __init__(self, open_socket: socket.socket, address: Address) -> None:
        self.socket = open_socket
        self.address = address
        self.reader = AnswerReader()
        self.poll = select.poll()
        self.poll.register(open_socket, select.POLLIN)


class Wire:
    """Exchanges requests for answers with one server.

    Args:
        origin: the server.
        deadlines: for each exchange.
        context: returns what verifies the server's certificate.
    """

    def __init__(
        self, origin: Origin, deadlines: Deadlines, context: Context = tls.context
    ) -> None:
        self._connector = Connector(origin, context)
        self._deadlines = deadlines
        self._idle: list[_Kept] = []

    def exchange(self, request: bytes) -> Answer:
        """Send a request and wait for its answer.

        A connection that has ended since it was used last, as most have when Lambda had frozen the
        process, is replaced.

        Raises:
            OSError: there is no connection, or no answer in time; NoAnswer where it broke off.
        """
        while (kept := self._take()) is not None:
            try:
                return self._exchange(kept, request)
            except (ConnectionError, ssl.SSLEOFError):  # it ended just now
                continue
        opened, address = self._connector.open_within(self._deadlines.connect)
        return self._exchange(_Kept(opened, address), request)

    def _take(self) -> _Kept | None:
        """Take a connection that is still open: one that has something to say has ended."""
        while self._idle:
            kept = self._idle.pop()
            if not kept.poll.poll(0):
                return kept
            kept.socket.close()
        return None

    def _exchange(self, kept: _Kept, request: bytes) -> Answer:
        try:
            answer = self._answer(kept, request)
        except BaseException as error:
            kept.socket.close()
            if isinstance(error, TimeoutError):  # the server may be unreachable at this address
                self._connector.drop(kept.address)
                while (other := self._take()) is not None:
                    other.socket.close()
            raise
        if answer.keeps_alive:
            self._idle.append(kept)
        else:
            kept.socket.close()
        return answer

    def _answer(self, kept: _Kept, request: bytes) -> Answer:
        until = time.monotonic() + self._deadlines.answer
        kept.socket.settimeout(self._deadlines.answer)
        kept.socket.sendall(request)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer took too long")
            kept.socket.settimeout(left)
            data = kept.socket.recv(_PIECE)
            if not data and not kept.reader.has_begun:
                raise ConnectionResetError("the connection was closed before an answer came")
            if not data:
                raise NoAnswer("the connection was closed in the middle of an answer")
            try:
                answer = kept.reader.feed(data)
            except NotHttp as error:
                raise NoAnswer(f"the answer is no HTTP: {error}") from error
            if answer is not None:
                return answer
