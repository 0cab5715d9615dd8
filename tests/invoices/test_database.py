"""What the database refuses, whoever asks."""

import pytest
from django.db import DatabaseError, connection, transaction

from apps.core.actor import Actor
from apps.invoices import services
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import make_draft, make_open
from tests.fixtures.tenants import actor_of, in_tenant


@pytest.fixture
def actor(acme: TenantView) -> Actor:
    return actor_of(acme)


def refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError:
        return True
    return False


@pytest.mark.parametrize(
    "statement",
    [
        "update invoices_invoice set subtotal_minor = 1, total_minor = 1, tax_minor = 0",
        "update invoices_invoice set currency = 'USD'",
        "update invoices_invoice set notes = 'other'",
        "update invoices_invoice set number = 'INV-9'",
        "update invoices_invoice set due_date = due_date + 1",
        "update invoices_invoice set client_name = 'Someone'",
        "update invoices_invoice set link_token = 'guess'",
        "update invoices_invoice set status = 'DRAFT'",
        "delete from invoices_invoice",
        "truncate invoices_invoice cascade",
        "update invoices_line set net_minor = 1",
        "update invoices_line set description = 'other'",
        "delete from invoices_line",
        "truncate invoices_line",
        "insert into invoices_line select gen_random_uuid(), 2, description, item_type, quantity, unit_price_minor, "
        "tax_rate, discount_minor, net_minor, invoice_id from invoices_line",
        "update invoices_tax_total set tax_minor = 0",
        "delete from invoices_tax_total",
    ],
)
def test_an_issued_invoice_cannot_change(acme: TenantView, actor: Actor, statement: str) -> None:
    with in_tenant(acme):
        make_open(actor)
        assert refused(statement)


def test_a_void_invoice_stays_void(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        services.void_invoice(actor=actor, invoice_id=make_open(actor).id)
        assert refused("update invoices_invoice set status = 'OPEN', voided_at = null")


@pytest.mark.parametrize(
    "statement",
    [
        "update invoices_invoice set total_minor = total_minor + 1",
        "update invoices_invoice set discount_minor = subtotal_minor + 1, total_minor = tax_minor - 1",
        "update invoices_invoice set status = 'OPEN'",
        "update invoices_invoice set status = 'PAID', paid_at = now()",
        "update invoices_invoice set status = 'LOST'",
        "update invoices_invoice set currency = 'eur'",
        "update invoices_invoice set paid_minor = 1",
        "update invoices_line set quantity = 0",
        "update invoices_line set tax_rate = 101",
        "update invoices_line set unit_price_minor = -1",
        "update invoices_line set description = ''",
        "update invoices_line set item_type = 'GIFT'",
    ],
)
def test_a_draft_cannot_become_impossible(acme: TenantView, actor: Actor, statement: str) -> None:
    with in_tenant(acme):
        make_draft(actor)
        assert refused(statement)


def test_a_draft_can_change(acme: TenantView, actor: Actor) -> None:
    with in_tenant(acme):
        make_draft(actor)
        assert not refused("update invoices_line set description = 'other'")
        assert not refused("delete from invoices_line")
