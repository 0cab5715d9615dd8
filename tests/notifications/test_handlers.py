"""What the product tells people when something happened to invoices, payments and workspaces."""

from uuid import UUID, uuid4

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from apps.core import events
from apps.core.actor import Actor, Origin
from apps.core.clock import utcnow
from apps.core.tenants import tenant_scope
from apps.iam.models import User
from apps.invoices import services as invoices
from apps.invoices.models import Invoice
from apps.invoices.selectors import InvoiceView
from apps.notifications.models import EmailDelivery, Level, Notification, NotificationKind
from apps.payments import services as payments
from apps.payments.events import PaymentFailed, PaymentRefunded, RefundFailed
from apps.tenancy import selectors as tenancy_selectors
from apps.tenancy import services as tenancy
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import make_client, make_open
from tests.factories.notifications import user_of
from tests.fixtures.tenants import PASSWORD, actor_of, in_tenant

EVERYBODY = {"OWNER", "ADMIN", "ACCOUNTANT", "MEMBER", "VIEWER"}
WRITERS = EVERYBODY - {"VIEWER"}


@pytest.fixture
def actor(acme: TenantView) -> Actor:
    return actor_of(acme)


def told(tenant: TenantView, kind: str, about: UUID) -> dict[str, Notification]:
    """What each role of the tenant was told about an invoice."""
    url = reverse("invoices:detail", args=[about], urlconf="config.urls_tenant")
    rows = {row.user_id: row for row in Notification.objects.filter(tenant_id=tenant.id, kind=kind, url=url)}
    return {role: rows.pop(user_of(tenant, role)) for role in EVERYBODY if user_of(tenant, role) in rows}


def letters(about: UUID, template: str) -> list[EmailDelivery]:
    return list(EmailDelivery.objects.filter(related_id=about, template=template).order_by("id"))


def pay(actor: Actor, invoice: InvoiceView, amount_minor: int = 11_900) -> UUID:
    return invoices.record_manual_payment(
        actor=actor, invoice_id=invoice.id, amount_minor=amount_minor, method="CASH", paid_at=utcnow()
    )


def test_a_sent_invoice_is_owed_to_its_customer(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        invoice = make_open(actor)
        invoices.send_invoice(actor=actor, invoice_id=invoice.id)
    (letter,) = letters(invoice.id, "invoice_sent")
    assert (letter.tenant_id, letter.to, letter.state) == (acme.id, "ap@ionian.test", "QUEUED")
    assert letter.subject == f"Invoice {invoice.number} from Acme"
    assert (letter.attachment_kind, letter.attachment_id) == ("invoice", invoice.id)
    assert letter.attachment_name == f"{invoice.number}.pdf"
    assert letter.context["amount"] == "€119.00"
    assert letter.context["link"] == invoice.hosted_url


def test_figures_of_a_letter_follow_the_customers_locale(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        invoice = make_open(actor, client_id=make_client(actor, locale="de-CH").id)
        invoices.send_invoice(actor=actor, invoice_id=invoice.id)
    (letter,) = letters(invoice.id, "invoice_sent")
    assert letter.context["due_on"] == "31. Dezember 2099"


def test_members_hear_that_an_invoice_was_paid_and_the_customer_gets_a_receipt(
    acme: TenantView, globex: TenantView, actor: Actor
) -> None:
    before = Notification.objects.filter(tenant_id=globex.id).count()
    with in_tenant(acme):
        invoice = make_open(actor)
        pay(actor, invoice)
    rows = told(acme, NotificationKind.INVOICE_PAID, invoice.id)
    assert set(rows) == EVERYBODY
    assert rows["OWNER"].title == f"Invoice {invoice.number} was paid"
    assert rows["OWNER"].body == "Ionian Yachts · €119.00"
    assert rows["OWNER"].level == Level.SUCCESS
    (receipt,) = letters(invoice.id, "receipt")
    assert (receipt.to, receipt.attachment_id) == ("ap@ionian.test", invoice.id)
    assert Notification.objects.filter(tenant_id=globex.id).count() == before


def test_each_member_reads_amounts_his_way(acme: TenantView, actor: Actor) -> None:
    User.objects.filter(pk=user_of(acme, "ADMIN")).update(locale="de")
    with in_tenant(acme):
        invoice = make_open(actor)
        pay(actor, invoice)
    rows = told(acme, NotificationKind.INVOICE_PAID, invoice.id)
    assert rows["ADMIN"].body == "Ionian Yachts · 119,00\xa0€"
    assert rows["OWNER"].body == "Ionian Yachts · €119.00"


def test_nothing_is_told_of_a_change_that_did_not_happen(acme: TenantView, actor: Actor) -> None:
    class Abort(Exception):
        pass

    with in_tenant(acme):
        invoice = make_open(actor)
    with pytest.raises(Abort), in_tenant(acme):
        pay(actor, invoice)
        raise Abort
    assert told(acme, NotificationKind.INVOICE_PAID, invoice.id) == {}
    assert letters(invoice.id, "receipt") == []


def test_a_part_payment_says_what_is_left(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        invoice = make_open(actor)
        pay(actor, invoice, 4_900)
    rows = told(acme, NotificationKind.INVOICE_PARTIALLY_PAID, invoice.id)
    assert set(rows) == EVERYBODY
    assert rows["VIEWER"].body == "Ionian Yachts · €70.00 is still due"
    assert letters(invoice.id, "receipt") == []


def test_who_writes_invoices_hears_that_the_customer_opened_one(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        invoice = make_open(actor)
        token = Invoice.objects.get(pk=invoice.id).link_token
        assert token
        for _ in range(2):
            invoices.record_view(token=token, origin=Origin(source="WEB"))
    rows = told(acme, NotificationKind.INVOICE_VIEWED, invoice.id)
    assert set(rows) == WRITERS
    assert rows["MEMBER"].title == f"Ionian Yachts opened invoice {invoice.number}"


def test_a_refund_reaches_members_and_customer(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        invoice = make_open(actor)
        payment_id = pay(actor, invoice)
    with tenant_scope(acme.scope):
        refund = payments.refund(actor=actor, payment_id=payment_id, amount_minor=1_900, reason="REQUESTED_BY_CUSTOMER")
    rows = told(acme, NotificationKind.PAYMENT_REFUNDED, invoice.id)
    assert set(rows) == EVERYBODY
    assert rows["OWNER"].title == f"€19.00 of invoice {invoice.number} was refunded"
    (letter,) = letters(invoice.id, "refund")
    assert (letter.to, letter.dedupe_key) == ("ap@ionian.test", f"payment.refunded:{refund.id}")
    assert letter.subject == "Acme refunded €19.00 to you"


def test_a_refund_that_came_back_alarms_members_only(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        invoice = make_open(actor)
        payment_id = pay(actor, invoice)
    with tenant_scope(acme.scope):
        refund = payments.refund(actor=actor, payment_id=payment_id, amount_minor=1_900, reason="REQUESTED_BY_CUSTOMER")
    event = RefundFailed(
        tenant_id=acme.id,
        payment_id=payment_id,
        refund_id=refund.id,
        purpose="invoice",
        purpose_id=invoice.id,
        label=invoice.number or "",
        amount_minor=1_900,
        currency="EUR",
    )
    with in_tenant(acme):
        events.publish(event)
        events.publish(event)
    rows = told(acme, NotificationKind.REFUND_FAILED, invoice.id)
    assert set(rows) == EVERYBODY
    assert rows["OWNER"].title == f"The refund of €19.00 for invoice {invoice.number} came back"
    assert rows["OWNER"].level == Level.ERROR
    assert len(EmailDelivery.objects.filter(related_id=invoice.id)) == 2, "receipt and refund, nothing more"


def test_payments_for_other_purposes_are_told_of_by_others(acme: TenantView, actor: Actor) -> None:
    before = Notification.objects.count(), EmailDelivery.objects.count()
    facts = {"tenant_id": acme.id, "payment_id": uuid4(), "purpose": "elsewhere", "purpose_id": uuid4()}
    money = {"refund_id": uuid4(), "label": "", "amount_minor": 1, "currency": "EUR"}
    with in_tenant(acme):
        events.publish(PaymentFailed(**facts, reason=""))
        events.publish(PaymentRefunded(**facts, **money))
        events.publish(RefundFailed(**facts, **money))
    assert (Notification.objects.count(), EmailDelivery.objects.count()) == before


def test_a_failed_payment_warns_members_each_time(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        invoice = make_open(actor)
        events.publish(
            PaymentFailed(
                tenant_id=acme.id,
                payment_id=uuid4(),
                purpose="invoice",
                purpose_id=invoice.id,
                reason="The card was declined.",
            )
        )
    rows = told(acme, NotificationKind.PAYMENT_FAILED, invoice.id)
    assert set(rows) == EVERYBODY
    assert rows["OWNER"].title == f"A payment for invoice {invoice.number} failed"
    assert rows["OWNER"].body == "Ionian Yachts · The card was declined."
    assert rows["OWNER"].level == Level.WARNING


def test_the_owner_of_a_new_workspace_is_welcomed(anonymous_api: APIClient, acme: TenantView) -> None:
    body = {
        "email": "mira@welcome.test",
        "password": PASSWORD,
        "first_name": "Mira",
        "last_name": "Okafor",
        "tenant_name": "Welcome Studio",
    }
    answer = anonymous_api.post("/api/v1/auth/signup", body)
    assert answer.status_code == 201, answer.content
    tenant = tenancy_selectors.tenant_by_key_or_slug(answer.json()["tenant"]["key"])
    tenancy.provision_tenant(tenant_id=tenant.id)
    (row,) = Notification.objects.filter(tenant_id=tenant.id)
    assert (row.kind, row.title, row.seq) == (NotificationKind.WELCOME, "Welcome Studio is ready", 1)
    (mail,) = EmailDelivery.objects.filter(tenant_id=tenant.id)
    assert (mail.to, mail.template, mail.context["link"]) == ("mira@welcome.test", "welcome", tenant.url)
