"""Signed requests: RFC 9421 message signatures over RFC 9530 digests, each good once (docs/api-keys.md)."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.db import connection, transaction
from django.http import HttpRequest
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    VerifyResult,
    algorithms,
)

from apps.core import ids
from apps.core.clock import utcnow
from apps.core.errors import ValidationFailed
from apps.core.tenants import public_scope
from apps.iam.api_key_models import SignatureAlgorithm, SignatureNonce
from apps.iam.errors import InvalidSignature

WINDOW = timedelta(minutes=5)
# How far the clocks of a client and of our servers may be apart.
SKEW = timedelta(seconds=30)
NONCE_LENGTHS = range(16, 129)
PURGE_BATCH = 5_000

_ALWAYS = {'"@method"'}
_TARGETS = ({'"@target-uri"'}, {'"@authority"', '"@path"', '"@query"'})
_ALGORITHMS: dict[str, Any] = {
    SignatureAlgorithm.HMAC_SHA256: algorithms.HMAC_SHA256,
    SignatureAlgorithm.ED25519: algorithms.ED25519,
    SignatureAlgorithm.ECDSA_P256: algorithms.ECDSA_P256_SHA256,
}
_REMEMBER = """
INSERT INTO public.iam_signature_nonce (id, tenant_id, api_key_id, digest, expires_at)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT (digest) DO NOTHING
"""


class _Verifier(HTTPMessageVerifier):
    max_clock_skew = SKEW


@dataclass(frozen=True, slots=True)
class _OneKey(HTTPSignatureKeyResolver):
    """The only key that this request may be signed with, under the only name that it may have."""

    key_id: str
    verifier: bytes

    def resolve_public_key(self, key_id: str) -> bytes | None:
        return self.verifier if key_id == self.key_id else None


@dataclass(frozen=True, slots=True)
class _Message:
    method: str
    url: str
    headers: Any


def require_signature(
    request: HttpRequest, *, tenant_id: UUID, key_id: UUID, algorithm: SignatureAlgorithm, verifier: str
) -> None:
    """Let a signed request pass, once: of many with the same nonce at the same time exactly one does.

    `verifier`: the shared secret or the public key as PEM. The nonce is remembered in the database before the request
    is answered; while it cannot be, nothing passes.

    Raises:
        InvalidSignature: none, more than one, wrong, stale, for another key, covering too little, or used before.
        RequestDataTooBig: the body is larger than the server accepts.
    """
    message = _Message(request.method or "", request.build_absolute_uri(), request.headers)
    nonce = check(message, request.body, key_id=str(key_id), algorithm=algorithm, verifier=verifier.encode())
    if not _remember(tenant_id, key_id, nonce):
        raise InvalidSignature("A request with this nonce has passed already.")


def check(message: Any, body: bytes, *, key_id: str, algorithm: SignatureAlgorithm, verifier: bytes) -> str:
    """Verify the only signature of a message with `method`, `url` and `headers`; returns its nonce.

    Raises:
        InvalidSignature: as `require_signature`, save that nothing is remembered.
    """
    found = verified(message, body, key_id=key_id, algorithm=algorithm, verifier=verifier, max_age=WINDOW)
    _require_coverage(found)
    return _nonce(found)


def verified(
    message: Any,
    body: bytes | None,
    *,
    key_id: str,
    algorithm: SignatureAlgorithm,
    verifier: bytes,
    max_age: timedelta | None,
) -> VerifyResult:
    """What the only signature of a message covers, and says, if it holds; the RFC's demands, none of ours.

    Raises:
        InvalidSignature: none, more than one, malformed, by another key, too old, or wrong, as is the body's digest.
    """
    checker = _Verifier(signature_algorithm=_ALGORITHMS[algorithm], key_resolver=_OneKey(key_id, verifier))
    try:
        (found,) = checker.verify(message, max_age=max_age, body=body)
    except (HTTPMessageSignaturesException, ValueError) as error:
        raise InvalidSignature(f"The signature does not hold: {error}") from error
    return found


def public_key(pem: str, algorithm: SignatureAlgorithm) -> str:
    """A client's public key in its one form (SubjectPublicKeyInfo, PEM).

    Raises:
        ValidationFailed: it is none, or not one of `algorithm`.
    """
    try:
        key = load_pem_public_key(pem.strip().encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refused_key("This is not a public key in PEM form.") from error
    is_ed25519 = isinstance(key, Ed25519PublicKey) and algorithm == SignatureAlgorithm.ED25519
    is_p256 = isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    if not (is_ed25519 or (is_p256 and algorithm == SignatureAlgorithm.ECDSA_P256)):
        raise _refused_key("The public key is of another kind than the algorithm.")
    return pem.strip() + "\n"


def purge_nonces(*, now: datetime | None = None) -> int:
    """Forget a batch of nonces whose signatures cannot be valid any more; returns how many."""
    with public_scope(), transaction.atomic():
        old = SignatureNonce.objects.filter(expires_at__lte=now or utcnow()).values_list("pk", flat=True)[:PURGE_BATCH]
        return SignatureNonce.objects.filter(pk__in=list(old)).delete()[0]


def _require_coverage(found: VerifyResult) -> None:
    # That a body's digest is covered was checked together with the body.
    covered = set(found.covered_components)
    if not covered >= _ALWAYS or not any(covered >= target for target in _TARGETS):
        raise InvalidSignature("The signature must cover @method, and @target-uri or @authority, @path and @query.")
    created, expires = found.parameters.get("created"), found.parameters.get("expires")
    if not isinstance(created, int) or not isinstance(expires, int):
        raise InvalidSignature("The signature must say when it was created and when it expires.")
    if not 0 < expires - created <= WINDOW.total_seconds():
        raise InvalidSignature("A signature expires within five minutes after it was created.")
    if expires <= datetime.now(UTC).timestamp() - SKEW.total_seconds():
        raise InvalidSignature("The signature has expired.")


def _nonce(found: VerifyResult) -> str:
    if found.nonce is None or len(found.nonce) not in NONCE_LENGTHS:
        raise InvalidSignature("The signature needs a nonce of 16 to 128 characters.")
    return found.nonce


def _remember(tenant_id: UUID, key_id: UUID, nonce: str) -> bool:
    digest = hashlib.sha256(key_id.bytes + nonce.encode()).hexdigest()
    # Longer than the checks of time could let the signature pass, on whichever of our servers.
    until = utcnow() + 2 * WINDOW
    # Committed by itself: what the request does later and undoes must not give the nonce back.
    with public_scope(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_REMEMBER, [ids.uuid7(), tenant_id, key_id, digest, until])
        return bool(cursor.rowcount == 1)


def _refused_key(detail: str) -> ValidationFailed:
    return ValidationFailed.one("public_key", "invalid", detail)
