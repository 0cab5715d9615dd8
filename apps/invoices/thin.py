"""Invoices of a list as bare rows: the list that is asked most often, without models and compiled once."""

from operator import attrgetter

from apps.core.rest.thin import CompiledList
from apps.core.tenants import Row
from apps.invoices.models import Invoice
from apps.tenancy.brands import domain_of

# In the order in which `projections` takes them apart: the invoice's own, its client's, its brand's.
_OWN = (
    *("id", "number", "status", "version"),
    *("sent_at", "viewed_at", "finalized_at", "paid_at", "voided_at", "uncollectible_at"),
    *("client_id", "client_name", "client_email", "currency", "issue_date", "due_date"),
    *("subtotal_minor", "discount_minor", "tax_minor", "total_minor", "paid_minor"),
    *("brand_id", "link_token", "created_at", "updated_at"),
)
_own = attrgetter(*_OWN)
_SHOWN = (*_OWN, "client__name", "client__email", domain_of("brand_id"))
NEWEST = CompiledList(lambda _caller: Invoice.objects.values_list(*_SHOWN))


def row_of(invoice: Invoice, brand_domain: str | None) -> Row:
    """The row of an invoice whose client was loaded with it."""
    return (*_own(invoice), invoice.client.name, invoice.client.email, brand_domain)
