"""Pages of lists in both directions, filters, and `expand`."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.process import Sandbox
from tests.sandbox.stories import complete, open_session, pay


@pytest.fixture
def customers(client: stripe.StripeClient) -> list[str]:
    """Seven customers, newest first."""
    return [client.v1.customers.create({"name": f"C{number}"}).id for number in range(7)][::-1]


def test_pages_run_forward_and_backward(client: stripe.StripeClient, customers: list[str]) -> None:
    first = client.v1.customers.list({"limit": 3})
    assert ([item.id for item in first.data], first.has_more) == (customers[:3], True)
    last = client.v1.customers.list({"limit": 3, "starting_after": customers[5]})
    assert ([item.id for item in last.data], last.has_more) == (customers[6:], False)
    back = client.v1.customers.list({"limit": 2, "ending_before": customers[5]})
    assert ([item.id for item in back.data], back.has_more) == (customers[3:5], True)
    assert client.v1.customers.list({"limit": 3, "ending_before": customers[0]}).data == []


def test_the_sdk_walks_through_all_pages(client: stripe.StripeClient, customers: list[str]) -> None:
    walked = client.v1.customers.list({"limit": 2}).auto_paging_iter()
    assert [item.id for item in walked] == customers
    backwards = client.v1.customers.list({"limit": 2, "ending_before": customers[-1]}).auto_paging_iter()
    assert [item.id for item in backwards] == customers[:-1][::-1]


def test_ten_are_shown_when_nothing_is_said(client: stripe.StripeClient, customers: list[str]) -> None:
    for _ in range(5):
        client.v1.customers.create({})
    page = client.v1.customers.list()
    assert (len(page.data), page.has_more, page.url) == (10, True, "/v1/customers")


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"starting_after": "cus_none"}, "starting_after"),
        ({"created": {"gt": "x"}}, "created[gt]"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_cursors_are_refused(client: stripe.StripeClient, params: dict[str, object], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.list(params)  # type: ignore[arg-type]
    assert refused.value.param == param


def test_two_cursors_are_one_too_many(client: stripe.StripeClient, customers: list[str]) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.list({"starting_after": customers[0], "ending_before": customers[1]})


def test_time_filters(client: stripe.StripeClient, customers: list[str]) -> None:
    created = client.v1.customers.retrieve(customers[0]).created
    assert client.v1.customers.list({"created": {"gt": created + 60}}).data == []
    assert len(client.v1.customers.list({"created": {"gte": created - 60, "lt": created + 60}}).data) == 7


def test_events_are_found_by_type(client: stripe.StripeClient) -> None:
    pay(client)
    assert [event.type for event in client.v1.events.list({"type": "charge.*"})] == [
        "charge.updated",
        "charge.succeeded",
    ]
    chosen = client.v1.events.list({"types": ["charge.succeeded", "payment_intent.created"]})
    assert [event.type for event in chosen] == ["charge.succeeded", "payment_intent.created"]
    event = client.v1.events.retrieve(chosen.data[0].id)
    assert event.to_dict()["request"]["idempotency_key"]


def test_expansion_reaches_four_levels_and_into_lists(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    customer = client.v1.customers.create({"name": "Deep"})
    complete(sandbox, open_session(client, customer=customer.id).id)
    expand = ["data.payment_intent.latest_charge.balance_transaction.source", "data.customer"]
    [session] = client.v1.checkout.sessions.list({"expand": expand}).data
    intent = session.payment_intent
    assert isinstance(intent, stripe.PaymentIntent) and isinstance(intent.latest_charge, stripe.Charge)
    booked = intent.latest_charge.balance_transaction
    assert isinstance(booked, stripe.BalanceTransaction) and isinstance(booked.source, stripe.Charge)
    assert isinstance(session.customer, stripe.Customer) and session.customer.name == "Deep"


def test_a_deleted_object_expands_as_deleted(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    customer = client.v1.customers.create({})
    session = open_session(client, customer=customer.id)
    client.v1.customers.delete(customer.id)
    found = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["customer"]})
    assert isinstance(found.customer, stripe.Customer) and found.customer.deleted is True


def test_null_expands_to_null(client: stripe.StripeClient) -> None:
    session = open_session(client)
    found = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge", "customer"]})
    assert (found.payment_intent, found.customer) == (None, None)


@pytest.mark.parametrize("path", ["amount_total", "nonsense", "metadata", "line_items.data.quantity", "a.b.c.d.e"])
def test_what_cannot_be_expanded_is_refused(client: stripe.StripeClient, path: str) -> None:
    session = open_session(client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.retrieve(session.id, {"expand": [path]})
    assert refused.value.param == "expand"
