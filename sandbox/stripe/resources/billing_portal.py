"""The customer portal's configurations and sessions.

Source: https://docs.stripe.com/api/customer_portal.
"""

from __future__ import annotations

from sandbox.stripe import portals
from sandbox.stripe.calls import Call
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import Filter, equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    Choice,
    Flag,
    Hash,
    Integer,
    ListOf,
    Metadata,
    Text,
    Url,
    declare,
    declare_list,
)
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject


def _create_configuration(call: Call) -> JsonObject:
    configuration = portals.new_configuration(call, call.params)
    emit(call, "billing_portal.configuration.created", configuration)
    return configuration


def _retrieve_configuration(call: Call) -> JsonObject:
    return call.target(portals.CONFIGURATION, "configuration")


def _update_configuration(call: Call) -> JsonObject:
    configuration, before = (call.target(portals.CONFIGURATION, "configuration") for _ in range(2))
    if configuration["is_default"] and call.params.get("active") is False:
        raise InvalidRequest("The default configuration cannot be made inactive.", param="active")
    portals.change_configuration(configuration, call.params)
    if configuration != before:
        configuration["updated"] = call.now
        call.objects.replace(configuration)
        emit(call, "billing_portal.configuration.updated", configuration, before=before)
    return configuration


def _list_configurations(call: Call) -> JsonObject:
    filters: list[Filter] = [
        equals(name, call.params[name]) for name in ("active", "is_default") if name in call.params
    ]
    return list_page(call, portals.CONFIGURATION, filters, url="/v1/billing_portal/configurations")


def _create_session(call: Call) -> JsonObject:
    params = call.params
    if "customer" not in params:
        raise InvalidRequest("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = call.require("customer", params["customer"], param="customer")
    if "configuration" in params:
        configuration = call.require(portals.CONFIGURATION, params["configuration"], param="configuration")
        if not configuration["active"]:
            raise InvalidRequest("This configuration is inactive.", param="configuration")
    else:
        configuration = portals.default_configuration(call)
    identifier = new_id("bps_")
    session: JsonObject = {
        "id": identifier,
        "object": portals.SESSION,
        "configuration": configuration["id"],
        "created": call.now,
        "customer": customer["id"],
        "customer_account": None,
        "flow": _flow(call, customer["id"]),
        "livemode": False,
        "locale": params.get("locale"),
        "on_behalf_of": None,
        "return_url": params.get("return_url", configuration["default_return_url"]),
        "url": portals.page_url(call, identifier),
    }
    call.objects.insert(session)
    emit(call, "billing_portal.session.created", session)
    return session


def _flow(call: Call, customer: str) -> JsonObject | None:
    given = call.params.get("flow_data")
    if given is None:
        return None
    kind, after = given["type"], given.get("after_completion", {"type": "portal_homepage"})
    if kind.startswith("subscription_"):
        if kind not in given:
            name = f"flow_data[{kind}]"
            raise InvalidRequest(f"Missing required param: {name}.", code="parameter_missing", param=name)
        param = f"flow_data[{kind}][subscription]"
        subscription = call.require("subscription", given[kind]["subscription"], param=param)
        if subscription["customer"] != customer:
            raise InvalidRequest("The subscription belongs to another customer.", param=param)
    flow: JsonObject = {
        "after_completion": {
            "hosted_confirmation": after.get("hosted_confirmation"),
            "redirect": after.get("redirect"),
            "type": after["type"],
        },
        "subscription_cancel": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
        "type": kind,
    }
    if kind == "subscription_cancel":
        flow[kind] = {"retention": None, "subscription": given[kind]["subscription"]}
    elif kind == "subscription_update":
        flow[kind] = {"subscription": given[kind]["subscription"]}
    return flow


_FEATURES = Hash(
    {
        "customer_update": Hash(
            {
                "allowed_updates": ListOf(
                    Choice(("address", "email", "name", "phone", "shipping", "tax_id")), clearable=True
                ),
                "enabled": Flag(),
            }
        ),
        "invoice_history": Hash({"enabled": Flag()}),
        "payment_method_update": Hash({"enabled": Flag()}),
        "subscription_cancel": Hash(
            {
                "cancellation_reason": Hash(
                    {
                        "enabled": Flag(),
                        "options": ListOf(Choice(tuple(code for code, _ in portals.REASONS)), clearable=True),
                    }
                ),
                "enabled": Flag(),
                "mode": Choice(("at_period_end", "immediately")),
                "proration_behavior": Choice(("always_invoice", "create_prorations", "none")),
            }
        ),
        "subscription_update": Hash(
            {
                "default_allowed_updates": ListOf(Choice(("price", "promotion_code", "quantity")), clearable=True),
                "enabled": Flag(),
                "products": ListOf(
                    Hash(
                        {
                            "adjustable_quantity": Hash(
                                {"enabled": Flag(), "maximum": Integer(least=1), "minimum": Integer(least=0)}
                            ),
                            "prices": ListOf(Text()),
                            "product": Text(),
                        },
                        required=frozenset({"prices", "product"}),
                    ),
                    clearable=True,
                ),
                "proration_behavior": Choice(("always_invoice", "create_prorations", "none")),
            }
        ),
    }
)
_SHARED = {
    "business_profile": Hash(
        {"headline": Text(clearable=True, longest=60), "privacy_policy_url": Url(), "terms_of_service_url": Url()}
    ),
    "default_return_url": Url(clearable=True),
    "features": _FEATURES,
    "metadata": Metadata(),
    "name": Text(clearable=True),
}
_OF_SUBSCRIPTION = Hash({"subscription": Text()}, required=frozenset({"subscription"}))
_FLOW = Hash(
    {
        "after_completion": Hash(
            {
                "hosted_confirmation": Hash({"custom_message": Text(longest=500)}),
                "redirect": Hash({"return_url": Url()}, required=frozenset({"return_url"})),
                "type": Choice(("hosted_confirmation", "portal_homepage", "redirect")),
            },
            required=frozenset({"type"}),
        ),
        "subscription_cancel": _OF_SUBSCRIPTION,
        "subscription_update": _OF_SUBSCRIPTION,
        "type": Choice(("payment_method_update", "subscription_cancel", "subscription_update")),
    },
    required=frozenset({"type"}),
)

_ALL = "/v1/billing_portal/configurations"

ROUTES = (
    Route("POST", _ALL, _create_configuration, declare(("features",), **_SHARED)),
    Route("GET", _ALL, _list_configurations, declare_list(active=Flag(), is_default=Flag())),
    Route("GET", f"{_ALL}/<configuration>", _retrieve_configuration, declare()),
    Route("POST", f"{_ALL}/<configuration>", _update_configuration, declare(active=Flag(), **_SHARED)),
    Route(
        "POST",
        "/v1/billing_portal/sessions",
        _create_session,
        declare(
            configuration=Text(),
            customer=Text(),
            flow_data=_FLOW,
            locale=Text(longest=6),
            return_url=Url(),
        ),
    ),
)
