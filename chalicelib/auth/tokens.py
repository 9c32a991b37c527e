"""Verify JSON Web Tokens of an OpenID Connect issuer.

Imported only if authentication is enabled, because it imports cryptography.

The checks follow RFC 8725 (best current practices) and, for Cognito,
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
"""

import json
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

import jwt
from msgspec import Struct

from chalicelib.config import is_secure
from chalicelib.errors import Unauthorized, trace

# Asymmetric signatures, which only the issuer can create. `none` is excluded, and so are algorithms
# with a shared secret, for which an attacker could use the public key as the secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")

# An unknown key id may be a new key, so keys are fetched again, but not for every made-up key id.
_ASK_AGAIN_SECONDS = 60
_FIRST_AGAIN_SECONDS = 2  # while no key is known
_KEYS_SECONDS = 3600
_TIMEOUT_SECONDS = 5
_LEEWAY_SECONDS = 30
_MAX_TOKEN = 8192
_MAX_NAME = 100

# Claims of an ID token, the most recognizable first.
# https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims
_NAMES = ("email", "preferred_username", "name", "sub")

Fetch = Callable[[str], dict[str, Any]]
"""Fetches a JSON document from a URL."""


class Viewer(Struct, frozen=True):
    """An authenticated user.

    Attributes:
        subject: the user's subject at the issuer.
        until: expiry of the token, in epoch seconds.
        groups: the user's groups.
        name: how other users recognize this one; never used to identify or authorize.
    """

    subject: str
    until: int
    groups: frozenset[str] = frozenset()
    name: str = ""


def fetch(url: str) -> dict[str, Any]:
    """Fetch a JSON document from the issuer.

    Raises:
        OSError, ValueError: the document could not be fetched, or is not JSON.
    """
    if not is_secure(url):
        raise ValueError(f"{url!r} is not an https URL")
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - checked
        if not is_secure(answer.url):
            raise ValueError(f"{url!r} redirects to {answer.url!r}, which is not an https URL")
        document: dict[str, Any] = json.load(answer)
    return document


class TokenVerifier:
    """Verifier of tokens of one issuer for one client; caches the issuer's keys."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        *,
        groups_claim: str = "",
        fetch: Fetch = fetch,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._groups_claim = groups_claim
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")

    def viewer(self, token: str) -> Viewer:
        """Verify a token and return its user.

        Raises:
            Unauthorized: the token is invalid; the message contains the reason, for the log.
        """
        if len(token) > _MAX_TOKEN:
            raise Unauthorized("the token is too long")
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                key=self._key(header),
                algorithms=list(ALGORITHMS),
                issuer=self._issuer,
                options={
                    "require": ["exp", "iss", "sub"],
                    "verify_aud": False,  # Cognito's access tokens have none: _require_audience
                },
                leeway=_LEEWAY_SECONDS,
            )
        except jwt.PyJWTError as error:
            # PyJWT's message may quote the token, such as an unknown extension.
            raise Unauthorized(f"invalid token: {error.__class__.__name__}") from error
        self._require_audience(claims)
        groups = claims.get(self._groups_claim)
        return Viewer(
            str(claims["sub"]),
            int(claims["exp"]) + _LEEWAY_SECONDS,
            frozenset(map(str, groups if isinstance(groups, list) else [])),
            _name(claims),
        )

    def _require_audience(self, claims: dict[str, Any]) -> None:
        """Raise Unauthorized unless the token's audience is our client id."""
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        match claims.get("token_use"):
            case "access":  # Cognito's access tokens have the client id in another claim
                audiences = [claims.get("client_id")]
            case "id" | None:
                pass
            case _:
                raise Unauthorized("the claim token_use is neither access nor id")
        if self._client_id not in audiences:
            raise Unauthorized("the token was issued for a different client")

    def _key(self, header: dict[str, Any]) -> jwt.PyJWK:
        kid = header.get("kid")
        if not isinstance(kid, str):
            raise Unauthorized("the token has no key ID")
        age = self._clock() - self._fetched_at
        patience = _ASK_AGAIN_SECONDS if self._keys else _FIRST_AGAIN_SECONDS
        if age > _KEYS_SECONDS or (kid not in self._keys and age > patience):
            self._refresh()
        if kid not in self._keys:
            raise Unauthorized("the issuer has no key with this key ID")
        key = self._keys[kid]
        if header.get("alg") not in ALGORITHMS or header["alg"] != key.algorithm_name:
            raise Unauthorized("the algorithm does not match the key's")
        return key

    def _refresh(self) -> None:
        """Fetch the issuer's keys; keep the known keys if that fails."""
        self._fetched_at = self._clock()
        try:
            configuration = self._fetch(f"{self._issuer}/.well-known/openid-configuration")
            found = list(self._fetch(configuration["jwks_uri"])["keys"])
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            if not self._keys:
                raise Unauthorized(f"cannot fetch the issuer's keys: {trace(error)}") from error
            return
        keys = {}
        for one in found:
            try:
                if one.get("use", "sig") == "sig":
                    keys[one["kid"]] = jwt.PyJWK(one)
            except (jwt.PyJWTError, KeyError, TypeError, AttributeError):
                continue  # skip unsupported keys, which cannot sign an accepted token
        self._keys = keys or self._keys


def _name(claims: dict[str, Any]) -> str:
    names = (claims.get(claim) for claim in _NAMES)
    return next((one for one in names if isinstance(one, str) and one), "")[:_MAX_NAME]
