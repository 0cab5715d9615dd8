"""A worker killed with SIGKILL between any two steps of its work: the next one finishes it, once."""

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from apps.core.clock import utcnow
from apps.invoices.models import InvoiceDocument
from apps.notifications.models import DeliveryState, EmailDelivery
from apps.payments.choices import GatewayEventStatus
from apps.payments.models import GatewayEvent
from apps.tenancy import rollout
from apps.tenancy.models import ProvisioningStep, Tenant
from apps.tenancy.selectors import TenantView
from tests.fixtures.locks import holding, wait_for_somebody_blocked
from tests.fixtures.processes import wait_until
from tests.fixtures.stack import WORKER, Stack
from tests.fixtures.tenants import in_tenant
from tests.flows.story import CUSTOMER, Person, kept_waiting, let_stripe_go_on, pay, sign_up

# Who founds a workspace is welcomed; nobody founds the one that all share.
welcomed = pytest.mark.skipif(rollout.is_single(), reason="nobody is welcomed")

# -- provisioning ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "reached"),
    [
        ("tenancy_schema_template", ProvisioningStep.QUEUED),
        pytest.param("notifications_notification", ProvisioningStep.DEFAULTS, marks=welcomed),
    ],
)
def test_while_provisioning(stack: Stack, table: str, reached: str) -> None:
    with holding(f"lock table {table} in access exclusive mode"):
        owner = sign_up(stack)
        wait_for_somebody_blocked(table)
        assert Tenant.objects.get(key=owner.key).provisioning_step == reached
        stack.kill(WORKER)
    assert owner.status() == "PROVISIONING"
    Tenant.objects.filter(key=owner.key).update(provisioning_started_at=utcnow() - timedelta(seconds=11))

    stack.ensure(WORKER)
    stack.run_task("tenancy.sweep_provisioning", "provisioning")
    owner.wait_until_active()

    if not rollout.is_single():
        wait_until(lambda: stack.mailbox.to(owner.email), what="the welcome")
        assert [row["kind"] for row in owner.api("GET", "/notifications")["data"]] == ["WELCOME"]
    actions = [row["action"] for row in owner.api("GET", "/audit?limit=100")["data"]]
    assert actions.count("tenancy.tenant.change_status") == 1
    assert owner.open_invoice()["number"]


# -- the PDF --------------------------------------------------------------------------------------------------------


def document(tenant: TenantView) -> InvoiceDocument:
    with in_tenant(tenant):
        return InvoiceDocument.objects.get()


def finish_the_pdf(stack: Stack, tenant: TenantView) -> None:
    with in_tenant(tenant):
        InvoiceDocument.objects.update(next_attempt_at=utcnow())
    stack.ensure(WORKER)
    stack.run_task("invoices.sweep_documents", "invoices")
    wait_until(lambda: document(tenant).status == "READY", what="the PDF")
    (stored,) = (Path(stack.environment["MEDIA_ROOT"]) / "tenants" / str(tenant.id)).rglob("*.pdf")
    assert (document(tenant).attempts, document(tenant).size) == (2, stored.stat().st_size)


def test_before_the_pdf_is_typeset(stack: Stack, owner: Person) -> None:
    tenant = owner.tenant
    stack.pause(WORKER)
    owner.open_invoice()
    with holding(f"lock table {tenant.schema_name}.invoices_line in access exclusive mode"):
        stack.resume(WORKER)
        wait_for_somebody_blocked("invoices_line")
        stack.kill(WORKER)
    assert (document(tenant).status, document(tenant).attempts) == ("PENDING", 1)
    finish_the_pdf(stack, tenant)


def test_after_the_pdf_is_stored_before_that_is_noted(stack: Stack, owner: Person) -> None:
    tenant = owner.tenant
    stack.pause(WORKER)
    owner.open_invoice()
    with ExitStack() as row:
        with holding(f"lock table {tenant.schema_name}.invoices_line in access exclusive mode"):
            stack.resume(WORKER)
            wait_for_somebody_blocked("invoices_line")
            row.enter_context(holding(f"select 1 from {tenant.schema_name}.invoices_document for update"))
        wait_for_somebody_blocked('update "invoices_document"')
        stack.kill(WORKER)
    assert (document(tenant).status, document(tenant).attempts) == ("PENDING", 1)
    finish_the_pdf(stack, tenant)


# -- e-mail ---------------------------------------------------------------------------------------------------------


def delivery(invoice_id: str) -> EmailDelivery:
    return EmailDelivery.objects.get(related_id=invoice_id, template="invoice_sent")


def begin_to_send(stack: Stack, owner: Person) -> str:
    invoice_id = str(owner.open_invoice()["id"])
    stack.mailbox.hold()
    owner.api("POST", f"/invoices/{invoice_id}/send")
    wait_until(lambda: stack.mailbox.waiting == 1, what="the worker to send")
    assert delivery(invoice_id).state == DeliveryState.SENDING
    return invoice_id


def finish_sending(stack: Stack, invoice_id: str) -> None:
    EmailDelivery.objects.filter(related_id=invoice_id).update(next_attempt_at=utcnow())
    stack.ensure(WORKER)
    stack.run_task("notifications.sweep_emails", "notifications")
    wait_until(lambda: delivery(invoice_id).state == DeliveryState.SENT, what="the e-mail to be sent")
    assert delivery(invoice_id).attempts == 2


def test_before_the_mail_server_has_the_letter(stack: Stack, owner: Person) -> None:
    invoice_id = begin_to_send(stack, owner)
    stack.kill(WORKER)
    stack.mailbox.release()
    assert stack.mailbox.to(CUSTOMER) == []
    finish_sending(stack, invoice_id)
    assert len(stack.mailbox.to(CUSTOMER)) == 1


def test_after_the_mail_server_has_the_letter_it_comes_again_as_the_same(stack: Stack, owner: Person) -> None:
    invoice_id = begin_to_send(stack, owner)
    row = "select 1 from notifications_email_delivery where related_id = %s for update"
    with holding(row, invoice_id):
        stack.mailbox.release()
        wait_for_somebody_blocked('update "notifications_email_delivery"')
        stack.kill(WORKER)
    assert len(stack.mailbox.to(CUSTOMER)) == 1
    finish_sending(stack, invoice_id)
    first, second = stack.mailbox.to(CUSTOMER)
    assert first["Message-ID"] == second["Message-ID"]


# -- what Stripe tells ----------------------------------------------------------------------------------------------


def finish_the_events(stack: Stack, owner: Person, invoice_id: str) -> None:
    assert owner.invoice(invoice_id)["status"] == "open"
    # The lease of the dead worker ends.
    open_events = GatewayEvent.objects.filter(status__in=[GatewayEventStatus.RECEIVED, GatewayEventStatus.FAILED])
    assert open_events.filter(attempts=1).update(next_attempt_at=utcnow()) >= 1
    stack.ensure(WORKER)
    stack.run_task("payments.process_due_gateway_events", "payments")
    owner.wait_until_paid(invoice_id)
    wait_until(lambda: not open_events.exists(), what="all events to be processed")
    assert owner.entries() == ["invoice.finalized", "payment.fee", "payment.succeeded"]
    assert len([row for row in owner.api("GET", "/notifications")["data"] if row["kind"] == "INVOICE_PAID"]) == 1


def test_while_it_asks_stripe_about_an_event(stack: Stack, owner: Person) -> None:
    invoice_id = owner.open_invoice()["id"]
    url = owner.checkout(invoice_id)
    stack.sandbox.control("faults", status="timeout", path="/v1/checkout/sessions", method="GET", count=20)
    pay(stack, url)
    wait_until(lambda: kept_waiting(stack), what="the worker to ask")
    stack.kill(WORKER)
    let_stripe_go_on(stack)
    finish_the_events(stack, owner, invoice_id)


def test_while_it_writes_what_an_event_brought(stack: Stack, owner: Person) -> None:
    invoice_id = owner.open_invoice()["id"]
    url = owner.checkout(invoice_id)
    with holding(f"lock table {owner.tenant.schema_name}.ledger_entry in access exclusive mode"):
        pay(stack, url)
        wait_for_somebody_blocked("ledger_entry")
        stack.kill(WORKER)
    finish_the_events(stack, owner, invoice_id)
