"""Sign-ins as families: starting one, rotating its refresh tokens, ending it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from apps.core import ids
from apps.core.actor import Origin
from apps.core.clock import utcnow
from apps.core.tenants import public_scope
from apps.iam import tokens
from apps.iam.errors import InvalidToken
from apps.iam.identity import Identity, identify
from apps.iam.models import Channel, RefreshToken, SessionHandoff, TokenFamily, User
from apps.iam.proofs import FEDERATED, PASSWORD, STRONG, Proof

# Parallel tabs may spend the same refresh token; within this time that is no sign of theft.
REUSE_GRACE = timedelta(seconds=10)

_NOBODY = UUID(int=0)

_SPEND = """
UPDATE public.iam_refresh_token SET used_at = %(now)s
 WHERE digest = %(digest)s AND used_at IS NULL AND expires_at > %(now)s
RETURNING family_id
"""


class Spending(Enum):
    """What came of an attempt to spend a refresh token."""

    SPENT = auto()
    UNKNOWN = auto()
    JUST_USED = auto()
    REUSED = auto()


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a program signs in with from now on. `identity` tells as whom and where."""

    access: str
    refresh: str
    expires_in: int
    identity: Identity


def start_family(
    user: User,
    tenant_id: UUID | None,
    channel: Channel,
    origin: Origin,
    *,
    now: datetime | None = None,
    methods: tuple[str, ...] = (PASSWORD,),
    proof: Proof | None = None,
) -> TokenFamily:
    """Write a new sign-in, by `methods` of this moment or by a `proof` that was given earlier."""
    started_at = now or utcnow()
    if user.tokens_valid_after:
        # Another server's clock may have set it a moment ahead; the new sign-in must outlive it.
        started_at = max(started_at, user.tokens_valid_after)
    shown = proof or Proof.given(methods, started_at)
    return TokenFamily.objects.create(
        user=user,
        tenant_id=tenant_id,
        channel=channel,
        ip=origin.ip,
        user_agent=origin.user_agent,
        methods=list(shown.methods),
        proved_at=shown.proved_at,
        strong_at=shown.strong_at,
        # Whoever goes on to another workspace by an earlier proof has no longer there than where he came from.
        ends_at=min(shown.proved_at, started_at) + timedelta(days=settings.SIGN_IN_LASTS_DAYS),
        started_at=started_at,
        last_seen_at=started_at,
    )


def issue_pair(identity: Identity, *, now: datetime) -> TokenPair:
    """A new access token and the family's next refresh token."""
    refresh = ids.secret_token()
    RefreshToken.objects.create(
        family_id=identity.family_id,
        digest=ids.token_digest(refresh),
        created_at=now,
        expires_at=now + timedelta(seconds=settings.REFRESH_TOKEN_SECONDS),
    )
    assert identity.actor.user_id is not None
    access = tokens.issue_access(
        user_id=identity.actor.user_id,
        tenant_id=identity.actor.tenant_id,
        family_id=identity.family_id,
        roles=identity.actor.roles,
        email_verified=identity.email_verified,
        methods=identity.methods,
        proved_at=identity.proved_at,
        now=now,
    )
    return TokenPair(access, refresh, settings.ACCESS_TOKEN_SECONDS, identity)


def spend(refresh: str, *, now: datetime) -> tuple[Spending, UUID | None]:
    """Spend a refresh token and name its family. Of many callers at once exactly one gets `Spending.SPENT`."""
    digest = ids.token_digest(refresh)
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, {"now": now, "digest": digest})
        spent = cursor.fetchone()
    if spent:
        return Spending.SPENT, spent[0]
    found = RefreshToken.objects.filter(digest=digest).first()
    if found is None or found.used_at is None:
        return Spending.UNKNOWN, None
    is_fresh = now - found.used_at <= REUSE_GRACE
    return (Spending.JUST_USED if is_fresh else Spending.REUSED), found.family_id


def prove_again(family_id: UUID | None, *, methods: Iterable[str], is_strong: bool, now: datetime) -> None:
    """Write a proof of this moment on a sign-in, if there is one and it lives; the words of earlier ones stay."""
    if family_id is None:
        return
    with public_scope(), transaction.atomic():
        family = TokenFamily.objects.select_for_update().filter(pk=family_id, revoked_at=None).first()
        if family is None:
            return
        shown = [*family.methods, *methods, *((STRONG,) if is_strong else ())]
        family.methods, family.proved_at = list(dict.fromkeys(shown)), now
        family.strong_at = now if is_strong else family.strong_at
        family.save(update_fields=["methods", "proved_at", "strong_at"])


def is_overtaken(user: User, proof: Proof) -> bool:
    """Whether the password was changed, a second factor removed or everything signed out since he gave the proof."""
    ends = (user.password_changed_at, user.factors_removed_at, user.tokens_valid_after)
    return any(moment > proof.proved_at for moment in ends if moment)


def locked_person_of(family_id: UUID | None, user_id: UUID) -> User:
    """The person of a sign-in that holds at this moment, for the caller alone until his transaction ends.

    What ends all of a person's sign-ins locks him, too: so none of them goes on as another one meanwhile, nor leaves
    him a factor or a key. Whoever acts without one (an operator before he is let in) is not asked for it.

    Raises:
        InvalidToken: it has ended since the request was let in.
    """
    user = User.objects.select_for_update().get(pk=user_id)
    if family_id is None:
        return user
    living = TokenFamily.objects.filter(pk=family_id, user=user, revoked_at=None)
    if user.tokens_valid_after:
        living = living.filter(started_at__gte=user.tokens_valid_after)
    if not living.exists():
        raise InvalidToken(_("This sign-in has ended."))
    return user


def identity_of_family(family_id: UUID, origin: Origin) -> Identity | None:
    """Whom a program's sign-in stands for now; its last use is noted."""
    family = TokenFamily.objects.filter(pk=family_id).first()
    if family is None:
        return None
    return identify(
        family_id=family.id,
        user_id=family.user_id,
        tenant_id=family.tenant_id,
        channel=Channel.API,
        origin=origin,
    )


def revoke(family_ids: list[UUID], reason: str) -> int:
    """End sign-ins; returns how many were alive. `reason` is a word like ``signout``."""
    with transaction.atomic():
        return TokenFamily.objects.filter(pk__in=family_ids, revoked_at=None).update(
            revoked_at=utcnow(), revoked_reason=reason
        )


def end_all(user: User, reason: str, *, now: datetime) -> None:
    """End everything that this locked person signed in to before `now`, the operators' admin included."""
    user.tokens_valid_after = now
    user.save(update_fields=["tokens_valid_after", "updated_at"])
    end_others(user, keep=None, reason=reason)


def end_others(user: User, *, keep: UUID | None, reason: str) -> int:
    """End every living sign-in of this locked person but `keep`; returns how many there were."""
    SessionHandoff.objects.filter(user=user, used_at=None).delete()
    living = TokenFamily.objects.filter(user=user, revoked_at=None).exclude(pk=keep or _NOBODY)
    return revoke(list(living.values_list("pk", flat=True)), reason)


def end_unproved(user: User, *, keep: UUID | None, reason: str) -> None:
    """End the living sign-ins of this locked person that no second factor proved, but `keep`; without it, everything.

    Whom a workspace's provider vouched for stays there: what it asks of him is its own affair.
    """
    if keep is None:
        return end_all(user, reason, now=utcnow())
    SessionHandoff.objects.filter(user=user, used_at=None, strong_at=None).delete()
    living = TokenFamily.objects.filter(user=user, revoked_at=None, strong_at=None, impersonator_id=None)
    unproved = living.exclude(pk=keep).exclude(methods__contains=[FEDERATED])
    revoke(list(unproved.values_list("pk", flat=True)), reason)


def end_proved_by(user: User, words: Collection[str], *, keep: UUID | None, reason: str) -> int:
    """End the living sign-ins of this locked person, but `keep`, that showed one of `words`; returns how many.

    Whom a workspace's provider vouched for stays there, without that proof.
    """
    SessionHandoff.objects.filter(user=user, used_at=None).delete()
    living = TokenFamily.objects.filter(user=user, revoked_at=None, impersonator_id=None).exclude(pk=keep or _NOBODY)
    shown = living.filter(methods__overlap=list(words))
    for family in shown.filter(methods__contains=[FEDERATED]):
        family.methods, family.strong_at = [word for word in family.methods if word not in words], None
        family.save(update_fields=["methods", "strong_at"])
    return revoke(list(shown.exclude(methods__contains=[FEDERATED]).values_list("pk", flat=True)), reason)


def revoke_all_of(tenant_id: UUID, reason: str) -> int:
    """End every sign-in to a tenant, by programs and browsers; returns how many were alive."""
    with transaction.atomic():
        return TokenFamily.objects.filter(tenant_id=tenant_id, revoked_at=None).update(
            revoked_at=utcnow(), revoked_reason=reason
        )


def touch(family_id: UUID, *, now: datetime) -> None:
    """Note that a sign-in was used."""
    TokenFamily.objects.filter(pk=family_id).update(last_seen_at=now)
