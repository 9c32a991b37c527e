"""HTTP/1.1 in bytes: a request written, an answer read as it arrives."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpResponseParser

from chalicelib.errors import ConfigError

_PORTS = {"https": 443, "http": 80}


class Origin(NamedTuple):
    """Whom to connect to.

    Attributes:
        authority: host, and the port where it is not the usual one: a request's Host.
    """

    secure: bool
    host: str
    port: int
    authority: str


class Answer(NamedTuple):
    """What a server answered.

    Attributes:
        keeps_alive: whether the connection may be used again.
        headers: as they came.
    """

    status: int
    keeps_alive: bool
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""

    def header(self, wanted: str) -> str:
        """Give a header's value by its name in lower case; empty where there is none."""
        for name, value in self.headers:
            if name.lower() == wanted.encode():
                return value.decode("latin-1")
        return ""


class NotHttp(ValueError):
    """What came is no HTTP answer."""


def divided(url: str) -> tuple[Origin, str]:
    """Divide a URL into whom to connect to and the path there, without a slash at its end.

    Raises:
        ConfigError: it is no http or https URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ConfigError(f"{url!r} is no address of a service: set an http or https URL")
    usual = _PORTS[parts.scheme]
    port = parts.port or usual
    authority = parts.hostname if port == usual else f"{parts.hostname}:{port}"
    return Origin(parts.scheme == "https", parts.hostname, port, authority), parts.path.rstrip("/")


def header_lines(headers: Mapping[str, str]) -> str:
    """Write headers."""
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])


def request(method: str, path: str, lines: str, body: bytes) -> bytes:
    """Write a request.

    Args:
        method: such as `POST`.
        path: percent-encoded.
        lines: of the headers, with `host` among them; the body's length is added.
        body: may be empty.
    """
    head = f"{method} {path} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body


class StatusReader:
    """Reads the answers that come on one connection, each to a request that was sent before it.

    It gives the status, and whether the connection may be used again; AnswerReader gives all.

    Attributes:
        has_begun: whether a part of an answer has come, and its end has not.
    """

    def __init__(self) -> None:
        self.has_begun = False
        self._parser = HttpResponseParser(self)
        self._answer: Answer | None = None

    def feed(self, data: bytes) -> Answer | None:
        """Take what has come; give the answer when it is whole.

        Raises:
            NotHttp: it is no HTTP.
        """
        self.has_begun = True
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            raise NotHttp(str(error)) from error
        answer, self._answer = self._answer, None
        if answer is not None:
            self.has_begun = False
        return answer

    def on_message_complete(self) -> None:  # noqa: D102 - httptools calls what there is of its names
        status, keeps_alive = self._parser.get_status_code(), self._parser.should_keep_alive()
        self._answer = Answer(status, keeps_alive)


class AnswerReader(StatusReader):
    """Reads answers with their headers and bodies."""

    def __init__(self) -> None:
        super().__init__()
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []

    def on_message_begin(self) -> None:  # noqa: D102 - the same
        self._headers = []
        self._body = []

    def on_header(self, name: bytes, value: bytes) -> None:  # noqa: D102 - the same
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:  # noqa: D102 - the same
        self._body.append(body)

    def on_message_complete(self) -> None:  # noqa: D102 - the same
        status, keeps_alive = self._parser.get_status_code(), self._parser.should_keep_alive()
        self._answer = Answer(status, keeps_alive, self._headers, b"".join(self._body))
