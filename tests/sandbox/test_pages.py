"""The pages: paying, refusing, the bank, receipts and the panel."""

from __future__ import annotations

import re

import httpx
import pytest
import stripe

from tests.fixtures.plain import PLAIN
from tests.sandbox.process import Receiver, Sandbox, wait_for
from tests.sandbox.stories import complete, open_session, pay

CARD = {
    "email": "ap@ionian.example",
    "card_number": "4242 4242 4242 4242",
    "expiry": "12 / 40",
    "cvc": "123",
    "name": "A. Payer",
}


def _post(url: str, **changes: str) -> httpx.Response:
    return httpx.post(url, data={**CARD, **changes}, trust_env=False, verify=PLAIN)


def test_paying_leads_back_to_the_merchant(client: stripe.StripeClient) -> None:
    session = open_session(client, 123456, customer_email="known@example.com")
    page = httpx.get(session.url, trust_env=False, verify=PLAIN)
    assert "€1,234.56" in page.text and "Invoice 1" in page.text and "Sandbox" in page.text
    assert 'value="known@example.com"' in page.text and 'href="http://shop.localhost/back"' in page.text
    done = _post(session.url)
    assert done.status_code == 303
    assert done.headers["Location"] == f"http://shop.localhost/done?session={session.id}"
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.payment_method"]})
    assert (paid.payment_status, paid.customer_details.email) == ("paid", "ap@ionian.example")
    assert paid.payment_intent.payment_method.billing_details.name == "A. Payer"
    again = httpx.get(f"{session.url}", trust_env=False, verify=PLAIN)
    assert "Payment complete" in again.text and done.headers["Location"] in again.text
    assert "Payment complete" in _post(session.url).text
    assert len(client.v1.charges.list().data) == 1


@pytest.mark.parametrize(
    ("changes", "status", "text", "field"),
    [
        ({"card_number": "4000000000000002"}, 402, "Your card was declined.", "card_number"),
        ({"card_number": "4000000000009995"}, 402, "insufficient funds", "card_number"),
        ({"card_number": "4000000000000069"}, 402, "expired", "expiry"),
        ({"card_number": "4242424242424241"}, 402, "number is incorrect", "card_number"),
        ({"card_number": ""}, 402, "number is incorrect", "card_number"),
        ({"expiry": "13/40"}, 422, "month / year", "expiry"),
        ({"expiry": "01/20"}, 402, "expiration year is invalid", "expiry"),
        ({"cvc": ""}, 422, "security code", "cvc"),
        ({"cvc": "1"}, 402, "security code is invalid", "cvc"),
        ({"email": "nobody"}, 422, "e-mail address", "email"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    client: stripe.StripeClient, changes: dict[str, str], status: int, text: str, field: str
) -> None:
    session = open_session(client)
    page = _post(session.url, **changes)
    assert page.status_code == status
    alert = re.search(r'role="alert">([^<]+)<', page.text)
    assert alert is not None and text in alert[1].replace("&#39;", "'")
    wrong = re.search(r'<input id="(\w+)"[^>]*aria-invalid="true"', page.text)
    assert wrong is not None and wrong[1] == field
    form = page.text[page.text.index("<form") : page.text.index("</form>")]
    assert "4000" not in form and "4242" not in form and "12 / 40" not in form
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert _post(session.url).status_code == 303


@pytest.mark.parametrize("answer", ["complete", "fail"])
def test_three_d_secure_by_page(client: stripe.StripeClient, sandbox: Sandbox, answer: str) -> None:
    session = open_session(client)
    asked = _post(session.url, card_number="4000002500003155")
    bank = asked.headers["Location"]
    assert asked.status_code == 303 and bank.startswith(f"{sandbox.url}/c/3ds/")
    assert "€42.00" in httpx.get(bank, trust_env=False, verify=PLAIN).text
    back = httpx.post(bank, data={"answer": answer}, trust_env=False, verify=PLAIN)
    if answer == "complete":
        assert back.headers["Location"] == f"http://shop.localhost/done?session={session.id}"
    else:
        assert back.headers["Location"] == session.url
        assert "could not confirm" in httpx.get(session.url, trust_env=False, verify=PLAIN).text
        assert _post(session.url).status_code == 303
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_a_decline_after_the_bank_is_explained(client: stripe.StripeClient) -> None:
    session = open_session(client)
    bank = _post(session.url, card_number="4000008260003178").headers["Location"]
    back = httpx.post(bank, data={"answer": "complete"}, trust_env=False, follow_redirects=True, verify=PLAIN)
    assert "insufficient funds" in back.text


def test_expired_and_unknown_sessions_say_so(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    session = open_session(client)
    client.v1.checkout.sessions.expire(session.id)
    gone = httpx.get(session.url or f"{sandbox.url}/c/pay/{session.id}", trust_env=False, verify=PLAIN)
    assert gone.status_code == 410 and "http://shop.localhost/back" in gone.text
    assert _post(f"{sandbox.url}/c/pay/{session.id}").status_code == 410
    assert httpx.get(f"{sandbox.url}/c/pay/cs_test_none", trust_env=False, verify=PLAIN).status_code == 404
    assert _post(f"{sandbox.url}/c/pay/cs_test_none").status_code == 404


def test_pages_allow_no_foreign_code_and_escape_text(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    line = {
        "price_data": {"currency": "eur", "unit_amount": 900, "product_data": {"name": "<script>alert(1)</script>"}},
        "quantity": 2,
    }
    session = open_session(client, line_items=[line])
    for url in (session.url, f"{sandbox.url}/", f"{sandbox.url}/nothing"):
        page = httpx.get(url, trust_env=False, verify=PLAIN)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert "<script>alert" not in page.text and " style=" not in page.text and " onclick=" not in page.text
        for address in re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', page.text):
            assert address.startswith("/static/")
            assert httpx.get(f"{sandbox.url}{address}", trust_env=False, verify=PLAIN).status_code == 200


def test_the_receipt_shows_what_was_paid_and_given_back(client: stripe.StripeClient) -> None:
    intent = pay(client, 5000, expand=["latest_charge"])
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 700})
    receipt = httpx.get(intent.latest_charge.receipt_url, trust_env=False, verify=PLAIN)
    assert "€50.00" in receipt.text and "−€7.00" in receipt.text and "4242" in receipt.text


def test_the_panel_shows_everything_and_its_buttons_work(
    client: stripe.StripeClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    session = open_session(client, client_reference_id="inv-7")
    complete(sandbox, session.id)
    wait_for(lambda: not sandbox.deliveries("pending"), "all deliveries")
    panel = httpx.get(f"{sandbox.url}/", trust_env=False, verify=PLAIN).text
    for text in (session.id, "inv-7", "checkout.session.completed", receiver.url, "delivered"):
        assert text in panel
    event = receiver.received[-1].event["id"]
    count = len(receiver.received)

    def press(path: str, **form: str) -> int:
        return httpx.post(f"{sandbox.url}/panel/{path}", data=form, trust_env=False, verify=PLAIN).status_code

    assert press("deliveries/hold") == 303
    assert press(f"events/{event}/resend") == 303
    assert "Release" in httpx.get(f"{sandbox.url}/", trust_env=False, verify=PLAIN).text
    assert press("deliveries/release", order="shuffle") == 303
    wait_for(lambda: len(receiver.received) == count + 1, "the duplicate")
    assert press("faults", status="500", count="1") == 303
    assert len(sandbox.control("GET", "faults")["data"]) == 1
    assert press("faults", method="DELETE") == 303
    assert sandbox.control("GET", "faults")["data"] == []
    assert press("faults", status="7", count="x") == 400
    assert httpx.get(f"{sandbox.url}/panel/deliveries/hold", trust_env=False, verify=PLAIN).status_code == 405


@pytest.mark.parametrize("back", ["//evil.example", "/\\evil.example", "https://evil.example", "/\r\nX-Header: 1"])
def test_the_panel_leads_back_to_itself_only(sandbox: Sandbox, back: str) -> None:
    pressed = httpx.post(f"{sandbox.url}/panel/deliveries/release", data={"back": back}, trust_env=False, verify=PLAIN)
    assert (pressed.status_code, pressed.headers["Location"]) == (303, "/")


def test_a_form_too_large_is_refused(client: stripe.StripeClient) -> None:
    assert _post(open_session(client).url, name="x" * 1_000_001).status_code == 413


def test_the_receipt_of_a_debit_names_the_account(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    session = open_session(client, payment_method_types=["sepa_debit"])
    complete(sandbox, session.id, "pm_sepaDebit_success")
    sandbox.control("POST", "later/run")
    [charge] = client.v1.charges.list().data
    assert "SEPA •••• 3000" in httpx.get(charge.receipt_url, trust_env=False, verify=PLAIN).text
