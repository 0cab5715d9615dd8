"""Sending the e-mails that are owed: claim, send outside any transaction, settle.

The row is the truth. A claim is a lease: a worker that dies leaves a row that the sweep takes up again. `attempts`
grows with each claim and fences a slow worker off from settling what another has taken over.
"""

import random
import smtplib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from prometheus_client import Counter

from apps.core.breaker import Breaker, BreakerOpen, BreakerState
from apps.core.clock import utcnow
from apps.core.tenants import assert_no_transaction
from apps.notifications import composing, selectors
from apps.notifications.errors import EmailRefused
from apps.notifications.models import DeliveryState, EmailDelivery
from apps.tenancy import selectors as tenancy
from apps.tenancy.selectors import TenantStatus

logger = structlog.get_logger(__name__)

MAX_ATTEMPTS = 8
# Longer than composing and sending may take, which the mail server's and the task's time limits bound.
LEASE = timedelta(minutes=6)
FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=6)
# How often the letters of a suspended workspace look whether they may go.
SUSPENDED_DELAY = timedelta(minutes=5)
# What a suspended workspace's customers are told of their money all the same.
_ABOUT_MONEY_THAT_MOVED = frozenset({"receipt", "refund"})
MAIL = Breaker("email", failures=3, open_seconds=60, successes=1)
_OUTCOMES = Counter("insula_email_deliveries_total", "E-mail attempts by how they ended", ["outcome"])


def deliver_email(*, delivery_id: UUID, now: datetime | None = None) -> bool:
    """Send one e-mail if it is due and nobody else is at it; returns whether it was sent.

    Never raises for a mail server that is down or a message that cannot be made: both are noted in the row.
    """
    assert_no_transaction("Sending e-mail")
    if MAIL.state() is BreakerState.OPEN:
        return False
    row = _claim(delivery_id, now or utcnow())
    if row is None:
        return False
    if _must_wait(row):
        _hand_back(row, SUSPENDED_DELAY)
        return False
    try:
        message = composing.compose(row)
        with MAIL.guard(OSError):
            _send(message)
    except BreakerOpen as waiting:
        _hand_back(row, timedelta(seconds=waiting.retry_after))
        return False
    except Exception as error:
        # Whatever it is, it belongs to this one row: the sweep must get to the next.
        logger.warning("email.failed", delivery=str(row.id), attempt=row.attempts, error=repr(error))
        _settle_failure(row, error)
        return False
    _settle(row, state=DeliveryState.SENT, sent_at=utcnow(), next_attempt_at=None, last_error="")
    _OUTCOMES.labels("sent").inc()
    logger.info("email.sent", delivery=str(row.id), template=row.template, attempt=row.attempts)
    return True


def deliver_due_emails(*, limit: int = 200, now: datetime | None = None) -> int:
    """Send what a lost hint, a failure or a dead worker left; returns how many were sent.

    Stops early when the mail server turns out to be down.
    """
    sent = 0
    for delivery_id in selectors.due_deliveries(now=now or utcnow(), limit=limit):
        if MAIL.state() is BreakerState.OPEN:
            break
        sent += deliver_email(delivery_id=delivery_id, now=now)
    return sent


def delay_after(attempt: int) -> timedelta:
    """How long to wait after the failure of `attempt` (from 1): four times longer each time, ±50 % jitter."""
    delay = min(FIRST_DELAY * int(4 ** min(attempt - 1, 10)), LONGEST_DELAY)
    return delay * random.uniform(0.5, 1.5)  # noqa: S311


def _must_wait(row: EmailDelivery) -> bool:
    """Whether the letter belongs to the business of a workspace that is suspended or deleted."""
    if row.tenant_id is None or row.related_type not in ("invoice", "payment"):
        return False
    tenant = tenancy.tenant_by_id(row.tenant_id)
    if tenant.status == TenantStatus.SUSPENDED:
        return row.template not in _ABOUT_MONEY_THAT_MOVED
    return tenant.status == TenantStatus.DELETED


def _claim(delivery_id: UUID, now: datetime) -> EmailDelivery | None:
    with transaction.atomic():
        row = (
            EmailDelivery.objects.select_for_update(skip_locked=True)
            .filter(
                pk=delivery_id,
                state__in=(DeliveryState.QUEUED, DeliveryState.SENDING),
                next_attempt_at__lte=now,
            )
            .first()
        )
        if row is None:
            return None
        if row.attempts >= MAX_ATTEMPTS:
            # Only a row whose workers died each time comes here.
            row.state, row.next_attempt_at = DeliveryState.FAILED, None
            row.last_error = row.last_error or "Every worker that tried stopped before it had finished."
            row.save(update_fields=["state", "next_attempt_at", "last_error"])
            _OUTCOMES.labels("failed").inc()
            return None
        row.state, row.next_attempt_at = DeliveryState.SENDING, now + LEASE
        row.attempts += 1
        row.save(update_fields=["state", "next_attempt_at", "attempts"])
        return row


def _send(message: EmailMultiAlternatives) -> None:
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as refusal:
        codes = [code for code, _ in refusal.recipients.values()]
        raise EmailRefused(str(refusal), permanent=all(code >= 500 for code in codes)) from refusal
    except smtplib.SMTPDataError as refusal:
        raise EmailRefused(str(refusal), permanent=refusal.smtp_code >= 500) from refusal


def _settle_failure(row: EmailDelivery, error: Exception) -> None:
    final = row.attempts >= MAX_ATTEMPTS or (isinstance(error, EmailRefused) and error.permanent)
    _settle(
        row,
        state=DeliveryState.FAILED if final else DeliveryState.QUEUED,
        next_attempt_at=None if final else utcnow() + delay_after(row.attempts),
        last_error=f"{type(error).__name__}: {error}"[:500],
    )
    _OUTCOMES.labels("failed" if final else "retried").inc()


def _hand_back(row: EmailDelivery, wait: timedelta) -> None:
    # Nothing was tried, so the attempt does not count.
    _settle(row, state=DeliveryState.QUEUED, next_attempt_at=utcnow() + wait, attempts=F("attempts") - 1)


def _settle(row: EmailDelivery, **values: Any) -> None:
    with transaction.atomic():
        mine = EmailDelivery.objects.filter(pk=row.pk, state=DeliveryState.SENDING, attempts=row.attempts)
        if not mine.update(**values):
            logger.warning("email.lease_lost", delivery=str(row.id), attempt=row.attempts)
