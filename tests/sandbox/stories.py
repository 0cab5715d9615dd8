"""What the tests begin with: a session to pay, a payment made."""

from __future__ import annotations

from typing import Any

import stripe

from tests.sandbox.process import Sandbox


def open_session(client: stripe.StripeClient, amount: int = 4200, currency: str = "eur", **more: Any) -> Any:
    """Create a checkout session over one line."""
    line = {
        "price_data": {"currency": currency, "unit_amount": amount, "product_data": {"name": "Invoice 1"}},
        "quantity": 1,
    }
    return client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "http://shop.localhost/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://shop.localhost/back",
            "line_items": [line],
            **more,
        }
    )


def complete(
    sandbox: Sandbox, session_id: str, method: str = "pm_card_visa", *, status: int = 200, **more: Any
) -> dict[str, Any]:
    """Pay a session through the control API."""
    body = {"payment_method": method, **more}
    return sandbox.control("POST", f"checkout/sessions/{session_id}/complete", body, status=status)


def pay(
    client: stripe.StripeClient, amount: int = 4200, currency: str = "eur", method: str = "pm_card_visa", **more: Any
) -> Any:
    """Create and confirm a payment intent at once."""
    return client.v1.payment_intents.create(
        {
            "amount": amount,
            "currency": currency,
            "payment_method": method,
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            **more,
        }
    )
