"""Making products and prices, by their own endpoints or inline in a checkout.

Source: https://docs.stripe.com/api/products and https://docs.stripe.com/api/prices.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from sandbox.stripe.billing.price_tiers import parse_tiers
from sandbox.stripe.calls import Work
from sandbox.stripe.currencies import MAXIMUM_CHARGE
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import equals
from sandbox.stripe.parameters import (
    Choice,
    CurrencyCode,
    DecimalText,
    Flag,
    Hash,
    Integer,
    ListOf,
    Metadata,
    Text,
    Url,
    merge_metadata,
)
from sandbox.stripe.shapes import JsonObject

_PLAIN_MEMBERS = (
    "active",
    "description",
    "images",
    "marketing_features",
    "name",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "unit_label",
    "url",
)

_DIMENSIONS = ("height", "length", "weight", "width")

PRODUCT_MEMBERS = {
    "active": Flag(),
    "description": Text(clearable=True),
    "images": ListOf(Url(), most=8, clearable=True),
    "marketing_features": ListOf(Hash({"name": Text(longest=80)}, frozenset({"name"})), most=15, clearable=True),
    "metadata": Metadata(),
    "name": Text(),
    "package_dimensions": Hash(
        {name: DecimalText() for name in _DIMENSIONS}, required=frozenset(_DIMENSIONS), clearable=True
    ),
    "shippable": Flag(),
    "statement_descriptor": Text(longest=22),
    "tax_code": Text(clearable=True, pattern="txcd_[0-9]{8}"),
    "unit_label": Text(clearable=True, longest=12),
    "url": Url(clearable=True),
}


TAX_BEHAVIOR = Choice(("exclusive", "inclusive", "unspecified"))
_UNIT_AMOUNT = Integer(least=0, most=MAXIMUM_CHARGE)

RECURRING = Hash(
    {"interval": Choice(("day", "month", "week", "year")), "interval_count": Integer(least=1, most=1095)},
    required=frozenset({"interval"}),
)

AMOUNTS = {
    "currency": CurrencyCode(),
    "metadata": Metadata(),
    "recurring": RECURRING,
    "tax_behavior": TAX_BEHAVIOR,
    "unit_amount": _UNIT_AMOUNT,
    "unit_amount_decimal": DecimalText(),
}
"""What a price is made of, wherever one is given inline."""

PRODUCT_DATA = Hash(
    {
        "active": Flag(),
        "id": Text(pattern="[A-Za-z0-9_-]+"),
        "metadata": Metadata(),
        "name": Text(),
        "statement_descriptor": Text(longest=22),
        "tax_code": Text(pattern="txcd_[0-9]{8}"),
        "unit_label": Text(longest=12),
    },
    required=frozenset({"name"}),
)


def new_product(work: Work, given: JsonObject, *, active: bool = True) -> JsonObject:
    """Store a product with the given members and tell it; return it.

    Raises: InvalidRequest `resource_already_exists` for a chosen id that is taken.
    """
    identifier = given.get("id") or new_id("prod_")
    if work.objects.find(identifier) is not None:
        raise InvalidRequest("Product already exists.", code="resource_already_exists", param="id")
    product: JsonObject = {
        "id": identifier,
        "object": "product",
        "active": active,
        "created": work.now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": "",
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "unit_label": None,
        "updated": work.now,
        "url": None,
    }
    set_members(product, given)
    work.objects.insert(product)
    emit(work, "product.created", product)
    return product


def set_members(product: JsonObject, given: JsonObject) -> None:
    """Set the given members of a product, not yet stored."""
    for name in _PLAIN_MEMBERS:
        if name in given:
            product[name] = given[name]
    if "package_dimensions" in given:
        sizes = given["package_dimensions"]
        product["package_dimensions"] = sizes and {name: float(value) for name, value in sizes.items()}
    if "metadata" in given:
        product["metadata"] = merge_metadata(product["metadata"], given["metadata"])
    product["images"] = product["images"] or []
    product["marketing_features"] = product["marketing_features"] or []


def new_price(work: Work, given: JsonObject, product_id: str, *, active: bool = True, param: str = "") -> JsonObject:
    """Store a price of the product and tell it; return it.

    Raises: InvalidRequest when the amount is missing, given twice, or the lookup key is taken.
    """
    tiers = parse_tiers(given, param)
    decimal = None if tiers else _decimal_amount(given, param)
    recurring = given.get("recurring")
    price: JsonObject = {
        "id": new_id("price_"),
        "object": "price",
        "active": given.get("active", active),
        "billing_scheme": "tiered" if tiers else "per_unit",
        "created": work.now,
        "currency": given["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": merge_metadata({}, given.get("metadata") or {}),
        "nickname": given.get("nickname"),
        "product": product_id,
        "recurring": recurring
        and {
            "interval": recurring["interval"],
            "interval_count": recurring.get("interval_count", 1),
            "meter": None,
            "usage_type": recurring.get("usage_type", "licensed"),
        },
        "tax_behavior": given.get("tax_behavior", "unspecified"),
        "tiers_mode": given["tiers_mode"] if tiers else None,
        "transform_quantity": given.get("transform_quantity"),
        "type": "recurring" if recurring else "one_time",
        "unit_amount": None if decimal is None or decimal != decimal.to_integral_value() else int(decimal),
        "unit_amount_decimal": None if decimal is None else format(decimal, "f"),
    }
    take_lookup_key(work, price, given)
    work.objects.insert(price, {"tiers": tiers} if tiers else None)
    emit(work, "price.created", price)
    return price


def line_amount(price: JsonObject, quantity: int) -> int:
    """Return what `quantity` pieces cost, in minor units, rounded half up once."""
    exact = Decimal(price["unit_amount_decimal"]) * quantity
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _decimal_amount(given: JsonObject, param: str) -> Decimal:
    if "unit_amount" in given and "unit_amount_decimal" in given:
        raise InvalidRequest(
            "You may only specify one of these parameters: unit_amount, unit_amount_decimal.",
            param=f"{param}[unit_amount_decimal]" if param else "unit_amount_decimal",
        )
    if "unit_amount" in given:
        return Decimal(given["unit_amount"])
    if "unit_amount_decimal" in given:
        return Decimal(given["unit_amount_decimal"])
    name = f"{param}[unit_amount]" if param else "unit_amount"
    raise InvalidRequest(f"Missing required param: {name}.", code="parameter_missing", param=name)


def take_lookup_key(work: Work, price: JsonObject, given: JsonObject) -> None:
    """Give the price its lookup key, taking it from its holder when `transfer_lookup_key` says so.

    Raises: InvalidRequest `resource_already_exists` when another price holds it.
    """
    if "lookup_key" not in given:
        return
    key = given["lookup_key"]
    if key is not None:
        for holder in work.objects.select("price", [equals("lookup_key", key)]):
            if holder["id"] == price["id"]:
                continue
            if not given.get("transfer_lookup_key"):
                raise InvalidRequest(
                    f"A price ({holder['id']}) already uses that lookup key.",
                    code="resource_already_exists",
                    param="lookup_key",
                )
            before = dict(holder)
            holder["lookup_key"] = None
            work.objects.replace(holder)
            emit(work, "price.updated", holder, before=before)
    price["lookup_key"] = key
