"""E-mails that are owed: sent once each, tried again after any failure, given up in the end, never in the way."""

import smtplib
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction

from apps.core.breaker import BreakerState
from apps.core.clock import utcnow
from apps.invoices import services as invoices
from apps.notifications import deliveries
from apps.notifications.deliveries import LEASE, LONGEST_DELAY, MAIL, MAX_ATTEMPTS, delay_after, deliver_email
from apps.notifications.models import DeliveryState, EmailDelivery
from apps.notifications.services import Attachment
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import make_open
from tests.factories.notifications import owe
from tests.fixtures.mailbox import Mailbox
from tests.fixtures.processes import free_port, wait_until
from tests.fixtures.tenants import actor_of, in_tenant
from tests.fixtures.threads import at_once

NewTenant = Callable[[str], TenantView]
SMTP = "django.core.mail.backends.smtp.EmailBackend"


class RefusingBackend(EmailBackend):
    """A mail server that answers, and does not want this recipient."""

    code = 550

    def send_messages(self, messages: Any) -> int:
        raise smtplib.SMTPRecipientsRefused({message.to[0]: (self.code, b"no such user") for message in messages})


class GreylistingBackend(RefusingBackend):
    """A mail server that wants to be asked again."""

    code = 450


@pytest.fixture(autouse=True)
def working_breaker(settings: Any) -> Iterator[None]:
    """Breakers closed before and after; their state is this test process's own."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": uuid4().hex}}
    MAIL.reset()
    yield
    MAIL.reset()


@pytest.fixture
def nobody_listens(settings: Any) -> None:
    """The mail server is down."""
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", free_port()


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    """A mail server that can be held and stopped."""
    box = Mailbox()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", box.port
    box.start()
    yield box
    box.stop()


def again(row: EmailDelivery) -> EmailDelivery:
    row.refresh_from_db()
    return row


def test_a_message_has_both_forms_and_a_lasting_id(acme: TenantView) -> None:
    row = owe(acme.id, from_name="Sails & Ropes, Ltd", reply_to="desk@sails.test")
    assert deliver_email(delivery_id=row.id)
    (message,) = mail.outbox
    assert message.subject == row.subject
    assert message.to == ["mira@readers.test"]
    assert message.from_email == '"Sails & Ropes, Ltd" <no-reply@insula.localhost>'
    assert message.reply_to == ["desk@sails.test"]
    sent = message.message()
    assert sent["Message-ID"] == f"<{row.id}@insula.localhost>"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert "Open your workspace:\nhttps://sails.insula.test/" in str(message.body)
    html, kind = message.alternatives[0]  # type: ignore[attr-defined]
    assert kind == "text/html"
    assert 'href="https://sails.insula.test/"' in html
    again(row)
    assert (row.state, row.attempts, row.next_attempt_at) == (DeliveryState.SENT, 1, None)
    assert row.sent_at


def test_names_are_text_in_the_html_and_themselves_in_the_plain_form(acme: TenantView) -> None:
    row = owe(acme.id, context={"name": "<b>Mira</b>", "tenant_name": "Sails & Ropes", "link": "https://x.test/"})
    deliver_email(delivery_id=row.id)
    (message,) = mail.outbox
    html = message.alternatives[0][0]  # type: ignore[attr-defined]
    assert "&lt;b&gt;Mira&lt;/b&gt;" in html
    assert "Sails &amp; Ropes" in html
    assert "Hello <b>Mira</b>," in str(message.body)


@pytest.mark.parametrize(
    ("locale", "tag", "direction"), [("ar", "ar", "rtl"), ("de-CH", "de", "ltr"), ("fr", "en", "ltr")]
)
def test_a_message_says_its_language_and_direction(acme: TenantView, locale: str, tag: str, direction: str) -> None:
    deliver_email(delivery_id=owe(acme.id, locale=locale).id)
    assert f'<html lang="{tag}" dir="{direction}">' in mail.outbox[0].alternatives[0][0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("template", ["invoice_sent", "receipt", "refund", "welcome"])
def test_every_letter_shows_all_of_its_values(acme: TenantView, template: str) -> None:
    used = {
        "invoice_sent": {"number", "client_name", "seller_name", "amount", "due_on", "link"},
        "receipt": {"number", "client_name", "seller_name", "amount", "link"},
        "refund": {"number", "client_name", "seller_name", "amount"},
        "welcome": {"name", "tenant_name", "link"},
    }[template]
    row = owe(acme.id, template=template, from_name="the-seller_name", context={name: f"the-{name}" for name in used})
    deliver_email(delivery_id=row.id)
    (message,) = mail.outbox
    for form in (str(message.body), message.alternatives[0][0]):  # type: ignore[attr-defined]
        assert {name for name in used if f"the-{name}" not in form} == set()
        assert "{" not in form.split("</style>")[-1]


def test_the_invoice_is_attached_as_pdf(acme: TenantView) -> None:
    with in_tenant(acme):
        invoice = make_open(actor_of(acme))
    row = owe(acme.id, attachment=Attachment("invoice", invoice.id, "INV-1.pdf"))
    assert deliver_email(delivery_id=row.id), again(row).last_error
    ((name, content, kind),) = mail.outbox[0].attachments
    assert (name, kind) == ("INV-1.pdf", "application/pdf")
    assert bytes(content).startswith(b"%PDF-")


def test_another_tenants_invoice_is_never_attached(acme: TenantView, globex: TenantView) -> None:
    with in_tenant(acme):
        invoice = make_open(actor_of(acme))
    row = owe(globex.id, attachment=Attachment("invoice", invoice.id, "INV-1.pdf"))
    assert not deliver_email(delivery_id=row.id)
    assert mail.outbox == []
    assert "NotFound" in again(row).last_error


def test_what_was_sent_is_not_sent_again(acme: TenantView) -> None:
    row = owe(acme.id)
    assert deliver_email(delivery_id=row.id)
    assert not deliver_email(delivery_id=row.id)
    assert not deliver_email(delivery_id=row.id, now=utcnow() + timedelta(days=1))
    assert deliveries.deliver_due_emails() == 0
    assert len(mail.outbox) == 1


def test_an_unknown_email_is_no_error(acme: TenantView) -> None:
    assert not deliver_email(delivery_id=uuid4())


def test_a_mail_server_that_is_down_is_asked_again_later(acme: TenantView, nobody_listens: None) -> None:
    row = owe(acme.id)
    assert not deliver_email(delivery_id=row.id)
    again(row)
    assert (row.state, row.attempts) == (DeliveryState.QUEUED, 1)
    assert row.next_attempt_at and row.next_attempt_at > utcnow()
    assert "ConnectionRefusedError" in row.last_error
    assert not deliver_email(delivery_id=row.id), "not before its time"
    assert again(row).attempts == 1


def test_when_it_is_back_everything_is_sent(acme: TenantView, mailbox: Mailbox) -> None:
    mailbox.stop()
    rows = [owe(acme.id, to=f"reader{n}@readers.test") for n in range(5)]
    assert deliveries.deliver_due_emails() == 0
    assert MAIL.state() is BreakerState.OPEN
    assert sorted(again(row).attempts for row in rows) == [0, 0, 1, 1, 1], "an open breaker spares the rest"

    mailbox.start()
    assert not deliver_email(delivery_id=rows[4].id)
    MAIL.reset()
    assert deliveries.deliver_due_emails(now=utcnow() + timedelta(minutes=1)) == 5
    assert all(len(mailbox.to(row.to)) == 1 for row in rows)
    assert {again(row).last_error for row in rows} == {""}


def test_delays_grow_fourfold_and_end(acme: TenantView) -> None:
    for attempt in range(1, MAX_ATTEMPTS + 1):
        base = min(timedelta(seconds=5 * 4 ** (attempt - 1)), LONGEST_DELAY)
        assert base * 0.5 <= delay_after(attempt) <= base * 1.5
    assert delay_after(50) <= LONGEST_DELAY * 1.5
    assert len({delay_after(3) for _ in range(20)}) > 1, "all at once would knock the server over again"


def test_it_is_given_up_after_the_last_attempt(acme: TenantView, nobody_listens: None) -> None:
    row, now = owe(acme.id), utcnow()
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert again(row).state == DeliveryState.QUEUED
        now += LONGEST_DELAY * 2
        MAIL.reset()
        deliver_email(delivery_id=row.id, now=now)
        assert again(row).attempts == attempt
    assert (row.state, row.next_attempt_at) == (DeliveryState.FAILED, None)
    assert not deliver_email(delivery_id=row.id, now=now + timedelta(days=1))


def test_an_address_that_does_not_exist_is_given_up_at_once(acme: TenantView, settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.notifications.test_deliveries.RefusingBackend"
    row = owe(acme.id)
    deliver_email(delivery_id=row.id)
    assert (again(row).state, row.attempts) == (DeliveryState.FAILED, 1)
    assert "no such user" in row.last_error


def test_a_server_that_answers_does_not_open_the_breaker(acme: TenantView, settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.notifications.test_deliveries.GreylistingBackend"
    rows = [owe(acme.id) for _ in range(6)]
    deliveries.deliver_due_emails()
    assert {again(row).state for row in rows} == {DeliveryState.QUEUED}
    assert {row.attempts for row in rows} == {1}
    assert MAIL.state() is BreakerState.CLOSED


def test_one_message_that_cannot_be_made_stops_no_other(acme: TenantView) -> None:
    broken = owe(acme.id, template="no_such_letter")
    foreign = owe(acme.id, attachment=Attachment("portrait", uuid4(), "me.png"))
    good = owe(acme.id)
    assert deliveries.deliver_due_emails() == 1
    assert "TemplateDoesNotExist" in again(broken).last_error
    assert "UnknownAttachment" in again(foreign).last_error
    assert again(good).state == DeliveryState.SENT
    assert MAIL.state() is BreakerState.CLOSED


def test_a_row_of_a_dead_worker_comes_back_after_its_lease(acme: TenantView) -> None:
    row, now = owe(acme.id), utcnow()
    # What a worker leaves that dies between claiming and settling.
    EmailDelivery.objects.filter(pk=row.pk).update(state=DeliveryState.SENDING, attempts=1, next_attempt_at=now + LEASE)
    assert deliveries.deliver_due_emails(now=now) == 0
    assert deliveries.deliver_due_emails(now=now + LEASE) == 1
    assert (again(row).state, row.attempts) == (DeliveryState.SENT, 2)


def test_a_row_that_kills_every_worker_is_given_up(acme: TenantView) -> None:
    row, now = owe(acme.id), utcnow()
    EmailDelivery.objects.filter(pk=row.pk).update(
        state=DeliveryState.SENDING, attempts=MAX_ATTEMPTS, next_attempt_at=now
    )
    assert not deliver_email(delivery_id=row.id, now=now)
    assert again(row).state == DeliveryState.FAILED
    assert row.last_error


def test_a_worker_whose_lease_is_over_settles_nothing(committed: NewTenant, mailbox: Mailbox) -> None:
    row = owe()
    try:
        mailbox.hold()

        def slow() -> bool:
            return deliver_email(delivery_id=row.id)

        def faster() -> None:
            wait_until(lambda: mailbox.waiting, what="the slow worker to talk to the mail server")
            # The lease is over and another worker has taken the row.
            EmailDelivery.objects.filter(pk=row.pk).update(attempts=2)
            mailbox.release()

        at_once([slow, faster])
        assert (again(row).state, row.attempts) == (DeliveryState.SENDING, 2)
    finally:
        row.delete()


def test_workers_at_once_send_it_once(committed: NewTenant, mailbox: Mailbox) -> None:
    row = owe(to="once@readers.test")
    try:
        sent = at_once([partial(deliver_email, delivery_id=row.id) for _ in range(6)])
        assert sorted(map(str, sent)) == ["False"] * 5 + ["True"]
        assert len(mailbox.to("once@readers.test")) == 1
    finally:
        row.delete()


def test_nothing_is_sent_inside_a_transaction(committed: NewTenant) -> None:
    row = owe()
    try:
        with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
            deliver_email(delivery_id=row.id)
        assert again(row).attempts == 0
    finally:
        row.delete()


def test_a_sent_invoice_arrives(acme: TenantView, run_tasks: Any) -> None:
    owner = actor_of(acme)
    with run_tasks(), in_tenant(acme):
        invoice = make_open(owner)
        invoices.send_invoice(actor=owner, invoice_id=invoice.id)
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["ap@ionian.test"], f"Invoice {invoice.number} from Acme")
    assert str(invoice.hosted_url) in str(message.body)
    assert message.attachments[0][0] == f"{invoice.number}.pdf"
