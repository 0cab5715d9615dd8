"""Stripe, the mail server or Valkey away for a while: what needs them says so or waits, and nothing is lost."""

import time
from datetime import timedelta

import httpx
from django.conf import settings
from websockets.exceptions import ConnectionClosed

from apps.core.clock import utcnow
from apps.invoices.models import InvoiceDocument
from apps.notifications.models import DeliveryState, EmailDelivery
from apps.payments.models import GatewayEvent
from apps.tenancy import rollout
from apps.tenancy.models import Tenant
from tests.fixtures.plain import PLAIN
from tests.fixtures.processes import wait_until
from tests.fixtures.stack import STRIPE, WORKER, Stack
from tests.fixtures.tenants import in_tenant
from tests.flows.story import CUSTOMER, Person, next_notification, pay, sign_up


def test_stripe_away(stack: Stack, owner: Person) -> None:
    invoice_id = owner.open_invoice()["id"]
    path = f"/api/v1/invoices/{invoice_id}/pay"
    stack.kill(STRIPE)
    for _ in range(5):
        refused = owner.send("POST", path)
        assert (refused.status_code, refused.headers["content-type"]) == (502, "application/problem+json")
    (pending,) = owner.payments(invoice_id)
    assert pending["status"] == "pending"

    stack.ensure(STRIPE)
    # The breaker is open: Stripe is not asked, though it is there again.
    assert owner.send("POST", path).json()["retry_after"] >= 1
    stack.close_breakers()
    pay(stack, owner.checkout(invoice_id))
    owner.wait_until_paid(invoice_id)
    (paid,) = owner.payments(invoice_id)
    assert (paid["id"], paid["status"]) == (pending["id"], "succeeded")


def test_the_mail_server_away(stack: Stack, owner: Person) -> None:
    invoice_id = owner.open_invoice()["id"]
    letters = EmailDelivery.objects.filter(related_id=invoice_id)
    stack.mailbox.stop()
    owner.api("POST", f"/invoices/{invoice_id}/send")
    wait_until(lambda: letters.filter(attempts=1, state=DeliveryState.QUEUED).exists(), what="a failed attempt")
    assert "refused" in letters.get().last_error

    # Nothing else minds.
    pay(stack, owner.checkout(invoice_id))
    owner.wait_until_paid(invoice_id)
    tried = letters.filter(attempts__gte=1, state=DeliveryState.QUEUED)
    wait_until(lambda: tried.count() == 2, what="the receipt to be tried, too")

    stack.mailbox.start()
    stack.close_breakers()
    letters.update(next_attempt_at=utcnow())
    stack.run_task("notifications.sweep_emails", "notifications")
    wait_until(lambda: letters.filter(state=DeliveryState.SENT).count() == 2, what="both letters to be sent")
    assert len(stack.mailbox.to(CUSTOMER)) == 2


def test_valkey_killed_in_the_middle(stack: Stack, owner: Person) -> None:
    tenant = owner.tenant
    stack.kill_valkey()

    # Requests are answered from the database.
    page = httpx.get(f"{stack.url}/sign-in/", headers={"Host": tenant.host}, timeout=30, verify=PLAIN)
    assert (page.status_code, tenant.name in page.text) == (200, True)
    assert owner.send("GET", "/api/v1/invoices", host=tenant.host).status_code == 200
    owner.sign_in()
    assert _health(stack, "/health/ready") == 503
    assert _health(stack, "/health") == 200

    # Changes are kept, though no worker hears of them.
    began = time.monotonic()
    newcomer = sign_up(stack)
    invoice_id = owner.open_invoice()["id"]
    owner.api("POST", f"/invoices/{invoice_id}/send")
    pay(stack, owner.checkout(invoice_id))
    assert time.monotonic() - began < 10, "somebody waited for Valkey"
    wait_until(GatewayEvent.objects.filter(type="checkout.session.completed").exists, what="Stripe's message")
    # Who joins a workspace that stands waits for nothing.
    assert newcomer.status() == ("ACTIVE" if rollout.is_single() else "PROVISIONING")
    assert owner.invoice(invoice_id)["status"] == "open"

    stack.start_valkey()
    stack.ensure(WORKER)
    assert _health(stack, "/health/ready") == 200
    Tenant.objects.filter(key=newcomer.key).update(provisioning_started_at=utcnow() - timedelta(seconds=11))
    for name, queue in SWEEPS:
        stack.run_task(name, queue)
    owner.wait_until_paid(invoice_id)
    wait_until(lambda: _hears(owner, "paid"), what="the owner to hear of it")
    newcomer.wait_until_active()
    wait_until(lambda: stack.mailbox.to(CUSTOMER), what="the invoice by e-mail")
    with in_tenant(tenant):
        assert InvoiceDocument.objects.get().status == "READY"
    assert owner.entries() == ["invoice.finalized", "payment.fee", "payment.succeeded"]


SWEEPS = [
    ("tenancy.sweep_provisioning", "provisioning"),
    ("invoices.sweep_documents", "invoices"),
    ("notifications.sweep_emails", "notifications"),
    ("payments.process_due_gateway_events", "payments"),
]


def _hears(owner: Person, words: str) -> bool:
    """Whether a socket tells of it; one that meets a dead connection to Valkey asks its client to come again."""
    try:
        with owner.listen(cursor="0") as socket:
            return bool(next_notification(socket, words))
    except ConnectionClosed:
        return False


def _health(stack: Stack, path: str) -> int:
    return httpx.get(
        f"{stack.url}{path}", headers={"Host": settings.PLATFORM_HOST}, timeout=30, verify=PLAIN
    ).status_code
