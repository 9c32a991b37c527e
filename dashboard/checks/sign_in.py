"""Check the issuer: its discovery document, keys and certificate."""

import ssl
from collections.abc import Iterator
from typing import Any

import jwt

from chalicelib.auth.tokens import ALGORITHMS
from dashboard.checks.finding import Finding, Subject, fail, ok, warn
from dashboard.checks.web import Answer

_DAYS = 14
_OK = 200


def check_issuer(subject: Subject) -> Iterator[Finding]:
    """Check the issuer's discovery document and keys as the functions use them."""
    issuer = subject.output("Issuer")
    remedy = "check --issuer, and that the issuer is available"
    try:
        answer = subject.web.get(f"{issuer}/.well-known/openid-configuration")
        document = _document(answer)
        named, keys_url = document["issuer"], document["jwks_uri"]
        if named != issuer:
            yield fail(
                f"{issuer} identifies itself as {named!r}, so its tokens are rejected", remedy
            )
            return
        keys = _document(subject.web.get(keys_url))["keys"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield unreachable(issuer, error, remedy)
        return
    usable = [one for one in keys if _signs(one)]
    if not usable:
        yield fail(f"none of the {len(keys)} keys at {keys_url} is supported", remedy)
    else:
        yield ok(f"{issuer} is available, with {len(usable)} keys")
    yield from check_days(issuer, answer)


def check_days(where: str, answer: Answer) -> Iterator[Finding]:
    """Check that a certificate does not expire soon."""
    if answer.days < _DAYS:
        yield warn(f"the certificate of {where} expires in {answer.days} days", "renew it")
    else:
        yield ok(f"the certificate of {where} is valid for {answer.days} days")


def unreachable(where: str, error: Exception, remedy: str) -> Finding:
    """Return a finding that explains a failed request."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return fail(f"the certificate of {where} is not valid: {error.verify_message}", "renew it")
    return fail(f"unexpected response or no response from {where} ({error!r})", remedy)


def _document(answer: Answer) -> Any:
    if answer.status != _OK:
        raise ValueError(f"status {answer.status}")
    return answer.json()


def _signs(key: Any) -> bool:
    try:
        return key.get("use", "sig") == "sig" and jwt.PyJWK(key).algorithm_name in ALGORITHMS
    except (jwt.PyJWTError, AttributeError, TypeError):
        return False
