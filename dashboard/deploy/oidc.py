"""Find the sign-in endpoints: of the stage's own user pool, or by OpenID Connect discovery."""

from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

from chalicelib.auth.tokens import Fetch, fetch
from chalicelib.config import is_secure
from chalicelib.errors import CommandError
from dashboard.deploy.publish_site import Authenticator
from dashboard.deploy.stack import Outputs

_SCOPE = "openid email"
# An issuer returns a refresh token only for this scope; Cognito always returns one, and rejects the
# scope.
_OFFLINE = "offline_access"


def sign_in(outputs: Outputs, client_id: str, *, fetch: Fetch = fetch) -> Authenticator:
    """Return the issuer's endpoints with which the page signs viewers in.

    Args:
        outputs: the outputs of the stack.
        client_id: the page's OAuth client ID at the issuer.
        fetch: fetches the issuer's discovery document.

    Raises:
        CommandError: the discovery document is unavailable or invalid.
    """
    issuer, site = outputs["Issuer"], f"https://{outputs['SiteDomain']}/"
    found = (
        _of_user_pool(outputs["SignInUrl"])
        if "SignInUrl" in outputs
        else _discovered(issuer, fetch)
    )
    leave = found.get("end_session_endpoint")
    # Cognito has its own name for the post-logout redirect parameter.
    back = "logout_uri" if "://cognito-idp." in issuer else "post_logout_redirect_uri"
    out = urlencode({"client_id": client_id, back: site})
    offline = f" {_OFFLINE}" if _OFFLINE in found.get("scopes_supported", []) else ""
    return Authenticator(
        issuer,
        client_id,
        found["authorization_endpoint"],
        found["token_endpoint"],
        _SCOPE + offline,
        f"{leave}?{out}" if leave else "",
    )


def _of_user_pool(base: str) -> dict[str, Any]:
    """Return the endpoints of Cognito's managed login.

    https://docs.aws.amazon.com/cognito/latest/developerguide/managed-login-endpoints.html
    """
    return {
        "authorization_endpoint": f"{base}/oauth2/authorize",
        "token_endpoint": f"{base}/oauth2/token",
        "end_session_endpoint": f"{base}/logout",
    }


def _discovered(issuer: str, fetch: Fetch) -> dict[str, Any]:
    """Fetch the issuer's discovery document.

    https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
    """
    address = f"{issuer}/.well-known/openid-configuration"
    try:
        found = fetch(address)
        for name in ("authorization_endpoint", "token_endpoint"):
            if not is_secure(found[name]):
                raise ValueError(f"{name} is {found[name]!r}, not an https URL")  # noqa: TRY301 - handled like other faults
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        raise CommandError(
            f"cannot read the OpenID configuration of the issuer ({address}: {error!r}): "
            "check --issuer and the network connection"
        ) from error
    if found.get("issuer") != issuer:
        raise CommandError(
            f"{address} is the configuration of the issuer {found.get('issuer')!r}, not "
            f"{issuer!r}: set --issuer to the exact name that the issuer uses"
        )
    return found
