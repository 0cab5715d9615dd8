"""The body of a new checkout session.

Source: https://docs.stripe.com/api/checkout/sessions/object.
"""

from __future__ import annotations

from sandbox.stripe import checkout
from sandbox.stripe.calls import Call
from sandbox.stripe.configuration import ACCOUNT_NAME
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.parameters import merge_metadata
from sandbox.stripe.shapes import JsonObject

LONGEST_LIFE = 24 * 60 * 60


def new_session(call: Call, customer: JsonObject | None, currency: str | None, total: int | None) -> JsonObject:
    """Return a session as it begins, open and not yet stored; without a total nothing is paid."""
    params = call.params
    identifier = new_id("cs_test_")
    email = customer["email"] if customer else params.get("customer_email")
    details = None
    if email is not None or customer is not None:
        details = checkout.contact(email=email, name=customer["name"] if customer else None)
    return {
        "id": identifier,
        "object": checkout.KIND,
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": params.get("billing_address_collection"),
        "branding_settings": {
            "background_color": "#ffffff",
            "border_style": "rounded",
            "button_color": "#2555e0",
            "display_name": ACCOUNT_NAME,
            "font_family": "default",
            "icon": None,
            "logo": None,
        },
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": {"business_name": None, "individual_name": None, "shipping_details": None},
        "consent": None,
        "consent_collection": None,
        "created": call.now,
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": customer["id"] if customer else None,
        "customer_account": None,
        "customer_creation": None if customer else params.get("customer_creation", "if_required"),
        "customer_details": details,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": params.get("expires_at", call.now + LONGEST_LIFE),
        "integration_identifier": None,
        "invoice": None,
        "invoice_creation": {
            "enabled": False,
            "invoice_data": {
                "account_tax_ids": None,
                "custom_fields": None,
                "description": None,
                "footer": None,
                "issuer": None,
                "metadata": {},
                "rendering_options": None,
            },
        },
        "livemode": False,
        "locale": params.get("locale"),
        "managed_payments": None,
        "metadata": merge_metadata({}, params.get("metadata") or {}),
        "mode": params["mode"],
        "optional_items": None,
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": params.get("payment_method_types", ["card"]),
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": checkout.page_url(call, identifier),
        "wallet_options": None,
    }
