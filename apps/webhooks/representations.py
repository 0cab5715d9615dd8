"""How the API shows what a message is about: the same words, so that integrators learn them once."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from apps.core.actor import system
from apps.iam import selectors as iam
from apps.iam.api import presenters as people
from apps.invoices import selectors as invoices
from apps.invoices.api import presenters as invoicing
from apps.payments import selectors as payments
from apps.payments.api import presenters as paying
from apps.tenancy import selectors as tenancy
from apps.webhooks.catalogue import Resource


def _client(tenant_id: UUID, client_id: UUID) -> dict[str, Any]:
    return invoicing.present_client(invoices.get_client(actor=system(tenant_id), client_id=client_id))


def _invoice(tenant_id: UUID, invoice_id: UUID) -> dict[str, Any]:
    return invoicing.present_full_invoice(invoices.invoice_view(invoice_id=invoice_id))


def _payment(tenant_id: UUID, payment_id: UUID) -> dict[str, Any]:
    return paying.present_payment(payments.payment_view(payment_id=payment_id))


def _member(tenant_id: UUID, membership_id: UUID) -> dict[str, Any]:
    row = iam.membership(tenant_id=tenant_id, membership_id=membership_id)
    return people.member(tenancy.tenant_by_id(tenant_id), row)


# By tenant and id, within the tenant's scope.
REPRESENTED: Mapping[Resource, Callable[[UUID, UUID], dict[str, Any]]] = {
    Resource.CLIENT: _client,
    Resource.INVOICE: _invoice,
    Resource.PAYMENT: _payment,
    Resource.MEMBER: _member,
}
