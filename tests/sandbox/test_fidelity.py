"""Parameters and the checkers themselves; that every answer is faithful is checked after every test."""

from __future__ import annotations

import re
from typing import Any

import pytest
import stripe

from sandbox.stripe.configuration import API_VERSION
from sandbox.stripe.parameters import Choice, Either, Flag, Hash, Integer, Kind, ListOf, Metadata
from sandbox.stripe.resources import ROUTES
from sandbox.stripe.routing import Route
from tests.sandbox import annotations, openapi
from tests.sandbox.stories import pay

NEEDS_DOCUMENT = pytest.mark.skipif(not openapi.present(), reason=f"{openapi.SPECIFICATION} is absent")

# Stripe asks for these by its rules too; the document leaves them optional for what the sandbox does not serve.
STRICTER = {
    ("POST", "/v1/checkout/sessions"): {"mode", "success_url"},
    ("POST", "/v1/payment_methods/{payment_method}/attach"): {"customer"},
}


def _address(route: Route) -> str:
    return re.sub(r"<(\w+)>", r"{\1}", route.path)


def _spelled(path: str) -> str:
    """Return the document's spelling of an address: it names the parts of some addresses otherwise."""
    shape = re.sub(r"\{\w+\}", "{}", path)
    for known in openapi.document()["paths"]:
        if re.sub(r"\{\w+\}", "{}", known) == shape:
            return str(known)
    return path


def _unlike(kind: Kind, schema: dict[str, Any], name: str) -> list[str]:
    """Return how a parameter that the sandbox takes differs from what Stripe takes."""
    choices = schema.get("anyOf", [schema])
    types = {choice.get("type") for choice in choices}
    if isinstance(kind, Hash):
        objects = [choice for choice in choices if choice.get("type") == "object"]
        if not objects:
            return [f"{name}: not a hash"]
        known = {key: value for choice in objects for key, value in choice.get("properties", {}).items()}
        found = [f"{name}[{key}]: unknown to Stripe" for key in kind.members.keys() - known.keys()]
        for key in kind.members.keys() & known.keys():
            found += _unlike(kind.members[key], known[key], f"{name}[{key}]")
        return found
    if isinstance(kind, ListOf):
        arrays = [choice for choice in choices if choice.get("type") == "array"]
        return _unlike(kind.item, arrays[0]["items"], f"{name}[]") if arrays else [f"{name}: not an array"]
    if isinstance(kind, Choice):
        known_words = {word for choice in choices for word in choice.get("enum", [])}
        strange = set(kind.choices) - known_words - {"true", "false"}
        return [f"{name}: {strange} unknown to Stripe"] if known_words and strange else []
    if isinstance(kind, Either):
        return []
    expected = {Integer: "integer", Flag: "boolean", Metadata: "object"}.get(type(kind))
    return [f"{name}: {types}, not {expected}"] if expected and expected not in types else []


@NEEDS_DOCUMENT
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_parameter_is_one_of_stripes(route: Route) -> None:
    schema = openapi.parameters_of(route.method, _spelled(_address(route)))
    assert schema is not None, "Stripe has no such endpoint"
    known = schema.get("properties", {})
    found = [f"{name}: unknown to Stripe" for name in route.parameters.members.keys() - known.keys() - {"expand"}]
    for name in route.parameters.members.keys() & known.keys():
        found += _unlike(route.parameters.members[name], known[name], name)
    assert not found, "\n".join(found)
    required = set(schema.get("required", []))
    assert route.parameters.required == required | STRICTER.get((route.method, _address(route)), set())


@NEEDS_DOCUMENT
def test_the_served_version_is_that_of_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert openapi.document()["info"]["version"] == API_VERSION == stripe.api_version
    endpoints = sum(len(operations) for operations in openapi.document()["paths"].values())
    with capsys.disabled():
        print(f"\nStripe sandbox: {len(ROUTES)} of {endpoints} endpoints served")


def test_the_annotation_checker_sees_every_kind_of_fault(client: stripe.StripeClient) -> None:
    charge = client.v1.charges.retrieve(pay(client).latest_charge).to_dict()
    assert annotations.findings(charge) == []
    outcome = {**charge["outcome"], "type": 7}
    card = {**charge["payment_method_details"]["card"], "regulated_status": "perhaps"}
    faulty = {
        **charge,
        "surprise": 1,
        "amount": "4200",
        "currency": None,
        "captured": 1,
        "outcome": outcome,
        "status": "odd",
        "payment_method_details": {**charge["payment_method_details"], "card": card},
    }
    del faulty["created"]
    assert {problem.split(":")[0] for problem in annotations.findings(faulty)} == {
        "charge.surprise",
        "charge.amount",
        "charge.currency",
        "charge.captured",
        "charge.outcome.type",
        "charge.status",
        "charge.payment_method_details.card.regulated_status",
        "charge.created",
    }


@NEEDS_DOCUMENT
@pytest.mark.parametrize(
    "change",
    [{"surprise": 1}, {"amount": "4200"}, {"currency": None}, {"status": "odd"}, {"outcome": {"type": 7}}],
)
def test_the_schema_checker_sees_faults(client: stripe.StripeClient, change: dict[str, Any]) -> None:
    charge = client.v1.charges.retrieve(pay(client).latest_charge).to_dict()
    assert openapi.findings(charge) == []
    assert openapi.findings({**charge, **change}) != []
    without = {name: value for name, value in charge.items() if name != "balance_transaction"}
    assert openapi.findings(without) == ["charge.balance_transaction: null on Stripe, absent here"]
