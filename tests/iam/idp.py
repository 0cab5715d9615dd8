"""An OpenID provider of our own on the loopback interface, which can be told to lie."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT_ID, CLIENT_SECRET = "insula:test", "s3cret/with+signs"


@lru_cache(maxsize=8)
def key(kid: str) -> rsa.RSAPrivateKey:
    """A private key; the same name means the same key for the whole run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Idp:
    """The provider's state. Everything is public so that a test can turn any screw."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.be_truthful()

    def be_truthful(self) -> None:
        """As on the first day."""
        self.kid = "first"
        self.published = ["first"]
        self.signs_with = ""  # another key than the one that `kid` names
        self.algorithm = "RS256"
        self.claims: dict[str, Any] = {}  # over what is right, None takes a claim away
        self.userinfo: dict[str, Any] | None = None
        self.metadata: dict[str, Any] = {}
        self.answer: dict[str, str] = {}  # over the parameters of the way back
        self.requests: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.person = {"sub": "subject-1", "email": "", "email_verified": True, "given_name": "Ada", "family_name": "B"}

    def description(self) -> dict[str, Any]:
        """The discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?realm=1",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }

    def authorize(self, query: dict[str, str]) -> str:
        """The address that the browser is sent back to."""
        assert query["client_id"] == CLIENT_ID and query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256" and "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        answer = {"code": code, "state": query["state"], "iss": self.issuer, **self.answer}
        return f"{query['redirect_uri']}?{urlencode({name: value for name, value in answer.items() if value})}"

    def redeem(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The token endpoint's answer; nothing for a wrong client, a spent code or another verifier."""
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":")
        asked = self.codes.pop(form.get("code", ""), None)
        if [unquote(part) for part in pair] != [CLIENT_ID, CLIENT_SECRET] or asked is None:
            return None
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return None
        access = secrets.token_urlsafe(16)
        return {"access_token": access, "token_type": "Bearer", "id_token": self.id_token(asked["nonce"], access)}

    def id_token(self, nonce: str, access_token: str) -> str:
        """What it vouches for, or lies."""
        now = int(time.time())
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "nonce": nonce,
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            **self.person,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.algorithm == "none":
            return jwt.encode(claims, None, "none", headers={"kid": self.kid})
        if self.algorithm == "HS256":
            # The classic confusion: the public key as the shared secret.
            shared = self.keys()["keys"][0]["n"].encode()
            return jwt.encode(claims, shared, "HS256", headers={"kid": self.kid})
        return jwt.encode(claims, key(self.signs_with or self.kid), self.algorithm, headers={"kid": self.kid})

    def keys(self) -> dict[str, Any]:
        """The published key set."""
        return {
            "keys": [
                {**json.loads(RSAAlgorithm.to_jwk(key(kid).public_key())), "kid": kid, "use": "sig", "alg": "RS256"}
                for kid in self.published
            ]
        }


@contextmanager
def running() -> Iterator[Idp]:
    """A provider that listens while the body runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        idp = Idp(f"http://127.0.0.1:{server.server_port}")
        server.idp = idp  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield idp
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    @property
    def idp(self) -> Idp:
        return self.server.idp  # type: ignore[attr-defined, no-any-return]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.idp.requests.append(parts.path)
        if parts.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._answer(302, b"", {"Location": self.idp.authorize(query)})
        elif parts.path == "/userinfo":
            self._json(self.idp.userinfo)
        else:
            documents = {"/.well-known/openid-configuration": self.idp.description, "/keys": self.idp.keys}
            self._json(documents[parts.path]() if parts.path in documents else None)

    def do_POST(self) -> None:
        self.idp.requests.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self._json(self.idp.redeem(form, self.headers["Authorization"] or ""))

    def _json(self, body: dict[str, Any] | None) -> None:
        self._answer(400 if body is None else 200, json.dumps(body or {"error": "invalid_grant"}).encode(), {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
