"""The tokens of share links: whoever has one sees one campaign's aggregates, until it ends.

Signed with the stage's own key, in the same form as the issuer's tokens; neither can be passed off
as the other. That a link has not been revoked is known by the subscriptions table.

Imported only where a token is made or verified: it brings cryptography with it.
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
    """Makes and verifies the tokens of share links."""

    def __init__(self, key: str, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock

    def sign(self, link_id: str, campaign: str, until: int) -> str:
        """Make a token.

        Args:
            link_id: names the link, to revoke it by.
            campaign: the one that it shows.
            until: epoch seconds when it ends.
        """
        claims = {"iss": _ISSUER, "jti": link_id, "campaign": campaign, "exp": until}
        return jwt.encode(claims, self._key, _ALGORITHM)

    def access(self, token: str) -> Permissions:
        """Tell what a token shows.

        Raises:
            Unauthorized: it is none of ours, or has ended; says why, for the log.
        """
        if not self._key:
            raise Unauthorized("share links are off: SHARE_KEY is not set")
        if len(token) > _MAX_TOKEN:
            raise Unauthorized("longer than any share link")
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                options={"require": ["exp", "iss", "jti", "campaign"], "verify_exp": False},
            )
        except jwt.PyJWTError as error:
            # PyJWT quotes what a token holds, such as an extension that it does not know.
            raise Unauthorized(f"not a valid token: {error.__class__.__name__}") from error
        access = Permissions(
            share_subject(claims["jti"]), int(claims["exp"]), (), str(claims["campaign"])
        )
        if access.has_ended(self._clock()):
            raise Unauthorized("the share link has ended")
        return access
