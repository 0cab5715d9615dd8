"""Operators look at payments and the books of a tenant they entered, and at what gateways told."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from apps.audit.models import AuditEntry
from apps.core.clock import utcnow
from apps.ledger.models import Entry
from apps.payments.choices import GatewayEventStatus, PaymentStatus
from apps.payments.models import GatewayEvent
from apps.tenancy.selectors import TenantView
from tests.factories.iam import PASSWORD, operator
from tests.factories.payments import deliver, events, make_manual, make_pending, open_checkout, pay_at, stored
from tests.fixtures.processes import Sandbox
from tests.fixtures.tenants import in_tenant

TENANT_LISTS = ["payments_payment", "payments_refund", "ledger_entry", "ledger_account"]


def signed_in(platform_role: str = "PLATFORM_ADMIN") -> Client:
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    form = {"username": operator(platform_role), "password": PASSWORD, "next": "/admin/"}
    assert client.post("/admin/login/", form).status_code == 302
    return client


def enter(client: Client, tenant: TenantView) -> None:
    url = reverse("admin:tenancy_tenant_confirm", args=[tenant.id, "enter"])
    assert client.post(url, {"reason": "A question about a payment"}).status_code == 302


def told(acme: TenantView, sandbox: Sandbox) -> tuple[Any, GatewayEvent]:
    """A payment that was made, and the event that tells of it, not processed yet."""
    payment_id = make_pending(acme)
    pay_at(sandbox, open_checkout(acme, payment_id).url)
    (event,) = events(sandbox, "checkout.session.completed")
    deliver(event)
    return payment_id, GatewayEvent.objects.get(event_id=event["id"])


@pytest.mark.parametrize("name", TENANT_LISTS)
def test_outside_a_tenant_its_tables_are_403(acme: TenantView, name: str) -> None:
    assert signed_in().get(reverse(f"admin:{name}_changelist")).status_code == 403


@pytest.mark.parametrize("role", ["PLATFORM_ADMIN", "PLATFORM_SUPPORT"])
def test_inside_a_tenant_payments_and_books_can_be_read(acme: TenantView, role: str) -> None:
    payment_id = make_manual(acme, paid_at=utcnow())
    client = signed_in(role)
    enter(client, acme)
    for name in TENANT_LISTS:
        assert client.get(reverse(f"admin:{name}_changelist")).status_code == 200
    page = client.get(reverse("admin:payments_payment_change", args=[payment_id]))
    assert page.status_code == 200
    assert "€119.00" in page.content.decode()
    listed = client.get(reverse("admin:ledger_entry_changelist")).content.decode()
    assert f"payment.succeeded:{payment_id}" in listed


def test_an_entry_is_shown_with_its_legs(acme: TenantView) -> None:
    make_manual(acme, paid_at=utcnow())
    client = signed_in()
    enter(client, acme)
    with in_tenant(acme):
        entry_id = Entry.objects.get().pk
    page = client.get(reverse("admin:ledger_entry_change", args=[entry_id])).content.decode()
    assert "1000 Bank (EUR)" in page
    assert "1100 Accounts receivable (EUR)" in page


def test_nobody_edits_payments_in_the_admin(acme: TenantView) -> None:
    payment_id = make_manual(acme, paid_at=utcnow())
    client = signed_in()
    enter(client, acme)
    client.post(reverse("admin:payments_payment_change", args=[payment_id]), {"status": "REFUNDED"})
    assert client.get(reverse("admin:payments_payment_add")).status_code == 403
    assert client.get(reverse("admin:payments_payment_delete", args=[payment_id])).status_code == 403
    assert stored(acme, payment_id).status == PaymentStatus.SUCCEEDED


def test_an_event_is_shown_with_its_payload(acme: TenantView, sandbox: Sandbox) -> None:
    _, event = told(acme, sandbox)
    client = signed_in("PLATFORM_SUPPORT")
    assert event.event_id in client.get(reverse("admin:payments_gatewayevent_changelist")).content.decode()
    page = client.get(reverse("admin:payments_gatewayevent_change", args=[event.pk])).content.decode()
    assert json.dumps(event.payload["data"]["object"]["id"]).strip('"') in page


def test_an_event_is_processed_again_after_a_confirmation(acme: TenantView, sandbox: Sandbox, run_tasks: Any) -> None:
    payment_id, event = told(acme, sandbox)
    GatewayEvent.objects.filter(pk=event.pk).update(status=GatewayEventStatus.FAILED, next_attempt_at=None)
    client = signed_in()
    url = reverse("admin:payments_gatewayevent_again", args=[event.pk])
    assert client.get(url).status_code == 200
    assert stored(acme, payment_id).status == PaymentStatus.PENDING
    with run_tasks():
        assert client.post(url).status_code == 302
    assert stored(acme, payment_id).status == PaymentStatus.SUCCEEDED
    assert AuditEntry.objects.filter(action="payments.gateway_event.process_again").exists()


def test_support_may_not_process_again(acme: TenantView, sandbox: Sandbox) -> None:
    _, event = told(acme, sandbox)
    url = reverse("admin:payments_gatewayevent_again", args=[event.pk])
    assert signed_in("PLATFORM_SUPPORT").post(url).status_code == 403
