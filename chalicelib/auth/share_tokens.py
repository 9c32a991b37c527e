"""Tokens of share links: a token's bearer may see one campaign's aggregates until it expires.

Tokens are signed with the stage's own key, in the same format as the issuer's tokens; neither can
be used in place of the other. The subscriptions table records which links have been revoked.

Imported only to sign or verify a token, because it imports cryptography.
"""

import time
from collections.abc import Callable

import jwt

from chalicelib.errors import Unauthorized
from chalicelib.live.permissions import Permissions, share_subject

_ALGORITHM = "HS256"
_ISSUER = "mailpulse/share"
_MAX_TOKEN = 2048


class ShareTokens:
    """Signs and verifies the tokens of share links."""

    def __init__(self, key: str, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock

    def sign(self, link_id: str, campaign: str, until: int) -> str:
        """Return a signed token.

        Args:
            link_id: the link's id, used to revoke it.
            campaign: the campaign that the link shows.
            until: expiry in epoch seconds.
        """
        claims = {"iss": _ISSUER, "jti": link_id, "campaign": campaign, "exp": until}
        return jwt.encode(claims, self._key, _ALGORITHM)

    def access(self, token: str) -> Permissions:
        """Verify a token and return its permissions.

        Raises:
            Unauthorized: the token is invalid or has expired; the message contains the reason, for
                the log.
        """
        if not self._key:
            raise Unauthorized("share links are disabled: SHARE_KEY is not set")
        if len(token) > _MAX_TOKEN:
            raise Unauthorized("the token is too long for a share link")
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                options={"require": ["exp", "iss", "jti", "campaign"], "verify_exp": False},
            )
        except jwt.PyJWTError as error:
            # PyJWT's message may quote the token, such as an unknown extension.
            raise Unauthorized(f"invalid token: {error.__class__.__name__}") from error
        access = Permissions(
            share_subject(claims["jti"]), int(claims["exp"]), (), str(claims["campaign"])
        )
        if access.has_ended(self._clock()):
            raise Unauthorized("the share link has expired")
        return access
