"""Access tokens: JWTs signed with RS256 (RFC 9068), read back with nothing left to the token's own word (RFC 8725)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken, TokenError
from rest_framework_simplejwt.tokens import Token

from apps.iam.errors import InvalidToken
from apps.iam.keys import ALGORITHM, key_ring

HEADER_TYPE = "at+jwt"
_NOT_VALID = "The access token is not valid or has expired."
_REQUIRED = ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "typ"]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified access token says. `family_id` is its ``sid``; `key_id` the key's that verified it.

    `tenant_id` is empty for operators.
    """

    user_id: UUID
    tenant_id: UUID | None
    family_id: UUID
    token_id: str
    expires_at: datetime
    key_id: str


class _Backend(TokenBackend):
    """simplejwt's backend with several keys chosen by ``kid`` and exactly one algorithm."""

    def encode(self, payload: dict[str, Any]) -> str:
        ring = key_ring()
        body = {**payload, "iss": settings.JWT_ISSUER, "aud": settings.JWT_AUDIENCE}
        return jwt.encode(body, ring.private, ALGORITHM, headers={"kid": ring.kid, "typ": HEADER_TYPE})

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            # Keys are chosen among ours only: jku, x5u and embedded keys of the header are never looked at.
            kid = str(header.get("kid"))
            if header.get("typ") != HEADER_TYPE:
                raise TokenBackendError("The token was not made here.")
            key = key_ring(unknown=kid).public.get(kid)
            if key is None:
                raise TokenBackendError("The token was not made here.")
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=settings.JWT_AUDIENCE,
                issuer=settings.JWT_ISSUER,
                # iat only orders events and may stem from another server's clock.
                options={"require": _REQUIRED, "verify_iat": False},
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenBackendExpiredToken("The token has expired.") from error
        except (jwt.InvalidTokenError, ValueError) as error:
            raise TokenBackendError("The token is not valid.") from error


_backend = _Backend(ALGORITHM)


class AccessToken(Token):
    """One access token; the claims follow PRODUCT, tokens."""

    token_type = "access"  # noqa: S105 - the name of a kind
    lifetime = timedelta(seconds=settings.ACCESS_TOKEN_SECONDS)

    def get_token_backend(self) -> TokenBackend:
        """The backend that knows our keys."""
        return _backend

    def set_iat(self, claim: str = "iat", at_time: datetime | None = None) -> None:
        """Fractional, so that order within one second is kept."""
        self.payload[claim] = (at_time or self.current_time).timestamp()


def issue_access(
    *,
    user_id: UUID,
    tenant_id: UUID | None,
    family_id: UUID,
    roles: tuple[str, ...],
    email_verified: bool,
    now: datetime,
    methods: tuple[str, ...] = (),
    proved_at: datetime | None = None,
) -> str:
    """A signed access token, good for ``ACCESS_TOKEN_SECONDS`` from `now`.

    `methods` and `proved_at` become ``amr`` and ``auth_time`` (RFC 9068, 2.2.1): how it stood when the token was made.
    """
    token = AccessToken()
    token.set_iat(at_time=now)
    token.set_exp(from_time=now, lifetime=timedelta(seconds=settings.ACCESS_TOKEN_SECONDS))
    token.payload |= {
        "sub": str(user_id),
        "sid": str(family_id),
        "tenant_id": str(tenant_id) if tenant_id else None,
        "roles": list(roles),
        "email_verified": email_verified,
    }
    if methods and proved_at:
        token.payload |= {"amr": list(methods), "auth_time": int(proved_at.timestamp())}
    return str(token)


def read_access(token: str) -> Claims:
    """Verify an access token's signature, issuer, audience, type and time; revocation is the database's to answer.

    What a signature says does not change, so each process verifies a token once and looks at the time alone after that.

    Raises:
        InvalidToken: any of them does not hold.
    """
    claims = _verified(token, settings.JWT_ISSUER, settings.JWT_AUDIENCE)
    # What was verified once holds no longer than its key; a key's name is its thumbprint.
    if claims.expires_at <= datetime.now(UTC) or claims.key_id not in key_ring(unknown=claims.key_id).public:
        raise InvalidToken(_NOT_VALID)
    return claims


@lru_cache(maxsize=4096)
def _verified(token: str, issuer: str, audience: str) -> Claims:
    try:
        payload = AccessToken(token).payload  # type: ignore[arg-type]  # annotated as a Token, reads a string
        tenant = payload.get("tenant_id")
        return Claims(
            user_id=UUID(payload["sub"]),
            tenant_id=UUID(tenant) if tenant else None,
            family_id=UUID(payload["sid"]),
            token_id=str(payload["jti"]),
            expires_at=datetime.fromtimestamp(payload["exp"], UTC),
            key_id=str(jwt.get_unverified_header(token)["kid"]),
        )
    except (TokenError, ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        raise InvalidToken(_NOT_VALID) from error
