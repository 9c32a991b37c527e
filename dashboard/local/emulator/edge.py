"""ASGI middleware in front of the emulator: serve the page, and reject requests from web pages.

The emulator runs any function that it is sent as a process on this machine, so its API must accept
requests only from local programs. A browser sends the requests of any page to any address. It marks
them with `Sec-Fetch-*` (https://www.w3.org/TR/fetch-metadata/) or `Origin`
(https://www.rfc-editor.org/rfc/rfc6454#section-7), which a page can neither set nor remove. A
request with such a header is served only if it reads a file of Mailpulse's own page or opens a
WebSocket for it. A request without such a header comes from a program, or is a GET from an old
browser, which changes nothing: requests of AWS's query API are rejected if the URL contains the
action.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import parse_qsl

from dashboard.local.emulator.environment import HOST

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_PAGE_FILES = {"/": "/index.html", "/index.html": "/index.html", "/favicon.svg": "/favicon.svg"}
_ASSETS = "/assets/"
_READING = {"GET", "HEAD"}

# The emulator itself routes names below .localhost, such as {api}.execute-api.localhost.
_PAGE_HOSTS = (HOST, "localhost", "[::1]")
_OTHER_HOSTS = ".localhost"

# The emulator's admin paths, which include state resets and configuration changes.
_ADMIN_PATHS = ("/_ministack", "/_localstack")
_HEALTH = "/_ministack/health"

_HTTP_PORT = 80  # the default port, which clients omit from Host and Origin

# Even if a response reaches a page of another origin, the browser must not expose or run it.
# https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header
_PROTECTION = [
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
]
_SHARING = (b"access-control-", b"timing-allow-origin")
# The header that CloudFront adds in AWS; the rest of the policy is in the page itself.
_PAGE_HEADERS = [(b"content-security-policy", b"frame-ancestors 'none'")]


class Edge:
    """The middleware.

    Args:
        app: the emulator.
        allowed_origins: additional origins whose pages may open WebSockets.

    Attributes:
        bucket: the site bucket; None until it exists.
    """

    def __init__(self, app: App, allowed_origins: Collection[str] = ()) -> None:
        self.bucket: str | None = None
        self._app = app
        self._allowed_origins = {origin.lower().removesuffix("/") for origin in allowed_origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection or request."""
        if scope["type"] == "websocket":
            if self._refuses_websocket(scope):
                await receive()
                await send({"type": "websocket.close", "code": 1008})  # before accept: HTTP 403
            else:
                await self._app(scope, receive, _echo_subprotocol(scope, send))
        elif scope["type"] == "http":
            await self._respond(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refuses_websocket(self, scope: Scope) -> bool:
        """Return whether Origin is untrusted; every browser sends it (RFC 6455, section 4.1)."""
        origins = _values(scope, b"origin")
        trusted = {_origin(scope), *self._allowed_origins}
        return (
            not _is_local(scope)
            or not trusted.issuperset(origins)
            or (_is_of_browser(scope) and not origins)
        )

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = _page_file(scope)
        send = _with_headers(send, _PROTECTION)
        if (why := _refusal(scope, file)) is not None:
            await _send_text(send, 403, why)
        elif file is None:
            await self._app(scope, receive, send)
        elif _values(scope, b"host") != [_authority(HOST, scope)]:
            # The page's WebSocket is at this address; under another name it would be cross-origin.
            location = f"{_origin(scope)}/"
            await _send_text(send, 307, f"The page is at {location}", [(b"location", location)])
        elif self.bucket is None:
            await _send_text(send, 503, "The page is being deployed. Reload in a moment.")
        else:
            path = f"/{self.bucket}{file}"
            scope = {**scope, "path": path, "raw_path": path.encode(), "query_string": b""}
            await self._app(scope, receive, _with_headers(send, _PAGE_HEADERS))


def _refusal(scope: Scope, file: str | None) -> str | None:
    """Return why a request is rejected; None if it is not."""
    if not _is_local(scope):
        # With DNS rebinding, the host name of a foreign page resolves to this machine.
        return f"The Host header must be {_authority(HOST, scope)}."
    if _is_of_browser(scope) and (file is None or not _is_of_page(scope)):
        return (
            "Requests from pages of other origins are not allowed. To open Mailpulse, enter "
            f"{_origin(scope)}/ in the address bar."
        )
    if any(name == "Action" for name, _value in _query(scope)):
        return (
            "The action of the AWS query API must be in the body of a POST request, not in the URL."
        )
    if scope["path"].startswith(_ADMIN_PATHS) and scope["path"] != _HEALTH:
        return "The internal endpoints of the emulator are disabled."
    return None


def _page_file(scope: Scope) -> str | None:
    """Return the page's file that is requested; None for any other request."""
    hosts = {_authority(name, scope) for name in _PAGE_HOSTS}
    if scope["method"] not in _READING or not hosts.issuperset(_values(scope, b"host")):
        return None
    path: str = scope["path"]
    return path if path.startswith(_ASSETS) else _PAGE_FILES.get(path)


def _is_of_browser(scope: Scope) -> bool:
    return any(name == b"origin" or name.startswith(b"sec-fetch-") for name, _ in scope["headers"])


def _is_of_page(scope: Scope) -> bool:
    """Return whether a browser's request comes from the page, or from a URL that the user entered.

    Another port of this machine is `same-site`, and must not be trusted either.
    """
    sites, origins = _values(scope, b"sec-fetch-site"), _values(scope, b"origin")
    return (
        bool(sites or origins)
        and {"same-origin", "none"}.issuperset(sites)
        and {_origin(scope)}.issuperset(origins)
    )


def _is_local(scope: Scope) -> bool:
    """Return whether the Host header names this machine and our port."""
    names = {_authority(name, scope) for name in _PAGE_HOSTS}
    others = _authority(_OTHER_HOSTS, scope)
    hosts = _values(scope, b"host")
    return len(hosts) == 1 and (hosts[0] in names or hosts[0].endswith(others))


def _origin(scope: Scope) -> str:
    return f"http://{_authority(HOST, scope)}"


def _authority(name: str, scope: Scope) -> str:
    _address, port = scope["server"]
    return name if port == _HTTP_PORT else f"{name}:{port}"


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").lower() for key, value in scope["headers"] if key == name]


def _query(scope: Scope) -> list[tuple[str, str]]:
    """Parse the query string as the emulator does."""
    return parse_qsl(scope["query_string"].decode("utf-8", "replace"), keep_blank_values=True)


async def _send_text(
    send: Send, status: int, text: str, headers: Collection[tuple[bytes, str]] = ()
) -> None:
    fields = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"cache-control", b"no-store"),
        *((name, value.encode("latin-1")) for name, value in headers),
    ]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": f"{text}\n".encode()})


def _echo_subprotocol(scope: Scope, send: Send) -> Send:
    """Wrap `send` to accept the first offered subprotocol, which the emulator does not do."""
    offered = scope.get("subprotocols") or []

    async def send_with_subprotocol(message: Message) -> None:
        if message["type"] == "websocket.accept" and offered and not message.get("subprotocol"):
            message = {**message, "subprotocol": offered[0]}
        await send(message)

    return send_with_subprotocol


def _with_headers(send: Send, headers: Collection[tuple[bytes, bytes]]) -> Send:
    """Wrap `send` to add headers, and to remove those that allow access from all origins."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if not name.lower().startswith(_SHARING)
            ]
            message = {**message, "headers": [*kept, *headers]}
        await send(message)

    return send_with_headers
