"""The customer portal: its configurations, and what a session of it may do.

Source: https://docs.stripe.com/customer-management and https://docs.stripe.com/api/customer_portal.
"""

from __future__ import annotations

from sandbox.stripe.calls import Work
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import equals
from sandbox.stripe.parameters import merge_metadata
from sandbox.stripe.shapes import JsonObject

CONFIGURATION, SESSION = "billing_portal.configuration", "billing_portal.session"

LIFE = 24 * 60 * 60
"""How many seconds the page of a session stays open."""

REASONS = (
    ("too_expensive", "It is too expensive"),
    ("missing_features", "It lacks features I need"),
    ("switched_service", "I found another service"),
    ("unused", "I do not use it enough"),
    ("customer_service", "The customer service could be better"),
    ("too_complex", "It is too complex"),
    ("low_quality", "The quality is not good enough"),
    ("other", "Another reason"),
)
"""Why a customer may say to cancel."""


def new_configuration(work: Work, given: JsonObject, *, default: bool = False) -> JsonObject:
    """Store and return a configuration with the given features; what is not given is off."""
    configuration: JsonObject = {
        "id": new_id("bpc_"),
        "object": CONFIGURATION,
        "active": True,
        "application": None,
        "business_profile": {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None},
        "created": work.now,
        "default_return_url": None,
        "features": {
            "customer_update": {"allowed_updates": [], "enabled": False},
            "invoice_history": {"enabled": False},
            "payment_method_update": {"enabled": False, "payment_method_configuration": None},
            "subscription_cancel": {
                "cancellation_reason": {
                    "enabled": False,
                    "feedback_options": None,
                    "options": [code for code, _ in REASONS],
                },
                "enabled": False,
                "mode": "at_period_end",
                "proration_behavior": "none",
            },
            "subscription_update": {
                "billing_cycle_anchor": None,
                "default_allowed_updates": [],
                "enabled": False,
                "products": None,
                "proration_behavior": "none",
                "schedule_at_period_end": {"conditions": []},
                "trial_update_behavior": "end_trial",
            },
        },
        "is_default": default,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": work.now,
    }
    change_configuration(configuration, given)
    work.objects.insert(configuration)
    return configuration


def change_configuration(configuration: JsonObject, given: JsonObject) -> None:
    """Set the given members of a configuration, not yet stored."""
    for name in ("active", "default_return_url", "name"):
        if name in given:
            configuration[name] = given[name]
    configuration["business_profile"] |= given.get("business_profile", {})
    if "metadata" in given:
        configuration["metadata"] = merge_metadata(configuration["metadata"], given["metadata"])
    for name, wanted in given.get("features", {}).items():
        feature = configuration["features"][name]
        for member, value in wanted.items():
            if member == "cancellation_reason":
                feature[member] |= {part: inner for part, inner in value.items() if inner is not None}
            elif member == "products":
                feature[member] = value and [_product(product) for product in value]
            else:
                feature[member] = [] if value is None and member.endswith("_updates") else value


def _product(given: JsonObject) -> JsonObject:
    adjustable = given.get("adjustable_quantity") or {}
    return {
        "adjustable_quantity": {
            "enabled": adjustable.get("enabled", False),
            "maximum": adjustable.get("maximum"),
            "minimum": adjustable.get("minimum", 1),
        },
        "prices": given["prices"],
        "product": given["product"],
    }


def default_configuration(work: Work) -> JsonObject:
    """Return the account's default configuration, made with everything on when there is none yet."""
    found = work.objects.select(CONFIGURATION, [equals("is_default", True)], limit=1)
    if found:
        return found[0]
    features = {
        "customer_update": {"enabled": True, "allowed_updates": ["name", "email", "address"]},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "cancellation_reason": {"enabled": True}},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price", "quantity"],
            "proration_behavior": "create_prorations",
        },
    }
    return new_configuration(work, {"features": features}, default=True)


def page_url(work: Work, session_id: str) -> str:
    """Return the address of the session's page; the session's id is its last segment."""
    return f"{work.base_url}/p/session/{session_id}"


def prices_to_choose(work: Work, configuration: JsonObject, subscription: JsonObject) -> list[JsonObject]:
    """Return the prices to which the subscription may change: those configured, else all of its currency."""
    feature = configuration["features"]["subscription_update"]
    if not feature["enabled"] or "price" not in feature["default_allowed_updates"]:
        return []
    offered = work.objects.select(
        "price", [equals("active", True), equals("type", "recurring"), equals("currency", subscription["currency"])]
    )
    if feature["products"]:
        chosen = {price for product in feature["products"] for price in product["prices"]}
        offered = [price for price in offered if price["id"] in chosen]
    return sorted(offered, key=lambda price: price["unit_amount"] or 0)


def quantity_bounds(configuration: JsonObject, price: JsonObject) -> tuple[int, int] | None:
    """Return the least and the largest quantity that may be chosen; None when it may not be changed."""
    feature = configuration["features"]["subscription_update"]
    if not feature["enabled"] or "quantity" not in feature["default_allowed_updates"]:
        return None
    if not feature["products"]:
        return 1, 999_999
    for product in feature["products"]:
        adjustable = product["adjustable_quantity"]
        if product["product"] == price["product"] and adjustable["enabled"]:
            return adjustable["minimum"], adjustable["maximum"] or 999_999
    return None
