"""What subscriptions are given, wherever they are: items, discounts, trial settings, inline prices.

Source: https://docs.stripe.com/api/subscriptions/create.
"""

from __future__ import annotations

from sandbox.stripe import payment_methods
from sandbox.stripe.calls import Work
from sandbox.stripe.catalogue import AMOUNTS, RECURRING, new_price
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.parameters import Choice, Flag, Hash, Integer, ListOf, Metadata, Text
from sandbox.stripe.resources import tax_rates
from sandbox.stripe.shapes import JsonObject

DISCOUNTS = ListOf(Hash({"coupon": Text(), "discount": Text(), "promotion_code": Text()}), most=20, clearable=True)
TAX_RATES = ListOf(Text(), most=5, clearable=True)

_PRICE_DATA = {
    "currency": AMOUNTS["currency"],
    "product": Text(),
    "tax_behavior": AMOUNTS["tax_behavior"],
    "unit_amount": AMOUNTS["unit_amount"],
    "unit_amount_decimal": AMOUNTS["unit_amount_decimal"],
}
ONE_OFF_PRICE_DATA = Hash(_PRICE_DATA, required=frozenset({"currency", "product"}))
RECURRING_PRICE_DATA = Hash(
    {**_PRICE_DATA, "recurring": RECURRING}, required=frozenset({"currency", "product", "recurring"})
)
QUANTITY = Integer(least=0, most=999_999_999)

ITEM = {
    "metadata": Metadata(),
    "price": Text(),
    "price_data": RECURRING_PRICE_DATA,
    "quantity": QUANTITY,
    "tax_rates": TAX_RATES,
}
CHANGED_ITEM = Hash({**ITEM, "deleted": Flag(), "id": Text()})
ONE_OFF_ITEM = Hash(
    {
        "metadata": Metadata(),
        "price": Text(),
        "price_data": ONE_OFF_PRICE_DATA,
        "quantity": QUANTITY,
        "tax_rates": TAX_RATES,
    }
)
PAYMENT_BEHAVIOR = Choice(("allow_incomplete", "default_incomplete", "error_if_incomplete"))
PRORATION_BEHAVIOR = Choice(("always_invoice", "create_prorations", "none"))
COLLECTION_METHOD = Choice(("charge_automatically", "send_invoice"))
TRIAL_SETTINGS = Hash(
    {
        "end_behavior": Hash(
            {"missing_payment_method": Choice(("cancel", "create_invoice", "pause"))},
            required=frozenset({"missing_payment_method"}),
        )
    },
    required=frozenset({"end_behavior"}),
)
PAYMENT_SETTINGS = Hash(
    {
        "payment_method_types": ListOf(Choice(("card",)), clearable=True),
        "save_default_payment_method": Choice(("off", "on_subscription")),
    }
)
CANCELLATION_DETAILS = Hash(
    {
        "comment": Text(clearable=True),
        "feedback": Choice(
            (
                "customer_service",
                "low_quality",
                "missing_features",
                "other",
                "switched_service",
                "too_complex",
                "too_expensive",
                "unused",
            ),
            clearable=True,
        ),
    }
)


def price_of(work: Work, given: JsonObject, *, param: str) -> JsonObject:
    """Return the price that `price` names or `price_data` describes.

    Raises: InvalidRequest unless exactly one is given and usable.
    """
    if ("price" in given) == ("price_data" in given):
        raise InvalidRequest(
            f"Exactly one of {param}[price] and {param}[price_data] must be given.",
            code="parameter_missing",
            param=f"{param}[price]",
        )
    if "price" in given:
        price = work.require("price", given["price"], param=f"{param}[price]")
        if not price["active"]:
            raise InvalidRequest("The price specified is inactive.", param=f"{param}[price]")
        return price
    data = given["price_data"]
    work.require("product", data["product"], param=f"{param}[price_data][product]")
    return new_price(work, data, data["product"], active=False, param=f"{param}[price_data]")


def with_rates(work: Work, given: JsonObject, *, param: str) -> JsonObject:
    """Return the item's parameters with its tax rates as objects."""
    if "tax_rates" not in given:
        return given
    return given | {"tax_rates": tax_rates.chosen(work, given["tax_rates"], param=f"{param}[tax_rates]")}


def one_off_items(work: Work, given: JsonObject) -> list[tuple[JsonObject, JsonObject]]:
    """Return `add_invoice_items` as pairs of price and parameters.

    Raises: InvalidRequest for recurring prices.
    """
    found = []
    for index, entry in enumerate(given.get("add_invoice_items", [])):
        param = f"add_invoice_items[{index}]"
        price = price_of(work, entry, param=param)
        if price["type"] != "one_time":
            raise InvalidRequest("The price specified is recurring; give it as an item.", param=f"{param}[price]")
        found.append((price, with_rates(work, entry, param=param)))
    return found


def prepared(work: Work, customer_id: str, given: JsonObject) -> JsonObject:
    """Return a subscription's parameters with tax rates and one-off prices as objects.

    Raises: InvalidRequest for what does not exist, or a payment method of someone else.
    """
    found = dict(given)
    if given.get("default_payment_method") is not None:
        payment_methods.require_attached(
            work, given["default_payment_method"], customer_id, param="default_payment_method"
        )
    if "default_tax_rates" in given:
        found["default_tax_rates"] = tax_rates.chosen(work, given["default_tax_rates"], param="default_tax_rates")
    found["add_invoice_items"] = one_off_items(work, given)
    return found


def priced_items(work: Work, given: list[JsonObject]) -> list[tuple[JsonObject, JsonObject]]:
    """Return the items of a new subscription as pairs of price and parameters."""
    return [
        (price_of(work, entry, param=f"items[{index}]"), with_rates(work, entry, param=f"items[{index}]"))
        for index, entry in enumerate(given)
    ]


def changed_items(work: Work, given: list[JsonObject]) -> list[JsonObject]:
    """Return the items of a change with prices and tax rates as objects."""
    found = []
    for index, entry in enumerate(given):
        param = f"items[{index}]"
        item = {name: value for name, value in with_rates(work, entry, param=param).items() if name != "price_data"}
        if "price" in entry or "price_data" in entry:
            item["price"] = price_of(work, entry, param=param)
        found.append(item)
    return found
