"""AWS credentials for signing requests, from the environment or from a container endpoint.

Lambda sets the environment variables, except with SnapStart: a snapshot outlives its credentials,
so Lambda serves them at an endpoint instead.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html#snapstart-credentials
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

import os
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock
from urllib.parse import urlsplit

import msgspec

from chalicelib.aws.connection_pool import ConnectionPool, Timeouts
from chalicelib.aws.http11 import header_lines, is_success, parse_url, request
from chalicelib.aws.sigv4 import Credentials
from chalicelib.errors import AwsError, ConfigError
from chalicelib.log import log

_KEY, _SECRET, _TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_AUTHORIZATION = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
_AUTHORIZATION_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"

# Over http, the token may be sent only to the local host and to the container credentials host.
_NEAR = re.compile(r"localhost|127(\.\d{1,3}){3}|169\.254\.170\.2")

# The endpoint is local, and its response shorter than 2 KB.
_DEADLINES = Timeouts(connect=1, answer=2)
_MAX_RESPONSE = 64 * 1024
_ATTEMPTS = 3
_PAUSE_SECONDS = 0.1

_REFRESH_BEFORE_SECONDS = 300
_AGAIN_AFTER_SECONDS = 60  # after a failed refresh, while the current credentials are valid


class ContainerCredentials:
    """Credentials of a container endpoint, refreshed five minutes before they expire.

    Args:
        environ: the environment variables with the endpoint's URL and authorization token.
        clock: returns epoch seconds.
        pause: sleeps for a number of seconds.
    """

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._environ = environ
        self._clock = clock
        self._pause = pause
        self._lock = Lock()
        self._current: Credentials | None = None
        self._expires_at = 0.0
        self._refresh_at = 0.0

    def get(self) -> Credentials:
        """Return valid credentials.

        Raises:
            ConfigError: the endpoint's URL is missing, or must not receive a token.
            AwsError: no credentials could be fetched, and the previous ones have expired.
        """
        with self._lock:  # ingest signs requests in several threads
            return self._get(self._clock())

    def _get(self, now: float) -> Credentials:
        if self._current is not None and now < self._refresh_at:
            return self._current
        try:
            self._current, self._expires_at = self._fetched(now)
            soon = now + _AGAIN_AFTER_SECONDS
            self._refresh_at = max(self._expires_at - _REFRESH_BEFORE_SECONDS, soon)
        except AwsError as error:
            if self._current is None or now >= self._expires_at:
                raise
            log("credentials_not_refreshed", detail=str(error))
            self._refresh_at = now + _AGAIN_AFTER_SECONDS
        self._refresh_at = min(self._refresh_at, self._expires_at)
        return self._current

    def _fetched(self, now: float) -> tuple[Credentials, float]:
        """Fetch credentials; return them with their expiry in epoch seconds."""
        failure: object = None
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._pause(_PAUSE_SECONDS)
            try:
                credentials, expires_at = self._attempt()
            except (OSError, ValueError) as error:
                failure = error
            else:
                if expires_at > now:
                    return credentials, expires_at
                failure = "the credentials in the response have expired"
        raise AwsError("NoCredentials", f"no credentials from the endpoint in {_URI}: {failure}")

    def _attempt(self) -> tuple[Credentials, float]:
        parts = urlsplit(self._environ.get(_URI, ""))
        host = parts.hostname or ""
        if parts.scheme != "https" and not (parts.scheme == "http" and _NEAR.fullmatch(host)):
            raise ConfigError(
                f"{_URI} points to {parts.scheme}://{host}: set an https URL, or http on "
                "127.0.0.1 or 169.254.170.2"
            )
        origin, _ = parse_url(parts.geturl())
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"host": origin.authority, "accept": "application/json", **self._authorization()}
        wire = ConnectionPool(origin, _DEADLINES, _MAX_RESPONSE)
        try:
            response = wire.exchange(request("GET", path, header_lines(headers), b""))
        finally:
            wire.close()
        if not is_success(response.status):
            raise ValueError(f"status {response.status}")
        return _read(response.body)

    def _authorization(self) -> dict[str, str]:
        """Return the authorization header; the file is re-read, because its token is rotated."""
        token = self._environ.get(_AUTHORIZATION, "")
        if path := self._environ.get(_AUTHORIZATION_FILE):
            with open(path, encoding="latin-1") as file:  # noqa: PTH123 - pathlib is a slow import
                token = file.read()
        if not token.isascii() or not token.isprintable():
            raise ValueError("the authorization token is not a valid header value")
        return {"authorization": token} if token else {}


class _Document(msgspec.Struct):
    """The endpoint's response."""

    access_key: str = msgspec.field(name="AccessKeyId")
    secret_key: str = msgspec.field(name="SecretAccessKey")
    session_token: str = msgspec.field(name="Token")
    expiration: datetime = msgspec.field(name="Expiration")


def _read(body: bytes) -> tuple[Credentials, float]:
    try:
        found = msgspec.json.decode(body, type=_Document)
    except msgspec.MsgspecError:  # its message may quote a secret
        raise ValueError(f"{len(body)} bytes that are not valid credentials") from None
    if found.expiration.tzinfo is None:
        raise ValueError("the expiration has no time zone")
    credentials = Credentials(found.access_key, found.secret_key, found.session_token)
    return credentials, found.expiration.timestamp()


_container = ContainerCredentials()


def credentials() -> Credentials:
    """Return the current credentials of this process; they change, because Lambda rotates them.

    Raises:
        ConfigError: no credentials are configured.
        AwsError: the container endpoint returned none.
    """
    environ = os.environ
    if not environ.get(_KEY) and environ.get(_URI):
        return _container.get()
    return Credentials(_required(_KEY), _required(_SECRET), environ.get(_TOKEN) or None)


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise ConfigError(
            f"neither {name} nor {_URI} is set: the functions sign requests with the "
            "credentials that Lambda sets there"
        )
    return value
