"""The hosted page of an invoice and its PDF."""

from __future__ import annotations

import io
from typing import Any

import httpx
import pikepdf
import pytest
import stripe

from tests.sandbox.process import Sandbox

CARD = {"card_number": "4242 4242 4242 4242", "expiry": "12 / 40", "cvc": "123", "name": "A. Payer"}
NAME = "<script>alert(1)</script> (Ωmega) \\ Ltd"


def _open_invoice(client: stripe.StripeClient, *, issue: bool = True, items: int = 1) -> Any:
    customer = client.v1.customers.create({"name": NAME})
    invoice = client.v1.invoices.create(
        {"customer": customer.id, "currency": "eur", "collection_method": "send_invoice", "days_until_due": 14}
    )
    for number in range(items):
        client.v1.invoice_items.create(
            {
                "customer": customer.id,
                "invoice": invoice.id,
                "amount": 4900,
                "currency": "eur",
                "description": f"Hour {number}",
            }
        )
    return client.v1.invoices.finalize_invoice(invoice.id) if issue else client.v1.invoices.retrieve(invoice.id)


def _get(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False)


def _pay(url: str, **changes: str) -> httpx.Response:
    return httpx.post(url, data={**CARD, **changes}, trust_env=False)


def test_an_open_invoice_is_paid_on_its_page(client: stripe.StripeClient) -> None:
    invoice = _open_invoice(client)
    page = _get(invoice.hosted_invoice_url)
    assert "Pay €49.00" in page.text and "Hour 0" in page.text and "<script>alert" not in page.text
    done = _pay(invoice.hosted_invoice_url)
    assert (done.status_code, done.headers["Location"]) == (303, invoice.hosted_invoice_url)
    paid = client.v1.invoices.retrieve(invoice.id)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 4900, 0)
    assert "Pay €49.00" not in _get(invoice.hosted_invoice_url).text
    assert _pay(invoice.hosted_invoice_url).status_code == 409
    assert len(client.v1.charges.list({"customer": invoice.customer}).data) == 1


@pytest.mark.parametrize(
    ("changes", "status", "charges"),
    [
        ({"card_number": "4000000000000002"}, 402, 1),
        ({"card_number": "4242424242424241"}, 402, 0),
        ({"expiry": "13/40"}, 422, 0),
    ],
)
def test_a_refused_card_leaves_it_open(
    client: stripe.StripeClient, changes: dict[str, str], status: int, charges: int
) -> None:
    invoice = _open_invoice(client)
    refused = _pay(invoice.hosted_invoice_url, **changes)
    assert refused.status_code == status and 'role="alert"' in refused.text
    assert client.v1.invoices.retrieve(invoice.id).status == "open"
    assert len(client.v1.charges.list({"customer": invoice.customer}).data) == charges


@pytest.mark.parametrize(("answer", "status"), [("complete", "paid"), ("fail", "open")])
def test_the_bank_may_ask_first(client: stripe.StripeClient, sandbox: Sandbox, answer: str, status: str) -> None:
    invoice = _open_invoice(client)
    asked = _pay(invoice.hosted_invoice_url, card_number="4000 0027 6000 3184")
    challenge = asked.headers["Location"]
    assert asked.status_code == 303 and "/c/3ds/" in challenge
    back = httpx.post(challenge, data={"answer": answer}, trust_env=False).headers["Location"]
    assert back.startswith(invoice.hosted_invoice_url)
    assert client.v1.invoices.retrieve(invoice.id).status == status
    assert ("could not confirm" in _get(back).text) == (answer == "fail")


def test_only_who_has_the_address_of_an_issued_invoice_sees_it(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    draft = _open_invoice(client, issue=False)
    issued = _open_invoice(client)
    for url in (f"{sandbox.url}/i/{draft.id}/None", f"{sandbox.url}/i/{issued.id}/test_guess", f"{sandbox.url}/i/in/x"):
        assert [_get(url).status_code, _get(f"{url}/pdf").status_code, _pay(url).status_code] == [404, 404, 404]


def test_the_pdf_is_one_that_others_can_read(client: stripe.StripeClient) -> None:
    invoice = _open_invoice(client, items=45)
    answer = _get(invoice.invoice_pdf)
    assert answer.headers["Content-Type"] == "application/pdf"
    with pikepdf.open(io.BytesIO(answer.content)) as document:
        assert document.check_pdf_syntax() == []
        shown = b"".join(page.Contents.read_bytes() for page in document.pages).decode("cp1252")
        assert len(document.pages) == 2
    assert "Hour 44" in shown and "€2,205.00" in shown and r"\(?mega\) \\ Ltd" in shown
