"""Reading an ID token so that nothing is left to its own word (OpenID Connect Core 3.1.3.7, RFC 8725)."""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
from jwt.utils import base64url_encode

from apps.iam.sso import providers
from apps.iam.sso.errors import ProviderFailed
from apps.iam.sso.providers import ALGORITHMS, Provider

LEEWAY = timedelta(seconds=60)
# A token is made for this very sign-in, so an old one is somebody else's.
OLDEST = timedelta(minutes=10)
LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Assertion:
    """What the provider vouches for. `email_verified` is None when it says nothing about it."""

    issuer: str
    subject: str
    email: str
    email_verified: bool | None
    given_name: str
    family_name: str
    claims: dict[str, Any]


def read(
    token: str, *, provider: Provider, client_id: str, nonce: str, access_token: str, now: float
) -> dict[str, Any]:
    """The claims of an ID token whose signature, issuer, audience, times, nonce and access token all hold.

    Raises:
        ProviderFailed: one of them does not; `reason` says which.
    """
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError) as error:
        raise ProviderFailed(reason="malformed_token") from error
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS or "crit" in header or not (kid is None or isinstance(kid, str)):
        raise ProviderFailed(reason="refused_algorithm")
    key = providers.signing_key(provider, kid, algorithm)
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=client_id,
            issuer=provider.issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"], "enforce_minimum_key_length": True},
        )
    except jwt.InvalidTokenError as error:
        raise ProviderFailed(reason=_reason(error)) from error
    _check_party(claims, client_id)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise ProviderFailed(reason="wrong_nonce")
    # Whole numbers: an absurd one must not run into the limits of floating point.
    if int(now) - int(claims["iat"]) > (OLDEST + LEEWAY).total_seconds():
        raise ProviderFailed(reason="old_token")
    _check_access_token(claims, algorithm, access_token)
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or "\x00" in subject:
        raise ProviderFailed(reason="wrong_subject")
    return claims


def assertion(provider: Provider, claims: dict[str, Any]) -> Assertion:
    """The claims that matter here, in one form; some providers write booleans as text."""
    verified = claims.get("email_verified")
    return Assertion(
        issuer=provider.issuer,
        subject=claims["sub"],
        email=_text(claims, "email", 254).lower(),
        email_verified=None if verified is None else verified is True or str(verified).lower() == "true",
        given_name=_text(claims, "given_name", 100),
        family_name=_text(claims, "family_name", 100),
        claims=claims,
    )


def _check_party(claims: dict[str, Any], client_id: str) -> None:
    audience, party = claims["aud"], claims.get("azp")
    # Several audiences without a named party: the token was made for somebody else and us.
    if isinstance(audience, list) and len(audience) > 1 and party is None:
        raise ProviderFailed(reason="wrong_party")
    if party is not None and party != client_id:
        raise ProviderFailed(reason="wrong_party")


def _check_access_token(claims: dict[str, Any], algorithm: str, access_token: str) -> None:
    told = claims.get("at_hash")
    if told is None:
        return
    digest = jwt.get_algorithm_by_name(algorithm).compute_hash_digest(access_token.encode())
    expected = base64url_encode(digest[: len(digest) // 2])
    if not hmac.compare_digest(expected, str(told).encode()):
        raise ProviderFailed(reason="wrong_access_token")


def _reason(error: jwt.InvalidTokenError) -> str:
    reasons: dict[type[jwt.InvalidTokenError], str] = {
        jwt.ExpiredSignatureError: "expired_token",
        jwt.ImmatureSignatureError: "early_token",
        jwt.InvalidAudienceError: "wrong_audience",
        jwt.InvalidIssuerError: "wrong_issuer",
        jwt.InvalidSignatureError: "wrong_signature",
        jwt.MissingRequiredClaimError: "missing_claim",
    }
    return next((word for kind, word in reasons.items() if isinstance(error, kind)), "malformed_token")


def _text(claims: dict[str, Any], name: str, longest: int) -> str:
    value = claims.get(name)
    return value.strip().replace("\x00", "")[:longest] if isinstance(value, str) else ""
