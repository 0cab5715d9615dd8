"""Giving money back on the page."""

from datetime import UTC, datetime

import pytest

from apps.payments.models import Refund
from apps.tenancy.selectors import TenantView
from tests.factories.payments import make_manual
from tests.fixtures.clients import BrowserFor
from tests.fixtures.tenants import in_tenant

PAID_AT = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "minor"), [("19.00", 1900), ("19,5", 1950), ("1.900,00", None), ("0", None), ("1.005", None)]
)
def test_an_amount_is_typed_as_everywhere_else(
    acme: TenantView, browser_client: BrowserFor, typed: str, minor: int | None
) -> None:
    payment_id = make_manual(acme, paid_at=PAID_AT)
    page = browser_client(acme).post(f"/payments/{payment_id}/refund/", {"amount": typed, "reason": "DUPLICATE"})
    with in_tenant(acme):
        given = list(Refund.objects.filter(payment_id=payment_id).values_list("amount_minor", flat=True))
    if minor is None:
        assert (page.status_code, given, list(page.context["form"].errors)) == (400, [], ["amount"])
    else:
        assert (page.status_code, given) == (302, [minor])
