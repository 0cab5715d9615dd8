"""What is refused is said in the language of whoever reads it."""

import pytest
from django.utils import translation

from apps.core.errors import IllegalState, ValidationFailed
from apps.invoices import services
from apps.invoices.errors import InvoiceNotFound
from apps.tenancy.selectors import TenantView
from tests.factories.invoices import make_open
from tests.fixtures.tenants import actor_of, in_tenant


def test_what_is_due_is_an_amount_of_money(acme: TenantView) -> None:
    owner = actor_of(acme, "OWNER")
    with in_tenant(acme), translation.override("de"), pytest.raises(ValidationFailed) as refused:
        invoice = make_open(owner)
        services.record_manual_payment(actor=owner, invoice_id=invoice.id, amount_minor=10**9, method="cash")
    assert refused.value.errors[0].detail.startswith("Fällig sind höchstens ")
    assert refused.value.errors[0].detail.endswith("€.")


def test_what_the_state_forbids_is_said_in_words(acme: TenantView) -> None:
    owner = actor_of(acme, "OWNER")
    with in_tenant(acme), translation.override("de"), pytest.raises(IllegalState) as refused:
        services.finalize_invoice(actor=owner, invoice_id=make_open(owner).id)
    assert refused.value.detail == "Nur ein Entwurf kann festgeschrieben werden."


def test_a_refusal_without_words_of_its_own_has_its_title() -> None:
    with translation.override("de"):
        error = InvoiceNotFound()
    assert (error.detail, error.title, error.says_more) == (
        "Diese Rechnung gibt es nicht",
        "There is no such invoice",
        False,
    )
