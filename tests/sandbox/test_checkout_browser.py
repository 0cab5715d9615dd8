"""The payment page in a real browser, by keyboard alone and under its content policy."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
import stripe
from playwright.sync_api import Page, sync_playwright

from tests.sandbox.process import Sandbox
from tests.sandbox.stories import open_session

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture
def tab() -> Iterator[Page]:
    """An empty tab; afterwards the browser must not have complained."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        browser.close()
    # The answer 402 to a declined card is reported as an error too.
    assert [line for line in complaints if "402" not in line] == []


def _type_card(tab: Page, number: str) -> None:
    tab.get_by_label("Card number").focus()
    for text in (number, "1240", "123", "A. Payer"):
        tab.keyboard.type(text)
        tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")


def test_a_keyboard_is_enough_to_be_declined_and_then_pay(
    client: stripe.StripeClient, sandbox: Sandbox, tab: Page
) -> None:
    session = open_session(
        client, customer_email="ap@ionian.example", success_url=f"{sandbox.url}/?paid={{CHECKOUT_SESSION_ID}}"
    )
    tab.goto(session.url)
    _type_card(tab, "4000000000000002")
    tab.get_by_role("alert").wait_for()
    assert tab.get_by_role("alert").inner_text() == "Your card was declined."
    assert tab.get_by_label("Card number").evaluate("field => field === document.activeElement")
    _type_card(tab, "4242424242424242")
    tab.wait_for_url(re.compile(f"paid={session.id}$"))
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_a_test_card_is_one_click_and_the_bank_another(
    client: stripe.StripeClient, sandbox: Sandbox, tab: Page
) -> None:
    session = open_session(client, customer_email="ap@ionian.example", success_url=f"{sandbox.url}/?paid=1")
    tab.goto(session.url)
    tab.get_by_role("button", name="4000 0025 0000 3155").click()
    tab.get_by_role("button", name="Pay €42.00").click()
    tab.get_by_role("button", name="Complete authentication").click()
    tab.wait_for_url(re.compile("paid=1$"))
    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_a_bank_account_is_chosen_by_keyboard(client: stripe.StripeClient, sandbox: Sandbox, tab: Page) -> None:
    session = open_session(
        client,
        customer_email="ap@ionian.example",
        payment_method_types=["card", "sepa_debit"],
        success_url=f"{sandbox.url}/?paid=1",
    )
    tab.goto(session.url)
    tab.get_by_label("Card", exact=True).focus()
    tab.keyboard.press("ArrowRight")
    tab.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    tab.keyboard.press("Enter")
    tab.wait_for_url(re.compile("paid=1$"))
    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_the_portal_keeps_a_card_after_the_bank_has_asked(
    client: stripe.StripeClient, sandbox: Sandbox, tab: Page
) -> None:
    customer = client.v1.customers.create({"email": "ap@ionian.example"})
    tab.goto(client.v1.billing_portal.sessions.create({"customer": customer.id}).url)
    _type_card(tab, "4000002760003184")
    tab.get_by_role("button", name="Complete authentication").click()
    assert tab.get_by_role("status").inner_text().startswith("The card was added")
    [method] = client.v1.payment_methods.list({"customer": customer.id}).data
    assert client.v1.customers.retrieve(customer.id).invoice_settings.default_payment_method == method.id


def test_the_number_is_grouped_while_typing(client: stripe.StripeClient, tab: Page) -> None:
    tab.goto(open_session(client).url)
    field = tab.get_by_label("Card number")
    field.press_sequentially("378282246310005")
    assert field.input_value() == "3782 822463 10005"
    field.fill("")
    field.press_sequentially("4242424242424242")
    assert field.input_value() == "4242 4242 4242 4242"
    expiry = tab.get_by_label("Expiry")
    expiry.press_sequentially("740")
    assert expiry.input_value() == "07 / 40"


def test_no_page_is_wider_than_a_phone(client: stripe.StripeClient, sandbox: Sandbox, tab: Page) -> None:
    client.v1.webhook_endpoints.create({"url": f"http://127.0.0.1:9/{'long-' * 30}", "enabled_events": ["*"]})
    customer = client.v1.customers.create({"name": "n" * 90})
    invoice = client.v1.invoices.create(
        {"customer": customer.id, "currency": "eur", "collection_method": "send_invoice", "days_until_due": 9}
    )
    client.v1.invoice_items.create(
        {
            "customer": customer.id,
            "invoice": invoice.id,
            "amount": 900,
            "currency": "eur",
            "description": "d" * 90,
        }
    )
    hosted = client.v1.invoices.finalize_invoice(invoice.id).hosted_invoice_url
    portal = client.v1.billing_portal.sessions.create({"customer": customer.id}).url
    tab.set_viewport_size({"width": 390, "height": 844})
    for address in (
        f"{sandbox.url}/", f"{sandbox.url}/objects/{invoice.id}", hosted, portal, open_session(client).url,
    ):  # fmt: skip
        tab.goto(str(address))
        assert tab.evaluate("document.documentElement.scrollWidth") == 390, address
