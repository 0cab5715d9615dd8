"""Whom an API key stands for right now: one statement, like that of a sign-in (`identity`)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.http import HttpRequest

from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.core.postgres.pipeline import Asked, Statement
from apps.core.sealing import unseal
from apps.core.tenants import Row, public_scope
from apps.iam import identity, key_secrets, signed_requests
from apps.iam.api_key_models import SignatureAlgorithm
from apps.iam.errors import InvalidToken
from apps.iam.identity import ENTERS_TENANT, Identity, Reader
from apps.tenancy.selectors import TenantView

# The moment of last use is written when it is older than this, so that a busy key costs no write a request.
NOTED_EVERY = timedelta(minutes=1)

_TENANT_FIELDS = tuple(TenantView.__dataclass_fields__)

# The database is the truth: a key that was revoked or ran out, whose maker is inactive or not an active member any
# more, finds no row; what he may do at present bounds what the key may.
_FOUND = f"""
k.id, k.name, k.scopes, k.digest = ANY(%(digests)s), k.digest, k.pepper, k.algorithm,
       k.verifier, k.previous_verifier, k.last_used_at, k.created_at, k.expires_at,
       u.id, u.email, u.first_name, u.last_name, u.locale, u.email_verified_at IS NOT NULL, m.role,
       c.names, c.permissions, {", ".join(f"t.{name}" for name in _TENANT_FIELDS)}
  FROM public.iam_api_key k
  JOIN public.iam_user u ON u.id = k.user_id
  JOIN public.tenancy_tenant t ON t.id = k.tenant_id
  JOIN public.iam_membership m
    ON m.user_id = k.user_id AND m.tenant_id = k.tenant_id
   AND (m.status = 'ACTIVE' OR (m.status = 'BANNED' AND m.banned_until <= statement_timestamp()))
  LEFT JOIN LATERAL (
       SELECT array_agg(r.name::text ORDER BY r.name) AS names,
              string_agg(array_to_string(r.permissions, ' '), ' ') AS permissions
         FROM public.iam_role_grant g JOIN public.iam_custom_role r ON r.id = g.role_id
        WHERE g.membership_id = m.id) c ON true
 WHERE (k.digest = ANY(%(digests)s)
        OR (k.previous_digest = ANY(%(digests)s) AND k.previous_until > statement_timestamp()))
   AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > statement_timestamp())
   AND u.is_active AND (u.banned_at IS NULL OR u.banned_until <= statement_timestamp())
"""
_STATEMENT = f"SELECT {_FOUND}"
# The same, and the transaction is his tenant's from here on; the digests are named three times.
_AT_ONCE = Statement.of(f"SELECT {ENTERS_TENANT}, {_FOUND}" % {"digests": "%s::text[]"})
# Whoever finds the row taken leaves it to the one who has it.
_NOTE_USE = """
UPDATE public.iam_api_key SET last_used_at = statement_timestamp(), last_used_ip = %(ip)s
 WHERE id = (SELECT id FROM public.iam_api_key
              WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < %(before)s) FOR UPDATE SKIP LOCKED)
"""
_MOVE_TO_NEWEST = """
UPDATE public.iam_api_key SET digest = %(digest)s, pepper = %(pepper)s WHERE id = %(id)s AND digest = %(before)s
"""


@dataclass(frozen=True, slots=True)
class _Key:
    """The key's own columns of the statement. `is_present`: the text is the present secret, not the former one."""

    id: UUID
    name: str
    scopes: list[str]
    is_present: bool
    digest: str
    pepper: str
    algorithm: str
    verifier: str
    previous_verifier: str
    last_used_at: datetime | None
    created_at: datetime
    expires_at: datetime | None


_KEY_COLUMNS = len(_Key.__dataclass_fields__)


def identity_of_key(secret: str, request: HttpRequest, origin: Origin) -> Identity:
    """Whom an API key stands for, and with it the request's signature where the key demands one.

    The identity's `family_id` is the key's id, which names no sign-in; nothing of it was ever proved by a person.

    Raises:
        InvalidToken: not a key of ours, expired, revoked, or its maker may not enter any more.
        InvalidSignature: the key demands a signature and the request has none that holds.
    """
    digests = _digests(secret)
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_STATEMENT, {"digests": list(digests.values())})
        row = cursor.fetchone()
    if row is None:
        raise InvalidToken("The API key is unknown, has expired or was revoked.")
    key = _Key(*row[:_KEY_COLUMNS])
    found = _identity(key, row[_KEY_COLUMNS:], origin)
    if key.algorithm:
        assert found.tenant is not None
        _require_signature(key, found.tenant.id, request)
    _note_use(key, digests, origin)
    return found


def at_once(secret: str) -> tuple[Asked, Reader]:
    """The same question, to be sent with what is asked of the key's tenant, and what reads the answer.

    It reads nobody where more than reading is due: a signature to be proved, or the key's use to be noted.

    Raises:
        InvalidToken: not a key of ours.
    """
    digests = _digests(secret)

    def read(rows: Sequence[Row], origin: Origin) -> Identity | None:
        if not rows or not rows[0][0]:
            return None
        key = _Key(*rows[0][1 : _KEY_COLUMNS + 1])
        if key.algorithm or not _is_noted(key, digests):
            return None
        return _identity(key, rows[0][_KEY_COLUMNS + 1 :], origin)

    return (_AT_ONCE, ("{" + ",".join(digests.values()) + "}",) * _AT_ONCE.sql.count(b"::text[]")), read


def _digests(secret: str) -> dict[str, str]:
    if not key_secrets.is_well_formed(secret):
        raise InvalidToken("This is not an API key: a character is missing or wrong.")
    return key_secrets.digests_of(secret)


def _identity(key: _Key, row: tuple[Any, ...], origin: Origin) -> Identity:
    user_id, email, first_name, last_name, locale, is_verified, role, names, held, *columns = row
    tenant = TenantView(**dict(zip(_TENANT_FIELDS, columns, strict=True)))
    maker = identity.member(
        user_id=user_id,
        tenant_id=tenant.id,
        name=f"{first_name} {last_name}".strip() or email,
        email=email,
        role=role,
        custom_roles=names or (),
        custom_permissions=(held or "").split(),
        is_verified=is_verified,
        origin=origin,
    )
    actor = replace(
        maker, permissions=maker.permissions & frozenset(key.scopes), api_key_id=key.id, api_key_name=key.name
    )
    seen_at = key.last_used_at or key.created_at
    return Identity(actor, tenant, key.id, first_name, last_name, locale, is_verified, seen_at)


def _require_signature(key: _Key, tenant_id: UUID, request: HttpRequest) -> None:
    column = "verifier" if key.is_present else "previous_verifier"
    sealed = key.verifier if key.is_present else key.previous_verifier
    signed_requests.require_signature(
        request,
        tenant_id=tenant_id,
        key_id=key.id,
        algorithm=SignatureAlgorithm(key.algorithm),
        verifier=unseal(sealed, purpose=f"iam_api_key.{column}:{key.id}"),
    )


def _is_noted(key: _Key, digests: dict[str, str]) -> bool:
    is_recent = key.last_used_at is not None and key.last_used_at >= utcnow() - NOTED_EVERY
    return is_recent and not _may_move(key, digests)


def _may_move(key: _Key, digests: dict[str, str]) -> bool:
    """Whether the key still stands under an older pepper than the newest."""
    return key.is_present and key.pepper != next(iter(digests))


def _note_use(key: _Key, digests: dict[str, str], origin: Origin) -> None:
    if _is_noted(key, digests):
        return
    pepper, newest = next(iter(digests.items()))
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_NOTE_USE, {"id": key.id, "ip": origin.ip, "before": utcnow() - NOTED_EVERY})
        if _may_move(key, digests):
            cursor.execute(_MOVE_TO_NEWEST, {"id": key.id, "digest": newest, "pepper": pepper, "before": key.digest})
