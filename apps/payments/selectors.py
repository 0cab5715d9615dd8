"""Reading payments. Gateways' own ids never leave this app. Amounts are in minor units."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet, Sum

from apps.core.actor import Actor
from apps.core.errors import ValidationFailed
from apps.core.rest.ordering import AGE, SortKeys, by_number
from apps.core.rest.paging import Page, PageRequest, paginate
from apps.core.rest.thin import CompiledList
from apps.payments import states
from apps.payments.choices import PaymentStatus, RefundStatus
from apps.payments.errors import PaymentNotFound
from apps.payments.gateways.registry import MANUAL
from apps.payments.models import Payment, Refund

# What the list may be sorted by, each with its index.
KEYS: SortKeys = {"created_at": AGE, "amount_minor": by_number("amount_minor")}


@dataclass(frozen=True, slots=True)
class RefundView:
    """A refund as other apps see it."""

    id: UUID
    payment_id: UUID
    amount_minor: int
    currency: str
    reason: str
    status: str
    failure_reason: str
    requested_by: str
    created_at: datetime
    succeeded_at: datetime | None


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment as other apps see it. `refundable_minor` is neither refunded nor reserved by a pending refund."""

    id: UUID
    purpose: str
    purpose_id: UUID
    label: str
    amount_minor: int
    currency: str
    refunded_minor: int
    refundable_minor: int
    fee_minor: int | None
    fee_currency: str
    status: str
    method: str
    is_manual: bool
    reference: str
    payer_name: str
    payer_email: str
    failure_reason: str
    succeeded_at: datetime | None
    created_at: datetime
    updated_at: datetime
    refunds: tuple[RefundView, ...]

    @property
    def allowed_actions(self) -> tuple[str, ...]:
        """What may be done with it now."""
        return states.allowed_actions(self.status, self.refundable_minor)


@dataclass(frozen=True, slots=True)
class CurrencyStatistics:
    """Payments in one currency. `succeeded_*` counts every payment that money came for, also when it went back."""

    currency: str
    succeeded_minor: int
    succeeded_count: int
    refunded_minor: int
    refund_count: int
    fee_minor: int
    pending_count: int
    failed_count: int

    @property
    def net_minor(self) -> int:
        """What came and stayed, before fees."""
        return self.succeeded_minor - self.refunded_minor


def list_payments(*, actor: Actor, page: PageRequest, filters: Mapping[str, str] | None = None) -> Page[PaymentView]:
    """Payments, newest first. Filters: status, purpose, purpose_id, q (label, payer, reference), from, to (UTC days).

    Raises:
        PermissionRefused: the actor lacks ``payments:read``.
        ValidationFailed: a filter is malformed.
    """
    actor.require("payments:read")
    found = paginate(_filtered(_payments(), filters or {}), page)
    return Page([view(payment) for payment in found.rows], found.next_cursor)


def count_by_status(*, actor: Actor, filters: Mapping[str, str] | None = None) -> dict[str, int]:
    """How many payments each status holds under `filters`, whose own status is left out.

    Raises:
        PermissionRefused: the actor lacks ``payments:read``.
    """
    actor.require("payments:read")
    others = {name: value for name, value in (filters or {}).items() if name != "status"}
    counts = _filtered(Payment.objects.all(), others).values_list("status").annotate(Count("pk")).order_by()
    return dict.fromkeys(PaymentStatus.values, 0) | dict(counts)


def get_payment(*, actor: Actor, payment_id: UUID) -> PaymentView:
    """One payment with its refunds.

    Raises:
        PermissionRefused: the actor lacks ``payments:read``.
        PaymentNotFound: unknown, or another tenant's.
    """
    actor.require("payments:read")
    return payment_view(payment_id=payment_id)


def payment_view(*, payment_id: UUID) -> PaymentView:
    """One payment; the caller has checked that it may be shown.

    Raises:
        PaymentNotFound: unknown, or another tenant's.
    """
    payment = _payments().filter(pk=payment_id).first()
    if payment is None:
        raise PaymentNotFound
    return view(payment)


def payments_for(*, purpose: str, purpose_id: UUID) -> list[PaymentView]:
    """Every payment for one thing, newest first; the caller has checked that it may be shown."""
    return [view(payment) for payment in _payments().filter(purpose=purpose, purpose_id=purpose_id).order_by("-pk")]


def payments_by_purpose_ids(
    *, actor: Actor, purpose: str, purpose_ids: Iterable[UUID]
) -> dict[UUID, list[PaymentView]]:
    """Every payment for each of these things, newest first; nothing for what nobody paid for.

    Raises:
        PermissionRefused: the actor lacks ``payments:read``.
    """
    actor.require("payments:read")
    wanted = list(purpose_ids)
    found: dict[UUID, list[PaymentView]] = {purpose_id: [] for purpose_id in wanted}
    for payment in _payments().filter(purpose=purpose, purpose_id__in=wanted).order_by("-pk"):
        found[payment.purpose_id].append(view(payment))
    return found


def statistics(*, actor: Actor, since: date | None = None, until: date | None = None) -> list[CurrencyStatistics]:
    """Sums a currency over the UTC days `since` to `until`, both included, by currency.

    Successes count on the day they came, refunds on the day they went, the others on the day they began.

    Raises:
        PermissionRefused: the actor lacks ``payments:read``.
    """
    actor.require("payments:read")
    came, went, began = (_between(field, since, until) for field in ("succeeded_at", "succeeded_at", "created_at"))
    paid = Q(status__in=states.PAID)
    payments = Payment.objects.order_by("currency").values("currency")
    sums = payments.annotate(
        succeeded=Sum("amount_minor", filter=came & paid, default=0),
        succeeded_number=Count("pk", filter=came & paid),
        pending=Count("pk", filter=began & Q(status=PaymentStatus.PENDING)),
        failed=Count("pk", filter=began & Q(status=PaymentStatus.FAILED)),
    )
    refunds = {
        row["currency"]: (row["total"], row["number"])
        for row in Refund.objects.filter(went, status=RefundStatus.SUCCEEDED)
        .order_by("currency")
        .values("currency")
        .annotate(total=Sum("amount_minor"), number=Count("pk"))
    }
    fees = dict(
        Payment.objects.filter(came & paid, fee_minor__isnull=False)
        .order_by("fee_currency")
        .values_list("fee_currency")
        .annotate(Sum("fee_minor"))
    )
    return [
        CurrencyStatistics(
            currency=row["currency"],
            succeeded_minor=row["succeeded"],
            succeeded_count=row["succeeded_number"],
            refunded_minor=refunds.get(row["currency"], (0, 0))[0],
            refund_count=refunds.get(row["currency"], (0, 0))[1],
            fee_minor=fees.get(row["currency"], 0),
            pending_count=row["pending"],
            failed_count=row["failed"],
        )
        for row in sums
    ]


def views(payments: Iterable[Payment], refunds: Iterable[Refund]) -> list[PaymentView]:
    """The plain values of rows and of all their refunds."""
    of_payment: dict[UUID, list[Refund]] = defaultdict(list)
    for refund in refunds:
        of_payment[refund.payment_id].append(refund)
    return [_view(payment, of_payment[payment.id]) for payment in payments]


def view(payment: Payment) -> PaymentView:
    """The plain value of a row."""
    return _view(payment, payment.refunds.all())


def _view(payment: Payment, refunds: Collection[Refund]) -> PaymentView:
    return PaymentView(
        id=payment.id,
        purpose=payment.purpose,
        purpose_id=payment.purpose_id,
        label=payment.purpose_label,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        refunded_minor=payment.refunded_minor,
        refundable_minor=_refundable(payment, refunds),
        fee_minor=payment.fee_minor,
        fee_currency=payment.fee_currency,
        status=payment.status,
        method=payment.method,
        is_manual=payment.gateway == MANUAL.name,
        reference=payment.reference,
        payer_name=payment.payer_name,
        payer_email=payment.payer_email,
        failure_reason=payment.failure_reason,
        succeeded_at=payment.succeeded_at,
        created_at=payment.created_at,
        updated_at=payment.updated_at,
        refunds=tuple(refund_view(refund) for refund in refunds),
    )


def refund_view(refund: Refund) -> RefundView:
    """The plain value of a row."""
    return RefundView(**{name: getattr(refund, name) for name in RefundView.__dataclass_fields__})


def _refundable(payment: Payment, refunds: Iterable[Refund]) -> int:
    if payment.status not in states.PAID:
        return 0
    reserved = sum(refund.amount_minor for refund in refunds if refund.status != RefundStatus.FAILED)
    return max(0, payment.amount_minor - reserved)


def _payments() -> QuerySet[Payment]:
    return Payment.objects.prefetch_related(Prefetch("refunds", _refunds()))


def _refunds() -> QuerySet[Refund]:
    return Refund.objects.order_by("pk")


# What `list_payments` reads without filters, and the refunds of a page of it, for `views`.
NEWEST = CompiledList(
    lambda _caller: Payment.objects.all(), beside=lambda _caller, page: [_refunds().filter(payment__in=page)]
)


def _filtered(payments: QuerySet[Payment], filters: Mapping[str, str]) -> QuerySet[Payment]:
    if value := filters.get("status"):
        if value.upper() not in PaymentStatus.values:
            raise ValidationFailed.one("status", "unknown", "There is no such status.")
        payments = payments.filter(status=value.upper())
    if value := filters.get("purpose"):
        payments = payments.filter(purpose=value)
    if value := filters.get("purpose_id"):
        payments = payments.filter(purpose_id=_uuid("purpose_id", value))
    if value := filters.get("q", "").replace("\x00", "").strip():
        fields = ("purpose_label", "payer_name", "payer_email", "reference")
        matches = Q()
        for field in fields:
            matches |= Q(**{f"{field}__icontains": value})
        payments = payments.filter(matches)
    since, until = (_day(name, filters[name]) if filters.get(name) else None for name in ("from", "to"))
    return payments.filter(_between("created_at", since, until))


def _between(field: str, since: date | None, until: date | None) -> Q:
    condition = Q()
    if since:
        condition &= Q(**{f"{field}__gte": datetime.combine(since, time.min, UTC)})
    if until and until < date.max:
        condition &= Q(**{f"{field}__lt": datetime.combine(until + timedelta(days=1), time.min, UTC)})
    return condition


def _day(field: str, value: str) -> date:
    try:
        return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError as error:
        raise ValidationFailed.one(field, "invalid", "Write the day as YYYY-MM-DD.") from error


def _uuid(field: str, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise ValidationFailed.one(field, "invalid", "This is not an id.") from error
