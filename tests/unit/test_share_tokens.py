"""The tokens of share links are accepted only with the stage's signature, and until they expire."""

import time

import jwt
import pytest

from chalicelib.auth.share_tokens import ShareTokens
from chalicelib.errors import Unauthorized
from chalicelib.live.permissions import share_subject

KEY = "the stage's key of at least thirty-two bytes"
UNTIL = int(time.time()) + 86_400
OURS = ShareTokens(KEY)
CLAIMS = {"iss": "mailpulse/share", "jti": "x", "campaign": "spring", "exp": UNTIL}


def test_a_signed_token_gives_access_to_its_campaign_until_it_expires():
    access = OURS.access(OURS.sign("x", "spring", UNTIL))

    assert (access.subject, access.shared) == (share_subject("x"), "spring")
    assert (access.until, access.prefixes) == (UNTIL, ())


@pytest.mark.parametrize(
    "token",
    [
        ShareTokens("another key of at least thirty-two bytes").sign("x", "spring", UNTIL),
        jwt.encode(CLAIMS, None, "none"),
        jwt.encode(CLAIMS | {"iss": "https://issuer.example.com"}, KEY, "HS256"),
        OURS.sign("x", "spring", int(time.time()) - 1),
    ],
    ids=["signed with another key", "unsigned", "of another issuer", "expired"],
)
def test_any_other_token_of_the_same_link_is_refused(token):
    with pytest.raises(Unauthorized):
        OURS.access(token)
