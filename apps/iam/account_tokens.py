"""Tokens for resetting a password and confirming an address: limited, the newest only, good once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from apps.core import ids
from apps.core.clock import utcnow
from apps.core.events import publish
from apps.core.tenants import public_scope
from apps.iam import mailed
from apps.iam.errors import InvalidLink
from apps.iam.events import AccountTokenIssued, AccountTokenMailed
from apps.iam.models import AccountToken, TokenPurpose, User

KEPT_AFTER_END = timedelta(days=1)
# A lost hint delays a mail by no more than the sweep's interval; later it is of no use.
OWED_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """How long a token of a purpose lives, and how many an address may ask for in which time."""

    lifetime: timedelta
    limit: int
    window: timedelta
    page: str


RULES = {
    TokenPurpose.RESET: Rule(timedelta(hours=1), 3, timedelta(minutes=15), "iam:password-reset"),
    TokenPurpose.VERIFY: Rule(timedelta(hours=24), 3, timedelta(hours=1), "iam:verify-email"),
}

_ONE_ASKER = "SELECT pg_advisory_xact_lock(hashtextextended('iam.account_token:' || %s || ':' || %s, 0))"
_REDEEM = """
UPDATE public.iam_account_token SET used_at = %(now)s
 WHERE digest = %(digest)s AND purpose = %(purpose)s AND used_at IS NULL AND expires_at > %(now)s
RETURNING email
"""


def issue(purpose: TokenPurpose, email: str, *, now: datetime, is_asked: bool = True) -> UUID | None:
    """Owe `email` a token and void the earlier ones, in the caller's transaction.

    Nothing happens beyond the limit of what somebody may ask for; returns the row's id otherwise.
    """
    rule = RULES[purpose]
    with connection.cursor() as cursor:
        cursor.execute(_ONE_ASKER, [purpose.value, email])
    earlier = AccountToken.objects.filter(purpose=purpose, email=email)
    if is_asked and earlier.filter(is_asked=True, created_at__gt=now - rule.window).count() >= rule.limit:
        return None
    earlier.filter(used_at=None, expires_at__gt=now).update(expires_at=now)
    row_id = ids.uuid7()
    AccountToken.objects.create(
        id=row_id,
        purpose=purpose,
        email=email,
        digest=mailed.digest_of(purpose.value, row_id),
        is_asked=is_asked,
        created_at=now,
        expires_at=now + rule.lifetime,
    )
    publish(AccountTokenIssued(token_id=row_id))
    return row_id


def redeem(purpose: TokenPurpose, token: str, *, now: datetime) -> User:
    """Spend a token, in the caller's transaction, and lock its person.

    Raises:
        InvalidLink: unknown, expired, used or replaced, or the account is gone or switched off.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REDEEM, {"now": now, "digest": ids.token_digest(token), "purpose": purpose.value})
        row = cursor.fetchone()
    user = User.objects.select_for_update().filter(email=row[0], is_active=True).first() if row else None
    if user is None:
        raise InvalidLink
    return user


def mail_token(*, token_id: UUID, now: datetime | None = None) -> bool:
    """Have a token mailed if its address has an account that can use it; returns whether it goes out."""
    now = now or utcnow()
    with public_scope(), transaction.atomic():
        row = AccountToken.objects.select_for_update(skip_locked=True).filter(pk=token_id, mailed_at=None).first()
        if row is None:
            return False
        row.mailed_at = now
        row.save(update_fields=["mailed_at"])
        user = User.objects.filter(email=row.email, is_active=True).first()
        has_no_use = row.purpose == TokenPurpose.VERIFY and user is not None and user.email_verified_at is not None
        if user is None or has_no_use or row.expires_at <= now:
            return False
        publish(
            AccountTokenMailed(
                token_id=row.id,
                purpose=row.purpose,
                user_id=user.id,
                email=user.email,
                name=user.name,
                locale=user.locale,
            )
        )
        return True


def mail_owed(*, now: datetime | None = None) -> int:
    """Mail what a lost hint left; returns how many go out."""
    since = (now or utcnow()) - OWED_FOR
    with public_scope():
        owed = list(
            AccountToken.objects.filter(mailed_at=None, created_at__gt=since)
            .order_by("created_at")
            .values_list("pk", flat=True)[:200]
        )
    return sum(mail_token(token_id=token_id, now=now) for token_id in owed)


def link_of(token_id: UUID) -> str:
    """The address that a mail tells its reader to follow.

    Raises:
        InvalidLink: there is no such token, or it was made under another secret key.
    """
    with public_scope():
        row = AccountToken.objects.filter(pk=token_id).first()
    if row is None or mailed.digest_of(row.purpose, row.id) != row.digest:
        raise InvalidLink
    return mailed.platform_link(RULES[TokenPurpose(row.purpose)].page, mailed.token_of(row.purpose, row.id))


def purge(*, now: datetime) -> None:
    """Delete tokens a day after they ended."""
    AccountToken.objects.filter(expires_at__lt=now - KEPT_AFTER_END).delete()
