"""Fetch public URLs over HTTPS, and read the server's certificate."""

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 10
_DAY_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's response.

    Attributes:
        headers: by name in lower case.
        days: remaining validity of the server's certificate.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    days: int

    def json(self) -> Any:
        """Parse the body as JSON.

        Raises:
            ValueError: the body is not JSON.
        """
        return json.loads(self.body)


class Web:
    """An HTTPS client that trusts the system's certificate authorities, or those of `trust`."""

    def __init__(self, trust: ssl.SSLContext | None = None) -> None:
        self._trust = trust or ssl.create_default_context()

    def get(self, url: str) -> Answer:
        """Send a GET request, without following redirects or using proxies.

        Raises:
            OSError: there is no response; ssl.SSLCertVerificationError if the certificate is
                invalid.
            ValueError: not an HTTPS URL.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError(f"{url!r} is not an https URL")
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS, context=self._trust
        )
        try:
            connection.connect()
            certificate: Any = connection.sock.getpeercert()
            connection.request(
                "GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            )
            answer = connection.getresponse()
            ends = ssl.cert_time_to_seconds(certificate["notAfter"])
            return Answer(
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                answer.read(),
                int((ends - time.time()) // _DAY_SECONDS),
            )
        except http.client.HTTPException as error:
            raise OSError(f"{url} does not return valid HTTP: {error!r}") from error
        finally:
            connection.close()
