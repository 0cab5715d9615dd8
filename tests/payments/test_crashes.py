"""Processes killed with SIGKILL between any two steps, a gateway that is away, a cache that is away."""

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.conf import settings as django_settings

from apps.audit.models import AuditEntry
from apps.core.breaker import BreakerState
from apps.core.clock import utcnow
from apps.core.tenants import tenant_scope
from apps.ledger.models import Entry
from apps.payments import inbox, services, tasks
from apps.payments.choices import GatewayEventStatus, PaymentStatus, RefundStatus
from apps.payments.errors import GatewayUnreachable
from apps.payments.gateways.stripe import BREAKER
from apps.payments.models import GatewayEvent, Payment, Refund
from apps.tenancy.selectors import TenantView
from tests.factories.payments import (
    check,
    clear_faults,
    deliver,
    events,
    make_paid,
    make_pending,
    open_checkout,
    pay_at,
    stored,
    stripe_api,
)
from tests.fixtures.plain import PLAIN
from tests.fixtures.processes import Sandbox, free_port, process, product_environment, wait_until
from tests.fixtures.tenants import in_tenant

NewTenant = Callable[[str], TenantView]
Kill = Callable[..., None]


@pytest.fixture
def kill_during(sandbox: Sandbox, database_name: str, tmp_path: Path) -> Kill:
    """``kill_during(path, when, verb, tenant, id)``: SIGKILL a process that waits for the gateway's answer.

    With `when` "before" the gateway has not begun what it was asked for, with "after" it has done it.
    """

    def kill(path: str, when: str, verb: str, tenant: TenantView, row_id: UUID) -> None:
        sandbox.control("faults", status="timeout", path=path, when=when, seconds=60)
        environment = product_environment(database_name) | {
            "STRIPE_API_HOST": sandbox.url,
            "STRIPE_SECRET_KEY": django_settings.STRIPE_SECRET_KEY,
        }
        arguments = (sys.executable, "-m", "tests.payments.child", verb, str(tenant.id), str(row_id))
        log = tmp_path / "child.txt"
        with process(*arguments, env=environment, log=log) as child:

            def called() -> bool:
                assert child.poll() is None, f"{verb} ended without asking the gateway:\n{log.read_text()}"
                return waiting(sandbox) == 1

            wait_until(called, seconds=90, what=f"{verb} to call the gateway")
            os.killpg(child.pid, signal.SIGKILL)
            child.wait(10)
        clear_faults(sandbox)
        wait_until(lambda: waiting(sandbox) == 0, what="the gateway to go on")

    return kill


def waiting(sandbox: Sandbox) -> int:
    return int(httpx.get(f"{sandbox.url}/_sandbox/health", timeout=5, verify=PLAIN).json()["waiting"])


def reconcile(tenant: TenantView, after: timedelta = timedelta(minutes=1)) -> None:
    with tenant_scope(tenant.scope):
        services.reconcile(tenant_id=tenant.id, now=utcnow() + after)


def sessions(sandbox: Sandbox) -> list[str]:
    return [session["id"] for session in stripe_api(sandbox, "GET", "checkout/sessions")["data"]]


def kinds(tenant: TenantView, payment_id: UUID) -> list[str]:
    with in_tenant(tenant):
        return sorted(Entry.objects.filter(source_id=payment_id).values_list("kind", flat=True))


def test_killed_after_noting_the_payment(committed: NewTenant, sandbox: Sandbox) -> None:
    tenant = committed("Killed after step one")
    payment_id = make_pending(tenant)
    reconcile(tenant, timedelta(seconds=10))
    assert sessions(sandbox) == []
    reconcile(tenant)
    assert sessions(sandbox) == [stored(tenant, payment_id).session_ref]


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_the_session_is_opened(
    committed: NewTenant, sandbox: Sandbox, kill_during: Kill, when: str
) -> None:
    tenant = committed(f"Killed {when} step two")
    payment_id = make_pending(tenant)
    kill_during("/v1/checkout/sessions", when, "open_checkout", tenant, payment_id)
    left = stored(tenant, payment_id)
    assert (left.status, left.session_ref) == (PaymentStatus.PENDING, "")
    reconcile(tenant)
    payment = stored(tenant, payment_id)
    assert sessions(sandbox) == [payment.session_ref]
    pay_at(sandbox, payment.session_url)
    reconcile(tenant, timedelta(hours=2))
    assert stored(tenant, payment_id).status == PaymentStatus.SUCCEEDED
    assert kinds(tenant, payment_id) == ["payment.fee", "payment.succeeded"]


def test_the_customer_pays_and_every_webhook_is_lost(committed: NewTenant, sandbox: Sandbox) -> None:
    tenant = committed("Lost webhooks")
    payment_id = make_pending(tenant)
    pay_at(sandbox, open_checkout(tenant, payment_id).url)
    reconcile(tenant)
    reconcile(tenant, timedelta(hours=2))
    assert stored(tenant, payment_id).status == PaymentStatus.SUCCEEDED
    assert kinds(tenant, payment_id) == ["payment.fee", "payment.succeeded"]


def test_killed_while_looking_at_a_paid_session(committed: NewTenant, sandbox: Sandbox, kill_during: Kill) -> None:
    tenant = committed("Killed while looking")
    payment_id = make_pending(tenant)
    pay_at(sandbox, open_checkout(tenant, payment_id).url)
    kill_during("/v1/checkout/sessions", "after", "check", tenant, payment_id)
    assert stored(tenant, payment_id).status == PaymentStatus.PENDING
    reconcile(tenant)
    assert stored(tenant, payment_id).status == PaymentStatus.SUCCEEDED


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_refunding(committed: NewTenant, sandbox: Sandbox, kill_during: Kill, when: str) -> None:
    tenant = committed(f"Killed {when} refunding")
    payment_id = make_paid(tenant, sandbox)
    kill_during("/v1/refunds", when, "refund", tenant, payment_id)
    with in_tenant(tenant):
        assert Refund.objects.get(payment_id=payment_id).status == RefundStatus.PENDING
    reconcile(tenant)
    payment = stored(tenant, payment_id)
    assert (payment.status, payment.refunded_minor) == (PaymentStatus.PARTIALLY_REFUNDED, 1900)
    assert [refund["amount"] for refund in stripe_api(sandbox, "GET", "refunds")["data"]] == [1900]
    assert kinds(tenant, payment_id) == ["payment.fee", "payment.refunded", "payment.succeeded"]


def test_a_worker_killed_over_an_event_leaves_it_to_the_next(
    committed: NewTenant, sandbox: Sandbox, kill_during: Kill
) -> None:
    tenant = committed("Killed worker")
    GatewayEvent.objects.all().delete()
    payment_id = make_pending(tenant)
    pay_at(sandbox, open_checkout(tenant, payment_id).url)
    (event,) = events(sandbox, "checkout.session.completed")
    deliver(event)
    row = GatewayEvent.objects.get(event_id=event["id"])
    kill_during("/v1/checkout/sessions", "after", "process_event", tenant, row.id)
    tasks.process_due_gateway_events()
    assert stored(tenant, payment_id).status == PaymentStatus.PENDING
    inbox.process_due(now=utcnow() + inbox.LEASE)
    assert stored(tenant, payment_id).status == PaymentStatus.SUCCEEDED
    row.refresh_from_db()
    assert (row.status, row.attempts) == (GatewayEventStatus.PROCESSED, 2)
    assert kinds(tenant, payment_id) == ["payment.fee", "payment.succeeded"]


def test_a_gateway_that_is_away_leaves_the_payment_to_be_tried_again(
    acme: TenantView, sandbox: Sandbox, settings: Any
) -> None:
    payment_id = make_pending(acme)
    settings.STRIPE_API_HOST = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(GatewayUnreachable) as away:
        open_checkout(acme, payment_id)
    assert away.value.status == 502
    assert stored(acme, payment_id).status == PaymentStatus.PENDING
    settings.STRIPE_API_HOST = sandbox.url
    assert open_checkout(acme, payment_id).url


def test_after_five_failures_the_gateway_is_not_asked_for_a_while(
    acme: TenantView, sandbox: Sandbox, settings: Any
) -> None:
    payment_id = make_pending(acme)
    settings.STRIPE_API_HOST = f"http://127.0.0.1:{free_port()}"
    for _ in range(5):
        with pytest.raises(GatewayUnreachable):
            open_checkout(acme, payment_id)
    settings.STRIPE_API_HOST = sandbox.url
    assert BREAKER.state() is BreakerState.OPEN
    with pytest.raises(GatewayUnreachable) as refused:
        open_checkout(acme, payment_id)
    assert refused.value.extra["retry_after"] >= 1
    assert sessions(sandbox) == []
    BREAKER.reset()
    assert open_checkout(acme, payment_id).url


def test_an_open_breaker_ends_the_reconcilers_round(acme: TenantView, sandbox: Sandbox, settings: Any) -> None:
    payments = [make_pending(acme) for _ in range(3)]
    settings.STRIPE_API_HOST = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(GatewayUnreachable):
        reconcile(acme)
    settings.STRIPE_API_HOST = sandbox.url
    BREAKER.reset()
    reconcile(acme, timedelta(hours=2))
    assert all(stored(acme, payment_id).session_ref for payment_id in payments)


def test_an_answer_that_breaks_down_is_asked_for_again(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_pending(acme)
    sandbox.control("faults", status=500, path="/v1/checkout/sessions", count=2, when="after")
    with pytest.raises(GatewayUnreachable):
        open_checkout(acme, payment_id)
    reconcile(acme)
    assert stored(acme, payment_id).session_ref in sessions(sandbox)


def test_a_cache_that_is_away_stops_no_payment(acme: TenantView, sandbox: Sandbox, settings: Any) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{free_port()}/0",
        }
    }
    payment_id = make_pending(acme)
    pay_at(sandbox, open_checkout(acme, payment_id).url)
    check(acme, payment_id)
    assert stored(acme, payment_id).status == PaymentStatus.SUCCEEDED


def test_a_checkout_that_nobody_opened_for_a_day_is_canceled(acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_pending(acme)
    with in_tenant(acme):
        Payment.objects.filter(pk=payment_id).update(created_at=utcnow() - timedelta(hours=25))
    reconcile(acme)
    assert stored(acme, payment_id).status == PaymentStatus.CANCELED
    assert sessions(sandbox) == []
    trail = AuditEntry.objects.filter(tenant_id=acme.id, entity_id=str(payment_id)).order_by("-pk")
    assert trail.values_list("action", flat=True)[0] == "payments.payment.cancel"


def test_the_task_looks_after_every_tenant(acme: TenantView, globex: TenantView, sandbox: Sandbox) -> None:
    payments = {tenant: make_pending(tenant, now=utcnow() - timedelta(minutes=5)) for tenant in (acme, globex)}
    tasks.reconcile_payments()
    assert all(stored(tenant, payment_id).session_ref for tenant, payment_id in payments.items())
