"""Sending what endpoints are owed: claim, ask outside any transaction, settle.

The row is the truth. A claim is a lease: a worker that dies leaves a delivery that somebody takes up again, with the
same ``webhook-id``. `attempts` grows with each claim and fences a slow worker off from settling what another has taken
over. Claims of one endpoint take turns on its row, so that no more than `AT_ONCE` calls to it are under way, and one
alone while it fails: a dead endpoint holds one worker for ten seconds at a time, and none while its breaker is open.
All endpoints of a workspace share `IN_WORKSPACE` calls: twenty that hang do not take every worker. A test event goes
before all of that: somebody looks on, and there is one of them in a workspace.
"""

import time
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from prometheus_client import Counter, Histogram

from apps.core.breaker import Breaker, BreakerOpen, BreakerState
from apps.core.clock import utcnow
from apps.core.events import publish
from apps.core.sealing import CannotUnseal
from apps.core.tenants import assert_no_transaction, current_tenant_id
from apps.tenancy import selectors as tenancy
from apps.webhooks import calling, giving_up, ladder, owing
from apps.webhooks.calling import TOTAL_SECONDS, Job, Outcome
from apps.webhooks.events import DeliveriesOwed
from apps.webhooks.models import WAITING, Attempt, Delivery, DeliveryState, DisabledReason, Endpoint

logger = structlog.get_logger(__name__)

# Longer than a call and its settling may take.
LEASE = timedelta(minutes=2)
AT_ONCE = 4
# Half the threads of the worker that docker/compose.yml starts.
IN_WORKSPACE = 8
# Who counts a workspace's calls before he adds one does so alone.
_ONE_CLAIMER = "select pg_advisory_xact_lock(hashtextextended('webhooks.claim:' || %s, 0))"
# What is due for longer was woken in vain.
_OVERLOOKED = timedelta(seconds=1)
# After that an endpoint's turn ends, so that the others in the queue have theirs.
MOST_IN_TURN, TURN_SECONDS = 50, 60.0
# A test that found no worker for so long tells nobody anything any more.
TEST_PATIENCE = timedelta(minutes=10)
_INTERRUPTED = "The worker stopped before it had noted an answer."
_UNTRIED = "The test could not be sent in time."
_ATTEMPTS = Counter("insula_webhook_attempts_total", "Calls to webhook endpoints by what followed", ["outcome"])
_DURATION = Histogram(
    "insula_webhook_duration_seconds", "How long webhook endpoints took", buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
)


class _NotTaken(Exception):
    """The endpoint did not take the message; tells its breaker."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


def breaker_of(endpoint_id: UUID) -> Breaker:
    """The breaker of one endpoint (PRODUCT, circuit breakers)."""
    return Breaker("webhook-delivery", failures=10, open_seconds=15, successes=3, instance=str(endpoint_id))


def take_turn(*, endpoint_id: UUID, total_seconds: float = TOTAL_SECONDS) -> bool:
    """Send what one endpoint is owed now, message after message; returns whether more may be waiting.

    Never raises for an endpoint that fails: that is noted in the rows. `total_seconds`: how long each call may take.
    """
    assert_no_transaction("Calling webhook endpoints")
    more, has_called = _send_what_is_due(endpoint_id, total_seconds)
    if has_called:
        _let_another_in(endpoint_id)
    return more


def _send_what_is_due(endpoint_id: UUID, total_seconds: float) -> tuple[bool, bool]:
    """Whether more may be waiting, and whether anything was sent."""
    breaker, ends_at, has_called = breaker_of(endpoint_id), time.monotonic() + TURN_SECONDS, False
    for _ in range(MOST_IN_TURN):
        if time.monotonic() >= ends_at:
            break
        job = claim(endpoint_id=endpoint_id, tests_alone=breaker.state() is BreakerState.OPEN)
        if job is None:
            return False, has_called
        try:
            outcome = _ask(job, breaker, total_seconds)
        except BreakerOpen as waiting:
            _hand_back(job, timedelta(seconds=waiting.retry_after))
            return False, has_called
        settle(job, outcome)
        has_called = True
    return True, has_called


def _ask(job: Job, breaker: Breaker, total_seconds: float) -> Outcome:
    if job.is_test:
        return calling.call(job, total_seconds=total_seconds)
    try:
        with breaker.guard(_NotTaken):
            outcome = calling.call(job, total_seconds=total_seconds)
            if not outcome.is_success:
                raise _NotTaken(outcome)
            return outcome
    except _NotTaken as failure:
        return failure.outcome


def _let_another_in(endpoint_id: UUID) -> None:
    """Wake one of the workspace's endpoints that were woken while all its calls were taken; the sweep has the rest."""
    overlooked = Delivery.objects.filter(endpoint=OuterRef("pk"), next_attempt_at__lte=utcnow() - _OVERLOOKED)
    at_work = Delivery.objects.filter(state=DeliveryState.SENDING).values("endpoint_id")
    others = Endpoint.objects.filter(Exists(overlooked)).exclude(pk=endpoint_id).exclude(pk__in=at_work)
    with transaction.atomic():
        other = others.order_by("?").values_list("pk", flat=True).first()
        if other is not None:
            publish(DeliveriesOwed(tenant_id=current_tenant_id(), endpoint_ids=(other,), due_at=utcnow()))


def claim(*, endpoint_id: UUID, tests_alone: bool = False, now: datetime | None = None) -> Job | None:
    """Take a test of an endpoint, or else the delivery that waits longest, unless `tests_alone`.

    None when nothing is due, when enough calls are under way, and when the workspace was suspended or deleted.
    """
    moment = now or utcnow()
    with transaction.atomic():
        # A turn may last a minute, and nothing is sent for a workspace that is suspended or deleted within it.
        if not tenancy.tenant_by_id(current_tenant_id()).is_active:
            return None
        endpoint = Endpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id).first()
        if endpoint is None:
            return None
        owed = Delivery.objects.filter(endpoint=endpoint, state__in=WAITING)
        row = _first_due(owed.filter(is_test=True), moment)
        if row is None and not tests_alone:
            if not endpoint.is_enabled:
                giving_up.let_go_of_waiting(endpoint, now=moment)
            elif _has_share(endpoint, moment):
                row = _first_due(owed.filter(is_test=False), moment)
        if row is None:
            return None
        row.state, row.next_attempt_at = DeliveryState.SENDING, moment + LEASE
        row.attempts, row.round_attempts = row.attempts + 1, row.round_attempts + 1
        row.save(update_fields=["state", "next_attempt_at", "attempts", "round_attempts"])
        try:
            return calling.job_of(endpoint=endpoint, row=row, now=moment)
        except CannotUnseal:
            # The installation's keys are wrong, not the endpoint: its messages wait until they are put right.
            logger.exception("webhook.secret_does_not_open", endpoint=str(endpoint_id))
            transaction.set_rollback(True)
            return None


def settle(job: Job, outcome: Outcome, *, now: datetime | None = None) -> None:
    """Note what came of a call, unless another worker has taken the delivery over meanwhile."""
    moment = now or utcnow()
    with transaction.atomic():
        endpoint = Endpoint.objects.select_for_update(no_key=True).filter(pk=job.endpoint_id).first()
        mine = Delivery.objects.filter(pk=job.delivery_id, state=DeliveryState.SENDING, attempts=job.number)
        row = mine.select_for_update().first()
        if endpoint is None or row is None:
            logger.warning("webhook.lease_lost", delivery=str(job.delivery_id), attempt=job.number)
            return
        _log(row, outcome)
        row.last_status, row.last_error = outcome.status, outcome.error
        if row.is_test:
            _end(row, DeliveryState.SUCCEEDED if outcome.is_success else DeliveryState.DEAD, moment)
        elif outcome.is_success:
            _end(row, DeliveryState.SUCCEEDED, moment)
            _recover(endpoint)
        else:
            _settle_failure(endpoint, row, outcome, moment, has_moved=endpoint.url != job.url)
    _DURATION.observe(outcome.duration_ms / 1000)
    logger.info(
        "webhook.attempted",
        endpoint=str(job.endpoint_id),
        delivery=str(job.delivery_id),
        attempt=job.number,
        status=outcome.status,
        duration_ms=outcome.duration_ms,
    )


def _has_share(endpoint: Endpoint, now: datetime) -> bool:
    """Whether one call more may be made; their number stays until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_CLAIMER, [str(current_tenant_id())])
    calls = Delivery.objects.filter(state=DeliveryState.SENDING, is_test=False, next_attempt_at__gt=now)
    under_way = list(calls.values_list("endpoint_id", flat=True))
    own_share = 1 if endpoint.failing_since else AT_ONCE
    return len(under_way) < IN_WORKSPACE and under_way.count(endpoint.id) < own_share


def _first_due(owed: QuerySet[Delivery], now: datetime) -> Delivery | None:
    """The delivery that waits longest; those whose workers died too often, and old tests, are ended on the way."""
    due = owed.filter(next_attempt_at__lte=now).order_by("next_attempt_at", "message_id")
    while True:
        row = due.select_for_update(skip_locked=True, of=("self",)).select_related("message").first()
        if row is None:
            return None
        if row.state == DeliveryState.PENDING:
            if not row.is_test or row.created_at > now - TEST_PATIENCE:
                return row
            row.last_error = _UNTRIED
            _end(row, DeliveryState.DEAD, now)
            continue
        assert row.next_attempt_at is not None
        _log(row, Outcome(row.next_attempt_at - LEASE, 0, {}, error=_INTERRUPTED))
        _ATTEMPTS.labels("interrupted").inc()
        row.last_status, row.last_error = None, _INTERRUPTED
        if not row.is_test and row.round_attempts < ladder.MOST_ATTEMPTS:
            row.save(update_fields=["last_status", "last_error"])
            return row
        _end(row, DeliveryState.DEAD, now)


def _settle_failure(endpoint: Endpoint, row: Delivery, outcome: Outcome, now: datetime, *, has_moved: bool) -> None:
    """`has_moved`: the address that was asked is the endpoint's no more; its failure says nothing of the new one."""
    if endpoint.failing_since is None and not has_moved:
        endpoint.failing_since = outcome.started_at
        endpoint.save(update_fields=["failing_since"])
    is_gone, delay = outcome.is_gone and not has_moved, ladder.delay_after(row.round_attempts)
    if delay is None or is_gone or not endpoint.is_enabled:
        _end(row, DeliveryState.DEAD, now)
    else:
        _try_again(row, now + ladder.heeding(delay, outcome.retry_after, now=now))
    # Of a deleted workspace nobody is told anything; should it come back, the next failure says the same.
    if has_moved or not endpoint.is_enabled or not tenancy.tenant_by_id(current_tenant_id()).is_readable:
        return
    if is_gone:
        giving_up.give_up(endpoint, DisabledReason.GONE, now=now)
    elif giving_up.has_failed_too_long(endpoint, attempts=row.round_attempts, now=now):
        giving_up.give_up(endpoint, DisabledReason.FAILING, now=now)


def _try_again(row: Delivery, at: datetime) -> None:
    row.state, row.next_attempt_at = DeliveryState.PENDING, at
    row.save(update_fields=["state", "next_attempt_at", "last_status", "last_error"])
    _ATTEMPTS.labels("retried").inc()
    owing.tell([row.endpoint_id], due_at=at)


def _end(row: Delivery, state: DeliveryState, now: datetime) -> None:
    row.state, row.next_attempt_at, row.completed_at = state, None, now
    row.save(update_fields=["state", "next_attempt_at", "completed_at", "last_status", "last_error"])
    _ATTEMPTS.labels(state.lower()).inc()


def _recover(endpoint: Endpoint) -> None:
    if endpoint.failing_since is not None:
        endpoint.failing_since = None
        endpoint.save(update_fields=["failing_since"])


def _log(row: Delivery, outcome: Outcome) -> None:
    Attempt.objects.create(
        delivery=row,
        number=row.attempts,
        started_at=outcome.started_at,
        duration_ms=outcome.duration_ms,
        status=outcome.status,
        error=outcome.error[:300],
        request_headers=outcome.request_headers,
        response_headers=outcome.response_headers or {},
        response_body=outcome.response_body,
    )


def _hand_back(job: Job, wait: timedelta) -> None:
    # Nothing was tried, so the attempt does not count.
    at = utcnow() + wait
    with transaction.atomic():
        mine = Delivery.objects.filter(pk=job.delivery_id, state=DeliveryState.SENDING, attempts=job.number)
        mine.update(
            state=DeliveryState.PENDING,
            next_attempt_at=at,
            attempts=F("attempts") - 1,
            round_attempts=F("round_attempts") - 1,
        )
        owing.tell([job.endpoint_id], due_at=at)
