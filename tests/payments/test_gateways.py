"""What each gateway promises, and how Stripe's amounts translate."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.payments.choices import RefundStatus
from apps.payments.errors import GatewayNotConfigured, GatewayRefused
from apps.payments.gateways.base import RefundRequest, SessionRequest
from apps.payments.gateways.manual import ManualGateway
from apps.payments.gateways.registry import CHECKOUT
from apps.payments.gateways.stripe_amounts import from_stripe, to_stripe
from apps.tenancy.selectors import TenantView
from tests.factories.payments import make_paid, stored, stripe_api
from tests.fixtures.processes import Sandbox


def refund_request(**values: Any) -> RefundRequest:
    standard: dict[str, Any] = {
        "tenant_id": uuid4(),
        "payment_id": uuid4(),
        "refund_id": uuid4(),
        "attempt": 1,
        "is_repeat": False,
        "payment_ref": "",
        "amount_minor": 1900,
        "currency": "EUR",
        "reason": "DUPLICATE",
    }
    return RefundRequest(**(standard | values))


def session_request(**values: Any) -> SessionRequest:
    standard: dict[str, Any] = {
        "tenant_id": uuid4(),
        "payment_id": uuid4(),
        "attempt": 1,
        "amount_minor": 11900,
        "currency": "EUR",
        "label": "INV-1",
        "payer_email": "ada@example.com",
        "success_url": "https://acme.test/thanks",
        "cancel_url": "https://acme.test/back",
    }
    return SessionRequest(**(standard | values))


@pytest.mark.parametrize("name", ["stripe", "manual"])
def test_the_same_refund_again_sends_nothing_twice(acme: TenantView, sandbox: Sandbox, name: str) -> None:
    gateway = CHECKOUT if name == "stripe" else ManualGateway()
    request = refund_request(payment_ref=stored(acme, make_paid(acme, sandbox)).payment_ref)
    first, second = gateway.refund(request), gateway.refund(request)
    assert first == second
    assert (first.own_id, first.status, first.amount_minor) == (request.refund_id, RefundStatus.SUCCEEDED, 1900)
    assert (first.currency, first.reason) == ("EUR", "DUPLICATE")


def test_a_repeat_finds_what_was_made_under_a_forgotten_key(acme: TenantView, sandbox: Sandbox) -> None:
    request = refund_request(payment_ref=stored(acme, make_paid(acme, sandbox)).payment_ref)
    first = CHECKOUT.refund(request)
    again = {name: getattr(request, name) for name in RefundRequest.__dataclass_fields__}
    second = CHECKOUT.refund(RefundRequest(**(again | {"attempt": 2, "is_repeat": True})))
    assert second == first
    assert len(stripe_api(sandbox, "GET", "refunds")["data"]) == 1


@pytest.mark.parametrize("email", ["", "not an address", "ada@example.com"])
def test_an_address_that_is_none_does_not_stop_the_checkout(db: None, sandbox: Sandbox, email: str) -> None:
    assert CHECKOUT.open_session(session_request(payer_email=email)).url


def test_a_changed_request_under_the_same_key_asks_for_a_new_key(db: None, sandbox: Sandbox) -> None:
    request = session_request()
    CHECKOUT.open_session(request)
    changed = session_request(payment_id=request.payment_id, label="INV-2")
    with pytest.raises(Exception) as refused:
        CHECKOUT.open_session(changed)
    assert refused.value.key_is_spent  # type: ignore[attr-defined]


def test_closing_what_is_closed_is_no_error(db: None, sandbox: Sandbox) -> None:
    session = CHECKOUT.open_session(session_request())
    CHECKOUT.close_session(session.ref)
    CHECKOUT.close_session(session.ref)
    assert CHECKOUT.inspect(session_ref=session.ref, payment_ref="").outcome == "EXPIRED"


def test_an_unknown_session_is_refused(db: None, sandbox: Sandbox) -> None:
    with pytest.raises(GatewayRefused):
        CHECKOUT.inspect(session_ref="cs_test_unknown", payment_ref="")


def test_without_a_key_online_payments_are_not_set_up(db: None, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(GatewayNotConfigured):
        CHECKOUT.open_session(session_request())


@pytest.mark.parametrize(
    ("currency", "ours", "stripes"),
    [("EUR", 1999, 1999), ("JPY", 500, 500), ("ISK", 7, 700), ("UGX", 7, 700), ("MGA", 500, 5), ("KWD", 12340, 12340)],
)
def test_amounts_translate_to_stripes_units(currency: str, ours: int, stripes: int) -> None:
    assert to_stripe(ours, currency) == stripes
    assert from_stripe(stripes, currency) == ours


@pytest.mark.parametrize(("currency", "amount"), [("MGA", 501), ("KWD", 1001)])
def test_amounts_that_stripe_cannot_express_are_refused(currency: str, amount: int) -> None:
    with pytest.raises(GatewayRefused):
        to_stripe(amount, currency)


@given(amount=st.integers(1, 10**12), currency=st.sampled_from(["EUR", "JPY", "ISK", "MGA", "KWD", "BHD", "USD"]))
def test_a_translated_amount_comes_back_unchanged(amount: int, currency: str) -> None:
    try:
        stripes = to_stripe(amount, currency)
    except GatewayRefused:
        return
    assert from_stripe(stripes, currency) == amount
