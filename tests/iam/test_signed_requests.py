"""Signed requests: the vectors of RFC 9421, what a signature must cover, and that none is good twice."""

import base64
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from rest_framework.test import APIClient

from apps.core.clock import utcnow
from apps.core.errors import ValidationFailed
from apps.iam import signed_requests
from apps.iam.api_key_models import SignatureAlgorithm, SignatureNonce
from apps.iam.api_keys import NewSecret
from apps.iam.errors import InvalidSignature
from apps.tenancy.selectors import TenantView
from tests.api.problem import problem
from tests.fixtures.clients import ApiFor
from tests.iam.keys import made
from tests.iam.signing import Sign, signed, with_secret
from tests.iam.threads import at_once

URL = "http://localhost/api/v1/clients"
BODY = b'{"name": "Ionian", "currency": "EUR"}'

# RFC 9421, appendix B: the keys of B.1.3 to B.1.5 and the messages of B.2.
_ED25519_X = "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"
_P256 = ("qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA", "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0")
_SHARED = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
_REQUEST_BODY, _ANSWER_BODY = b'{"hello": "world"}', b'{"message": "good dog"}'


class _Request:
    method, url = "POST", "https://example.com/foo?param=Value&Pet=dog"

    def __init__(self, **headers: str) -> None:
        self.headers = {
            "Host": "example.com",
            "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
            "Content-Type": "application/json",
            "Content-Digest": "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX"
            "+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
            "Content-Length": "18",
            **headers,
        }


class _Answer:
    status_code, request = 200, _Request()

    def __init__(self, **headers: str) -> None:
        self.headers = {
            "Date": "Tue, 20 Apr 2021 02:07:56 GMT",
            "Content-Type": "application/json",
            "Content-Digest": "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ4"
            "1QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:",
            "Content-Length": "23",
            **headers,
        }


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _pem(key: Any) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(key.public_bytes(serialization.Encoding.PEM, form))


def _vector(section: str) -> tuple[Any, bytes | None, str, SignatureAlgorithm, bytes]:
    if section == "B.2.4":
        x, y = (int.from_bytes(_unpadded(part), "big") for part in _P256)
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        headers = {
            "Signature-Input": 'sig-b24=("@status" "content-type" "content-digest" "content-length")'
            ';created=1618884473;keyid="test-key-ecc-p256"',
            "Signature": "sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKo"
            "cgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==:",
        }
        return _Answer(**headers), _ANSWER_BODY, "test-key-ecc-p256", SignatureAlgorithm.ECDSA_P256, _pem(public)
    if section == "B.2.5":
        headers = {
            "Signature-Input": 'sig-b25=("date" "@authority" "content-type")'
            ';created=1618884473;keyid="test-shared-secret"',
            "Signature": "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
        }
        shared = base64.b64decode(_SHARED)
        return _Request(**headers), None, "test-shared-secret", SignatureAlgorithm.HMAC_SHA256, shared
    headers = {
        "Signature-Input": 'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"',
        "Signature": "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu"
        "4A0w6vuQv5lIp5WPpBKRCw==:",
    }
    public_key = ed25519.Ed25519PublicKey.from_public_bytes(_unpadded(_ED25519_X))
    return _Request(**headers), None, "test-key-ed25519", SignatureAlgorithm.ED25519, _pem(public_key)


@pytest.mark.parametrize("section", ["B.2.4", "B.2.5", "B.2.6"])
def test_the_vectors_of_the_rfc(section: str) -> None:
    message, body, key_id, algorithm, verifier = _vector(section)
    options: dict[str, Any] = {"key_id": key_id, "algorithm": algorithm, "verifier": verifier, "max_age": None}
    found = signed_requests.verified(message, body, **options)
    assert found.parameters["created"] == 1618884473
    message.headers["Content-Type"] = "text/plain"
    with pytest.raises(InvalidSignature):
        signed_requests.verified(message, body, **options)


@pytest.mark.parametrize(("message", "body"), [(_Request(), _REQUEST_BODY), (_Answer(), _ANSWER_BODY)])
def test_the_digests_of_the_rfc(message: Any, body: bytes) -> None:
    digest = signed_requests.HTTPMessageVerifier.content_digest_class
    digest.verify(message.headers["Content-Digest"], body)
    with pytest.raises(Exception, match="does not match"):
        digest.verify(message.headers["Content-Digest"], body + b" ")


@pytest.fixture
def key(acme: TenantView) -> NewSecret:
    """A key of Acme's owner whose requests are signed with a shared secret."""
    return made(acme, "clients:read", "clients:write", algorithm="hmac-sha256")


def _send(key: NewSecret, headers: dict[str, str], body: bytes = BODY, url: str = URL, method: str = "POST") -> Any:
    client = APIClient(SERVER_NAME="localhost", raise_request_exception=False)
    return client.generic(
        method,
        url,
        body,
        content_type=headers.pop("content-type"),
        headers={"Authorization": f"Bearer {key.secret}", **headers},
    )


def _by_secret(
    key: NewSecret, method: str = "POST", url: str = URL, body: bytes = BODY, **options: Any
) -> dict[str, str]:
    return signed(with_secret(key.signing_secret), str(key.key.id), method, url, body, **options)


def test_a_signed_request_passes_once(key: NewSecret) -> None:
    headers = _by_secret(key)
    assert _send(key, dict(headers)).status_code == 201
    assert problem(_send(key, dict(headers)), 401)["code"] == "invalid_signature"
    read = _by_secret(key, "GET", f"{URL}?q=Ionian", b"")
    assert _send(key, read, b"", f"{URL}?q=Ionian", "GET").status_code == 200
    parts = _by_secret(key, "GET", URL, b"", covered=("@method", "@authority", "@path", "@query"))
    assert _send(key, parts, b"", method="GET").status_code == 200


def test_the_secret_alone_is_worth_nothing(key: NewSecret) -> None:
    answer = _send(key, {"content-type": "application/json"})
    assert problem(answer, 401)["code"] == "invalid_signature"


NOT_ENOUGH: list[dict[str, Any]] = [
    {"covered": ("@method", "content-type", "content-digest")},
    {"covered": ("@target-uri", "content-type", "content-digest")},
    {"covered": ("@method", "@target-uri", "content-type")},
    {"covered": ("@method", "@authority", "@path", "content-digest")},
    {"without": ("created",)},
    {"without": ("expires",)},
    {"without": ("nonce",)},
    {"without": ("keyid",)},
    {"nonce": "short"},
    {"nonce": "n" * 129},
    {"keyid": "another"},
    {"alg": "ed25519"},
    {"tag": 7},
    {"surprise": "x"},
    {"created": 1, "expires": 200},
    {"created": int(time.time()) + 3600, "expires": int(time.time()) + 3660},
    {"created": int(time.time()) - 400, "expires": int(time.time()) + 60},
    {"created": int(time.time()) - 200, "expires": int(time.time()) - 100},
    {"created": int(time.time()), "expires": int(time.time()) + 3600},
    {"created": "now"},
]


def test_what_a_signature_must_say(key: NewSecret) -> None:
    for options in NOT_ENOUGH:
        answer = _send(key, _by_secret(key, **options))
        assert answer.status_code == 401, options
        assert problem(answer, 401)["code"] == "invalid_signature"


def test_nothing_that_is_covered_can_be_changed(key: NewSecret) -> None:
    for headers, body, url, method in (
        (_by_secret(key), BODY.replace(b"Ionian", b"Aegean"), URL, "POST"),
        (_by_secret(key), BODY, f"{URL}?dry=1", "POST"),
        (_by_secret(key), BODY, URL, "PUT"),
        (_by_secret(key) | {"content-type": "text/json"}, BODY, URL, "POST"),
        (_by_secret(key) | {"signature": "insula=:AAAA:"}, BODY, URL, "POST"),
        (_by_secret(key) | {"signature-input": "insula=()"}, BODY, URL, "POST"),
        (_by_secret(key) | {"signature": "?"}, BODY, URL, "POST"),
    ):
        assert problem(_send(key, headers, body, url, method), 401)["code"] == "invalid_signature"
    two = _by_secret(key)
    two["signature-input"] += ", other" + two["signature-input"].removeprefix("insula")
    two["signature"] += ", other" + two["signature"].removeprefix("insula")
    problem(_send(key, two), 401)


def _clients_key(algorithm: str) -> tuple[str, Sign]:
    if algorithm == "ed25519":
        private = ed25519.Ed25519PrivateKey.generate()
        return _pem(private.public_key()).decode(), private.sign
    curve = ec.generate_private_key(ec.SECP256R1())

    def sign(base: bytes) -> bytes:
        r, s = decode_dss_signature(curve.sign(base, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return _pem(curve.public_key()).decode(), sign


@pytest.mark.parametrize("algorithm", ["ed25519", "ecdsa-p256-sha256"])
def test_clients_may_keep_the_private_key_to_themselves(acme: TenantView, api: ApiFor, algorithm: str) -> None:
    pem, sign = _clients_key(algorithm)
    owner = api(acme)
    body = {"name": "Shop", "scopes": ["clients:read"], "signature_algorithm": algorithm, "public_key": pem}
    told = owner.post("/api/v1/api-keys", body).json()
    assert told["signing_secret"] is None

    def read(secret: str, sign: Sign) -> int:
        headers = signed(sign, told["id"], "GET", URL)
        client = APIClient(SERVER_NAME="localhost")
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        headers.pop("content-type")
        return client.get(URL, headers=headers, content_type="application/json").status_code

    assert read(told["secret"], sign) == 200
    new_pem, new_sign = _clients_key(algorithm)
    rotated = owner.post(f"/api/v1/api-keys/{told['id']}/rotate", {"public_key": new_pem}).json()
    assert read(rotated["secret"], new_sign) == 200
    assert read(told["secret"], sign) == 200
    assert read(rotated["secret"], sign) == 401
    other = "ed25519" if algorithm != "ed25519" else "ecdsa-p256-sha256"
    problem(owner.post("/api/v1/api-keys", body | {"signature_algorithm": other}), 400)


def test_only_public_keys_of_the_kind_are_taken() -> None:
    for pem in ("", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "\x00"):
        with pytest.raises(ValidationFailed):
            signed_requests.public_key(pem, SignatureAlgorithm.ED25519)


def test_nonces_are_forgotten_when_their_time_is_over(key: NewSecret) -> None:
    _send(key, _by_secret(key))
    assert signed_requests.purge_nonces() == 0
    SignatureNonce.objects.update(expires_at=utcnow())
    assert signed_requests.purge_nonces() == 1


def test_of_many_copies_at_once_exactly_one_passes(committed: Any) -> None:
    key = made(committed("Signs"), "clients:read", algorithm="hmac-sha256")
    headers = _by_secret(key, "GET", URL, b"")
    codes = at_once(16, lambda number: _send(key, dict(headers), b"", method="GET").status_code)
    assert sorted(codes) == [200] + [401] * 15


def _example(language: str) -> str:
    text = (Path(__file__).resolve().parents[2] / "docs" / "api-keys.md").read_text()
    return next(block for block in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) if "Signature" in block)


def _passes(method: str, url: str, headers: Mapping[str, str], body: bytes) -> str:
    message = SimpleNamespace(method=method, url=url, headers=headers)
    return signed_requests.check(
        message, body, key_id="my-key", algorithm=SignatureAlgorithm.HMAC_SHA256, verifier=b"my-secret"
    )


def test_the_python_example_of_the_documentation() -> None:
    sent: list[tuple[str, bytes, dict[str, str]]] = []
    httpx = SimpleNamespace(post=lambda url, *, content, headers: sent.append((url, content, headers)))
    names = {"KEY": "ins_x", "KEY_ID": "my-key", "SIGNING_SECRET": "my-secret", "httpx": httpx}
    exec(_example("python").replace("import httpx\n", ""), names)
    ((url, body, headers),) = sent
    assert _passes("POST", url, headers, body)


def test_the_shell_example_of_the_documentation() -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here")
    script = "curl() { for part; do printf '%s\\n' \"$part\"; done; }\n" + _example("sh")
    names = {"KEY_ID": "my-key", "SIGNING_SECRET": "my-secret", "INSULA_KEY": "ins_x", "PATH": os.environ["PATH"]}
    told = subprocess.run(["sh", "-c", script], env=names, capture_output=True, text=True, check=True).stdout
    url, *rest = [line for line in told.splitlines() if line != "-H"]
    headers = dict(line.split(": ", 1) for line in rest)
    assert _passes("GET", url, headers, b"")
