"""Payments and refunds over REST."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from apps.core.clock import utcnow
from apps.payments.choices import PaymentStatus
from apps.tenancy.selectors import TenantView
from tests.factories.payments import make_manual, make_paid, make_pending, stored, stripe_api
from tests.fixtures.processes import Sandbox, free_port

ApiFor = Callable[..., APIClient]
PAYMENTS = "/api/v1/payments"


def refunds(payment_id: UUID) -> str:
    return f"{PAYMENTS}/{payment_id}/refunds"


def test_a_payment_is_shown_with_its_refunds_and_without_the_gateways_ids(
    api: ApiFor, acme: TenantView, sandbox: Sandbox
) -> None:
    client = api(acme, "ACCOUNTANT")
    payment_id = make_paid(acme, sandbox)
    client.post(refunds(payment_id), {"amount_minor": 1900})
    answer = client.get(f"{PAYMENTS}/{payment_id}")
    body = answer.json()
    assert (body["status"], body["amount_minor"], body["currency"]) == ("partially_refunded", 11900, "EUR")
    assert (body["refunded_minor"], body["refundable_minor"], body["fee_minor"]) == (1900, 10000, 375)
    assert (body["method"], body["is_manual"], body["allowed_actions"]) == ("card", False, ["refund"])
    assert [refund["status"] for refund in body["refunds"]] == ["succeeded"]
    row = stored(acme, payment_id)
    assert row.session_ref.startswith("cs_")
    for secret in (row.session_ref, row.payment_ref, "pi_", "cs_", '"re_', "http"):
        assert secret not in answer.content.decode()


def test_payments_come_newest_first_in_pages(api: ApiFor, acme: TenantView) -> None:
    made = [str(make_manual(acme, paid_at=utcnow())) for _ in range(3)]
    client = api(acme)
    first = client.get(f"{PAYMENTS}?limit=2").json()
    assert [row["id"] for row in first["data"]] == made[:0:-1]
    second = client.get(f"{PAYMENTS}?limit=2&cursor={first['next_cursor']}").json()
    assert [row["id"] for row in second["data"]] == made[:1]
    assert second["has_more"] is False


def test_payments_can_be_filtered(api: ApiFor, acme: TenantView) -> None:
    purpose_id = uuid4()
    make_pending(acme, purpose_id=purpose_id, payer_name="Grace Hopper")
    make_manual(acme, paid_at=utcnow(), label="INV-7", reference="RF99")
    client = api(acme, "VIEWER")
    today, tomorrow = utcnow().date(), utcnow().date() + timedelta(days=1)

    def found(query: str) -> int:
        return len(client.get(f"{PAYMENTS}?{query}").json()["data"])

    assert found("") == 2
    assert found("status=pending") == 1
    assert found("status=SUCCEEDED") == 1
    assert found("q=hopper") == 1
    assert found("q=rf99") == 1
    assert found("q=inv-7&status=pending") == 0
    assert found(f"purpose=test&purpose_id={purpose_id}") == 1
    assert found(f"from={today}&to={today}") == 2
    assert found(f"from={tomorrow}") == 0


@pytest.mark.parametrize("query", ["status=lost", "from=today", "to=1", "purpose_id=1", "limit=101", "cursor=x"])
def test_malformed_filters_are_400(api: ApiFor, acme: TenantView, query: str) -> None:
    answer = api(acme).get(f"{PAYMENTS}?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


def test_without_an_amount_the_rest_goes_back(api: ApiFor, acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_paid(acme, sandbox)
    client = api(acme, "ACCOUNTANT")
    part = client.post(refunds(payment_id), {"amount_minor": 1900, "reason": "duplicate"})
    assert (part.status_code, part.json()["reason"]) == (201, "duplicate")
    rest = client.post(refunds(payment_id), {})
    assert (rest.status_code, rest.json()["amount_minor"], rest.json()["status"]) == (201, 10000, "succeeded")
    again = client.post(refunds(payment_id), {})
    assert (again.status_code, again.json()["code"], again.json()["allowed_actions"]) == (409, "illegal_state", [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount_minor": 11901}, "amount_minor"),
        ({"amount_minor": 0}, "amount_minor"),
        ({"amount_minor": -5}, "amount_minor"),
        ({"amount_minor": 10**30}, "amount_minor"),
        ({"amount_minor": 1.5}, "amount_minor"),
        ({"amount_minor": "much"}, "amount_minor"),
        ({"reason": "whim"}, "reason"),
    ],
)
def test_a_refund_that_cannot_be_is_400(api: ApiFor, acme: TenantView, body: dict[str, Any], field: str) -> None:
    payment_id = make_manual(acme, paid_at=utcnow())
    answer = api(acme).post(refunds(payment_id), body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert stored(acme, payment_id).refunded_minor == 0


def test_malformed_json_is_400(api: ApiFor, acme: TenantView) -> None:
    payment_id = make_manual(acme, paid_at=utcnow())
    answer = api(acme).post(refunds(payment_id), "{", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


def test_members_may_look_and_not_refund(api: ApiFor, acme: TenantView) -> None:
    payment_id = make_manual(acme, paid_at=utcnow())
    client = api(acme, "MEMBER")
    assert client.get(f"{PAYMENTS}/{payment_id}").status_code == 200
    assert client.post(refunds(payment_id), {}).status_code == 403


def test_another_tenants_payment_is_404(api: ApiFor, acme: TenantView, globex: TenantView) -> None:
    payment_id = make_manual(acme, paid_at=utcnow())
    client = api(globex)
    assert client.get(f"{PAYMENTS}/{payment_id}").status_code == 404
    assert client.post(refunds(payment_id), {}).status_code == 404
    assert client.get(PAYMENTS).json()["data"] == []
    assert (
        client.get(f"{PAYMENTS}/{uuid4()}").json()["detail"] == client.get(f"{PAYMENTS}/{payment_id}").json()["detail"]
    )


def test_without_a_token_nothing_is_shown(anonymous_api: APIClient, acme: TenantView) -> None:
    assert anonymous_api.get(PAYMENTS).status_code == 401
    assert anonymous_api.post(refunds(uuid4()), {}).status_code == 401


def test_a_gateway_that_is_away_is_502_and_the_refund_may_be_asked_again(
    api: ApiFor, acme: TenantView, sandbox: Sandbox, settings: Any
) -> None:
    payment_id = make_paid(acme, sandbox)
    client = api(acme)
    settings.STRIPE_API_HOST = f"http://127.0.0.1:{free_port()}"
    away = client.post(refunds(payment_id), {})
    assert (away.status_code, away.json()["code"]) == (502, "gateway_unreachable")
    settings.STRIPE_API_HOST = sandbox.url
    assert client.post(refunds(payment_id), {}).status_code == 201
    assert stored(acme, payment_id).status == PaymentStatus.REFUNDED
    assert len(stripe_api(sandbox, "GET", "refunds")["data"]) == 1


def test_a_lost_answer_is_a_pending_refund(api: ApiFor, acme: TenantView, sandbox: Sandbox) -> None:
    payment_id = make_paid(acme, sandbox)
    sandbox.control("faults", status=500, path="/v1/refunds", method="POST", when="after")
    answer = api(acme).post(refunds(payment_id), {})
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
