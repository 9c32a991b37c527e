"""Where the page signs people in: the stage's own user pool, or an issuer that says it itself."""

from urllib.parse import urlencode

from chalicelib.auth import Fetch, fetch
from chalicelib.errors import CommandError
from dashboard.site import SignIn
from dashboard.stack import Outputs

_SCOPE = "openid email"
# With it, an issuer gives a refresh token; Cognito gives one anyway, and refuses the scope.
_OFFLINE = "offline_access"


def sign_in(outputs: Outputs, client_id: str, *, fetch: Fetch = fetch) -> SignIn:
    """Find out where the page signs people in.

    Args:
        outputs: of the stack.
        client_id: what the page is to the issuer.
        fetch: gets the issuer's discovery document.

    Raises:
        CommandError: the issuer does not say.
    """
    issuer, site = outputs["Issuer"], f"https://{outputs['SiteDomain']}/"
    if "SignInUrl" in outputs:
        # https://docs.aws.amazon.com/cognito/latest/developerguide/managed-login-endpoints.html
        base = outputs["SignInUrl"]
        out = urlencode({"client_id": client_id, "logout_uri": site})
        return SignIn(
            issuer,
            client_id,
            f"{base}/oauth2/authorize",
            f"{base}/oauth2/token",
            _SCOPE,
            f"{base}/logout?{out}",
        )
    # https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
    address = f"{issuer}/.well-known/openid-configuration"
    try:
        found = fetch(address)
        endpoints = (str(found["authorization_endpoint"]), str(found["token_endpoint"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(
            f"the issuer does not say where to sign in ({address}: {error!r}): check --issuer, and "
            "that this machine reaches it"
        ) from error
    if found.get("issuer") != issuer:
        raise CommandError(
            f"{address} is of the issuer {found.get('issuer')!r}, not {issuer!r}: give --issuer "
            "exactly as it names itself"
        )
    offline = f" {_OFFLINE}" if _OFFLINE in found.get("scopes_supported", []) else ""
    # https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout
    leave = found.get("end_session_endpoint")
    out = urlencode({"client_id": client_id, "post_logout_redirect_uri": site})
    return SignIn(
        issuer, client_id, *endpoints, _SCOPE + offline, f"{leave}?{out}" if leave else ""
    )
