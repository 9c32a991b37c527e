"""TLS to AWS: certificate and host name are always verified."""

import ssl
from functools import cache

from chalicelib.log import log

# The roots of AWS's own certificates, https://www.amazontrust.com/repository/: to load these five
# takes a fortieth of the time that the system's hundred and more take.
_AMAZON_ROOTS = f"{__file__.rpartition('/')[0]}/amazon_roots.pem"

_AMAZON = ".amazonaws.com"

# The chain is verified, but it is another server's: no other root changes that.
# X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH, from OpenSSL's x509_vfy.h
_OTHER_SERVER = (62, 64)


def context(host: str) -> ssl.SSLContext:
    """Return what verifies a host: by Amazon's roots for AWS, by the system's for others."""
    return _trusting(_AMAZON_ROOTS if host.endswith(_AMAZON) else None)


def widen(context: ssl.SSLContext, error: ssl.SSLCertVerificationError) -> bool:
    """Trust the system's roots as well, for the rest of the process, if Amazon's do not verify AWS.

    So a root that AWS has replaced does not stop a stage until it is deployed again.

    Args:
        context: what refused a certificate.
        error: the refusal.

    Returns:
        Whether the connection may be tried again with the same context.
    """
    if context is not _trusting(_AMAZON_ROOTS) or error.verify_code in _OTHER_SERVER:
        return False
    _trust_system()
    return True


@cache
def _trusting(roots: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=roots)


@cache  # once in a process
def _trust_system() -> None:
    log(
        "system_roots_trusted",
        detail="the bundled roots do not verify AWS: deploy a version with Amazon's present roots",
    )
    _trusting(_AMAZON_ROOTS).load_default_certs()
