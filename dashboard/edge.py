"""What stands before the emulator, as API Gateway and CloudFront stand before the functions.

An ASGI middleware. It echoes the WebSocket sub-protocol, which the emulator does not; serves the
page at `/` from the site bucket; and refuses what a foreign web page in the operator's browser
might send here: everything on this port belongs to whoever can reach it.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_PAGE_FILES = {"/": "/index.html", "/index.html": "/index.html", "/favicon.svg": "/favicon.svg"}
_ASSETS = "/assets/"

# What CloudFront adds in AWS; the rest of the page's policy is in the page.
_PAGE_HEADERS = [
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
]


class Edge:
    """The middleware; `bucket` names the site bucket once there is one."""

    def __init__(self, app: App) -> None:
        self.bucket: str | None = None
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection or request."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
        elif not _is_ours(scope["headers"]):
            await _refuse(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, _echo_subprotocol(scope, send))
        elif (file := _page_file(scope)) is None:
            await self._app(scope, receive, send)
        elif self.bucket is None:
            await _answer(send, 503, b"The page is being deployed. Reload in a moment.\n")
        else:
            path = f"/{self.bucket}{file}"
            scope = {**scope, "path": path, "raw_path": path.encode(), "query_string": b""}
            await self._app(scope, receive, _add_page_headers(send))


def _page_file(scope: Scope) -> str | None:
    if scope["method"] not in {"GET", "HEAD"}:
        return None
    path: str = scope["path"]
    return path if path.startswith(_ASSETS) else _PAGE_FILES.get(path)


def _is_ours(headers: Headers) -> bool:
    """Tell whether the host is this machine, and so is the page, if any, that sent the request.

    A foreign page is told by its Origin; one whose name was made to resolve to this machine (DNS
    rebinding), by the Host.
    """
    for name, value in headers:
        if name == b"host" and not _is_loopback(f"//{value.decode('latin-1')}"):
            return False
        if name == b"origin" and not _is_loopback(value.decode("latin-1")):
            return False
    return True


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host in _LOOPBACK or host.endswith(".localhost")


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before accept: HTTP 403
    else:
        await _answer(send, 403, b"Only pages of this machine may ask here.\n")


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _echo_subprotocol(scope: Scope, send: Send) -> Send:
    offered = scope.get("subprotocols") or []

    async def send_with_subprotocol(message: Message) -> None:
        if message["type"] == "websocket.accept" and offered and not message.get("subprotocol"):
            message = {**message, "subprotocol": offered[0]}
        await send(message)

    return send_with_subprotocol


def _add_page_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *_PAGE_HEADERS]}
        await send(message)

    return send_with_headers
