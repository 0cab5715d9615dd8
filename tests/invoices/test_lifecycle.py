"""Finalize, send, view, void, write off: states, books, trail, events."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from apps.audit.models import AuditEntry
from apps.core import events, ids
from apps.core.actor import Actor, Origin
from apps.core.errors import IllegalState, PermissionRefused
from apps.core.events import Event
from apps.iam.models import User
from apps.invoices import selectors, services
from apps.invoices.errors import InvoiceNotFound, NoRecipient
from apps.invoices.events import (
    InvoiceFinalized,
    InvoiceMarkedUncollectible,
    InvoicePaid,
    InvoiceSent,
    InvoiceViewed,
    InvoiceVoided,
)
from apps.invoices.models import Invoice, InvoiceDocument
from apps.ledger import accounts
from apps.ledger import selectors as ledger
from apps.tenancy import selectors as tenancy
from apps.tenancy.models import Tenant
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import line, make_client, make_draft, make_open
from tests.fixtures.tenants import actor_of, in_tenant


@pytest.fixture
def actor(acme: TenantView) -> Actor:
    return actor_of(acme)


@contextmanager
def heard(*types: type[Event]) -> Iterator[list[Any]]:
    told: list[Any] = []
    for event_type in types:
        events.subscribe(event_type)(told.append)
    try:
        yield told
    finally:
        for event_type in types:
            events._handlers[event_type].remove(told.append)


def balances(actor: Actor) -> dict[str, int]:
    return {row.code: row.balance_minor for row in ledger.list_accounts(actor=actor) if row.balance_minor}


def last_entry(verb: str) -> AuditEntry:
    return AuditEntry.objects.filter(action=f"invoices.invoice.{verb}").latest("id")


def test_finalizing_gives_number_link_date_and_owes_a_document(acme: TenantView, actor: Actor) -> None:
    now = datetime(2026, 3, 31, 10, tzinfo=UTC)
    with in_tenant(acme), heard(InvoiceFinalized) as told:
        draft = make_draft(actor)
        issued = services.finalize_invoice(actor=actor, invoice_id=draft.id, now=now)
        assert InvoiceDocument.objects.get().invoice_id == draft.id
    assert (issued.status, issued.number, issued.issue_date) == ("OPEN", "INV-2026-0001", date(2026, 3, 31))
    assert issued.finalized_at == now
    assert issued.amount_due_minor == issued.total_minor == 11_900
    assert issued.hosted_url is not None
    token = issued.hosted_url.rstrip("/").rsplit("/", 1)[1]
    assert tenancy.resolve_ref("invoice.link", ids.token_digest(token)) == (acme.id, issued.id)
    assert [(event.number, event.amount_due_minor) for event in told] == [("INV-2026-0001", 11_900)]
    assert last_entry("finalize").before["status"] == "DRAFT"  # type: ignore[index]


def test_finalizing_books_receivable_against_revenue_and_tax(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        make_open(actor, discount_minor=1_000)
        assert balances(actor) == {
            accounts.RECEIVABLE: 10_710,
            accounts.REVENUE: -9_000,
            accounts.TAX_PAYABLE: -1_710,
        }


def test_seller_and_buyer_stay_as_they_were_when_it_was_issued(acme: TenantView, actor: Actor) -> None:
    Tenant.objects.filter(pk=acme.id).update(legal_name="Acme GmbH", address="Ring 1\nBerlin", tax_id="DE1")
    with in_tenant(acme):
        client = make_client(actor, address="Corfu")
        issued = make_open(actor, client_id=client.id)
        services.update_client(actor=actor, client_id=client.id, changes={"name": "Renamed", "address": "Athens"})
        Tenant.objects.filter(pk=acme.id).update(legal_name="Other Ltd")
        shown = selectors.get_invoice(actor=actor, invoice_id=issued.id)
    assert (shown.seller.name, shown.seller.address) == ("Acme GmbH", "Ring 1\nBerlin")
    assert (shown.buyer.name, shown.buyer.address, shown.client.name) == ("Ionian Yachts", "Corfu", "Ionian Yachts")


def test_an_invoice_over_zero_is_paid_at_once_and_can_still_be_sent_or_voided(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme), heard(InvoicePaid) as told:
        issued = make_open(actor, lines=(line(unit_price_minor=0),))
        assert balances(actor) == {}
        assert (issued.status, issued.amount_due_minor) == ("PAID", 0)
        assert set(issued.allowed_actions) == {"send", "duplicate", "void"}
        assert services.void_invoice(actor=actor, invoice_id=issued.id).status == "VOID"
    assert [event.to_email for event in told] == [""]


def test_sending_goes_to_the_clients_present_address(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme), heard(InvoiceSent) as told:
        client = make_client(actor)
        issued = make_open(actor, client_id=client.id)
        services.update_client(actor=actor, client_id=client.id, changes={"email": "new@ionian.test"})
        sent = services.send_invoice(actor=actor, invoice_id=issued.id)
    assert sent.sent_at is not None
    assert [(event.to_email, event.hosted_url, event.locale) for event in told] == [
        ("new@ionian.test", issued.hosted_url, "en")
    ]
    assert last_entry("send").after["to_email"] == "new@ionian.test"  # type: ignore[index]


def test_an_invoice_without_an_address_cannot_be_sent(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        issued = make_open(actor, client_id=make_client(actor, email="").id)
        with pytest.raises(NoRecipient):
            services.send_invoice(actor=actor, invoice_id=issued.id)
        assert selectors.get_invoice(actor=actor, invoice_id=issued.id).sent_at is None


def test_only_the_first_view_is_written_down(acme: TenantView, actor: Actor) -> None:
    origin = Origin(source="WEB", ip="198.51.100.7", user_agent="Phone")
    with in_tenant(acme), heard(InvoiceViewed) as told:
        issued = make_open(actor)
        token = Invoice.objects.get().link_token
        assert token is not None
        services.record_view(token=token, origin=origin)
        first = selectors.get_invoice(actor=actor, invoice_id=issued.id)
        services.record_view(token=token, origin=origin)
        assert selectors.get_invoice(actor=actor, invoice_id=issued.id) == first
        assert selectors.hosted_invoice(token=token) == first
    assert first.viewed_at is not None
    assert len(told) == 1
    entry = AuditEntry.objects.get(action="invoices.invoice.view", entity_id=issued.id)
    assert (entry.actor_kind, entry.actor_name, entry.ip) == ("CUSTOMER", "ap@ionian.test", "198.51.100.7")


def test_a_guessed_link_leads_nowhere(acme: TenantView, globex: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        make_open(actor)
        token = Invoice.objects.get().link_token or ""
    for tenant, guess in ((acme, ids.secret_token()), (globex, token)):
        with in_tenant(tenant):
            with pytest.raises(InvoiceNotFound):
                selectors.hosted_invoice(token=guess)
            with pytest.raises(InvoiceNotFound):
                services.record_view(token=guess, origin=Origin())


def test_voiding_takes_the_books_back_and_keeps_the_number(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme), heard(InvoiceVoided) as told:
        issued = make_open(actor)
        void = services.void_invoice(actor=actor, invoice_id=issued.id)
        assert balances(actor) == {}
        assert make_open(actor).number == "INV-2026-0002"
    assert (void.status, void.number, void.amount_due_minor) == ("VOID", "INV-2026-0001", 0)
    assert void.voided_at is not None
    assert void.allowed_actions == ("duplicate",)
    assert len(told) == 1
    assert last_entry("void").before["status"] == "OPEN"  # type: ignore[index]


def test_writing_off_books_the_loss(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme), heard(InvoiceMarkedUncollectible) as told:
        issued = make_open(actor)
        lost = services.mark_uncollectible(actor=actor, invoice_id=issued.id)
        assert balances(actor) == {accounts.BAD_DEBT: 11_900, accounts.REVENUE: -10_000, accounts.TAX_PAYABLE: -1_900}
    assert lost.status == "UNCOLLECTIBLE"
    assert set(lost.allowed_actions) == {"pay", "record_payment", "duplicate", "void"}
    assert len(told) == 1


def test_a_written_off_invoice_can_be_voided_without_a_trace_in_the_balances(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        issued = make_open(actor)
        services.mark_uncollectible(actor=actor, invoice_id=issued.id)
        assert services.void_invoice(actor=actor, invoice_id=issued.id).status == "VOID"
        assert balances(actor) == {}


ACTIONS = {
    "finalize": services.finalize_invoice,
    "send": services.send_invoice,
    "void": services.void_invoice,
    "uncollectible": services.mark_uncollectible,
    "delete": services.delete_invoice,
}


@pytest.mark.parametrize("action", sorted(ACTIONS))
@pytest.mark.parametrize("state", ["draft", "open", "void", "uncollectible", "zero"])
def test_an_action_works_exactly_where_it_is_offered(acme: TenantView, actor: Actor, state: str, action: str) -> None:
    with in_tenant(acme):
        invoice = make_draft(actor, lines=(line(quantity=Decimal(1), unit_price_minor=0 if state == "zero" else 100),))
        if state != "draft":
            invoice = services.finalize_invoice(actor=actor, invoice_id=invoice.id)
        if state in ("void", "uncollectible"):
            invoice = ACTIONS[state](actor=actor, invoice_id=invoice.id)  # type: ignore[assignment]
        if action in invoice.allowed_actions:
            ACTIONS[action](actor=actor, invoice_id=invoice.id)
        else:
            with pytest.raises(IllegalState) as refused:
                ACTIONS[action](actor=actor, invoice_id=invoice.id)
            assert refused.value.extra["allowed_actions"] == list(invoice.allowed_actions)
            assert selectors.get_invoice(actor=actor, invoice_id=invoice.id) == invoice


def test_a_member_cannot_void_or_write_off(acme: TenantView, actor: Actor) -> None:
    member = actor_of(acme, "MEMBER")
    with in_tenant(acme):
        issued = make_open(member)
        for verb in (services.void_invoice, services.mark_uncollectible):
            with pytest.raises(PermissionRefused):
                verb(actor=member, invoice_id=issued.id)


def test_the_timeline_tells_it_newest_first(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        issued = make_open(actor)
        services.send_invoice(actor=actor, invoice_id=issued.id)
        services.record_view(token=Invoice.objects.get().link_token or "", origin=Origin())
        told = selectors.timeline(actor=actor, invoice_id=issued.id)
    assert [entry.kind for entry in told] == ["viewed", "sent", "finalized", "created"]
    assert told[1].detail["to_email"] == "ap@ionian.test"


def test_the_timeline_calls_people_by_their_names(acme: TenantView, actor: Actor) -> None:
    User.objects.filter(pk=actor.user_id).update(first_name="Olga", last_name="Owner")
    with in_tenant(acme):
        issued = make_open(actor)
        told = selectors.timeline(actor=actor, invoice_id=issued.id)

    assert {entry.actor_name for entry in told if entry.actor_kind == "USER"} == {"Olga Owner"}
