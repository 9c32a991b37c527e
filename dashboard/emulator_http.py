"""A small HTTP/1.1 server for the requests of the Lambda functions.

A function sends a few requests for each open and click, and one for each viewer and push. The
server that the emulator comes with spends more CPU time on each than the emulator on its response.
This one serves what functions send and nothing else: bodies with a Content-Length, one request at
a time on a connection, no WebSocket. It runs the same ASGI application, with the same checks.
"""

import asyncio
import http
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# DynamoDB's longest request has 16 MB:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
_LONGEST_BODY = 16 * 1024 * 1024
_LONGEST_HEAD = 64 * 1024
_REQUEST_LINE_PARTS = 3
_FAILED: Message = {"status": http.HTTPStatus.INTERNAL_SERVER_ERROR, "headers": []}

logger = logging.getLogger("mailpulse")


class RequestError(Exception):
    """A request is malformed, too long, or of a form that this server does not support."""


async def serve(app: App, host: str) -> str:
    """Serve an ASGI application at a free port, and return its URL."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(app), host, 0)
    return f"http://{host}:{server.sockets[0].getsockname()[1]}"


class Connection(asyncio.Protocol):
    """One connection; each request is served when the one before has its response."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._received = bytearray()
        self._serving: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """Let an application that waits for the end of the connection see it."""
        self._lost.set()

    def data_received(self, data: bytes) -> None:
        """Take in bytes, and serve the request that they complete."""
        self._received += data
        if self._serving is None:
            self._serve_next()

    def _serve_next(self) -> None:
        try:
            request = take_request(self._received)
        except RequestError as error:
            logger.warning("a request of a function was refused: %s", error)
            self._transport.close()
            return
        if request is not None:
            scope, body = request
            self._serving = asyncio.get_running_loop().create_task(self._serve(scope, body))

    async def _serve(self, scope: Scope, body: bytes) -> None:
        start, content = _FAILED, b""
        bodies = [body]

        async def receive() -> Message:
            if bodies:
                return {"type": "http.request", "body": bodies.pop(), "more_body": False}
            await self._lost.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal start, content
            if message["type"] == "http.response.start":
                start = message
            else:
                content += message.get("body", b"")

        try:
            await self._app(scope, receive, send)
        except Exception:
            logger.exception("%s %s failed", scope["method"], scope["path"])
            start, content = _FAILED, b""
        self._serving = None
        if not self._transport.is_closing():
            self._transport.write(_response(start, content))
            self._serve_next()


def take_request(received: bytearray) -> tuple[Scope, bytes] | None:
    """Remove the first request from what was received; None while it is incomplete.

    Returns:
        The ASGI scope and the body.

    Raises:
        RequestError: the connection has to be closed.
    """
    end = received.find(b"\r\n\r\n")
    if (len(received) if end < 0 else end) > _LONGEST_HEAD:
        raise RequestError(f"its head is longer than {_LONGEST_HEAD} bytes")
    if end < 0:
        return None
    request_line, *lines = bytes(received[:end]).split(b"\r\n")
    headers = [_header(line) for line in lines]
    length = _content_length(headers)
    begin = end + 4
    if len(received) < begin + length:
        return None
    body = bytes(received[begin : begin + length])
    del received[: begin + length]
    return _scope(request_line, headers), body


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    # RFC 9112, section 5.1: no whitespace between name and colon; 5.2: no folded lines.
    if not colon or not name or name != name.strip():
        raise RequestError("it has a malformed header line")
    return name.lower(), value.strip()


def _content_length(headers: list[tuple[bytes, bytes]]) -> int:
    # RFC 9112, section 6.3: what frames the body must be beyond doubt.
    if any(name == b"transfer-encoding" for name, _ in headers):
        raise RequestError("it has a Transfer-Encoding, which is not supported")
    lengths = {value for name, value in headers if name == b"content-length"} or {b"0"}
    value = lengths.pop()
    if lengths or not value.isdigit():
        raise RequestError("its Content-Length is malformed")
    if int(value) > _LONGEST_BODY:
        raise RequestError(f"its body is longer than {_LONGEST_BODY} bytes")
    return int(value)


def _scope(request_line: bytes, headers: list[tuple[bytes, bytes]]) -> Scope:
    parts = request_line.split(b" ")
    if len(parts) != _REQUEST_LINE_PARTS or parts[2] != b"HTTP/1.1":
        raise RequestError("it is not HTTP/1.1")
    path, _, query = parts[1].partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": parts[0].decode("latin-1"),
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 0),
    }


def _response(start: Message, content: bytes) -> bytes:
    """Write a response; the application has set a Content-Length or none."""
    status = http.HTTPStatus(start["status"])
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    lines += [b"%s: %s" % pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
    lines.append(b"content-length: %d" % len(content))
    return b"\r\n".join(lines) + b"\r\n\r\n" + content
