"""Pages of a list that changes under the reader's hands, in every order; cursors of others."""

import base64
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.errors import ValidationFailed
from apps.core.ids import uuid7
from apps.core.rest.ordering import NEWEST, Order, SortKeys
from apps.core.rest.paging import MAX_LIMIT, PageRequest, decode, encode, order_names, paginate
from apps.invoices.models import Client, Invoice
from apps.invoices.selectors import CLIENT_KEYS, INVOICE_KEYS
from apps.tenancy.selectors import TenantView
from tests.fixtures.tenants import in_tenant

ORDERS = order_names(INVOICE_KEYS)
DAYS = [None, date(2026, 1, 1), date(2026, 1, 2)]


def draft(client: Client, number: int) -> Invoice:
    # Few values each, so that most rows share a place in every order.
    total, issued = number % 3, DAYS[number % len(DAYS)]
    return Invoice(
        client=client, currency="EUR", due_date=DAYS[1 + number % 2], issue_date=issued, subtotal_minor=total,
        total_minor=total,
    )  # fmt: skip


def pages(order: str, limit: int) -> Iterator[list[Invoice]]:
    cursor = ""
    while True:
        query = {"limit": str(limit), "ordering": order} | ({"cursor": cursor} if cursor else {})
        page = paginate(Invoice.objects.all(), PageRequest.from_query(query, INVOICE_KEYS))
        yield page.rows
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.sampled_from(ORDERS),
    limit=st.integers(1, 7),
    first=st.lists(st.integers(0, 9), min_size=1, max_size=20),
    changes=st.lists(st.tuples(st.booleans(), st.integers(0, 50)), max_size=12),
)
def test_whoever_stays_is_seen_exactly_once_whatever_comes_and_goes(
    acme: TenantView, order: str, limit: int, first: list[int], changes: list[tuple[bool, int]]
) -> None:
    with in_tenant(acme), transaction.atomic():
        client = Client.objects.create(name="Paged", currency="EUR")
        staying = {row.pk for row in Invoice.objects.bulk_create(draft(client, number) for number in first)}
        seen: list[Any] = []
        waiting = list(changes)
        for rows in pages(order, limit):
            seen += [row.pk for row in rows]
            for is_added, number in waiting[:3]:
                if is_added:
                    draft(client, number).save()
                else:
                    gone = list(Invoice.objects.order_by("pk"))
                    gone = gone[number % len(gone)] if gone else None
                    if gone:
                        staying.discard(gone.pk)
                        gone.delete()
            del waiting[:3]
        assert len(seen) == len(set(seen))
        assert staying <= set(seen)
        transaction.set_rollback(True)


@pytest.mark.parametrize("order", ORDERS)
def test_pages_together_are_the_whole_list_in_its_order(acme: TenantView, order: str) -> None:
    with in_tenant(acme):
        client = Client.objects.create(name="Paged", currency="EUR")
        Invoice.objects.bulk_create(draft(client, number) for number in range(20))
        found = [row for rows in pages(order, 6) for row in rows]
    assert len(found) == 20
    name = order.removeprefix("-")
    values: list[Any] = [(date.max if (key := getattr(row, name)) is None else key, row.pk) for row in found]
    if name == "created_at":
        values = [row.pk for row in found]
    assert values == sorted(values, reverse=order.startswith("-"))


@pytest.mark.parametrize(
    ("name", "value"), [("due_date", date(2026, 1, 31)), ("total_minor", -(2**62)), ("name", "Ö“&”")]
)
def test_a_cursor_keeps_its_place(name: str, value: Any) -> None:
    keys: SortKeys = {**INVOICE_KEYS, **CLIENT_KEYS}
    order, row_id = Order(f"-{name}", keys[name]), uuid7()
    assert decode(encode(row_id, order, value), order) == (value, row_id)


def test_a_cursor_is_good_for_its_own_order_alone() -> None:
    cursors = {name: encode(uuid7(), order_of(name), VALUES[name.removeprefix("-")]) for name in ORDERS}
    for made_by, cursor in cursors.items():
        for name in ORDERS:
            if name == made_by:
                decode(cursor, order_of(name))
                continue
            with pytest.raises(ValidationFailed) as refused:
                decode(cursor, order_of(name))
            assert refused.value.errors[0].code == "other_ordering"


VALUES: dict[str, Any] = {"created_at": None, "issue_date": date.max, "due_date": date.min, "total_minor": 5}


def encode_bytes(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def order_of(name: str) -> Order:
    return Order(name, INVOICE_KEYS[name.removeprefix("-")])


@given(text=st.text(max_size=60) | st.binary(max_size=60).map(encode_bytes))
def test_anything_else_is_refused_and_never_an_error(text: str) -> None:
    for order in (NEWEST, order_of("due_date"), order_of("total_minor"), Order("name", CLIENT_KEYS["name"])):
        try:
            decode(text, order)
        except ValidationFailed as refused:
            assert refused.errors[0].field == "cursor"


@given(zeros=st.integers(0, 8), number=st.integers(0, 10**12))
def test_no_page_is_longer_than_the_longest(zeros: int, number: int) -> None:
    try:
        asked = PageRequest.from_query({"limit": "0" * zeros + str(number)})
    except ValidationFailed as refused:
        assert refused.errors[0].field == "limit"
    else:
        assert asked.limit == number <= MAX_LIMIT


@pytest.mark.parametrize("limit", ["0000101", "00000199999999", "9" * 5000, "\u0661", "+5", " 5", "1e1", ""])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    with pytest.raises(ValidationFailed):
        PageRequest.from_query({"limit": limit})


@pytest.mark.parametrize("told", ["x", "9" * 30, "\x00", "", "2026-13-01"])
def test_a_forged_value_is_refused(told: str) -> None:
    for name in ("due_date", "total_minor"):
        forged = encode(uuid4(), order_of(name), told)
        with pytest.raises(ValidationFailed):
            decode(forged, order_of(name))
