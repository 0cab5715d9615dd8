"""A tenant's clients and invoices in the operators' admin, after they switched into it; read-only."""

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.money import format_minor
from apps.core.read_only import ReadOnlyInline
from apps.invoices.models import Client, Invoice, InvoiceLine, InvoiceStatus, Settlement, TaxTotal
from apps.tenancy.operator_admin import TenantModelAdmin

STATUS_LABELS = {
    InvoiceStatus.DRAFT: "info",
    InvoiceStatus.OPEN: "warning",
    InvoiceStatus.PAID: "success",
    InvoiceStatus.VOID: "info",
    InvoiceStatus.UNCOLLECTIBLE: "danger",
}


class LineInline(ReadOnlyInline):
    """The lines."""

    model = InvoiceLine
    ordering: ClassVar = ["position"]
    fields: ClassVar = [
        "position",
        "description",
        "item_type",
        "quantity",
        "unit_price_minor",
        "tax_rate",
        "discount_minor",
        "net_minor",
    ]


class TaxInline(ReadOnlyInline):
    """The tax by rate."""

    model = TaxTotal
    ordering: ClassVar = ["rate"]
    fields: ClassVar = ["rate", "base_minor", "tax_minor"]


class SettlementInline(ReadOnlyInline):
    """What came in and went back."""

    model = Settlement
    ordering: ClassVar = ["id"]
    fields: ClassVar = ["kind", "payment_id", "refund_id", "amount_minor", "currency", "settled_at"]


@admin.register(Client)
class ClientAdmin(TenantModelAdmin):
    """The tenant's clients."""

    list_display: ClassVar = ["name", "email", "currency", "locale", "created_at", "deleted_at"]
    list_filter: ClassVar = ["currency", ("deleted_at", admin.EmptyFieldListFilter)]
    search_fields: ClassVar = ["name", "email", "tax_id"]
    ordering: ClassVar = ["-id"]


@admin.register(Invoice)
class InvoiceAdmin(TenantModelAdmin):
    """The tenant's invoices with their lines."""

    list_display: ClassVar = ["shown_number", "client", "state", "issue_date", "due_date", "total", "due"]
    list_filter: ClassVar = ["status", "currency", "issue_date"]
    list_select_related: ClassVar = ["client"]
    search_fields: ClassVar = ["number", "client_name", "client__name", "client__email"]
    ordering: ClassVar = ["-id"]
    inlines: ClassVar[list[Any]] = [LineInline, TaxInline, SettlementInline]

    @display(description=_("number"), ordering="number")
    def shown_number(self, invoice: Invoice) -> str:
        """The number, or that there is none yet."""
        return invoice.number or str(_("draft"))

    @display(description=_("status"), label=STATUS_LABELS, ordering="status")
    def state(self, invoice: Invoice) -> tuple[str, str]:
        """The status as a coloured label."""
        return invoice.status, invoice.get_status_display()

    @display(description=_("total"), ordering="total_minor")
    def total(self, invoice: Invoice) -> str:
        """The total in its currency."""
        return format_minor(invoice.total_minor, invoice.currency)

    @display(description=_("due"))
    def due(self, invoice: Invoice) -> str:
        """What is still to be paid."""
        return format_minor(invoice.due_minor, invoice.currency)
