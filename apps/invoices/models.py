"""Clients, invoices with their lines, tax groups, settlements and documents; all in the tenant's own schema."""

from datetime import date
from typing import ClassVar

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from apps.core import ids
from apps.core.money import MAX_MINOR

# The issue date, in sorting, of what has none yet.
NEVER = date(9999, 12, 31)


class InvoiceStatus(models.TextChoices):
    """What is stored of an invoice's life; sent, viewed, overdue and partially paid are facts beside it."""

    DRAFT = "DRAFT"
    OPEN = "OPEN"
    PAID = "PAID"
    VOID = "VOID"
    UNCOLLECTIBLE = "UNCOLLECTIBLE"


class ItemType(models.TextChoices):
    """What a line charges for."""

    PRODUCT = "PRODUCT"
    SUBSCRIPTION = "SUBSCRIPTION"
    USAGE = "USAGE"
    FEE = "FEE"
    CREDIT = "CREDIT"
    DISCOUNT = "DISCOUNT"


NEGATIVE_ITEM_TYPES = frozenset({ItemType.CREDIT, ItemType.DISCOUNT})


class SettlementKind(models.TextChoices):
    """Which way money moved, and why."""

    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    REFUND_FAILED = "REFUND_FAILED"


class DocumentStatus(models.TextChoices):
    """Whether the PDF of an invoice lies in the storage."""

    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"


class Client(models.Model):
    """Someone whom the tenant invoices. Deleting is soft, because issued invoices stay."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=30, blank=True)
    address = models.CharField(max_length=500, blank=True)
    tax_id = models.CharField(max_length=50, blank=True)
    notes = models.TextField(blank=True, validators=[MaxLengthValidator(2000)])
    locale = models.CharField(max_length=10, default="en")
    currency = models.CharField(max_length=3)
    deleted_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "invoices_client"
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="client_named"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="client_currency_form"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["name", "id"], name="client_by_name"),
            models.Index(fields=["email"], name="client_email"),
        ]

    def __str__(self) -> str:
        return self.name


class NumberSeries(models.Model):
    """The counter of one series in one year: the number given last, one below the first before any is given."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    name = models.CharField(max_length=40)
    year = models.PositiveSmallIntegerField()
    pattern = models.CharField(max_length=60)
    first_seq = models.BigIntegerField(default=1)
    last_seq = models.BigIntegerField()

    class Meta:
        db_table = "invoices_number_series"
        constraints: ClassVar = [
            models.UniqueConstraint("name", "year", name="number_series_unique"),
            models.CheckConstraint(
                condition=Q(first_seq__gte=1, last_seq__gte=F("first_seq") - 1), name="number_series_positive"
            ),
        ]


class Invoice(models.Model):
    """One invoice. While it is a draft it may change; afterwards the database refuses any change of what it says."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    status = models.CharField(max_length=13, choices=InvoiceStatus, default=InvoiceStatus.DRAFT)
    version = models.PositiveIntegerField(default=1)

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="invoices")
    client_name = models.CharField(max_length=200, blank=True)
    client_email = models.EmailField(blank=True)
    client_address = models.CharField(max_length=500, blank=True)
    client_tax_id = models.CharField(max_length=50, blank=True)
    locale = models.CharField(max_length=10, blank=True)
    seller_name = models.CharField(max_length=200, blank=True)
    seller_email = models.EmailField(blank=True)
    seller_address = models.CharField(max_length=500, blank=True)
    seller_tax_id = models.CharField(max_length=255, blank=True)
    brand_id = models.UUIDField(null=True)  # of ``tenancy``; what it looked like when issued stands in `brand`
    brand = models.JSONField(default=dict)

    currency = models.CharField(max_length=3)
    issue_date = models.DateField(null=True)
    due_date = models.DateField()
    notes = models.TextField(blank=True, validators=[MaxLengthValidator(2000)])
    metadata = models.JSONField(default=dict)

    subtotal_minor = models.BigIntegerField(default=0)
    discount_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField(default=0)
    paid_minor = models.BigIntegerField(default=0)
    written_off_minor = models.BigIntegerField(default=0)

    series = models.CharField(max_length=40, blank=True)
    year = models.PositiveSmallIntegerField(null=True)
    seq = models.BigIntegerField(null=True)
    number = models.CharField(max_length=80, null=True, unique=True)
    link_token = models.CharField(max_length=64, null=True, unique=True, editable=False)

    finalized_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    viewed_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    uncollectible_at = models.DateTimeField(null=True)
    overdue_at = models.DateTimeField(null=True)  # when the others were told that its due date has passed
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "invoices_invoice"
        constraints: ClassVar = [
            models.UniqueConstraint("series", "year", "seq", name="invoice_number_gapless"),
            models.CheckConstraint(condition=Q(status__in=InvoiceStatus.values), name="invoice_status_known"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="invoice_currency_form"),
            models.CheckConstraint(
                condition=Q(total_minor=F("subtotal_minor") - F("discount_minor") + F("tax_minor")),
                name="invoice_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(subtotal_minor__gte=0, tax_minor__gte=0, paid_minor__gte=0)
                & Q(discount_minor__gte=0, discount_minor__lte=F("subtotal_minor"))
                & Q(total_minor__gte=0, total_minor__lte=MAX_MINOR)
                & Q(written_off_minor__gte=0, written_off_minor__lte=F("total_minor")),
                name="invoice_amounts_in_range",
            ),
            models.CheckConstraint(
                condition=Q(
                    status=InvoiceStatus.DRAFT,
                    number__isnull=True,
                    seq__isnull=True,
                    finalized_at__isnull=True,
                    link_token__isnull=True,
                    paid_minor=0,
                )
                | Q(
                    ~Q(status=InvoiceStatus.DRAFT),
                    number__isnull=False,
                    year__isnull=False,
                    seq__isnull=False,
                    issue_date__isnull=False,
                    finalized_at__isnull=False,
                    link_token__isnull=False,
                ),
                name="invoice_numbered_when_issued",
            ),
            models.CheckConstraint(
                condition=Q(status=InvoiceStatus.PAID, paid_at__isnull=False, paid_minor__gte=F("total_minor"))
                | Q(~Q(status=InvoiceStatus.PAID), paid_at__isnull=True),
                name="invoice_paid_in_full",
            ),
            models.CheckConstraint(
                condition=Q(status=InvoiceStatus.VOID, voided_at__isnull=False)
                | Q(~Q(status=InvoiceStatus.VOID), voided_at__isnull=True),
                name="invoice_void_is_dated",
            ),
            models.CheckConstraint(
                condition=Q(status=InvoiceStatus.UNCOLLECTIBLE) | Q(written_off_minor=0),
                name="invoice_written_off_when_uncollectible",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "-id"], name="invoice_status_recent"),
            models.Index(fields=["client", "-id"], name="invoice_client_recent"),
            models.Index(fields=["currency", "-id"], name="invoice_currency_recent"),
            models.Index(fields=["issue_date"], name="invoice_issued"),
            # One for each order of the list (`filtering.INVOICE_KEYS`).
            models.Index(fields=["due_date", "id"], name="invoice_by_due_date"),
            models.Index(Coalesce("issue_date", Value(NEVER)), "id", name="invoice_by_issue_date"),
            models.Index(fields=["total_minor", "id"], name="invoice_by_total"),
            # Where a filter leaves what lies at one end of an order, statistics do not tell how far that is.
            models.Index(fields=["status", "due_date", "id"], name="invoice_status_due"),
            models.Index("status", Coalesce("issue_date", Value(NEVER)), "id", name="invoice_status_issue_date"),
            models.Index(
                fields=["-id"], condition=Q(status=InvoiceStatus.OPEN, paid_minor__gt=0), name="invoice_partly_paid"
            ),
            models.Index(
                fields=["due_date"],
                condition=Q(status=InvoiceStatus.OPEN, overdue_at__isnull=True),
                name="invoice_overdue_untold",
            ),
        ]

    def __str__(self) -> str:
        return self.number or "draft"

    @property
    def due_minor(self) -> int:
        """What is still to be paid; nothing of a void invoice, never negative."""
        return 0 if self.status == InvoiceStatus.VOID else max(0, self.total_minor - self.paid_minor)

    @property
    def surplus_minor(self) -> int:
        """What came in beyond what is owed; it is to be refunded."""
        return self.paid_minor if self.status == InvoiceStatus.VOID else max(0, self.paid_minor - self.total_minor)


class InvoiceLine(models.Model):
    """One position. `net_minor` is quantity times unit price, rounded once, less the line's own discount."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=500)
    item_type = models.CharField(max_length=12, choices=ItemType, default=ItemType.PRODUCT)
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    unit_price_minor = models.BigIntegerField()
    tax_rate = models.DecimalField(max_digits=7, decimal_places=4)
    discount_minor = models.BigIntegerField(default=0)
    net_minor = models.BigIntegerField()

    class Meta:
        db_table = "invoices_line"
        constraints: ClassVar = [
            models.UniqueConstraint("invoice", "position", name="line_position_unique"),
            models.CheckConstraint(condition=~Q(description=""), name="line_described"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="line_quantity_positive"),
            models.CheckConstraint(condition=Q(tax_rate__gte=0, tax_rate__lte=100), name="line_tax_rate_percent"),
            models.CheckConstraint(
                condition=Q(item_type__in=ItemType.values)
                & (Q(unit_price_minor__gte=0) | Q(item_type__in=sorted(NEGATIVE_ITEM_TYPES))),
                name="line_negative_only_as_credit",
            ),
            models.CheckConstraint(
                condition=Q(discount_minor=0) | Q(discount_minor__gt=0, net_minor__gte=0), name="line_discount_covered"
            ),
        ]


class TaxTotal(models.Model):
    """The base and tax of one rate on one invoice: tax is rounded here, once."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="tax_totals")
    rate = models.DecimalField(max_digits=7, decimal_places=4)
    base_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()

    class Meta:
        db_table = "invoices_tax_total"
        constraints: ClassVar = [models.UniqueConstraint("invoice", "rate", name="tax_total_unique")]


class Settlement(models.Model):
    """Money that came for an invoice (positive) or went back (negative); what is paid is their sum. Append-only."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="settlements")
    kind = models.CharField(max_length=13, choices=SettlementKind)
    payment_id = models.UUIDField()
    refund_id = models.UUIDField(null=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    settled_at = models.DateTimeField()

    class Meta:
        db_table = "invoices_settlement"
        constraints: ClassVar = [
            models.UniqueConstraint(
                "payment_id", condition=Q(kind=SettlementKind.PAYMENT), name="settlement_payment_once"
            ),
            models.UniqueConstraint(
                "refund_id", "kind", condition=Q(refund_id__isnull=False), name="settlement_refund_once"
            ),
            models.CheckConstraint(
                condition=Q(kind=SettlementKind.PAYMENT, refund_id__isnull=True, amount_minor__gt=0)
                | Q(kind=SettlementKind.REFUND, refund_id__isnull=False, amount_minor__lt=0)
                | Q(kind=SettlementKind.REFUND_FAILED, refund_id__isnull=False, amount_minor__gt=0),
                name="settlement_sign",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["settled_at"], name="settlement_when")]


class InvoiceDocument(models.Model):
    """The PDF that is owed for an issued invoice: made once, then only read."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="document")
    status = models.CharField(max_length=7, choices=DocumentStatus, default=DocumentStatus.PENDING)
    storage_key = models.CharField(max_length=255, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    ready_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "invoices_document"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status=DocumentStatus.READY, size__gt=0, ready_at__isnull=False)
                & ~Q(storage_key="")
                & ~Q(sha256="")
                | Q(status__in=[DocumentStatus.PENDING, DocumentStatus.FAILED]),
                name="document_ready_is_stored",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_attempt_at"], condition=Q(status=DocumentStatus.PENDING), name="document_owed"),
        ]
