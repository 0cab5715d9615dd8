"""Tokens of a tenant's directory: made, shown once, rotated, revoked; and who comes with one.

A token is bounded by its maker: through it nobody is touched who may do more than he might when he made it, and no
role is given that holds more.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import ids
from apps.core.actor import Actor, Origin, directory
from apps.core.clock import utcnow
from apps.core.errors import NotFound, ValidationFailed
from apps.core.tenants import public_scope
from apps.iam import key_secrets, signins, standing
from apps.iam.errors import InvalidToken
from apps.iam.permissions import ALL
from apps.iam.scim.models import ScimToken

PERMISSION = "scim:write"
PREFIX = "scim_"
MOST_TOKENS = 10
OVERLAP = timedelta(days=1)
# How often a use is written down.
USE_NOTED_EVERY = timedelta(minutes=5)
_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
_DIRECTORY_PERMISSIONS = frozenset({"members:read", "members:write"})


@dataclass(frozen=True, slots=True)
class ScimTokenView:
    """A token without its secret; `hint` is how it begins."""

    id: UUID
    name: str
    hint: str
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory at work in a tenant; `reach` is what its token's maker might do."""

    tenant_id: UUID
    actor: Actor
    reach: frozenset[str]


def list_tokens(*, actor: Actor, now: datetime | None = None) -> list[ScimTokenView]:
    """The tokens that hold, the newest first.

    Raises:
        PermissionRefused: the actor lacks ``scim:write``.
    """
    actor.require(PERMISSION)
    with public_scope():
        rows = _living(standing.tenant_of(actor), now or utcnow())
        return [_view(row) for row in rows]


def create_token(
    *, actor: Actor, name: str, expires_at: datetime | None = None, family_id: UUID | None = None
) -> tuple[ScimTokenView, str]:
    """Make a token; its secret is in this answer and nowhere else. `family_id`: the sign-in by which it is made.

    Raises:
        InvalidToken: that sign-in has ended since the request was let in.
        PermissionRefused: the actor lacks ``scim:write``.
        ValidationFailed: it has no name, would have expired, or there are ten already.
    """
    actor.require(PERMISSION)
    tenant_id, now = standing.tenant_of(actor), utcnow()
    name = name.strip()[:60]
    if not name:
        raise ValidationFailed.one("name", "required", _("Name the directory that will use it."))
    if expires_at is not None and expires_at <= now:
        raise ValidationFailed.one("expires_at", "in_the_past", _("A token expires in the future."))
    with public_scope(), transaction.atomic():
        standing.take_turns(tenant_id)
        if family_id is not None:
            signins.locked_person_of(family_id, standing.person(actor))
        held = standing.held_now(actor, tenant_id, PERMISSION)
        if _living(tenant_id, now).count() >= MOST_TOKENS:
            raise ValidationFailed.one("name", "too_many", _("Revoke a token first: ten are the most."))
        row, secret = _make(actor, tenant_id, name, held, expires_at)
        _record(actor, row, "create", Severity.HIGH)
        return _view(row), secret


def rotate_token(*, actor: Actor, token_id: UUID, family_id: UUID | None = None) -> tuple[ScimTokenView, str]:
    """A new secret under the same name; the old one holds for another day, or until its own end.

    Raises:
        InvalidToken: as `create_token`.
        PermissionRefused, NotFound: as `revoke_token`.
    """
    actor.require(PERMISSION)
    tenant_id, now = standing.tenant_of(actor), utcnow()
    with public_scope(), transaction.atomic():
        standing.take_turns(tenant_id)
        if family_id is not None:
            signins.locked_person_of(family_id, standing.person(actor))
        held = standing.held_now(actor, tenant_id, PERMISSION)
        old = _row(tenant_id, token_id, now)
        row, secret = _make(actor, tenant_id, old.name, held, None)
        old.expires_at = min(old.expires_at or now + OVERLAP, now + OVERLAP)
        old.save(update_fields=["expires_at"])
        _record(actor, row, "rotate", Severity.HIGH)
        return _view(row), secret


def revoke_token(*, actor: Actor, token_id: UUID) -> None:
    """End a token at once.

    Raises:
        PermissionRefused: the actor lacks ``scim:write``.
        NotFound: none holds under this id.
    """
    actor.require(PERMISSION)
    tenant_id, now = standing.tenant_of(actor), utcnow()
    with public_scope(), transaction.atomic():
        standing.take_turns(tenant_id)
        standing.held_now(actor, tenant_id, PERMISSION)
        row = _row(tenant_id, token_id, now)
        row.revoked_at = now
        row.save(update_fields=["revoked_at"])
        _record(actor, row, "revoke", Severity.MEDIUM)


def directory_of(secret: str | None, *, tenant_id: UUID, origin: Origin, now: datetime | None = None) -> Directory:
    """Whose token this is, in the tenant on whose host it is shown; its use is noted now and then.

    Raises:
        InvalidToken: none of the tenant's, expired or revoked.
    """
    moment = now or utcnow()
    if secret is None or _FORM.fullmatch(secret) is None:
        raise InvalidToken
    with public_scope(), transaction.atomic():
        digests = list(key_secrets.digests_of(secret).values())
        row = _living(tenant_id, moment).filter(digest__in=digests).first()
        if row is None:
            raise InvalidToken
        if row.last_used_at is None or moment - row.last_used_at >= USE_NOTED_EVERY:
            ScimToken.objects.filter(pk=row.pk).update(last_used_at=moment)
    actor = directory(tenant_id, token_name=row.name, permissions=_DIRECTORY_PERMISSIONS, origin=origin)
    return Directory(tenant_id, actor, frozenset(row.creator_permissions))


def _make(
    actor: Actor, tenant_id: UUID, name: str, held: frozenset[str] | None, expires_at: datetime | None
) -> tuple[ScimToken, str]:
    secret = PREFIX + ids.secret_token()
    row = ScimToken.objects.create(
        tenant_id=tenant_id,
        name=name,
        hint=secret[: len(PREFIX) + 4],
        digest=key_secrets.newest_digest(secret)[1],
        created_by_id=actor.user_id,
        created_by_name=(actor.name or actor.email)[:254],
        creator_permissions=sorted(ALL if held is None else held),
        expires_at=expires_at,
    )
    return row, secret


def _living(tenant_id: UUID, now: datetime) -> QuerySet[ScimToken]:
    rows = ScimToken.objects.filter(tenant_id=tenant_id, revoked_at=None)
    return rows.filter(Q(expires_at=None) | Q(expires_at__gt=now)).order_by("-pk")


def _row(tenant_id: UUID, token_id: UUID, now: datetime) -> ScimToken:
    found = _living(tenant_id, now).select_for_update().filter(pk=token_id).first()
    if found is None:
        raise NotFound(_("There is no such token."))
    return found


def _view(row: ScimToken) -> ScimTokenView:
    return ScimTokenView(
        row.id, row.name, row.hint, row.created_by_name, row.created_at, row.last_used_at, row.expires_at
    )


def _record(actor: Actor, row: ScimToken, verb: str, severity: Severity) -> None:
    audit.record(
        actor=actor,
        action=f"iam.scim_token.{verb}",
        entity_type="scim_token",
        entity_id=row.id,
        entity_label=row.name,
        after={"name": row.name, "begins_with": row.hint},
        severity=severity,
        tenant_id=row.tenant_id,
    )
