"""Tokens of an OpenID Connect issuer, and the issuer's two documents."""

import json
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example"
CLIENT = "page-client"
ORIGIN = "https://d111111abcdef8.cloudfront.net"
NOW = int(time.time())

OURS = rsa.generate_private_key(public_exponent=65537, key_size=2048)
THEIRS = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


def public(key, kid, **more):
    algorithm = jwt.algorithms.ECAlgorithm if key is CURVE else jwt.algorithms.RSAAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}


class Issuer:
    """Fake of the issuer's two documents.

    Attributes:
        keys: the published keys.
        asked: how often they were requested.
    """

    def __init__(self):
        self.keys = [public(OURS, "key-1", alg="RS256"), public(CURVE, "key-2", alg="ES256")]
        self.asked = 0
        self.is_down = False

    def fetch(self, url):
        if self.is_down:
            raise OSError("timed out")
        if url == f"{ISSUER}/.well-known/openid-configuration":
            return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks"}
        assert url == f"{ISSUER}/jwks"
        self.asked += 1
        return {"keys": self.keys}


def claims(**other):
    base = {"iss": ISSUER, "sub": "user-1", "aud": CLIENT, "exp": NOW + 3600, "token_use": "id"}
    return {name: value for name, value in {**base, **other}.items() if value is not None}


def signed(key=OURS, kid="key-1", algorithm="RS256", headers=None, **other):
    return jwt.encode(claims(**other), key, algorithm, headers={"kid": kid, **(headers or {})})
