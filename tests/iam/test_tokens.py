"""Access tokens: what they say, who can verify them, and which forgeries are refused."""

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from rest_framework.test import APIClient

from apps.core import ids
from apps.core.clock import utcnow
from apps.iam.keys import key_ring
from apps.iam.models import TokenFamily, User
from apps.iam.tokens import issue_access
from apps.tenancy.selectors import TenantView
from tests.fixtures.clients import ApiFor


def _bearer(client: APIClient) -> str:
    return client._credentials["HTTP_AUTHORIZATION"].removeprefix("Bearer ")


def _me(token: str) -> Any:
    return APIClient(SERVER_NAME="localhost").get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {token}")


def _claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def _sign(claims: dict[str, Any], key: Any = None, algorithm: str = "RS256", **header: Any) -> str:
    ring = key_ring()
    headers = {"kid": ring.kid, "typ": "at+jwt", **header}
    return jwt.encode(
        claims, key or ring.private, algorithm, headers={k: v for k, v in headers.items() if v is not None}
    )


@pytest.fixture
def token(acme: TenantView, api: ApiFor) -> str:
    """A real access token of Acme's accountant."""
    return _bearer(api(acme, "ACCOUNTANT"))


def test_the_claims_are_those_of_the_contract(token: str, acme: TenantView, settings: Any) -> None:
    header, claims = jwt.get_unverified_header(token), _claims(token)

    assert header == {"alg": "RS256", "kid": key_ring().kid, "typ": "at+jwt"}
    assert claims["iss"] == settings.JWT_ISSUER
    assert claims["aud"] == settings.JWT_AUDIENCE
    assert claims["tenant_id"] == str(acme.id)
    assert claims["roles"] == ["ACCOUNTANT"]
    assert claims["email_verified"] is True
    assert claims["typ"] == "access"
    assert claims["sub"] == str(User.objects.get(email="accountant@acme.test").id)
    assert TokenFamily.objects.filter(pk=claims["sid"]).exists()
    assert 899 <= claims["exp"] - claims["iat"] <= 900
    assert len(claims["jti"]) >= 32


def test_jwks_alone_verifies_a_token(token: str, settings: Any) -> None:
    answer = Client(SERVER_NAME="localhost").get("/.well-known/jwks.json")
    keys = {key["kid"]: jwt.PyJWK(key) for key in answer.json()["keys"]}

    claims = jwt.decode(
        token,
        keys[jwt.get_unverified_header(token)["kid"]].key,
        algorithms=["RS256"],
        audience=settings.JWT_AUDIENCE,
        issuer=settings.JWT_ISSUER,
    )

    assert claims["typ"] == "access"
    assert set(answer.json()["keys"][0]) == {"kty", "n", "e", "kid", "use", "alg"}


def test_jwks_is_on_a_tenants_host_too(acme: TenantView) -> None:
    assert Client(SERVER_NAME=acme.host).get("/.well-known/jwks.json").json() == key_ring().jwks()


def test_a_retired_key_verifies_until_it_is_taken_away(token: str, settings: Any) -> None:
    old_public = (
        key_ring()
        .private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    settings.JWT_PRIVATE_KEY_PEM = _new_key_pem()
    assert _me(token).status_code == 401

    settings.JWT_EXTRA_PUBLIC_KEYS = [old_public.decode()]
    assert _me(token).status_code == 200
    assert len(Client(SERVER_NAME="localhost").get("/.well-known/jwks.json").json()["keys"]) == 2


def _forgeries(claims: dict[str, Any]) -> dict[str, str]:
    ring = key_ring()
    public = ring.public[ring.kid].public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    foreign = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = utcnow().timestamp()
    return {
        "alg none": _unsigned(claims, "none"),
        "alg NoNe": _unsigned(claims, "NoNe"),
        "HS256 with the public key as secret": _hs256(claims, public),
        "RS512": _sign(claims, algorithm="RS512"),
        "another key": _sign(claims, foreign),
        "another key under its own kid": _sign(claims, foreign, kid="attacker"),
        "no kid": _sign(claims, kid=None),
        "embedded key": _sign(
            claims, foreign, jwk=jwt.algorithms.RSAAlgorithm.to_jwk(foreign.public_key(), as_dict=True)
        ),
        "expired": _sign({**claims, "exp": now - 1}),
        "another issuer": _sign({**claims, "iss": "elsewhere"}),
        "another audience": _sign({**claims, "aud": "elsewhere"}),
        "another type": _sign({**claims, "typ": "refresh"}),
        "another type in the header": _sign(claims, typ="JWT"),
        "no expiry": _sign({k: v for k, v in claims.items() if k != "exp"}),
        "no session": _sign({k: v for k, v in claims.items() if k != "sid"}),
        "a session that never was": _sign({**claims, "sid": str(ids.uuid7())}),
        "another person's session": _sign({**claims, "sub": str(ids.uuid7())}),
        "no tenant": _sign({**claims, "tenant_id": None}),
        "ids that are none": _sign({**claims, "sub": "1 OR 1=1"}),
        "a list as subject": _sign({**claims, "sid": ["x"]}),
    }


FORGERIES = [
    "alg none", "alg NoNe", "HS256 with the public key as secret", "RS512", "another key",
    "another key under its own kid", "no kid", "embedded key", "expired", "another issuer", "another audience",
    "another type", "another type in the header", "no expiry", "no session", "a session that never was",
    "another person's session", "no tenant", "ids that are none", "a list as subject",
]  # fmt: skip


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forged_token_is_refused(token: str, kind: str) -> None:
    answer = _me(_forgeries(_claims(token))[kind])

    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_token"
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_token_for_a_tenant_without_membership_is_refused(token: str, globex: TenantView) -> None:
    assert _me(_sign({**_claims(token), "tenant_id": str(globex.id)})).status_code == 401


@pytest.mark.parametrize("value", ["x", "a.b.c", "é.é.é", "Bearer", "." * 50, "e30.e30.e30", "\x00"])
def test_rubbish_is_refused(acme: TenantView, value: str) -> None:
    assert _me(value).status_code == 401


def test_a_token_expires_after_fifteen_minutes(acme: TenantView, api: ApiFor) -> None:
    claims = _claims(_bearer(api(acme)))
    values = {
        "user_id": claims["sub"],
        "tenant_id": acme.id,
        "family_id": claims["sid"],
        "roles": ("OWNER",),
        "email_verified": True,
    }

    assert _me(issue_access(**values, now=utcnow() - timedelta(minutes=14, seconds=55))).status_code == 200
    assert _me(issue_access(**values, now=utcnow() - timedelta(minutes=15, seconds=1))).status_code == 401


def test_other_schemes_are_no_credentials(token: str) -> None:
    answer = APIClient(SERVER_NAME="localhost").get("/api/v1/me", HTTP_AUTHORIZATION=f"Basic {token}")

    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"


def _jwk(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    return jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)


def _unsigned(claims: dict[str, Any], algorithm: str) -> str:
    header = {"alg": algorithm, "typ": "at+jwt", "kid": key_ring().kid}
    return ".".join([_part(header), _part(claims), ""])


def _hs256(claims: dict[str, Any], secret: bytes) -> str:
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    head = ".".join([_part({"alg": "HS256", "typ": "at+jwt", "kid": key_ring().kid}), _part(claims)])
    return f"{head}.{base64.urlsafe_b64encode(algorithm.sign(head.encode(), secret)).rstrip(b'=').decode()}"


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _new_key_pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
