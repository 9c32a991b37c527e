"""Open connections to one server: name resolution, failover between addresses, and TLS.

The blocking connections of connection_pool.py and the nonblocking ones of nonblocking.py share this
implementation: `Connector.open` is a generator that yields whenever it waits for a socket.
"""

import os
import socket
import ssl
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from errno import EINPROGRESS
from select import POLLIN, POLLOUT, poll
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any, TypeVar

from chalicelib.aws import tls
from chalicelib.aws.http11 import Origin, ProtocolError

# The time to live of the records of AWS's endpoints is 60 seconds or less.
# https://docs.aws.amazon.com/sdk-for-java/latest/developer-guide/jvm-ttl-dns.html
_RESOLVED_FOR_SECONDS = 60

# A resolver that does not respond blocks for seconds, which not every connection should wait for.
_UNRESOLVED_FOR_SECONDS = 1

_POLLED = {EVENT_READ: POLLIN, EVENT_WRITE: POLLOUT}

Context = Callable[[str], ssl.SSLContext]
"""Returns the SSL context that verifies a host."""

Address = tuple[socket.AddressFamily, Any]
"""An address family, and an address in the format of the family's sockets."""

T = TypeVar("T")


class Connector:
    """Opens connections to one server.

    The server's addresses are cached for a minute. An address that fails is dropped immediately and
    the next one is used; when none is left, the name is resolved again.

    Args:
        origin: the server.
        context: returns the SSL context that verifies the server's certificate.
    """

    def __init__(self, origin: Origin, context: Context = tls.context) -> None:
        self._origin = origin
        self._context = context
        self._addresses: list[Address] = []
        self._resolve_at = 0.0
        self._unresolved = False

    def open(
        self, wait: Callable[[socket.socket, int], T]
    ) -> Generator[T, None, tuple[socket.socket, Address]]:
        """Open a connection to the first address that accepts it and proves to be the server.

        The generator yields `wait(socket, events)` when it cannot continue before one of the
        selector's `events` occurs. On a timeout its caller throws a TimeoutError, which drops the
        address and ends the attempt; the next attempt starts with the next address.

        Returns:
            The nonblocking socket, and its address.

        Raises:
            OSError: the name has no address, or all addresses failed; this is the last failure.
        """
        for address in (addresses := self._resolved()):
            try:
                return (yield from self._verified(address, wait)), address
            except OSError as error:
                self.drop(address)
                if isinstance(error, TimeoutError) or address is addresses[-1]:
                    raise
        raise OSError(f"{self._origin.host} has no address")

    def open_within(self, seconds: float) -> tuple[socket.socket, Address]:
        """Open a connection, blocking until it is open.

        Raises:
            OSError: as `open`; TimeoutError after `seconds`.
        """
        until = time.monotonic() + seconds
        opening = self.open(lambda waiting, events: (waiting, events))
        try:
            while True:
                waiting, events = next(opening)
                ready = poll()
                ready.register(waiting, _POLLED[events])
                if not ready.poll(max(0.0, until - time.monotonic()) * 1000):
                    opening.throw(TimeoutError(f"cannot connect within {seconds} s"))
        except StopIteration as done:
            opened: tuple[socket.socket, Address] = done.value
            return opened

    def drop(self, address: Address) -> None:
        """Drop an address that failed, so that the next attempt uses another one."""
        with suppress(ValueError):  # another connection has already dropped it
            self._addresses.remove(address)

    def _resolved(self) -> list[Address]:
        """Return the remaining addresses; resolve again if none is left or they are old."""
        now = time.monotonic()
        if self._unresolved and now < self._resolve_at:
            raise OSError(f"{self._origin.host} recently failed to resolve")
        if not self._addresses or now >= self._resolve_at:
            try:
                found = socket.getaddrinfo(
                    self._origin.host, self._origin.port, type=socket.SOCK_STREAM
                )
            except OSError:
                self._addresses, self._unresolved = [], True
                self._resolve_at = time.monotonic() + _UNRESOLVED_FOR_SECONDS
                raise
            self._addresses = [(family, address) for family, _, _, _, address in found]
            self._unresolved = False
            self._resolve_at = now + _RESOLVED_FOR_SECONDS
        return list(self._addresses)

    def _verified(
        self, address: Address, wait: Callable[[socket.socket, int], T]
    ) -> Generator[T, None, socket.socket]:
        context = self._context(self._origin.host) if self._origin.secure else None
        try:
            return (yield from self._opened(address, context, wait))
        except ssl.SSLCertVerificationError as error:
            if context is None or not tls.widen(context, error):
                raise
        return (yield from self._opened(address, context, wait))

    def _opened(
        self,
        address: Address,
        context: ssl.SSLContext | None,
        wait: Callable[[socket.socket, int], T],
    ) -> Generator[T, None, socket.socket]:
        family, place = address
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.setblocking(False)  # noqa: FBT003 - the socket's own signature
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield from _connect(opened, place, wait)
            if context is not None:
                opened = secured = context.wrap_socket(
                    opened, server_hostname=self._origin.host, do_handshake_on_connect=False
                )
                yield from _shake_hands(secured, wait)
            _expect_silence(opened)
        except BaseException:
            opened.close()
            raise
        return opened


def _connect(
    plain: socket.socket, place: Any, wait: Callable[[socket.socket, int], T]
) -> Generator[T, None, None]:
    error = plain.connect_ex(place)
    if error == EINPROGRESS:
        yield wait(plain, EVENT_WRITE)
        error = plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, f"cannot connect: {os.strerror(error)}")


def _shake_hands(
    secured: ssl.SSLSocket, wait: Callable[[socket.socket, int], T]
) -> Generator[T, None, None]:
    while True:
        try:
            return secured.do_handshake()
        except ssl.SSLWantReadError:
            yield wait(secured, EVENT_READ)
        except ssl.SSLWantWriteError:
            yield wait(secured, EVENT_WRITE)


def _expect_silence(opened: socket.socket) -> None:
    """Raise ProtocolError if the server has sent something before any request."""
    with suppress(BlockingIOError, ssl.SSLWantReadError):
        if opened.recv(1):
            raise ProtocolError("the server sent a response before any request")
        raise ConnectionResetError("the connection was closed before any request")
