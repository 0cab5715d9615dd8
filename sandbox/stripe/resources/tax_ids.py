"""Customers' tax identifiers and how far they are verified.

Source: https://docs.stripe.com/api/tax_ids and https://docs.stripe.com/billing/customer/tax-ids (test values).
"""

from __future__ import annotations

import re

from sandbox.stripe.calls import Call, Work
from sandbox.stripe.errors import InvalidRequest
from sandbox.stripe.events import emit
from sandbox.stripe.forms import child_name
from sandbox.stripe.identifiers import new_id
from sandbox.stripe.objects import equals
from sandbox.stripe.pagination import list_page
from sandbox.stripe.parameters import Choice, Text, declare, declare_list
from sandbox.stripe.routing import Route
from sandbox.stripe.shapes import JsonObject

KIND = "tax_id"

FORMS = {
    "ae_trn": r"\d{15}",
    "au_abn": r"\d{11}",
    "br_cnpj": r"\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}",
    "ca_bn": r"\d{9}",
    "ch_vat": r"CHE-?\d{3}\.?\d{3}\.?\d{3} ?(MWST|TVA|IVA)",
    "eu_oss_vat": r"EU\d{9}",
    "eu_vat": r"(AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)[A-Z0-9+*]{2,13}",
    "gb_vat": r"(GB)?(\d{9}|\d{12}|(GD|HA)\d{3})",
    "in_gst": r"\d{2}[A-Z]{5}\d{4}[A-Z]\d[A-Z0-9]{2}",
    "jp_trn": r"T\d{13}",
    "no_vat": r"\d{9}MVA",
    "nz_gst": r"\d{8,9}",
    "sa_vat": r"\d{15}",
    "sg_gst": r"[A-Z0-9]{9,10}",
    "us_ein": r"\d{2}-\d{7}",
    "za_vat": r"4\d{9}",
}
"""The form of every kind that is served; the two letters before the underscore are the country."""

_VERIFIABLE = frozenset({"au_abn", "eu_vat", "gb_vat"})
_OUTCOMES = {"000000000": "verified", "111111111": "unverified", "222222222": "pending"}


def _verification(kind: str, value: str) -> JsonObject:
    """Return what became of the check; values ending in nine zeros, ones or twos choose it, as on Stripe."""
    status = "unavailable"
    if kind in _VERIFIABLE:
        status = next((found for ending, found in _OUTCOMES.items() if value.endswith(ending)), "verified")
    verified = status == "verified"
    return {
        "status": status,
        "verified_address": "123 TEST STREET" if verified else None,
        "verified_name": "TEST COMPANY" if verified else None,
    }


def _create(call: Call) -> JsonObject:
    return new_tax_id(call, call.target("customer", "customer"), call.params)


def new_tax_id(work: Work, customer: JsonObject, given: JsonObject, *, param: str = "") -> JsonObject:
    """Store the customer's identifier, check it, and tell both; return it as it was before the check.

    Raises: InvalidRequest `tax_id_invalid` for a value that does not have the form of its kind.
    """
    kind, value = given["type"], given["value"].strip()
    if re.fullmatch(FORMS[kind], value) is None:
        raise InvalidRequest(f"Invalid value for {kind}.", code="tax_id_invalid", param=child_name(param, "value"))
    country = value[:2].replace("EL", "GR") if kind == "eu_vat" else kind[:2].upper()
    tax_id: JsonObject = {
        "id": new_id("txi_"),
        "object": KIND,
        "country": country,
        "created": work.now,
        "customer": customer["id"],
        "customer_account": None,
        "livemode": False,
        "owner": {"customer": customer["id"], "customer_account": None, "type": "customer"},
        "type": kind,
        "value": value,
        "verification": {"status": "pending", "verified_address": None, "verified_name": None},
    }
    if kind not in _VERIFIABLE:
        tax_id["verification"]["status"] = "unavailable"
    work.objects.insert(tax_id)
    emit(work, "customer.tax_id.created", tax_id)
    outcome = _verification(kind, value)
    if outcome == tax_id["verification"]:
        return tax_id
    before = dict(tax_id)
    verified = tax_id | {"verification": outcome}
    work.objects.replace(verified)
    emit(work, "customer.tax_id.updated", verified, before=before)
    # As on Stripe, the answer is older than the check: a later look tells how it went.
    return tax_id


def _own(call: Call) -> JsonObject:
    customer = call.target("customer", "customer")
    tax_id = call.target(KIND, "id")
    if tax_id["customer"] != customer["id"]:
        raise InvalidRequest(f"No such tax_id: '{tax_id['id']}'", code="resource_missing", param="id")
    return tax_id


def _delete(call: Call) -> JsonObject:
    tax_id = _own(call)
    call.objects.delete(tax_id["id"])
    emit(call, "customer.tax_id.deleted", tax_id)
    return {"id": tax_id["id"], "object": KIND, "deleted": True}


def _list(call: Call) -> JsonObject:
    customer = call.target("customer", "customer")
    return list_page(call, KIND, [equals("customer", customer["id"])], url=f"/v1/customers/{customer['id']}/tax_ids")


GIVEN = {"type": Choice(tuple(FORMS)), "value": Text(longest=100)}
_ALL = "/v1/customers/<customer>/tax_ids"

ROUTES = (
    Route("POST", _ALL, _create, declare(tuple(GIVEN), **GIVEN)),
    Route("GET", _ALL, _list, declare_list()),
    Route("GET", f"{_ALL}/<id>", _own, declare()),
    Route("DELETE", f"{_ALL}/<id>", _delete, declare()),
)
