"""TLS to AWS; certificate and host name are always verified."""

import ssl
from functools import cache

from chalicelib.log import log

# The roots of AWS's own certificates, https://www.amazontrust.com/repository/: these five load 40
# times as fast as the system's more than one hundred roots.
_AMAZON_ROOTS = f"{__file__.rpartition('/')[0]}/amazon_roots.pem"

_AMAZON = ".amazonaws.com"

_widened: list[str] = []

# No trusted root was found for the chain, or the root has expired, so that more roots may help.
# X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, CERT_HAS_EXPIRED, DEPTH_ZERO_SELF_SIGNED_CERT,
# SELF_SIGNED_CERT_IN_CHAIN, UNABLE_TO_GET_ISSUER_CERT_LOCALLY and
# UNABLE_TO_VERIFY_LEAF_SIGNATURE, from OpenSSL's x509_vfy.h
_NO_ROOT = (2, 10, 18, 19, 20, 21)


def context(host: str) -> ssl.SSLContext:
    """Return the SSL context of a host, with Amazon's roots for AWS, else with the system's."""
    return _trusting(_AMAZON_ROOTS if host.endswith(_AMAZON) else None)


def widen(context: ssl.SSLContext, error: ssl.SSLCertVerificationError) -> bool:
    """Trust the system's roots too, until the process ends, if Amazon's roots do not verify AWS.

    This keeps a stage running after AWS has replaced a root, until it is deployed again.

    Args:
        context: the SSL context that rejected a certificate.
        error: the verification error.

    Returns:
        Whether to retry the connection with the same context.
    """
    if context is not _trusting(_AMAZON_ROOTS) or error.verify_code not in _NO_ROOT:
        return False
    _trust_system(error.verify_message)
    return True


@cache
def _trusting(roots: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=roots)


def _trust_system(reason: str) -> None:
    """Add the system's roots, once per process."""
    if _widened:
        return
    _widened.append(reason)
    log(
        "system_roots_trusted",
        detail=f"the bundled root certificates do not verify AWS ({reason}): deploy a version of "
        "Mailpulse with Amazon's current root certificates",
    )
    _trusting(_AMAZON_ROOTS).load_default_certs()
