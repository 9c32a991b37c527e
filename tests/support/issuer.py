"""A local OpenID Connect issuer for tests of the page's sign-in.

It has a sign-in form, checks PKCE, rotates refresh tokens, and records its requests.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from support.tokens import CLIENT, OURS, public


class Issuer:
    """The issuer, as a context manager.

    Attributes:
        url: the issuer's name.
        seconds: the lifetime of its tokens.
        groups: the groups of the next user who signs in.
        refuses: whether it refuses to renew tokens.
        granted: the grant types for which it has issued tokens.
    """

    def __init__(self) -> None:
        self.seconds = 3600
        self.groups = ["staff"]
        self.refuses = False
        self.granted: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._refresh: dict[str, str] = {}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer._get(self)

            def do_POST(self) -> None:
                issuer._post(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _get(self, request: BaseHTTPRequestHandler) -> None:
        url = urlsplit(request.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path:
            case "/.well-known/openid-configuration":
                document = {
                    "issuer": self.url,
                    "jwks_uri": f"{self.url}/jwks",
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "end_session_endpoint": f"{self.url}/leave",
                    "scopes_supported": ["openid", "offline_access"],
                }
                _answer(request, json.dumps(document), "application/json")
            case "/jwks":
                keys = {"keys": [public(OURS, "key-1", alg="RS256")]}
                _answer(request, json.dumps(keys), "application/json")
            case "/authorize":
                choices = "".join(
                    f'<p><a href="/decide?{urlencode({**asked, "as": who})}">{who}</a></p>'
                    for who in ("Anna", "Deny")
                )
                _answer(request, f"<h1>Sign in to {asked['client_id']}</h1>{choices}")
            case "/decide":
                who = asked.pop("as")
                if who == "Deny":
                    found = {"error": "access_denied", "state": asked["state"]}
                else:
                    code = secrets.token_hex(8)
                    self._codes[code] = {**asked, "sub": who}
                    found = {"code": code, "state": asked["state"]}
                request.send_response(302)
                request.send_header("Location", f"{asked['redirect_uri']}?{urlencode(found)}")
                request.end_headers()
            case "/leave":
                _answer(request, "<h1>Signed out</h1>")
            case "/favicon.ico":
                _answer(request, "", "image/x-icon")
            case _:
                request.send_error(404)

    def _post(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers["Content-Length"])
        asked = {k: v[0] for k, v in parse_qs(request.rfile.read(length).decode()).items()}
        tokens = self._tokens(asked)
        self.granted.append(asked["grant_type"] if tokens else "refused")
        body = tokens or {"error": "invalid_grant"}
        _answer(request, json.dumps(body), "application/json", 200 if tokens else 400)

    def _tokens(self, asked: dict[str, str]) -> dict[str, object] | None:
        nonce: dict[str, str] = {}
        if asked["grant_type"] == "authorization_code":
            begun = self._codes.pop(asked["code"], None)
            digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if (
                begun is None
                or begun["code_challenge"] != challenge
                or begun["code_challenge_method"] != "S256"
                or begun["redirect_uri"] != asked["redirect_uri"]
                or begun["client_id"] != asked["client_id"] != CLIENT
            ):
                return None
            subject, nonce = begun["sub"], {"nonce": begun["nonce"]}
        else:
            subject = self._refresh.pop(asked["refresh_token"], "")
            if self.refuses or not subject:
                return None
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": subject,
            "token_use": "id",
            "iat": now,
            "exp": now + self.seconds,
            "cognito:groups": self.groups,
            **nonce,
        }
        refresh = secrets.token_hex(8)
        self._refresh[refresh] = subject
        return {
            "id_token": jwt.encode(claims, OURS, "RS256", headers={"kid": "key-1"}),
            "access_token": "opaque",
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": self.seconds,
        }


def _answer(
    request: BaseHTTPRequestHandler, body: str, kind: str = "text/html", status: int = 200
) -> None:
    data = body.encode()
    request.send_response(status)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(data)))
    request.send_header("Access-Control-Allow-Origin", "*")
    request.send_header("Cache-Control", "no-store")
    request.end_headers()
    request.wfile.write(data)
