"""What the billing tests begin with: a customer on a clock, prices, a subscription, time that passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stripe

START = int(datetime(2027, 1, 31, 12, tzinfo=UTC).timestamp())
DAY = 86_400
HOUR = 3_600


def instant(text: str) -> int:
    """Return the time in seconds of `2027-02-28` or `2027-02-28T13`, in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@dataclass
class Billing:
    """A customer on a test clock that begins at noon of 31 January 2027."""

    client: stripe.StripeClient
    clock: str
    customer: str

    def price(self, amount: int = 1000, interval: str = "month", currency: str = "eur", **more: Any) -> Any:
        """Create a recurring price of a product of its own."""
        return self.client.v1.prices.create(
            {
                "currency": currency,
                "unit_amount": amount,
                "recurring": {"interval": interval},
                "product_data": {"name": "Team"},
                **more,
            }  # type: ignore[typeddict-item]
        )

    def subscribe(self, price: str, quantity: int = 1, **more: Any) -> Any:
        """Begin a subscription; the latest invoice is expanded."""
        return self.client.v1.subscriptions.create(
            {
                "customer": self.customer,
                "items": [{"price": price, "quantity": quantity}],
                "expand": ["latest_invoice"],
                **more,
            }
        )

    def change(self, subscription: Any, **more: Any) -> Any:
        """Change the first item's `price` or `quantity`, and whatever else is given."""
        item = {name: more.pop(name) for name in ("price", "quantity") if name in more}
        given = {"items": [{"id": items(subscription)[0].id, **item}]} if item else {}
        return self.client.v1.subscriptions.update(subscription.id, {**given, **more})  # type: ignore[typeddict-item]

    def advance(self, to: int) -> None:
        """Let the clock go on to the time."""
        answer = self.client.v1.test_helpers.test_clocks.advance(self.clock, {"frozen_time": to})
        assert answer.status == "advancing"
        assert self.client.v1.test_helpers.test_clocks.retrieve(self.clock).status == "ready"

    def again(self, subscription: Any, **more: Any) -> Any:
        """Return the subscription as it now stands, with its latest invoice."""
        return self.client.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"], **more})

    def invoices(self) -> list[Any]:
        """Return the customer's invoices, oldest first."""
        return list(reversed(self.client.v1.invoices.list({"customer": self.customer, "limit": 100}).data))

    def use_card(self, alias: str) -> str:
        """Attach a test card and make it the customer's default; return its id."""
        method = self.client.v1.payment_methods.attach(alias, {"customer": self.customer})
        self.client.v1.customers.update(self.customer, {"invoice_settings": {"default_payment_method": method.id}})
        return method.id

    def balance(self) -> int:
        """Return the customer's balance; credit is negative."""
        return int(self.client.v1.customers.retrieve(self.customer).balance or 0)

    def event_types(self, prefix: str = "") -> list[str]:
        """Return the types of the events, oldest first."""
        listed = self.client.v1.events.list({"limit": 100}).data
        return [event.type for event in reversed(listed) if event.type.startswith(prefix)]


def begin(client: stripe.StripeClient, card: str | None = "pm_card_visa", **more: Any) -> Billing:
    """Create the clock and the customer, with a default card unless it is None."""
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": START})
    given: dict[str, Any] = {"email": "ap@ionian.example", "test_clock": clock.id, **more}
    if card is not None:
        given |= {"payment_method": card, "invoice_settings": {"default_payment_method": card}}
    customer = client.v1.customers.create(given)  # type: ignore[arg-type]
    return Billing(client, clock.id, customer.id)


def items(subscription: Any) -> list[Any]:
    """Return a subscription's items; `items` of the SDK's object is the method of a dict."""
    return list(subscription["items"].data)


def sums_up(invoice: Any) -> bool:
    """Return whether an invoice's totals are those of its lines, and what is due follows from them."""
    lines = invoice.lines.data
    off = sum(taken.amount for line in lines for taken in line.discount_amounts)
    added = sum(tax.amount for line in lines for tax in line.taxes if tax.tax_behavior == "exclusive")
    left = invoice.ending_balance if invoice.ending_balance is not None else 0
    return bool(
        invoice.subtotal == sum(line.amount for line in lines)
        and invoice.total == invoice.subtotal - off + added
        and (invoice.status == "draft" or invoice.amount_due == invoice.total + invoice.starting_balance - left)
        and invoice.amount_remaining == invoice.amount_due - invoice.amount_paid
    )
