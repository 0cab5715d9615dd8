"""What a customer does on the portal, by the same endpoints that an integration would call.

Source: https://docs.stripe.com/customer-management.
"""

from __future__ import annotations

from sandbox.stripe.calls import Work
from sandbox.stripe.inside import ask
from sandbox.stripe.shapes import JsonObject


def change_subscription(
    work: Work, configuration: JsonObject, subscription: JsonObject, *, price: str | None, quantity: str | None
) -> None:
    """Move a subscription's first item to another price or quantity, prorated as configured.

    Raises: StripeError as the API answers.
    """
    item = subscription["items"]["data"][0]
    fields = {
        "items[0][id]": item["id"],
        "proration_behavior": configuration["features"]["subscription_update"]["proration_behavior"],
    }
    if price:
        fields["items[0][price]"] = price
    if quantity:
        fields["items[0][quantity]"] = quantity
    ask(work, "POST", f"/v1/subscriptions/{subscription['id']}", fields)


def cancel_subscription(
    work: Work, configuration: JsonObject, subscription: JsonObject, *, feedback: str | None, comment: str | None
) -> None:
    """Cancel now or at the period's end, as configured, with what the customer said.

    Raises: StripeError as the API answers.
    """
    feature = configuration["features"]["subscription_cancel"]
    fields = {}
    if feedback:
        fields["cancellation_details[feedback]"] = feedback
    if comment:
        fields["cancellation_details[comment]"] = comment
    path = f"/v1/subscriptions/{subscription['id']}"
    if feature["mode"] == "at_period_end":
        ask(work, "POST", path, fields | {"cancel_at_period_end": "true"})
        return
    prorate = feature["proration_behavior"] != "none"
    now = feature["proration_behavior"] == "always_invoice"
    ask(work, "DELETE", path, fields | {"prorate": str(prorate).lower(), "invoice_now": str(now).lower()})


def keep_subscription(work: Work, subscription: JsonObject) -> None:
    """Take back a cancellation that has not taken effect.

    Raises: StripeError as the API answers.
    """
    ask(work, "POST", f"/v1/subscriptions/{subscription['id']}", {"cancel_at_period_end": "false"})


def make_default(work: Work, customer: str, method: str) -> None:
    """Have the customer's invoices paid by the method.

    Raises: StripeError as the API answers.
    """
    ask(work, "POST", f"/v1/customers/{customer}", {"invoice_settings[default_payment_method]": method})
