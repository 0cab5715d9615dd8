"""Writing drafts: what is kept, what is refused, who may."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from apps.audit.models import AuditEntry
from apps.core.actor import Actor
from apps.core.errors import IllegalState, PermissionRefused, ValidationFailed
from apps.core.money import MAX_MINOR
from apps.core.versions import VersionConflict
from apps.invoices import selectors, services
from apps.invoices.errors import ClientDeleted, ClientNotFound, InvoiceNotFound
from apps.invoices.models import Invoice, InvoiceLine
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import DUE, draft_input, line, make_client, make_draft, make_open
from tests.fixtures.tenants import actor_of, in_tenant


@pytest.fixture
def actor(acme: TenantView) -> Actor:
    return actor_of(acme)


def audited(invoice_id: Any) -> list[str]:
    entries = AuditEntry.objects.filter(entity_id=str(invoice_id)).order_by("pk")
    return [entry.action for entry in entries]


def test_a_draft_keeps_what_was_given_and_adds_up(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        invoice = make_draft(
            actor,
            lines=(line(), line(description="Travel", item_type="FEE", quantity=Decimal("1.5"), tax_rate=Decimal("7"))),
            discount_minor=100,
            notes=" Thanks ",
            metadata={"order": 7},
        )
    assert (invoice.status, invoice.number, invoice.hosted_url, invoice.pdf_url) == ("DRAFT", None, None, None)
    assert [(shown.description, shown.net_minor) for shown in invoice.lines] == [
        ("Consulting, hours", 10_000),
        ("Travel", 7_500),
    ]
    assert (invoice.subtotal_minor, invoice.discount_minor, invoice.tax_minor) == (17_500, 100, 1_889 + 522)
    assert invoice.total_minor == 17_400 + 2_411
    assert (invoice.notes, invoice.metadata) == ("Thanks", {"order": 7})
    assert invoice.allowed_actions == ("finalize", "edit", "delete", "duplicate")


def test_writing_a_draft_leaves_a_trace(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        invoice = make_draft(actor)
    entry = AuditEntry.objects.get(entity_id=str(invoice.id))
    assert (entry.action, entry.actor_id, entry.ip, entry.before) == (
        "invoices.invoice.create", actor.user_id, "192.0.2.1", None,
    )  # fmt: skip
    assert entry.after is not None
    assert entry.after["total_minor"] == 11_900
    assert entry.after["lines"][0]["unit_price_minor"] == 5_000


def test_a_change_keeps_the_rest_and_is_traced_with_before_and_after(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        draft = make_draft(actor, notes="old")
        changed = services.update_invoice(
            actor=actor, invoice_id=draft.id, changes={"lines": (line(quantity=Decimal(1)),)}
        )
    assert (changed.total_minor, changed.notes, changed.version) == (5_950, "old", 2)
    entry = AuditEntry.objects.filter(action="invoices.invoice.update").latest("id")
    assert (entry.before["total_minor"], entry.after["total_minor"]) == (11_900, 5_950)  # type: ignore[index]
    assert "notes" not in entry.after  # type: ignore[operator]


def test_a_change_of_nothing_is_not_traced(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        draft = make_draft(actor)
        services.update_invoice(actor=actor, invoice_id=draft.id, changes={"notes": ""})
    assert audited(draft.id) == ["invoices.invoice.create"]


def test_a_stale_edit_is_refused_and_changes_nothing(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        draft = make_draft(actor)
        services.update_invoice(actor=actor, invoice_id=draft.id, changes={"notes": "first"}, expected={"1"})
        with pytest.raises(VersionConflict) as refused:
            services.update_invoice(actor=actor, invoice_id=draft.id, changes={"notes": "second"}, expected={"1"})
        assert refused.value.present == "2"
        assert selectors.get_invoice(actor=actor, invoice_id=draft.id).notes == "first"


def test_a_deleted_draft_is_gone_and_stays_in_the_trail(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        draft = make_draft(actor)
        services.delete_invoice(actor=actor, invoice_id=draft.id)
        with pytest.raises(InvoiceNotFound):
            selectors.get_invoice(actor=actor, invoice_id=draft.id)
        assert not InvoiceLine.objects.filter(invoice_id=draft.id).exists()
    assert audited(draft.id) == ["invoices.invoice.create", "invoices.invoice.delete"]


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_an_issued_invoice_can_neither_change_nor_go(acme: TenantView, actor: Actor, verb: str) -> None:
    with in_tenant(acme):
        invoice = make_open(actor)
        with pytest.raises(IllegalState) as refused:
            if verb == "update":
                services.update_invoice(actor=actor, invoice_id=invoice.id, changes={"notes": "x"})
            else:
                services.delete_invoice(actor=actor, invoice_id=invoice.id)
        assert refused.value.extra["allowed_actions"] == list(invoice.allowed_actions)
        assert selectors.get_invoice(actor=actor, invoice_id=invoice.id).version == invoice.version


def test_a_duplicate_is_a_draft_due_after_the_same_time(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        today = date.today()
        original = make_open(
            actor, issue_date=today - timedelta(days=60), due_date=today - timedelta(days=46), notes="n"
        )
        copy = services.duplicate_invoice(actor=actor, invoice_id=original.id)
    assert (copy.status, copy.number, copy.issue_date, copy.hosted_url) == ("DRAFT", None, None, None)
    assert copy.due_date == today + timedelta(days=14)
    assert (copy.total_minor, copy.notes, copy.client.id) == (original.total_minor, "n", original.client.id)
    assert [shown.description for shown in copy.lines] == [shown.description for shown in original.lines]


def test_a_deleted_client_gets_no_new_invoice(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        client = make_client(actor)
        waiting, issued = make_draft(actor, client_id=client.id), make_open(actor, client_id=client.id)
        services.delete_client(actor=actor, client_id=client.id)
        with pytest.raises(ClientNotFound):
            make_draft(actor, client_id=client.id)
        with pytest.raises(ClientDeleted):
            services.duplicate_invoice(actor=actor, invoice_id=issued.id)
        with pytest.raises(ClientDeleted):
            services.finalize_invoice(actor=actor, invoice_id=waiting.id)
        other = make_client(actor, name="Other")
        services.update_invoice(actor=actor, invoice_id=waiting.id, changes={"notes": "still a draft"})
        moved = services.update_invoice(actor=actor, invoice_id=waiting.id, changes={"client_id": other.id})
        assert moved.client.name == "Other"
        assert services.finalize_invoice(actor=actor, invoice_id=waiting.id).status == "OPEN"


def test_an_unknown_client_is_not_found(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme), pytest.raises(ClientNotFound):
        make_draft(actor, client_id=uuid4())


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"lines": ()}, "lines", "required"),
        ({"lines": (line(),) * 501}, "lines", "too_many"),
        ({"currency": "EUX"}, "currency", "unknown_currency"),
        ({"currency": "XAU"}, "currency", "unknown_currency"),
        ({"currency": "eur"}, "currency", "unknown_currency"),
        ({"issue_date": date(2099, 12, 31), "due_date": date(2099, 12, 30)}, "due_date", "before_issue_date"),
        ({"due_date": date(1, 1, 1)}, "due_date", "out_of_range"),
        ({"discount_minor": -1}, "discount_minor", "out_of_range"),
        ({"discount_minor": 10_001}, "discount_minor", "out_of_range"),
        ({"discount_minor": MAX_MINOR + 1}, "discount_minor", "out_of_range"),
        ({"notes": "x" * 2001}, "notes", "max_length"),
        ({"metadata": {"k" * 41: "x"}}, "metadata", "invalid_key"),
        ({"metadata": {"k": {"nested": 1}}}, "metadata.k", "invalid"),
        ({"metadata": {"k": "x\x00"}}, "metadata.k", "max_length"),
        ({"metadata": {str(n): "x" for n in range(51)}}, "metadata", "too_many"),
        ({"lines": (line(), line(description=" "))}, "lines.1.description", "required"),
        ({"lines": (line(description="x" * 501),)}, "lines.0.description", "max_length"),
        ({"lines": (line(item_type="GIFT"),)}, "lines.0.item_type", "invalid_choice"),
        ({"lines": (line(quantity=Decimal(0)),)}, "lines.0.quantity", "out_of_range"),
        ({"lines": (line(quantity=Decimal("-1")),)}, "lines.0.quantity", "out_of_range"),
        ({"lines": (line(quantity=Decimal("NaN")),)}, "lines.0.quantity", "out_of_range"),
        ({"lines": (line(quantity=Decimal("1.0000001")),)}, "lines.0.quantity", "max_decimal_places"),
        ({"lines": (line(tax_rate=Decimal("100.0001")),)}, "lines.0.tax_rate", "out_of_range"),
        ({"lines": (line(tax_rate=Decimal("-1")),)}, "lines.0.tax_rate", "out_of_range"),
        ({"lines": (line(tax_rate=Decimal("1.00001")),)}, "lines.0.tax_rate", "max_decimal_places"),
        ({"lines": (line(unit_price_minor=-1),)}, "lines.0.unit_price_minor", "negative"),
        ({"lines": (line(unit_price_minor=-1, item_type="FEE"),)}, "lines.0.unit_price_minor", "negative"),
        ({"lines": (line(unit_price_minor=MAX_MINOR + 1),)}, "lines.0.unit_price_minor", "out_of_range"),
        ({"lines": (line(unit_price_minor=MAX_MINOR),)}, "lines.0.unit_price_minor", "too_large"),
        ({"lines": (line(discount_minor=10_001),)}, "lines.0.discount_minor", "out_of_range"),
        ({"lines": (line(item_type="CREDIT", unit_price_minor=-1),)}, "lines", "negative_total"),
    ],
)
def test_what_breaks_a_limit_is_refused_by_its_path(
    acme: TenantView, actor: Actor, values: dict[str, Any], field: str, code: str
) -> None:
    with in_tenant(acme):
        client = make_client(actor)
        with pytest.raises(ValidationFailed) as refused:
            services.create_invoice(actor=actor, draft=draft_input(client.id, **values))
        assert [(error.field, error.code) for error in refused.value.errors] == [(field, code)]
        assert not Invoice.objects.exists()


def test_every_fault_is_named_at_once(acme: TenantView, actor: Actor) -> None:
    bad = (line(description=""), line(quantity=Decimal(0), tax_rate=Decimal(101)))
    with in_tenant(acme):
        client = make_client(actor)
        with pytest.raises(ValidationFailed) as refused:
            services.create_invoice(actor=actor, draft=draft_input(client.id, lines=bad, currency="nope"))
    assert {error.field for error in refused.value.errors} == {
        "currency", "lines.0.description", "lines.1.quantity", "lines.1.tax_rate",
    }  # fmt: skip


def test_a_credit_may_be_negative(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        invoice = make_draft(actor, lines=(line(), line(item_type="CREDIT", unit_price_minor=-1000)))
    assert [shown.net_minor for shown in invoice.lines] == [10_000, -2_000]
    assert invoice.total_minor == 9_520


@pytest.mark.parametrize("role", ["VIEWER"])
def test_who_only_reads_writes_nothing(acme: TenantView, actor: Actor, role: str) -> None:
    reader = actor_of(acme, role)
    with in_tenant(acme):
        client, draft = make_client(actor), make_draft(actor)
        for attempt in (
            lambda: services.create_invoice(actor=reader, draft=draft_input(client.id)),
            lambda: services.update_invoice(actor=reader, invoice_id=draft.id, changes={"due_date": DUE}),
            lambda: services.delete_invoice(actor=reader, invoice_id=draft.id),
            lambda: services.duplicate_invoice(actor=reader, invoice_id=draft.id),
            lambda: services.finalize_invoice(actor=reader, invoice_id=draft.id),
            lambda: services.create_client(actor=reader, fields={"name": "x"}),
            lambda: services.update_client(actor=reader, client_id=client.id, changes={"name": "x"}),
            lambda: services.delete_client(actor=reader, client_id=client.id),
        ):
            with pytest.raises(PermissionRefused):
                attempt()
