"""AWS Signature Version 4, which authenticates requests.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from string import ascii_letters, digits
from typing import NamedTuple

_ALGORITHM = "AWS4-HMAC-SHA256"

# For every service but S3, the canonical path is the percent-encoded path, encoded once more.
_ENCODED_AGAIN = {
    code: f"%{code:02X}" for code in range(128) if chr(code) not in f"{ascii_letters}{digits}-_.~/"
}


class Credentials(NamedTuple):
    """Credentials of a user, or of a role, whose credentials Lambda rotates."""

    access_key: str
    secret_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        """Return the access key, without the secrets."""
        return f"Credentials({self.access_key!r})"


class Signer:
    """Signer of requests to one service at one time.

    Args:
        credentials: the credentials to sign with.
        region: such as `us-east-1`.
        service: the service's signing name, such as `dynamodb`.
        now: epoch seconds. Services reject requests signed more than five minutes ago.
    """

    def __init__(self, credentials: Credentials, region: str, service: str, now: float) -> None:
        self._date = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        day = self._date[:8]
        self._scope = f"{day}/{region}/{service}/aws4_request"
        self._key = _signing_key(credentials.secret_key, day, region, service)
        self._prefix = f"{_ALGORITHM} Credential={credentials.access_key}/{self._scope}"
        self._own = {"x-amz-date": self._date}
        if credentials.session_token is not None:
            self._own["x-amz-security-token"] = credentials.session_token

    def prepared(self, headers: Mapping[str, str]) -> "Signing":
        """Prepare to sign requests that differ only in method, path and body.

        Args:
            headers: headers to sign, including `host`. Names are in lower case; values have no
                spaces at either end and no consecutive spaces.
        """
        return Signing({**headers, **self._own}, self._date, self._scope, self._key, self._prefix)


class Signing:
    """Signer of requests that differ only in method, path and body.

    Attributes:
        headers: headers of each request, in addition to `authorization`.
    """

    def __init__(
        self, headers: Mapping[str, str], date: str, scope: str, key: bytes, prefix: str
    ) -> None:
        self.headers = headers
        self._key = key
        names = sorted(headers)
        signed_names = ";".join(names)
        lines = "".join([f"{name}:{headers[name]}\n" for name in names])
        self._canonical = f"\n\n{lines}\n{signed_names}\n"
        self._to_sign = f"{_ALGORITHM}\n{date}\n{scope}\n"
        self._authorization = f"{prefix}, SignedHeaders={signed_names}, Signature="

    def authorization(self, method: str, path: str, body_hash: str) -> str:
        """Return the value of a request's `authorization` header.

        Args:
            method: such as `POST`.
            path: as sent, percent-encoded; without query and dot segments.
            body_hash: `payload_hash` of the body.
        """
        request = f"{method}\n{_canonical_path(path)}{self._canonical}{body_hash}"
        to_sign = self._to_sign + hashlib.sha256(request.encode()).hexdigest()
        return self._authorization + hmac.digest(self._key, to_sign.encode(), "sha256").hex()


def payload_hash(body: bytes) -> str:
    """Return the hash of a request's body that its signature requires."""
    return hashlib.sha256(body).hexdigest()


@lru_cache(maxsize=10_000)  # pushes go to the same connections each second
def _canonical_path(path: str) -> str:
    return path.translate(_ENCODED_AGAIN)


@lru_cache(maxsize=16)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
