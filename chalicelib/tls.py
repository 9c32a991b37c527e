"""TLS to AWS: certificate and host name are always verified."""

import ssl
from functools import cache

# The roots of AWS's own certificates, https://www.amazontrust.com/repository/: to load these five
# takes a fortieth of the time that the system's hundred and more take.
_AMAZON_ROOTS = f"{__file__.rpartition('/')[0]}/amazon_roots.pem"

_AMAZON = ".amazonaws.com"


def context(host: str) -> ssl.SSLContext:
    """Give what connects to a host: it trusts Amazon's roots for AWS, the system's for others."""
    return _trusting(_AMAZON_ROOTS if host.endswith(_AMAZON) else None)


@cache
def _trusting(roots: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=roots)
