"""Which invoices a list shows, counts and adds up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual
from django.utils.dateparse import parse_date

from apps.core.errors import FieldError, ValidationFailed
from apps.core.money import is_currency
from apps.core.rest.ordering import AGE, SortKeys, by_day, by_number, by_words
from apps.invoices.models import NEVER, Invoice, InvoiceStatus

STATUSES = ("draft", "open", "overdue", "partially_paid", "paid", "void", "uncollectible")
LONGEST_SEARCH = 200
# What lists may be sorted by, each with its index. What has no issue date yet is issued later than all others.
ISSUE_DATE = Coalesce("issue_date", Value(NEVER))
INVOICE_KEYS: SortKeys = {
    "created_at": AGE,
    "issue_date": by_day(ISSUE_DATE),
    "due_date": by_day("due_date"),
    "total_minor": by_number("total_minor"),
}
CLIENT_KEYS: SortKeys = {"created_at": AGE, "name": by_words("name")}


@dataclass(frozen=True, slots=True)
class InvoiceFilters:
    """What a caller asks for; empty values mean no limit. Dates are issue dates, both ends included."""

    status: str = ""
    client_id: UUID | None = None
    issued_from: date | None = None
    issued_to: date | None = None
    q: str = ""
    currency: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "InvoiceFilters":
        """Read ``status, client_id, from, to, q, currency`` of a query string.

        Raises:
            ValidationFailed: a value is not one of the possible ones.
        """
        errors: list[FieldError] = []
        filters = cls(
            status=_status(query.get("status", ""), errors),
            client_id=_uuid(query.get("client_id", ""), errors),
            issued_from=_date("from", query.get("from", ""), errors),
            issued_to=_date("to", query.get("to", ""), errors),
            q=query.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH],
            currency=_currency(query.get("currency", ""), errors),
        )
        if errors:
            raise ValidationFailed(errors)
        return filters

    def without_status(self) -> "InvoiceFilters":
        """The same for every status, as the counts on the tabs need it."""
        return replace(self, status="")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left out."""
        return self == InvoiceFilters()


def apply(
    invoices: QuerySet[Invoice], filters: InvoiceFilters, *, today: date, sees_clients: bool
) -> QuerySet[Invoice]:
    """Those of `invoices` that pass; `today` in the tenant's time zone decides what is overdue.

    Who does not see clients is not told by a search what their addresses are either.
    """
    if filters.status:
        invoices = invoices.filter(condition(filters.status, today=today))
    if filters.client_id:
        invoices = invoices.filter(client_id=filters.client_id)
    if filters.currency:
        invoices = invoices.filter(currency=filters.currency)
    if filters.issued_from or filters.issued_to:
        # By the expression that has the index; what has no date is no match all the same.
        invoices = invoices.filter(issue_date__isnull=False)
    if filters.issued_from:
        invoices = invoices.filter(GreaterThanOrEqual(ISSUE_DATE, filters.issued_from))
    if filters.issued_to:
        invoices = invoices.filter(LessThanOrEqual(ISSUE_DATE, filters.issued_to))
    if filters.q:
        text = filters.q
        found = Q(number__icontains=text) | Q(client_name__icontains=text) | Q(client__name__icontains=text)
        invoices = invoices.filter(found | Q(client__email__icontains=text) if sees_clients else found)
    return invoices


def condition(status: str, *, today: date) -> Q:
    """What one of `STATUSES` means in the table."""
    open_now = Q(status=InvoiceStatus.OPEN)
    match status:
        case "overdue":
            return open_now & Q(due_date__lt=today)
        case "partially_paid":
            return open_now & Q(paid_minor__gt=0, paid_minor__lt=F("total_minor"))
        case _:
            return Q(status=status.upper())


def _status(value: str, errors: list[FieldError]) -> str:
    if value and value.lower() not in STATUSES:
        errors.append(FieldError("status", "invalid_choice", f"One of {', '.join(STATUSES)}."))
        return ""
    return value.lower()


def _uuid(value: str, errors: list[FieldError]) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        errors.append(FieldError("client_id", "invalid", "Not an id."))
        return None


def _date(field: str, value: str, errors: list[FieldError]) -> date | None:
    try:
        found = parse_date(value) if value else None
    except ValueError:
        found = None
    if value and found is None:
        errors.append(FieldError(field, "invalid", "A date looks like 2026-01-31."))
    return found


def _currency(value: str, errors: list[FieldError]) -> str:
    if value and not is_currency(value.upper()):
        errors.append(FieldError("currency", "unknown_currency", "This is not a currency we know."))
        return ""
    return value.upper()
