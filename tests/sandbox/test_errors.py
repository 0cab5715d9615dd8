"""Errors in Stripe's form."""

from __future__ import annotations

import httpx
import pytest
import stripe

from tests.sandbox.process import KEY, Sandbox


def _post(sandbox: Sandbox, path: str, data: dict[str, str] | str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"}
    content = data if isinstance(data, str) else str(httpx.QueryParams(data))
    return httpx.post(f"{sandbox.url}{path}", content=content, headers=headers, trust_env=False)


@pytest.mark.parametrize(
    ("data", "code", "param"),
    [
        ({"currency": "eur"}, "parameter_missing", "amount"),
        ({"amount": "ten", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": "-5", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": "10", "currency": "eur"}, "amount_too_small", "amount"),
        ({"amount": "100000000", "currency": "eur"}, "amount_too_large", "amount"),
        ({"amount": "9" * 30, "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": "1234", "currency": "bhd"}, "parameter_invalid_integer", "amount"),
        ({"amount": "500", "currency": "xxx"}, None, "currency"),
        ({"amount": "500", "currency": ""}, None, "currency"),
        ({"amount": "", "currency": "eur"}, "parameter_invalid_empty", "amount"),
        ({"amount": "500", "currency": "eur", "confirm": "maybe"}, None, "confirm"),
        ({"amount": "500", "currency": "eur", "colour": "red"}, "parameter_unknown", "colour"),
        ({"amount": "500", "currency": "eur", "shipping[box]": "x"}, "parameter_unknown", "shipping[box]"),
        ({"amount": "500", "currency": "eur", "shipping": "box"}, None, "shipping"),
        ({"amount": "500", "currency": "eur", "metadata": "x"}, None, "metadata"),
        ({"amount": "500", "currency": "eur", "payment_method_types": "card"}, None, "payment_method_types"),
        ({"amount[x]": "500", "currency": "eur"}, None, "amount"),
        ({"amount": "500", "currency": "eur", "customer": "cus_none"}, "resource_missing", "customer"),
        ({"amount": "500", "currency": "eur", "payment_method": "pm_none"}, "resource_missing", "payment_method"),
        ({"amount": "500", "currency": "eur", "receipt_email": "nobody"}, "email_invalid", "receipt_email"),
        ({"amount": "500", "currency": "eur", "metadata[k]": "v" * 501}, None, "metadata[k]"),
    ],
)
def test_wrong_parameters_are_named(sandbox: Sandbox, data: dict[str, str], code: str | None, param: str) -> None:
    answer = _post(sandbox, "/v1/payment_intents", data)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error.get("code"), error["param"]) == (code, param)
    assert error["message"] and answer.headers["Request-Id"] in error["request_log_url"]
    if code is not None:
        assert error["doc_url"] == f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"


@pytest.mark.parametrize(
    "body", ["a[=1", "[x]=1", "a=1&a[b]=2", "a[b]=1&a=2", "a[b][c][d][e][f][g][h][i][j][k][l][m]=1"]
)
def test_malformed_names_are_refused(sandbox: Sandbox, body: str) -> None:
    assert _post(sandbox, "/v1/customers", body).status_code == 400


def test_bodies_of_other_kinds_and_sizes_are_refused(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    as_json = httpx.post(f"{sandbox.url}/v1/customers", json={"name": "x"}, headers=headers, trust_env=False)
    assert as_json.status_code == 400
    huge = _post(sandbox, "/v1/customers", "description=" + "x" * 2_000_000)
    assert huge.status_code in (400, 413)
    assert huge.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("customers/cus_x", "customer"),
        ("payment_intents/pi_x", "intent"),
        ("checkout/sessions/cs_x", "session"),
        ("charges/ch_x", "charge"),
        ("refunds/re_x", "refund"),
        ("events/evt_x", "id"),
        ("products/prod_x", "id"),
        ("prices/price_x", "price"),
        ("payment_methods/pm_x", "payment_method"),
        ("balance_transactions/txn_x", "id"),
        ("webhook_endpoints/we_x", "webhook_endpoint"),
    ],
)
def test_unknown_objects_are_missing(sandbox: Sandbox, path: str, param: str) -> None:
    answer = httpx.get(f"{sandbox.url}/v1/{path}", headers={"Authorization": f"Bearer {KEY}"}, trust_env=False)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (404, "resource_missing", param)


def test_an_id_of_another_kind_is_missing_too(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.retrieve(customer.id)
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_unknown_addresses_and_methods_are_unrecognized(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    for method, path in (("GET", "/v1/nothing"), ("DELETE", "/v1/charges/ch_1"), ("GET", "/v1/customers//x")):
        answer = httpx.request(method, f"{sandbox.url}{path}", headers=headers, trust_env=False)
        assert answer.status_code == 404
        assert f"{method}: {path}" in answer.json()["error"]["message"]


def test_strange_versions_are_refused(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Stripe-Version": "latest"}
    assert httpx.get(f"{sandbox.url}/v1/account", headers=headers, trust_env=False).status_code == 400


@pytest.mark.parametrize("given", ["-0", "1_000", " 5", "٣", "NaN", "1e-13", "", "1e99"])
def test_only_plain_decimals_are_amounts(client: stripe.StripeClient, given: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.prices.create(
            {"currency": "usd", "unit_amount_decimal": given, "product_data": {"name": "x"}}  # type: ignore[typeddict-item]
        )
    assert refused.value.param == "unit_amount_decimal"


def test_only_plain_digits_are_whole_numbers(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create({"amount": "١٠٠٠", "currency": "usd"})  # type: ignore[typeddict-item]
    assert refused.value.code == "parameter_invalid_integer"


def test_control_requests_nested_too_deeply_are_refused(sandbox: Sandbox) -> None:
    answer = httpx.post(f"{sandbox.url}/_sandbox/faults", content=b"[" * 100_000, trust_env=False)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
