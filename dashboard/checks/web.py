"""Get what is public, over https, and look at the certificate on the way."""

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
    """What a server answered.

    Attributes:
        headers: by their names in lower case.
        days: how long its certificate is still valid.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    days: int

    def json(self) -> Any:
        """Read the body as JSON.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.body)


class Web:
    """A client that trusts what this machine trusts, or what it is told to."""

    def __init__(self, trust: ssl.SSLContext | None = None) -> None:
        self._trust = trust or ssl.create_default_context()

    def get(self, url: str) -> Answer:
        """Get a document. Redirections are not followed, nor are proxies used.

        Raises:
            OSError: there is no answer; ssl.SSLCertVerificationError where the certificate is not
                valid.
            ValueError: it is no https URL.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError(f"{url!r} is no https URL")
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
            raise OSError(f"{url} answers no HTTP: {error!r}") from error
        finally:
            connection.close()
