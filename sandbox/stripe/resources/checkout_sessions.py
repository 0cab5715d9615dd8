"""Checkout sessions in the mode `payment`, with the hosted page.

Source: https://docs.stripe.com/api/checkout/sessions.
"""

from __future__ import annotations

from sandbox.stripe import checkout, setups
from sandbox.stripe.billing import subscribing
from sandbox.stripe.billing.pricing import amount_of
from sandbox.stripe.calls import Call
from sandbox.stripe.catalogue import AMOUNTS, RECURRING, new_price, new_product
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import Filter, equals, owned_by
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    SHIPPING,
    TIME_RANGE,
    Choice,
    CurrencyCode,
    Email,
    Flag,
    Hash,
    Integer,
    ListOf,
    Metadata,
    Text,
    Url,
    declare,
    declare_list,
    merge_metadata,
)
from sandbox.stripe.resources import tax_rates
from sandbox.stripe.resources.payment_intents import CAPTURE_METHOD, METHOD_TYPES, SETUP_FUTURE_USAGE
from sandbox.stripe.resources.session_body import LONGEST_LIFE, new_session
from sandbox.stripe.resources.subscription_parameters import TAX_RATES, TRIAL_SETTINGS
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

SHORTEST_LIFE = 30 * 60

_PRODUCT_DATA = Hash(
    {
        "description": Text(),
        "images": ListOf(Url(), most=8),
        "metadata": Metadata(),
        "name": Text(),
        "tax_code": Text(pattern="txcd_[0-9]{8}"),
        "unit_label": Text(longest=12),
    },
    required=frozenset({"name"}),
)
_LINE = Hash(
    {
        "metadata": Metadata(),
        "price": Text(),
        "price_data": Hash(
            {
                "currency": AMOUNTS["currency"],
                "product": Text(),
                "product_data": _PRODUCT_DATA,
                "recurring": RECURRING,
                "tax_behavior": AMOUNTS["tax_behavior"],
                "unit_amount": AMOUNTS["unit_amount"],
                "unit_amount_decimal": AMOUNTS["unit_amount_decimal"],
            },
            required=frozenset({"currency"}),
        ),
        "quantity": Integer(least=1, most=999_999),
    }
)


def _price_of(call: Call, line: JsonObject, param: str) -> JsonObject:
    if ("price" in line) == ("price_data" in line):
        raise InvalidRequest(
            f"Exactly one of {param}[price] and {param}[price_data] must be given.",
            code="parameter_missing",
            param=f"{param}[price]",
        )
    if "price" in line:
        price = call.require("price", line["price"], param=f"{param}[price]")
        if not price["active"]:
            raise InvalidRequest("The price specified is inactive.", param=f"{param}[price]")
        if price["type"] == "recurring" and call.params["mode"] == "payment":
            raise InvalidRequest("You specified `payment` mode but passed a recurring price.", param=f"{param}[price]")
        return price
    data = line["price_data"]
    if ("product" in data) == ("product_data" in data):
        raise InvalidRequest(
            f"Exactly one of {param}[price_data][product] and {param}[price_data][product_data] must be given.",
            code="parameter_missing",
            param=f"{param}[price_data][product]",
        )
    if "product" in data:
        product = call.require("product", data["product"], param=f"{param}[price_data][product]")
    else:
        product = new_product(call, data["product_data"], active=False)
    return new_price(call, data, product["id"], active=False, param=f"{param}[price_data]")


def _line_items(call: Call) -> list[JsonObject]:
    lines: list[JsonObject] = []
    for index, line in enumerate(call.params["line_items"]):
        param = f"line_items[{index}]"
        price = _price_of(call, line, param)
        if "quantity" not in line:
            raise InvalidRequest(
                f"Missing required param: {param}[quantity].", code="parameter_missing", param=f"{param}[quantity]"
            )
        if lines and price["currency"] != lines[0]["currency"]:
            raise InvalidRequest(
                "All line items of a Checkout Session must have the same currency.", param=f"{param}[price]"
            )
        amount = amount_of(call, price, line["quantity"])
        product = call.require("product", price["product"], param=f"{param}[price]")
        lines.append(
            {
                "id": new_id("li_"),
                "object": "item",
                "adjustable_quantity": None,
                "amount_discount": 0,
                "amount_subtotal": amount,
                "amount_tax": 0,
                "amount_total": amount,
                "currency": price["currency"],
                "description": product["name"],
                "metadata": merge_metadata({}, line.get("metadata") or {}),
                "price": price,
                "quantity": line["quantity"],
            }
        )
    return lines


def _check_setup(params: JsonObject) -> None:
    setup = params["mode"] == "setup"
    for name in ("line_items", "payment_intent_data", "submit_type") if setup else ("setup_intent_data",):
        if name in params:
            raise InvalidRequest(f"You can not pass `{name}` in `{params['mode']}` mode.", param=name)
    only_subscription = ("payment_method_collection", "subscription_data")
    for name in ("allow_promotion_codes", "discounts", *only_subscription) if setup else only_subscription:
        if name in params and params["mode"] != "subscription":
            raise InvalidRequest(f"You can not pass `{name}` in `{params['mode']}` mode here.", param=name)
    if setup and "currency" not in params and "payment_method_types" not in params:
        raise InvalidRequest(
            "In `setup` mode, `currency` is needed unless `payment_method_types` are given.",
            code="parameter_missing",
            param="currency",
        )


def _checked(call: Call) -> None:
    params = call.params
    _check_setup(params)
    if params["mode"] != "setup" and not params.get("line_items"):
        raise InvalidRequest("Missing required param: line_items.", code="parameter_missing", param="line_items")
    if "customer" in params and "customer_email" in params:
        raise InvalidRequest(
            "You may only specify one of these parameters: customer, customer_email.", param="customer_email"
        )
    if "customer" in params and "customer_creation" in params:
        raise InvalidRequest(
            "You may only specify one of these parameters: customer, customer_creation.", param="customer_creation"
        )
    expires_at = params.get("expires_at")
    if expires_at is not None and not call.now + SHORTEST_LIFE <= expires_at <= call.now + LONGEST_LIFE:
        raise InvalidRequest(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
            param="expires_at",
        )


def _create(call: Call) -> JsonObject:
    _checked(call)
    params = call.params
    customer = call.require("customer", params["customer"], param="customer") if "customer" in params else None
    if params["mode"] == "setup":
        return _create_setup(call, customer)
    lines = _line_items(call)
    currency = lines[0]["currency"]
    if params.get("currency", currency) != currency:
        raise InvalidRequest("The currency differs from that of the line items.", param="currency")
    if params["mode"] == "subscription":
        return _create_subscribing(call, customer, lines)
    _check_reductions(params)
    session = new_session(call, customer, currency, 0)
    session["allow_promotion_codes"] = params.get("allow_promotion_codes")
    kept = {"payment_intent_data": params.get("payment_intent_data", {}), "redeem": params.get("discounts", [])}
    call.objects.insert(session, kept)
    _keep_lines(call, session, lines)
    return session


def _keep_lines(call: Call, session: JsonObject, lines: list[JsonObject]) -> None:
    """Reckon what is due and store the lines, each with what it costs when nothing is taken off."""
    full = {line["id"]: line["amount_subtotal"] for line in lines}
    subscribing.reckon(call, session, lines)
    call.objects.replace(session)
    for line in lines:
        call.objects.insert_part(line, owner=session["id"], created=call.now)
        call.objects.hide(line["id"], full=full[line["id"]])


def _check_reductions(params: JsonObject) -> None:
    if params.get("allow_promotion_codes") and "discounts" in params:
        raise InvalidRequest(
            "You may only specify one of these parameters: allow_promotion_codes, discounts.", param="discounts"
        )


def _create_subscribing(call: Call, customer: JsonObject | None, lines: list[JsonObject]) -> JsonObject:
    params = call.params
    subscribing.check_lines(params, lines)
    _check_reductions(params)
    data = params.get("subscription_data", {})
    if "default_tax_rates" in data:
        rates = tax_rates.chosen(call, data["default_tax_rates"], param="subscription_data[default_tax_rates]")
        data = data | {"default_tax_rates": rates}
    session = new_session(call, customer, lines[0]["currency"], 0)
    session |= {
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "customer_creation": None if customer else "always",
        "payment_method_collection": params.get("payment_method_collection", "always"),
        "payment_method_types": ["card"],
    }
    call.objects.insert(session, {"subscription_data": data, "redeem": params.get("discounts", [])})
    _keep_lines(call, session, lines)
    return session


def _create_setup(call: Call, customer: JsonObject | None) -> JsonObject:
    params = call.params
    session = new_session(call, customer, params.get("currency"), None)
    given = params.get("setup_intent_data", {}) | {
        "customer": customer["id"] if customer else None,
        "payment_method_types": session["payment_method_types"],
    }
    setup = setups.new_setup(call, given, owner=session["id"])
    session |= {"payment_status": "no_payment_required", "setup_intent": setup["id"]}
    call.objects.insert(session)
    return session


def _retrieve(call: Call) -> JsonObject:
    return call.target(checkout.KIND, "session")


def _update(call: Call) -> JsonObject:
    session = call.target(checkout.KIND, "session")
    if "metadata" in call.params:
        session["metadata"] = merge_metadata(session["metadata"], call.params["metadata"])
    call.objects.replace(session)
    return session


def _expire(call: Call) -> JsonObject:
    session = call.target(checkout.KIND, "session")
    if session["status"] != "open":
        raise InvalidRequest(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This one has a status of'
            f" {session['status']}.",
            param="session",
        )
    return checkout.expire(call, session)


def _list(call: Call) -> JsonObject:
    filters: list[Filter] = [
        equals(name, call.params[name]) for name in ("customer", "payment_intent", "status") if name in call.params
    ]
    if "customer_details" in call.params:
        filters.append(equals("customer_details.email", call.params["customer_details"]["email"]))
    return list_page(call, checkout.KIND, filters, url="/v1/checkout/sessions")


def _list_lines(call: Call) -> JsonObject:
    session = call.target(checkout.KIND, "session")
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return list_page(call, "item", [owned_by(session["id"])], url=url, oldest_first=True)


_ITEM = "/v1/checkout/sessions/<session>"

ROUTES = (
    Route(
        "POST",
        "/v1/checkout/sessions",
        _create,
        declare(
            ("mode", "success_url"),
            allow_promotion_codes=Flag(),
            billing_address_collection=Choice(("auto", "required")),
            cancel_url=Url(),
            client_reference_id=Text(longest=200),
            currency=CurrencyCode(),
            customer=Text(),
            customer_creation=Choice(("always", "if_required")),
            customer_email=Email(),
            discounts=ListOf(Hash({"coupon": Text(), "promotion_code": Text()}), most=1),
            expires_at=Integer(),
            line_items=ListOf(_LINE, most=100),
            locale=Text(longest=6),
            metadata=Metadata(),
            mode=Choice(("payment", "setup", "subscription")),
            payment_intent_data=Hash(
                {
                    "application_fee_amount": Integer(least=0),
                    "capture_method": CAPTURE_METHOD,
                    "description": Text(),
                    "metadata": Metadata(),
                    "receipt_email": Email(),
                    "setup_future_usage": SETUP_FUTURE_USAGE,
                    "shipping": SHIPPING,
                    "statement_descriptor": Text(longest=22),
                    "statement_descriptor_suffix": Text(longest=22),
                    "transfer_group": Text(),
                }
            ),
            payment_method_types=METHOD_TYPES,
            setup_intent_data=Hash({"description": Text(), "metadata": Metadata()}),
            payment_method_collection=Choice(("always", "if_required")),
            submit_type=Choice(("auto", "book", "donate", "pay")),
            subscription_data=Hash(
                {
                    "billing_cycle_anchor": Integer(),
                    "default_tax_rates": TAX_RATES,
                    "description": Text(longest=500),
                    "metadata": Metadata(),
                    "proration_behavior": Choice(("create_prorations", "none")),
                    "trial_end": Integer(),
                    "trial_period_days": Integer(least=1),
                    "trial_settings": TRIAL_SETTINGS,
                }
            ),
            success_url=Url(),
            ui_mode=Choice(("hosted_page",)),
        ),
    ),
    Route(
        "GET",
        "/v1/checkout/sessions",
        _list,
        declare_list(
            created=TIME_RANGE,
            customer=Text(),
            customer_details=Hash({"email": Text()}, required=frozenset({"email"})),
            payment_intent=Text(),
            status=Choice(("complete", "expired", "open")),
        ),
    ),
    Route("GET", _ITEM, _retrieve, declare()),
    Route("POST", _ITEM, _update, declare(metadata=Metadata())),
    Route("POST", f"{_ITEM}/expire", _expire, declare()),
    Route("GET", f"{_ITEM}/line_items", _list_lines, declare_list()),
)
