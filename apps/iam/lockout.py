"""Lockout: five failures with one e-mail in 15 minutes close it for 15 minutes (PRODUCT, iam).

The guard's row lock is held while a password is checked, so that of any number of simultaneous attempts exactly
five are checked. Addresses without an account are counted alike. Sessions that exist are not touched.
"""

from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from apps.audit import services as audit
from apps.audit.services import Severity
from apps.core import ids
from apps.core.actor import Actor, ActorKind, Origin
from apps.core.clock import utcnow
from apps.core.tenants import public_scope
from apps.iam.attempt_models import AttemptOutcome, SignInAttempt, SignInGuard
from apps.iam.errors import AccountLocked
from apps.iam.models import User, normal_email

FAILURES = 5
WINDOW = timedelta(minutes=15)
LOCKED_FOR = timedelta(minutes=15)
ATTEMPTS_KEPT = timedelta(days=90)

# Inserts or locks the row, and gives what it says after whoever held it before.
_ENTER = """
INSERT INTO public.iam_sign_in_guard (id, email, failed_at, updated_at) VALUES (%(id)s, %(email)s, '{}', %(now)s)
    ON CONFLICT (email) DO UPDATE SET updated_at = EXCLUDED.updated_at
RETURNING failed_at, locked_until
"""


def enter(email: str, *, now: datetime) -> timedelta | None:
    """Take this e-mail's turn until the transaction ends; returns how long it is still locked, if it is."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, {"id": ids.uuid7(), "email": email, "now": now})
        _failed_at, locked_until = cursor.fetchone()
    return locked_until - now if locked_until and locked_until > now else None


def note(email: str, user: User | None, outcome: AttemptOutcome, origin: Origin, *, now: datetime) -> None:
    """Write an attempt down and count it: a failure towards the lock, a success as a fresh start."""
    SignInAttempt.objects.create(
        email=email,
        user_id=user.id if user else None,
        outcome=outcome,
        ip=origin.ip,
        user_agent=origin.user_agent,
        occurred_at=now,
    )
    if outcome == AttemptOutcome.SUCCESS:
        SignInGuard.objects.filter(email=email).exclude(failed_at=[], locked_until=None).update(
            failed_at=[], locked_until=None
        )
    if outcome in (AttemptOutcome.WRONG, AttemptOutcome.WRONG_CODE):
        _count_failure(email, user, origin, now)


def refusal(remaining: timedelta) -> AccountLocked:
    """The answer to an attempt during the lock, the same for every address."""
    seconds = max(1, ceil(remaining.total_seconds()))
    detail = _("Too many failed attempts. Try again in %(minutes)d minutes, or reset your password.")
    return AccountLocked(detail % {"minutes": ceil(seconds / 60)}, retry_after=seconds)


def unlock(*, actor: Actor, email: str) -> bool:
    """Open an e-mail before its time, as an operator; returns whether it was locked.

    Raises:
        PermissionRefused: the actor lacks ``platform:write``.
    """
    actor.require("platform:write")
    email = normal_email(email)
    with public_scope(), transaction.atomic():
        guard = SignInGuard.objects.select_for_update().filter(email=email).first()
        if guard is None or not (guard.failed_at or guard.locked_until):
            return False
        was_locked = guard.locked_until is not None and guard.locked_until > utcnow()
        clear(email)
        user = User.objects.filter(email=email).first()
        audit.record(
            actor=actor,
            action="iam.account.unlock",
            entity_type="user",
            entity_id=user.id if user else "unknown",
            entity_label=email,
            severity=Severity.MEDIUM,
        )
        return was_locked


def clear(email: str) -> None:
    """Forget an e-mail's failures, in the caller's transaction."""
    SignInGuard.objects.filter(email=email).update(failed_at=[], locked_until=None, updated_at=utcnow())


def locked_until(email: str, *, now: datetime | None = None) -> datetime | None:
    """Until when an e-mail is locked, if it is."""
    with public_scope():
        guard = SignInGuard.objects.filter(email=normal_email(email), locked_until__gt=now or utcnow()).first()
    return guard.locked_until if guard else None


def purge(*, now: datetime) -> None:
    """Delete attempts after 90 days, and guards that count nothing any more."""
    SignInAttempt.objects.filter(occurred_at__lt=now - ATTEMPTS_KEPT).delete()
    SignInGuard.objects.filter(updated_at__lt=now - WINDOW - LOCKED_FOR).delete()


def _count_failure(email: str, user: User | None, origin: Origin, now: datetime) -> None:
    guard = SignInGuard.objects.get(email=email)
    guard.failed_at = [*(moment for moment in guard.failed_at if moment > now - WINDOW), now]
    guard.locked_until = None
    if len(guard.failed_at) >= FAILURES:
        guard.failed_at, guard.locked_until = [], now + LOCKED_FOR
        _record_lock(email, user.id if user else None, origin)
    guard.save(update_fields=["failed_at", "locked_until"])


def _record_lock(email: str, user_id: UUID | None, origin: Origin) -> None:
    audit.record(
        actor=Actor(ActorKind.USER, user_id=user_id, email=email, origin=origin),
        action="iam.account.lock",
        entity_type="user",
        entity_id=user_id or "unknown",
        entity_label=email,
        after={"minutes": int(LOCKED_FOR.total_seconds() // 60)},
        severity=Severity.HIGH,
    )
