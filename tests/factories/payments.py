"""Payments for tests, made through the services and the Stripe sandbox as customers and Stripe would."""

import hashlib
import hmac
import json
import time
from typing import Any
from uuid import UUID, uuid4

import httpx
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from apps.core.actor import system
from apps.core.tenants import tenant_scope
from apps.payments import services
from apps.payments.models import Payment
from apps.payments.services import CheckoutView
from apps.tenancy.selectors import TenantView
from tests.fixtures.plain import PLAIN
from tests.fixtures.processes import Sandbox
from tests.fixtures.tenants import in_tenant

WEBHOOK = "/webhooks/stripe/payments/"


def make_pending(tenant: TenantView, **values: Any) -> UUID:
    """A payment of 119.00 EUR that waits for its checkout, unless told otherwise."""
    standard: dict[str, Any] = {
        "purpose": "test",
        "purpose_id": uuid4(),
        "label": "INV-2026-0001",
        "amount_minor": 11900,
        "currency": "EUR",
        "payer_name": "Ada Lovelace",
        "payer_email": "ada@example.com",
        "success_url": "https://acme.test/thanks",
        "cancel_url": "https://acme.test/back",
    }
    with in_tenant(tenant):
        return services.create_pending(actor=system(tenant.id), **(standard | values))


def open_checkout(tenant: TenantView, payment_id: UUID) -> CheckoutView:
    """The checkout of a pending payment, opened at the sandbox."""
    with tenant_scope(tenant.scope):
        return services.open_checkout(actor=system(tenant.id), payment_id=payment_id)


def check(tenant: TenantView, payment_id: UUID) -> None:
    """What the reconciler does with one payment."""
    with tenant_scope(tenant.scope):
        services.check_payment(actor=system(tenant.id), payment_id=payment_id)


def make_paid(tenant: TenantView, sandbox: Sandbox, **values: Any) -> UUID:
    """A payment that the customer made with a good card."""
    payment_id = make_pending(tenant, **values)
    pay_at(sandbox, open_checkout(tenant, payment_id).url)
    check(tenant, payment_id)
    return payment_id


def make_manual(tenant: TenantView, **values: Any) -> UUID:
    """A bank transfer of 119.00 EUR, noted by hand."""
    standard: dict[str, Any] = {
        "purpose": "test",
        "purpose_id": uuid4(),
        "label": "INV-2026-0001",
        "amount_minor": 11900,
        "currency": "EUR",
        "method": "bank_transfer",
        "reference": "RF18 5390 0754 7034",
        "payer_name": "Ada Lovelace",
        "payer_email": "ada@example.com",
    }
    now = values.pop("paid_at")
    with in_tenant(tenant):
        return services.record_manual(actor=system(tenant.id), paid_at=now, **(standard | values))


def pay_at(sandbox: Sandbox, url: str, card: str = "pm_card_visa") -> httpx.Response:
    """The customer pays on the gateway's page."""
    return sandbox.control(f"checkout/sessions/{url.rsplit('/', 1)[1]}/complete", payment_method=card)


def stored(tenant: TenantView, payment_id: UUID) -> Payment:
    """The payment's row as it is now."""
    with in_tenant(tenant):
        return Payment.objects.get(pk=payment_id)


def events(sandbox: Sandbox, *types: str) -> list[dict[str, Any]]:
    """The sandbox's events of these types (all without any), oldest first."""
    found = httpx.get(f"{sandbox.url}/_sandbox/events", timeout=10, verify=PLAIN).json()["data"]
    return [event for event in reversed(found) if not types or event["type"] in types]


def signature(payload: bytes, *, secret: str | None = None, at: int | None = None) -> str:
    """What Stripe would write into ``Stripe-Signature``."""
    at = int(time.time()) if at is None else at
    key = (secret or settings.STRIPE_WEBHOOK_SECRET).encode()
    return f"t={at},v1={hmac.new(key, f'{at}.'.encode() + payload, hashlib.sha256).hexdigest()}"


def deliver(event: dict[str, Any], **headers: Any) -> HttpResponse:
    """Post an event to the webhook as Stripe does; headers may be overridden."""
    payload = json.dumps(event).encode()
    standard = {"Stripe-Signature": signature(payload)}
    client = Client(SERVER_NAME=settings.PLATFORM_HOST)
    return client.post(WEBHOOK, payload, content_type="application/json", headers=standard | headers)  # type: ignore[return-value]


def stripe_api(sandbox: Sandbox, method: str, path: str, **fields: Any) -> dict[str, Any]:
    """Somebody else with the account's key, for example a person in Stripe's dashboard."""
    answer = httpx.request(
        method,
        f"{sandbox.url}/v1/{path}",
        data=fields or None,
        headers={"Authorization": f"Bearer {settings.STRIPE_SECRET_KEY}"},
        timeout=10,
        verify=PLAIN,
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def clear_faults(sandbox: Sandbox) -> None:
    """The sandbox works again; calls that it kept waiting go on."""
    httpx.delete(f"{sandbox.url}/_sandbox/faults", timeout=10, verify=PLAIN)
