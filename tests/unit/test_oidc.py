"""The endpoints with which the page signs users in."""

import pytest

from chalicelib.errors import CommandError
from dashboard.deploy.oidc import sign_in

OWN = {
    "Issuer": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example",
    "SiteDomain": "d111111abcdef8.cloudfront.net",
    "SignInUrl": "https://mailpulse-prod-123456789012.auth.eu-central-1.amazoncognito.com",
}
OTHER = {"Issuer": "https://id.example.com/realm", "SiteDomain": "d111111abcdef8.cloudfront.net"}
DOCUMENT = {
    "issuer": "https://id.example.com/realm",
    "authorization_endpoint": "https://id.example.com/authorize",
    "token_endpoint": "https://id.example.com/token",
}


def not_asked(url):
    raise AssertionError(url)


def test_the_endpoints_of_the_stages_own_user_pool_are_known():
    found = sign_in(OWN, "page", fetch=not_asked)

    assert found.authorization_endpoint == f"{OWN['SignInUrl']}/oauth2/authorize"
    assert found.token_endpoint == f"{OWN['SignInUrl']}/oauth2/token"
    assert found.sign_out == (
        f"{OWN['SignInUrl']}/logout?client_id=page"
        "&logout_uri=https%3A%2F%2Fd111111abcdef8.cloudfront.net%2F"
    )


def test_another_issuer_is_discovered_from_its_metadata():
    asked = []
    document = DOCUMENT | {
        "end_session_endpoint": "https://id.example.com/leave",
        "scopes_supported": ["openid", "offline_access"],
    }

    found = sign_in(OTHER, "page", fetch=lambda url: asked.append(url) or document)

    assert asked == ["https://id.example.com/realm/.well-known/openid-configuration"]
    assert found.token_endpoint == "https://id.example.com/token"
    assert found.scope == "openid email offline_access"
    assert found.sign_out.startswith("https://id.example.com/leave?client_id=page&post_logout")


def test_an_issuer_without_an_end_session_endpoint_has_no_sign_out():
    found = sign_in(OTHER, "page", fetch=lambda _: DOCUMENT)

    assert (found.sign_out, found.scope) == ("", "openid email")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "cannot read the OpenID configuration"),
        (DOCUMENT | {"token_endpoint": "http://id.example.com/token"}, "not an https URL"),
        (DOCUMENT | {"token_endpoint": None}, "cannot read the OpenID configuration"),
        (
            DOCUMENT | {"issuer": "https://id.example.com/other"},
            "the exact name that the issuer uses",
        ),
    ],
)
def test_an_invalid_issuer_is_refused_with_a_remedy(document, says):
    with pytest.raises(CommandError, match=says):
        sign_in(OTHER, "page", fetch=lambda _: document)


def test_an_unreachable_issuer_is_reported():
    def unreachable(url):
        raise OSError("timed out")

    with pytest.raises(CommandError, match="check --issuer and the network"):
        sign_in(OTHER, "page", fetch=unreachable)
