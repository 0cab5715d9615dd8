"""Who a sign-in stands for right now: one statement, asked once a request (ARCHITECTURE, hot path)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection

from apps.core.actor import Actor, ActorKind, Origin
from apps.core.postgres.base import ENTER_TENANT
from apps.core.postgres.pipeline import Asked, Statement
from apps.core.tenants import Row, TenantScope, public_scope, transaction_entered_by
from apps.iam.models import Channel, PlatformRole, User
from apps.iam.permissions import OWN_NAME_ONLY, PLATFORM_PERMISSIONS, together
from apps.iam.proofs import is_vouched_for
from apps.tenancy.selectors import TenantView

_TENANT_FIELDS = tuple(TenantView.__dataclass_fields__)

# Sign-ins of versions that gave them no end have one, too.
_ENDS_AT = f"coalesce(f.ends_at, f.started_at + interval '{int(settings.SIGN_IN_LASTS_DAYS)} days')"
# The database is the truth about revocation: a family that was revoked, that started before the person signed out
# everywhere, whose person is inactive or whose membership is not active, finds no row.
_FOUND = f"""
u.email, u.first_name, u.last_name, u.locale, u.platform_role, u.email_verified_at IS NOT NULL,
       f.last_seen_at, f.methods, f.proved_at, f.strong_at,
       greatest(p.required_at, m.created_at) + p.grace_days * interval '1 day', m.role, c.names, c.permissions,
       f.impersonator_id, f.started_at, {_ENDS_AT}, u.must_change_password,
       {", ".join(f"t.{name}" for name in _TENANT_FIELDS)}
  FROM public.iam_token_family f
  JOIN public.iam_user u ON u.id = f.user_id
  LEFT JOIN public.tenancy_tenant t ON t.id = f.tenant_id
  LEFT JOIN public.iam_membership m
         ON m.user_id = f.user_id AND m.tenant_id = f.tenant_id
        AND (m.status = 'ACTIVE' OR (m.status = 'BANNED' AND m.banned_until <= statement_timestamp()))
  LEFT JOIN public.iam_mfa_policy p ON p.tenant_id = m.tenant_id
  LEFT JOIN LATERAL (
       SELECT array_agg(r.name::text ORDER BY r.name) AS names,
              string_agg(array_to_string(r.permissions, ' '), ' ') AS permissions
         FROM public.iam_role_grant g JOIN public.iam_custom_role r ON r.id = g.role_id
        WHERE g.membership_id = m.id) c ON true
 WHERE f.id = %s AND f.user_id = %s AND f.tenant_id IS NOT DISTINCT FROM %s AND f.channel = %s
   AND f.revoked_at IS NULL AND {_ENDS_AT} > statement_timestamp()
   AND u.is_active AND (u.banned_at IS NULL OR u.banned_until <= statement_timestamp())
   AND (u.tokens_valid_after IS NULL OR f.started_at >= u.tokens_valid_after)
   AND CASE WHEN f.tenant_id IS NULL THEN u.platform_role <> '' ELSE m.role IS NOT NULL END
"""
_STATEMENT = f"SELECT {_FOUND}"
# A column of a statement about the tenant `t`: its transaction is his from here on, where there is something to enter.
ENTERS_TENANT = f"""
CASE WHEN t.status IN ('ACTIVE', 'SUSPENDED') AND t.database_alias = '{DEFAULT_DB_ALIAS}'
     THEN {ENTER_TENANT.format(t="t")} END IS NOT NULL"""
_ENTERING = f"SELECT {ENTERS_TENANT}, {_FOUND}"
_AT_ONCE = Statement.of(_ENTERING)


@dataclass(frozen=True, slots=True)
class Identity:
    """A person who is signed in, as actor in at most one tenant, with what pages show of him."""

    actor: Actor
    tenant: TenantView | None
    family_id: UUID
    first_name: str
    last_name: str
    locale: str
    email_verified: bool
    last_seen_at: datetime
    # How he showed who he is, when last at all, and when last by more than one factor (`proofs.Proof`).
    methods: tuple[str, ...] = ()
    proved_at: datetime | None = None
    strong_at: datetime | None = None
    # From when the tenant lets this member do anything only with a second factor; never: it demands none.
    mfa_due_at: datetime | None = None
    # Of an operator in this person's name: when it is over.
    ends_at: datetime | None = None
    # An operator gave him the present password.
    must_change_password: bool = False

    @property
    def owes_own_password(self) -> bool:
        """Whether he must choose a password before anything else.

        Who acts in his name does not owe it, nor he himself where his organisation signed him in without any.
        """
        return self.must_change_password and self.actor.impersonator_id is None and not self.actor.is_federated


# What makes an identity of the rows that a question `at_once` found.
Reader = Callable[[Sequence[Row], Origin], Identity | None]


def identify(
    *, family_id: UUID, user_id: UUID, tenant_id: UUID | None, channel: Channel, origin: Origin
) -> Identity | None:
    """Whom the sign-in `family_id` stands for, or nobody when it does not hold any more."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_STATEMENT, [family_id, user_id, tenant_id, channel.value])
        row = cursor.fetchone()
    return None if row is None else _identity(row, family_id, user_id, tenant_id, origin)


@contextmanager
def identified_within(
    *, family_id: UUID, user_id: UUID, tenant_id: UUID, channel: Channel, origin: Origin
) -> Iterator[Identity | None]:
    """`identify`, with a transaction opened by the same message, and where possible within the tenant.

    `current_scope` tells whether it is the tenant's: one that has no schema to enter, or another database, is not.
    """

    def scope_of(row: Row) -> TenantScope | None:
        is_entered, *found = row
        return _tenant(found).scope if is_entered else None

    parameters = [family_id, user_id, tenant_id, channel.value]
    with transaction_entered_by(_ENTERING, parameters, scope_of) as row:
        yield None if row is None else _identity(row[1:], family_id, user_id, tenant_id, origin)


def at_once(*, family_id: UUID, user_id: UUID, tenant_id: UUID) -> tuple[Asked, Reader]:
    """The question of `identified_within` for a program's sign-in, to be sent with what is asked of its tenant.

    The second value reads the answer: nobody when the sign-in does not hold, or entered no tenant.
    """

    def read(rows: Sequence[Row], origin: Origin) -> Identity | None:
        return _identity(rows[0][1:], family_id, user_id, tenant_id, origin) if rows and rows[0][0] else None

    return (_AT_ONCE, (family_id, user_id, tenant_id, Channel.API.value)), read


def _tenant(row: Sequence[Any]) -> TenantView:
    return TenantView(*row[-len(_TENANT_FIELDS) :])


def _identity(
    row: Sequence[Any], family_id: UUID, user_id: UUID, tenant_id: UUID | None, origin: Origin
) -> Identity | None:
    email, first_name, last_name, locale, platform_role, email_verified, last_seen_at, *rest = row
    methods, proved_at, strong_at, mfa_due_at, role, names, held, *rest = rest
    impersonator_id, started_at, ends_at, must_change, *_ = rest
    name = f"{first_name} {last_name}".strip() or email
    if tenant_id is None:
        tenant = None
        actor = operator(user_id=user_id, name=name, email=email, platform_role=platform_role, origin=origin)
    else:
        tenant = _tenant(row)
        actor = member(
            user_id=user_id,
            tenant_id=tenant_id,
            name=name,
            email=email,
            role=role,
            custom_roles=names or (),
            custom_permissions=(held or "").split(),
            is_verified=email_verified,
            is_federated=is_vouched_for(methods),
            origin=origin,
        )
        if impersonator_id is not None:
            if not _may_impersonate(impersonator_id, started_at):
                return None
            permissions = actor.permissions - OWN_NAME_ONLY
            actor = replace(actor, impersonator_id=impersonator_id, permissions=permissions)
    return Identity(
        actor,
        tenant,
        family_id,
        first_name,
        last_name,
        locale,
        email_verified,
        last_seen_at,
        tuple(methods),
        proved_at,
        strong_at,
        mfa_due_at,
        ends_at,
        must_change,
    )


def _may_impersonate(operator_id: UUID, started_at: datetime) -> bool:
    with public_scope():
        found = User.objects.filter(pk=operator_id, platform_role=PlatformRole.PLATFORM_ADMIN).first()
    if found is None or not found.may_sign_in:
        return False
    return found.tokens_valid_after is None or found.tokens_valid_after <= started_at


def member(
    *,
    user_id: UUID,
    tenant_id: UUID,
    name: str,
    email: str,
    role: str,
    custom_roles: Iterable[str] = (),
    custom_permissions: Iterable[str] = (),
    is_verified: bool,
    is_federated: bool = False,
    origin: Origin,
) -> Actor:
    """A member at work in his tenant. `role` is the built-in one, empty when he has custom ones alone."""
    return Actor(
        ActorKind.USER,
        tenant_id=tenant_id,
        user_id=user_id,
        name=name,
        email=email,
        roles=(*((role,) if role else ()), *custom_roles),
        permissions=together(role, (custom_permissions,)),
        is_verified=is_verified,
        is_federated=is_federated,
        origin=origin,
    )


def operator(*, user_id: UUID, name: str, email: str, platform_role: str, origin: Origin) -> Actor:
    """An operator at work on the platform."""
    return Actor(
        ActorKind.OPERATOR,
        user_id=user_id,
        name=name,
        email=email,
        roles=(platform_role,),
        permissions=PLATFORM_PERMISSIONS.get(platform_role, frozenset()),
        origin=origin,
    )
