"""Tax rates.

Source: https://docs.stripe.com/api/tax_rates.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.stripe.calls import Call, Work
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import (
    TIME_RANGE,
    Choice,
    DecimalText,
    Flag,
    Metadata,
    Text,
    declare,
    declare_list,
    merge_metadata,
)
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

KIND = "tax_rate"
_TYPES = ("gst", "hst", "igst", "jct", "pst", "qst", "rst", "sales_tax", "service_tax", "vat")
_TEXTS = ("country", "description", "display_name", "jurisdiction", "state", "tax_type")
_DESCRIPTION = {
    "active": Flag(),
    "country": Text(pattern="[A-Z]{2}"),
    "description": Text(),
    "display_name": Text(longest=50),
    "jurisdiction": Text(longest=50),
    "metadata": Metadata(),
    "state": Text(),
    "tax_type": Choice(_TYPES),
}


def chosen(work: Work, identifiers: list[str] | None, *, param: str) -> list[JsonObject]:
    """Return the rates.

    Raises: InvalidRequest for one that is unknown or put away.
    """
    rates = [
        work.require(KIND, identifier, param=f"{param}[{index}]") for index, identifier in enumerate(identifiers or [])
    ]
    for index, rate in enumerate(rates):
        if not rate["active"]:
            raise InvalidRequest(f"The tax rate {rate['id']} is inactive.", param=f"{param}[{index}]")
    return rates


def _create(call: Call) -> JsonObject:
    percentage = Decimal(call.params["percentage"])
    if percentage > 100:
        raise InvalidRequest("Invalid percentage: must be between 0 and 100.", param="percentage")
    rate: JsonObject = {
        "id": new_id("txr_"),
        "object": KIND,
        "active": call.params.get("active", True),
        "created": call.now,
        "effective_percentage": None,
        "flat_amount": None,
        "inclusive": call.params["inclusive"],
        "jurisdiction_level": None,
        "livemode": False,
        "metadata": merge_metadata({}, call.params.get("metadata") or {}),
        "percentage": float(percentage),
        "rate_type": "percentage",
        **{name: call.params.get(name) for name in _TEXTS},
    }
    call.objects.insert(rate)
    emit(call, "tax_rate.created", rate)
    return rate


def _retrieve(call: Call) -> JsonObject:
    return call.target(KIND, "tax_rate")


def _update(call: Call) -> JsonObject:
    rate, before = (call.target(KIND, "tax_rate") for _ in range(2))
    for name in (*_TEXTS, "active"):
        if name in call.params:
            rate[name] = call.params[name]
    if "metadata" in call.params:
        rate["metadata"] = merge_metadata(rate["metadata"], call.params["metadata"])
    if rate != before:
        call.objects.replace(rate)
        emit(call, "tax_rate.updated", rate, before=before)
    return rate


def _list(call: Call) -> JsonObject:
    filters = [equals(name, call.params[name]) for name in ("active", "inclusive") if name in call.params]
    return list_page(call, KIND, filters, url="/v1/tax_rates")


ROUTES = (
    Route(
        "POST",
        "/v1/tax_rates",
        _create,
        declare(
            ("display_name", "inclusive", "percentage"), inclusive=Flag(), percentage=DecimalText(), **_DESCRIPTION
        ),
    ),
    Route("GET", "/v1/tax_rates", _list, declare_list(active=Flag(), created=TIME_RANGE, inclusive=Flag())),
    Route("GET", "/v1/tax_rates/<tax_rate>", _retrieve, declare()),
    Route("POST", "/v1/tax_rates/<tax_rate>", _update, declare(**_DESCRIPTION)),
)
