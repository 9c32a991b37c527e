"""HTTP/1.1 messages: serialize requests, and parse responses as they arrive.

https://www.rfc-editor.org/rfc/rfc9112
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from chalicelib.errors import ConfigError

_PORTS = {"https": 443, "http": 80}

# Limits of a response including its interim responses, as in Python's http.client. API Gateway's
# own limit for headers is 10,240 bytes.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-limits-table.html
MAX_HEADERS = 100
MAX_HEADER_BYTES = 64 * 1024

_SWITCHING_PROTOCOLS = 101

# HEAD and CONNECT are excluded: their responses are framed differently (RFC 9112, section 6.3).
Method = Literal["GET", "POST", "DELETE"]


class Origin(NamedTuple):
    """A server to connect to.

    Attributes:
        authority: value of the Host header: the host, and the port unless it is the default.
    """

    secure: bool
    host: str
    port: int
    authority: str


class Response(NamedTuple):
    """A final response.

    Attributes:
        keeps_alive: whether the connection can be reused.
        headers: headers as received, without trailers.
    """

    status: int
    keeps_alive: bool
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    def header(self, wanted: str) -> str:
        """Return the value of a header, given its name in lower case; empty if there is none."""
        for name, value in self.headers:
            if name.lower() == wanted.encode():
                return value.decode("latin-1")
        return ""


class ProtocolError(OSError):
    """A server did not send exactly one response to a request, which it may have processed.

    The connection must be closed: further bytes cannot be attributed to a request.
    """


def is_success(status: int) -> bool:
    """Return whether a request succeeded (RFC 9110, section 15.3)."""
    return 200 <= status < 300  # noqa: PLR2004 - HTTP's 2xx statuses


def parse_url(url: str) -> tuple[Origin, str]:
    """Split a URL into its origin and its path, without a trailing slash.

    Raises:
        ConfigError: the URL is not an http or https URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ConfigError(f"{url!r} is not a service endpoint: set an http or https URL")
    usual = _PORTS[parts.scheme]
    port = parts.port or usual
    authority = parts.hostname if port == usual else f"{parts.hostname}:{port}"
    return Origin(parts.scheme == "https", parts.hostname, port, authority), parts.path.rstrip("/")


def header_lines(headers: Mapping[str, str]) -> str:
    """Serialize headers."""
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])


def request(method: Method, path: str, lines: str, body: bytes) -> bytes:
    """Serialize a request.

    Args:
        method: such as `POST`.
        path: percent-encoded.
        lines: serialized headers, including `host`; the content length is added.
        body: the body, which may be empty.
    """
    head = f"{method} {path} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body


class StatusParser:
    """Parser of the responses on one connection, one per request, that keeps only their status.

    Interim responses (1xx) are skipped, except 101, which no request asks for (RFC 9110, section
    15.2). Bytes after a response are an error, because no request is outstanding.

    Args:
        max_body: maximum length of a body, in bytes.

    Attributes:
        has_begun: whether a response has arrived partially.
    """

    def __init__(self, max_body: int) -> None:
        self.has_begun = False
        self._max_body = max_body
        self._parser = HttpResponseParser(self)
        self._reset()

    def _reset(self) -> None:
        self._received = 0
        self._response: Response | None = None
        self._refused_status: int | None = None

    def feed(self, data: bytes) -> Response | None:
        """Parse the next bytes; return the response if they complete it.

        Raises:
            ProtocolError: the bytes are not HTTP, exceed a limit, or continue after the response.
        """
        self.has_begun = True
        self._received += len(data)
        try:
            # In two steps, because the parser silently skips line breaks after a response.
            self._parser.feed_data(data[:-1])
            if self._response is not None:
                raise ProtocolError("unexpected bytes after the response")
            self._parser.feed_data(data[-1:])
        except (HttpParserError, HttpParserUpgrade) as error:
            raise ProtocolError(f"the response is not HTTP/1.1: {error}") from error
        if self._refused_status is not None:
            raise ProtocolError(f"unexpected response status {self._refused_status}")
        self._check_limits()
        response = self._response
        if response is not None:
            self.has_begun = False
            self._reset()
        return response

    def _check_limits(self) -> None:
        if self._received > (limit := MAX_HEADER_BYTES + self._max_body):
            raise ProtocolError(f"the response is longer than {limit} bytes")

    def _completed(self, status: int, *, keeps_alive: bool) -> Response:
        return Response(status, keeps_alive, (), b"")

    # httptools calls these methods, and those of the subclass, by name.

    def on_message_complete(self) -> None:
        """Store the response, unless it is an interim one."""
        status = self._parser.get_status_code()
        if status >= 200:  # noqa: PLR2004 - the first final status
            keeps_alive = self._parser.should_keep_alive()
            self._response = self._completed(status, keeps_alive=keeps_alive)
        elif status < 100 or status == _SWITCHING_PROTOCOLS:  # noqa: PLR2004 - the first status
            self._refused_status = status


class ResponseParser(StatusParser):
    """Parser of responses with their headers and bodies."""

    def _reset(self) -> None:
        super()._reset()
        self._fields: list[tuple[bytes, bytes]] = []
        self._headers = slice(0, 0)  # the final response's headers; trailers are fields, too
        self._body: list[bytes] = []
        self._body_bytes = 0

    def _check_limits(self) -> None:
        if self._body_bytes > self._max_body:
            raise ProtocolError(f"the response's body is longer than {self._max_body} bytes")
        # Chunk sizes count as headers here, and may be as long as the chunks' contents.
        if self._received - 2 * self._body_bytes > MAX_HEADER_BYTES:
            raise ProtocolError(f"the response's headers are longer than {MAX_HEADER_BYTES} bytes")
        if len(self._fields) > MAX_HEADERS:
            raise ProtocolError(f"the response has more than {MAX_HEADERS} headers")

    def _completed(self, status: int, *, keeps_alive: bool) -> Response:
        return Response(status, keeps_alive, self._fields[self._headers], b"".join(self._body))

    def on_message_begin(self) -> None:
        """Record where the new response's headers begin."""
        self._headers = slice(len(self._fields), None)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header or a trailer."""
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Record where the headers end, because further fields are trailers."""
        self._headers = slice(self._headers.start, len(self._fields))

    def on_body(self, body: bytes) -> None:
        """Store a piece of the body."""
        self._body.append(body)
        self._body_bytes += len(body)
