"""Authentication of connections, as an attacker would test it."""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import time
from http.client import IncompleteRead

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec.structs import replace
from support import handlers
from support.tokens import (
    CLIENT,
    CURVE,
    ISSUER,
    NOW,
    ORIGIN,
    OURS,
    THEIRS,
    Issuer,
    claims,
    public,
    signed,
)

from chalicelib.auth.tokens import TokenVerifier
from chalicelib.config import Config
from chalicelib.errors import ConfigError, Unauthorized


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def clock():
    return [float(NOW)]


@pytest.fixture
def tokens(issuer, clock):
    return TokenVerifier(ISSUER, CLIENT, fetch=issuer.fetch, clock=lambda: clock[0])


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(algorithm="none"):
    return f"{part({'alg': algorithm, 'kid': 'key-1', 'typ': 'JWT'})}.{part(claims())}."


def signed_with_the_public_key():
    """Return a token signed with the public key as a shared secret."""
    secret = OURS.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    content = f"{part({'alg': 'HS256', 'kid': 'key-1'})}.{part(claims())}"
    signature = hmac.new(secret, content.encode(), hashlib.sha256).digest()
    return f"{content}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def changed():
    """Return a valid token whose claims were replaced under its signature."""
    header, _, signature = signed().split(".")
    return f"{header}.{part(claims(sub='admin'))}.{signature}"


GOOD = {
    "an id token": signed(),
    "an access token, with its client in another claim": signed(
        aud=None, client_id=CLIENT, token_use="access"
    ),
    "a token of another kind of issuer, without token_use": signed(
        token_use=None, aud=["x", CLIENT]
    ),
    "signed with an elliptic curve key": signed(CURVE, "key-2", "ES256"),
}
BAD = {
    "no token": "",
    "not a JWT": "let-me-in",
    "two parts": "a.b",
    "not JSON": "!!.!!.!!",
    "alg none": unsigned(),
    "alg None": unsigned("None"),
    "signed with the public key as the secret": signed_with_the_public_key(),
    "claims changed after signing": changed(),
    "signature removed": signed().rpartition(".")[0] + ".",
    "another key with our kid": signed(THEIRS),
    "an unknown kid": signed(THEIRS, "key-9"),
    "no kid": jwt.encode(claims(), OURS, "RS256"),
    "a key embedded in the token": signed(
        THEIRS, "key-9", headers={"jwk": public(THEIRS, "key-9")}
    ),
    "an algorithm that does not match the key": signed(algorithm="PS256"),
    "another issuer": signed(iss="https://cognito-idp.eu-central-1.amazonaws.com/other"),
    "an issuer that begins with ours": signed(iss=ISSUER + ".example.com"),
    "no issuer": signed(iss=None),
    "another client": signed(aud="other-client"),
    "another client's access token": signed(aud=None, client_id="other", token_use="access"),
    "another client's access token with our audience": signed(
        client_id="other", token_use="access"
    ),
    "no audience": signed(aud=None),
    "a refresh token": signed(token_use="refresh"),
    "expired": signed(exp=NOW - 120),
    "without an expiry": signed(exp=None),
    "not yet valid": signed(nbf=NOW + 3600),
    "without a subject": signed(sub=None),
    "ten megabytes": "x" * 10_000_000,
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_valid_token_is_accepted(tokens, kind):
    assert tokens.viewer(GOOD[kind]).subject == "user-1"


def test_a_clock_skew_of_a_few_seconds_is_tolerated(tokens):
    assert tokens.viewer(signed(exp=int(time.time()) - 5)).subject == "user-1"


@pytest.mark.parametrize("kind", BAD)
def test_any_other_token_is_refused(tokens, kind):
    with pytest.raises(Unauthorized) as caught:
        tokens.viewer(BAD[kind])

    assert len(str(caught.value)) < 200, "an attacker's input is not quoted in full"


def test_the_issuers_keys_are_fetched_once(tokens, issuer):
    for _ in range(5):
        tokens.viewer(signed())

    assert issuer.asked == 1


def test_forged_key_ids_do_not_each_fetch_the_keys(tokens, issuer, clock):
    tokens.viewer(signed())
    for number in range(50):
        with pytest.raises(Unauthorized):
            tokens.viewer(signed(THEIRS, f"made-up-{number}"))
    assert issuer.asked == 1

    clock[0] += 61
    with pytest.raises(Unauthorized):
        tokens.viewer(signed(THEIRS, "made-up"))
    assert issuer.asked == 2


def test_a_rotated_key_is_fetched_and_a_withdrawn_one_refused(tokens, issuer, clock):
    tokens.viewer(signed())
    issuer.keys = [public(THEIRS, "key-3", alg="RS256")]
    clock[0] += 61

    assert tokens.viewer(signed(THEIRS, "key-3")).subject == "user-1"
    with pytest.raises(Unauthorized):
        tokens.viewer(signed())


def test_cached_keys_are_used_while_the_issuer_is_unreachable(tokens, issuer, clock):
    issuer.is_down = True
    with pytest.raises(Unauthorized, match="cannot fetch the issuer's keys"):
        tokens.viewer(signed())

    issuer.is_down = False
    clock[0] += 61
    tokens.viewer(signed())
    issuer.is_down = True
    clock[0] += 3601
    assert tokens.viewer(signed(exp=NOW + 9000)).subject == "user-1"


def test_a_cold_function_soon_retries_a_failed_key_fetch(tokens, issuer, clock):
    issuer.is_down = True
    with pytest.raises(Unauthorized):
        tokens.viewer(signed())
    issuer.is_down = False

    clock[0] += 3
    assert tokens.viewer(signed()).subject == "user-1"


@pytest.mark.parametrize(
    "failure", [IncompleteRead(b"{"), OSError("reset"), ValueError("not JSON")]
)
def test_a_broken_response_of_the_issuer_keeps_the_cached_keys(tokens, issuer, clock, failure):
    tokens.viewer(signed())

    def broken(url):
        raise failure

    tokens._fetch = broken
    clock[0] += 3601
    assert tokens.viewer(signed(exp=NOW + 9000)).subject == "user-1"


@pytest.mark.parametrize("keys", [None, [], "none", [{"kty": "NEW", "kid": "x"}]])
def test_an_empty_key_set_keeps_the_cached_keys(tokens, issuer, clock, keys):
    tokens.viewer(signed())
    issuer.keys = keys

    clock[0] += 3601
    assert tokens.viewer(signed(exp=NOW + 9000)).subject == "user-1"


def test_keys_for_another_use_or_of_an_unknown_type_are_not_accepted(tokens, issuer):
    issuer.keys = [
        {"kty": "NEW", "kid": "key-0"},
        "no key",
        {**public(THEIRS, "key-4", alg="RS256"), "use": "enc"},
        *issuer.keys,
    ]

    assert tokens.viewer(signed()).subject == "user-1"
    with pytest.raises(Unauthorized):
        tokens.viewer(signed(THEIRS, "key-4"))


@pytest.fixture
def connect(pipeline, issuer):
    """Try to connect; return the status and the echoed subprotocol."""
    pipeline.parts.config = replace(
        pipeline.config, issuer=ISSUER, client_id=CLIENT, allowed_origins=frozenset({ORIGIN})
    )
    pipeline.parts.tokens = TokenVerifier(ISSUER, CLIENT, fetch=issuer.fetch)

    def connect(*protocols, origin=ORIGIN, name="Sec-WebSocket-Protocol"):
        headers = {name: ", ".join(protocols)} if protocols else {}
        if origin is not None:
            headers["Origin"] = origin
        context = {"connectionId": "c-1", "apiId": "api-1", "stage": "api", "connectedAt": 0}
        answer = handlers.connect({"requestContext": context, "headers": headers})
        return answer["statusCode"], answer.get("headers", {}).get("Sec-WebSocket-Protocol")

    return connect


def test_a_signed_in_client_connects_and_its_token_is_not_echoed(connect, capsys):
    token = signed()

    assert connect("mailpulse.v1", f"bearer.{token}") == (200, "mailpulse.v1")
    assert connect(f"bearer.{token}", "mailpulse.v1", name="sec-websocket-protocol") == (
        200,
        "mailpulse.v1",
    )
    assert token not in capsys.readouterr().out


def test_a_client_without_a_sign_in_is_refused_with_401(connect):
    assert connect("mailpulse.v1") == (401, None)
    assert connect() == (401, None)
    assert connect("mailpulse.v1", f"bearer.{signed(exp=NOW - 120)}") == (401, None)
    assert connect("mailpulse.v1", signed()) == (401, None)


@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://evil.example.com", ORIGIN + ".evil.example.com", ORIGIN + "/", "*"],
)
def test_another_origin_is_refused_with_403_even_when_signed_in(connect, origin):
    assert connect("mailpulse.v1", f"bearer.{signed()}", origin=origin) == (403, None)


@pytest.mark.parametrize(
    "missing", [{"CLIENT_ID": ""}, {"ALLOWED_ORIGINS": ""}, {"ISSUER": "http://issuer.example.com"}]
)
def test_an_incomplete_sign_in_configuration_is_an_error(missing):
    environ = {
        **dict.fromkeys(("EVENTS_TABLE", "STATS_TABLE", "SUBSCRIPTIONS_TABLE"), "t"),
        **dict.fromkeys(("QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "EVENTS_STREAM_ARN"), "q"),
        "PSEUDONYM_KEY": "k",
        "ISSUER": ISSUER,
        "CLIENT_ID": CLIENT,
        "ALLOWED_ORIGINS": ORIGIN,
    }
    assert Config.from_environ(environ).allowed_origins == {ORIGIN}

    with pytest.raises(ConfigError, match="ISSUER is"):
        Config.from_environ(environ | missing)


def test_importing_connect_does_not_load_cryptography():
    program = "import sys; import chalicelib.functions.connect; sys.exit('jwt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
